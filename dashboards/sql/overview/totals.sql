-- One row: purchased energy, its cost with 5 % VAT, emissions of scope 1 and 2 (location-based), and how sure they are.
with energy as (
    select
        sum(d.energy_kwh) as energy_kwh,
        sum(d.estimated_kwh) / nullif(sum(d.energy_kwh), 0) as estimated_share,
        sum(d.missing_s) / (count(*) * 900) as missing_share
    from mart.demand_15min as d
    where d.site in (${site:sqlstring}) and $__timeFilter(d.starts_at)
),

cost as (
    select sum(c.cost_ntd) as cost_ntd
    from mart.cost_interval as c
    where c.site in (${site:sqlstring}) and $__timeFilter(c.starts_at)
),

emission as (
    select sum(e.location_kgco2e) / 1000 as mass_tco2e
    from mart.emissions_interval as e
    where e.site in (${site:sqlstring}) and $__timeFilter(e.starts_at) and e.scope in (1, 2)
)

select
    e.energy_kwh,
    c.cost_ntd,
    m.mass_tco2e,
    e.estimated_share,
    e.missing_share
from energy as e
cross join cost as c
cross join emission as m;
