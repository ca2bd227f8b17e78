-- One row a point: what it measures, in which unit, how fine its intervals are, and the time zone of its site.
create or replace view mart.point as
select
    p.site,
    p.asset,
    p.point,
    p.kind,
    p.quantity,
    p.unit,
    cast(p.resolution_ms as double precision) / 1000 as interval_s,
    p.time_zone
from op.point as p
where p.kind <> 'derived' and position('@' in p.site) = 0;
