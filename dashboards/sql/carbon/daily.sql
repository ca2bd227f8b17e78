-- Tonnes CO2e of each source by local day, location-based.
with zoned as (
    select
        s.site,
        s.time_zone
    from mart.site as s
    where s.site in (${site:sqlstring})
)

select
    date_trunc('day', e.starts_at at time zone 'UTC' at time zone z.time_zone)
    at time zone z.time_zone at time zone 'UTC' as time,
    e.source as metric,
    sum(e.location_kgco2e) / 1000 as mass_tco2e
from mart.emissions_interval as e
inner join zoned as z on e.site = z.site
where e.site in (${site:sqlstring}) and $__timeFilter(e.starts_at) and e.scope > 0
group by 1, 2
order by 1, 2;
