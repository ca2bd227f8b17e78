-- One row: seconds from the last interval of the site that is furthest behind to the end of the range; silent points.
with newest as (
    select
        p.site,
        max(p.ends_at) as ends_at,
        count(*) filter (
            where p.kind not in ('state', 'amount', 'virtual')
            and (p.ends_at is null or p.ends_at < cast($__timeTo() as timestamp) - interval '1 hour')
        ) as silent_points
    from mart.point_state as p
    group by p.site
)

select
    floor(greatest(extract(epoch from cast($__timeTo() as timestamp) - min(n.ends_at)), 0)) as oldest_s,
    cast(sum(n.silent_points) as bigint) as silent_points
from newest as n;
