-- One row: sites without an interval that ends within the last hour of the range.
with newest as (
    select
        p.site,
        max(p.ends_at) as ends_at
    from mart.point_state as p
    where p.site in (${site:sqlstring})
    group by p.site
)

select count(*) as sites
from newest as n
where n.ends_at is null or n.ends_at < cast($__timeTo() as timestamp) - interval '1 hour';
