-- One row a source: tonnes CO2e, location-based.
select
    e.source,
    sum(e.location_kgco2e) / 1000 as mass_tco2e
from mart.emissions_interval as e
where e.site in (${site:sqlstring}) and $__timeFilter(e.starts_at) and e.scope > 0
group by e.source
order by mass_tco2e desc nulls last, e.source asc
limit 12;
