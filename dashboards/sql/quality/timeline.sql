-- The worst quality of each meter in each interval, as a code: 0 measured, 1 estimated, 2 partial, 3 missing.
select
    $__timeGroupAlias(i.starts_at, $__interval),
    i.point as metric,
    max(case i.quality when 'measured' then 0 when 'estimated' then 1 when 'partial' then 2 else 3 end) as quality
from mart.energy_interval as i
where i.site in (${site:sqlstring}) and $__timeFilter(i.starts_at)
group by 1, 2
order by 1, 2;
