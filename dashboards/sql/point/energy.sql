-- One row: energy of the range, the estimated share of it, and the share of the time of which nothing is known.
select
    sum(i.energy_kwh) as energy_kwh,
    least(sum(i.estimated_kwh) / nullif(abs(sum(i.energy_kwh)), 0), 1) as estimated_share,
    sum(i.missing_s) / nullif(sum(extract(epoch from i.ends_at - i.starts_at)), 0) as missing_share,
    count(*) filter (where i.revision > 0) as revised
from mart.energy_interval as i
where i.point in (${point:sqlstring}) and $__timeFilter(i.starts_at)
having count(*) > 0;
