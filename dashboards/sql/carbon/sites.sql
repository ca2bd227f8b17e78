-- One row a site: tonnes CO2e by scope (location-based), and kg CO2e a purchased kWh.
with emission as (
    select
        e.site,
        sum(e.location_kgco2e) filter (where e.scope = 1) as scope1_kgco2e,
        sum(e.location_kgco2e) filter (where e.scope = 2) as scope2_kgco2e,
        sum(e.location_kgco2e) filter (where e.scope = 3) as scope3_kgco2e,
        coalesce(sum(e.location_kgco2e) filter (where e.quality in ('estimated', 'partial')), 0)
        / nullif(sum(e.location_kgco2e), 0) as estimated_share
    from mart.emissions_interval as e
    where e.site in (${site:sqlstring}) and $__timeFilter(e.starts_at) and e.scope > 0
    group by e.site
),

energy as (
    select
        d.site,
        sum(d.energy_kwh) as energy_kwh,
        sum(d.missing_s) / (count(*) * 900) as missing_share
    from mart.demand_15min as d
    where d.site in (${site:sqlstring}) and $__timeFilter(d.starts_at)
    group by d.site
)

select
    m.site,
    m.scope1_kgco2e / 1000 as scope1_tco2e,
    m.scope2_kgco2e / 1000 as scope2_tco2e,
    m.scope3_kgco2e / 1000 as scope3_tco2e,
    (coalesce(m.scope1_kgco2e, 0) + coalesce(m.scope2_kgco2e, 0)) / nullif(e.energy_kwh, 0) as kgco2e_per_kwh,
    m.estimated_share,
    e.missing_share
from emission as m
left join energy as e on m.site = e.site
order by m.scope2_kgco2e desc nulls last, m.site asc;
