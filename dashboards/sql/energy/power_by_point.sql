-- Mean power of each meter, over the time of which something is known.
select
    $__timeGroupAlias(i.starts_at, $__interval),
    i.point as metric,
    sum(i.energy_kwh) * 3600
    / nullif(sum(extract(epoch from i.ends_at - i.starts_at)) filter (where i.energy_kwh is not null), 0) as power_kw
from mart.energy_interval as i
where i.site in (${site:sqlstring}) and i.asset in (${asset:sqlstring}) and $__timeFilter(i.starts_at)
group by 1, 2
order by 1, 2;
