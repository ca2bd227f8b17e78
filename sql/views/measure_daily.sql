-- One row a measure and local day: what its points used and made, whether its condition held, its emissions.
create or replace view mart.measure_daily as
with named as (
    select distinct
        m.site,
        m.measure,
        m.from_day,
        m.title_zh,
        m.title_en
    from mart.measure as m
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
),

-- What is said of a day from four sides, under one another: a site that is asked for is looked up in each, once.
part as (
    select
        v.site,
        v.measure,
        v.day,
        true as is_used,
        v.energy_kwh,
        v.fuel_l,
        v.material_kg,
        v.output,
        v.in_band_share,
        v.mean_c,
        v.known_h,
        cast(null as bigint) as burnt_e10,
        cast(null as double precision) as kgco2e_per_kwh,
        cast(null as double precision) as ntd_per_kwh,
        cast(null as double precision) as degree_hours
    from mart.measure_use_daily as v
    union all
    -- What is burnt or bought has emissions of its own; energy has those of the site's grid on that day.
    select
        m.site,
        m.measure,
        cast(e.starts_at at time zone 'UTC' at time zone p.time_zone as date) as day,
        false as is_used,
        null as energy_kwh,
        null as fuel_l,
        null as material_kg,
        null as output,
        null as in_band_share,
        null as mean_c,
        null as known_h,
        e.location_e10 as burnt_e10,
        null as kgco2e_per_kwh,
        null as ntd_per_kwh,
        null as degree_hours
    from op.measure as m
    inner join op.point as p on m.point_id = p.point_id
    inner join fact.emission as e on m.site = e.site and m.point_id = e.point_id
    where m.role in ('fuel', 'material') and position('@' in m.site) = 0
    union all
    select
        n.site,
        n.measure,
        s.day,
        false as is_used,
        null as energy_kwh,
        null as fuel_l,
        null as material_kg,
        null as output,
        null as in_band_share,
        null as mean_c,
        null as known_h,
        null as burnt_e10,
        s.scope_2_location_kgco2e / nullif(s.import_kwh, 0) as kgco2e_per_kwh,
        s.ntd_per_kwh,
        null as degree_hours
    from named as n
    inner join mart.site_daily as s on n.site = s.site
    union all
    select
        r.site,
        r.measure,
        h.day,
        false as is_used,
        null as energy_kwh,
        null as fuel_l,
        null as material_kg,
        null as output,
        null as in_band_share,
        null as mean_c,
        null as known_h,
        null as burnt_e10,
        null as kgco2e_per_kwh,
        null as ntd_per_kwh,
        h.degree_hours
    from room as r
    inner join mart.room_daily as h on r.site = h.site and r.asset = h.asset
),

each_day as (
    select
        x.site,
        x.measure,
        x.day,
        max(x.energy_kwh) as energy_kwh,
        max(x.fuel_l) as fuel_l,
        max(x.material_kg) as material_kg,
        max(x.output) as output,
        max(x.in_band_share) as in_band_share,
        max(x.mean_c) as mean_c,
        max(x.known_h) as known_h,
        cast(sum(x.burnt_e10) as double precision) / 10000000000 as burnt_kgco2e,
        max(x.kgco2e_per_kwh) as kgco2e_per_kwh,
        max(x.ntd_per_kwh) as ntd_per_kwh,
        max(x.degree_hours) as degree_hours
    from part as x
    group by x.site, x.measure, x.day
    having bool_or(x.is_used)
)

select
    d.site,
    d.measure,
    n.title_zh,
    n.title_en,
    n.from_day,
    d.day,
    d.day >= n.from_day as is_after,
    d.energy_kwh,
    d.fuel_l,
    d.material_kg,
    d.output,
    d.energy_kwh / nullif(d.output, 0) as kwh_per_output,
    d.fuel_l / nullif(d.output, 0) as l_per_output,
    d.in_band_share,
    d.mean_c,
    d.degree_hours,
    case when d.degree_hours > 0 then d.energy_kwh / d.degree_hours end as kwh_per_degree_hour,
    case
        when d.energy_kwh is null and d.fuel_l is null and d.material_kg is null then null
        else
            case when d.energy_kwh is null then 0 else d.energy_kwh * d.kgco2e_per_kwh end
            + case when coalesce(d.fuel_l, 0) = 0 and coalesce(d.material_kg, 0) = 0 then 0 else d.burnt_kgco2e end
    end as location_kgco2e,
    d.energy_kwh * d.ntd_per_kwh as energy_ntd,
    d.known_h
from each_day as d
inner join named as n on d.site = n.site and d.measure = n.measure;
