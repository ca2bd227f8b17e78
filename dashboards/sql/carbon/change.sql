-- One row: emissions of scope 1 and 2 (location-based), against the span of the same length before, and per kWh.
with emission as (
    select
        min(e.starts_at) as first_at,
        sum(e.location_kgco2e) filter (where e.starts_at >= $__timeFrom()) as now_kgco2e,
        sum(e.location_kgco2e) filter (where e.starts_at < $__timeFrom()) as earlier_kgco2e
    from mart.emissions_interval as e
    where
        e.site in (${site:sqlstring})
        and e.scope in (1, 2)
        and e.starts_at <= $__timeTo()
        and e.starts_at > cast($__timeFrom() as timestamp)
        - (cast($__timeTo() as timestamp) - cast($__timeFrom() as timestamp))
),

energy as (
    select sum(d.energy_kwh) as energy_kwh
    from mart.demand_15min as d
    where d.site in (${site:sqlstring}) and $__timeFilter(d.starts_at)
)

select
    m.now_kgco2e / 1000 as mass_tco2e,
    case
        when
            m.first_at < cast($__timeFrom() as timestamp)
            - (cast($__timeTo() as timestamp) - cast($__timeFrom() as timestamp)) * 9 / 10
            then m.now_kgco2e / nullif(m.earlier_kgco2e, 0) - 1
    end as change,
    m.now_kgco2e / nullif(e.energy_kwh, 0) as kgco2e_per_kwh
from emission as m
cross join energy as e;
