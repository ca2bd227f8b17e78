-- One row: seconds from the last interval of the site that is furthest behind to the end of the range; silent points.
with newest as (
    select
        p.site,
        max(p.ends_at) as ends_at
    from mart.point_state as p
    group by p.site
),

oldest as (
    select extract(epoch from cast($__timeTo() as timestamp) - min(n.ends_at)) as oldest_s
    from newest as n
),

silent as (
    select count(*) as silent_points
    from mart.point_state as p
    where
        p.kind not in ('state', 'amount')
        and (p.ends_at is null or p.ends_at < cast($__timeTo() as timestamp) - interval '1 hour')
)

select
    greatest(o.oldest_s, 0) as oldest_s,
    s.silent_points
from oldest as o
cross join silent as s;
