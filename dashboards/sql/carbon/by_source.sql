-- One row a source: kg CO2e, location-based.
select
    e.source,
    sum(e.location_kgco2e) as mass_kgco2e
from mart.emissions_interval as e
where e.site in (${site:sqlstring}) and $__timeFilter(e.starts_at) and e.scope > 0
group by e.source
order by mass_kgco2e desc nulls last, e.source asc
limit 12;
