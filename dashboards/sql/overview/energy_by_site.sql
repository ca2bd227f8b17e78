-- One row a site: purchased energy.
select
    d.site,
    sum(d.energy_kwh) as energy_kwh
from mart.demand_15min as d
where d.site in (${site:sqlstring}) and $__timeFilter(d.starts_at)
group by d.site
order by energy_kwh desc nulls last, d.site asc;
