-- Mean power that each site purchased.
select
    $__timeGroupAlias(d.starts_at, $__interval),
    d.site as metric,
    avg(d.demand_kw) as demand_kw
from mart.demand_15min as d
where d.site in (${site:sqlstring}) and $__timeFilter(d.starts_at)
group by 1, 2
order by 1, 2;
