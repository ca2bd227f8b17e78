-- One row a measure and local day: what its points used and made, whether its condition held, its emissions.
create or replace view mart.measure_daily as
-- What is burnt or bought has emissions of its own; energy has those of the site's grid on that day.
with burnt as (
    select
        m.site,
        m.measure,
        cast(e.starts_at at time zone 'UTC' at time zone p.time_zone as date) as day,
        cast(sum(e.location_e10) as double precision) / 10000000000 as location_kgco2e
    from op.measure as m
    inner join op.point as p on m.point_id = p.point_id
    inner join fact.emission as e on m.point_id = e.point_id
    where m.role in ('fuel', 'material') and position('@' in p.site) = 0
    group by 1, 2, 3
),

-- The room whose temperature is the measure's condition.
room as (
    select distinct
        m.site,
        m.measure,
        k.asset
    from op.measure as m
    inner join op.point as p on m.point_id = p.point_id
    inner join op.point as s on split_part(p.point, '#', 1) = s.point
    inner join op.kpi as k on s.point_id = k.point_id
    where m.role = 'in_band' and k.kind = 'room' and k.role = 'temperature'
)

select
    v.site,
    v.measure,
    v.title_zh,
    v.title_en,
    v.from_day,
    v.day,
    v.is_after,
    v.energy_kwh,
    v.fuel_l,
    v.material_kg,
    v.output,
    v.energy_kwh / nullif(v.output, 0) as kwh_per_output,
    v.fuel_l / nullif(v.output, 0) as l_per_output,
    v.in_band_share,
    v.mean_c,
    h.degree_hours,
    case when h.degree_hours > 0 then v.energy_kwh / h.degree_hours end as kwh_per_degree_hour,
    case
        when v.energy_kwh is null and v.fuel_l is null and v.material_kg is null then null
        else
            case
                when v.energy_kwh is null then 0 else v.energy_kwh * s.scope_2_location_kgco2e / nullif(s.import_kwh, 0)
            end
            + case when coalesce(v.fuel_l, 0) = 0 and coalesce(v.material_kg, 0) = 0 then 0 else b.location_kgco2e end
    end as location_kgco2e,
    v.energy_kwh * s.ntd_per_kwh as energy_ntd,
    v.known_h
from mart.measure_use_daily as v
left join burnt as b on v.site = b.site and v.measure = b.measure and v.day = b.day
left join mart.site_daily as s on v.site = s.site and v.day = s.day
left join room as r on v.site = r.site and v.measure = r.measure
left join mart.room_daily as h on r.site = h.site and r.asset = h.asset and v.day = h.day;
