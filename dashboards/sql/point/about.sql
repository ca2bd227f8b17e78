-- One row: what the point is, and how fresh its data are.
select
    p.site,
    p.asset,
    p.kind,
    p.unit,
    p.interval_s,
    s.ends_at
from mart.point as p
inner join mart.point_state as s on p.point = s.point
where p.point in (${point:sqlstring});
