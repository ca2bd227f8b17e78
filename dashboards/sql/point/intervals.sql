-- One row an interval that is not plainly measured, or was computed again: the newest first.
select
    i.starts_at,
    i.energy_kwh,
    i.estimated_kwh,
    i.missing_s,
    i.quality,
    i.revision
from mart.energy_interval as i
where i.point in (${point:sqlstring}) and $__timeFilter(i.starts_at) and (i.quality <> 'measured' or i.revision > 0)
order by i.starts_at desc
limit 100;
