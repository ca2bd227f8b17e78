-- One row a meter: hours of which nothing is known, estimated energy and its share, and intervals computed again.
select
    i.site,
    i.asset,
    i.point,
    sum(i.missing_s) as missing_s,
    sum(i.missing_s) / nullif(sum(extract(epoch from i.ends_at - i.starts_at)), 0) as missing_share,
    sum(i.estimated_kwh) as estimated_kwh,
    least(sum(i.estimated_kwh) / nullif(abs(sum(i.energy_kwh)), 0), 1) as estimated_share,
    count(*) filter (where i.revision > 0) as revised
from mart.energy_interval as i
where i.site in (${site:sqlstring}) and $__timeFilter(i.starts_at)
group by i.site, i.asset, i.point
order by missing_share desc nulls last, estimated_share desc nulls last, i.point asc;
