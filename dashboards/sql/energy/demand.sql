-- The highest quarter-hour of each interval against the contract.
select
    $__timeGroupAlias(d.starts_at, $__interval),
    max(d.demand_kw) as demand_kw,
    max(d.contract_kw) as contract_kw
from mart.demand_15min as d
where d.site in (${site:sqlstring}) and $__timeFilter(d.starts_at)
group by 1
order by 1;
