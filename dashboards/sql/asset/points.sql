-- One row a point of the asset: what it measures, and the end of its last known interval.
select
    s.site,
    s.asset,
    s.point,
    s.kind,
    p.unit,
    s.ends_at
from mart.point_state as s
inner join mart.point as p on s.point = p.point
where s.site in (${site:sqlstring}) and s.asset in (${asset:sqlstring})
order by s.point;
