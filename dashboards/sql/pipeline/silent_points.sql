-- One row a point whose last known interval ended more than an hour before the end of the range, or that has none.
select
    p.site,
    p.asset,
    p.point,
    p.kind,
    p.ends_at,
    extract(epoch from cast($__timeTo() as timestamp) - p.ends_at) as silent_s
from mart.point_state as p
where
    p.kind not in ('state', 'amount', 'virtual')
    and (p.ends_at is null or p.ends_at < cast($__timeTo() as timestamp) - interval '1 hour')
order by silent_s desc nulls first, p.point asc
limit 100;
