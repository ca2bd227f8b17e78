-- One row a measure and local day: what its points used and made, whether its condition held, its emissions.
create or replace view mart.measure_daily as
with part as (
    select
        p.site,
        m.measure,
        m.from_day,
        m.title_zh,
        m.title_en,
        m.role,
        f.local_day as day,
        cast(sum(f.amount) as double precision) / max(
            case p.quantity
                when 'energy' then 1000000
                when 'volume' then 1000
                when 'mass' then 1000000
                when 'duration' then 3600000
                when 'degree_time' then 1000000
                else 1000
            end
        ) as amount,
        cast(count(*) * max(p.resolution_ms) as double precision) / 3600000 / count(distinct p.point_id)
        - cast(sum(f.missing_ms) as double precision) / 3600000 / count(distinct p.point_id) as known_h
    from op.measure as m
    inner join op.point as p on m.point_id = p.point_id
    inner join fact.interval as f on p.point_id = f.point_id
    where position('@' in p.site) = 0
    group by p.site, m.measure, m.from_day, m.title_zh, m.title_en, m.role, f.local_day
),

-- What is burnt or bought has emissions of its own; energy has those of the site's grid on that day.
burnt as (
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

pivoted as (
    select
        t.site,
        t.measure,
        t.from_day,
        t.title_zh,
        t.title_en,
        t.day,
        sum(t.amount) filter (where t.role = 'energy') as energy_kwh,
        sum(t.amount) filter (where t.role = 'fuel') as fuel_l,
        sum(t.amount) filter (where t.role = 'material') as material_kg,
        sum(t.amount) filter (where t.role = 'output') as output,
        min(t.known_h) filter (where t.role in ('energy', 'fuel')) as known_h,
        sum(t.amount) filter (where t.role = 'in_band')
        / nullif(max(t.known_h) filter (where t.role = 'in_band'), 0) as in_band_share,
        sum(t.amount) filter (where t.role = 'temperature_area')
        / nullif(max(t.known_h) filter (where t.role = 'temperature_area'), 0) as mean_c
    from part as t
    group by t.site, t.measure, t.from_day, t.title_zh, t.title_en, t.day
)

select
    v.site,
    v.measure,
    v.title_zh,
    v.title_en,
    v.from_day,
    v.day,
    v.day >= v.from_day as is_after,
    v.energy_kwh,
    v.fuel_l,
    v.material_kg,
    v.output,
    v.energy_kwh / nullif(v.output, 0) as kwh_per_output,
    v.fuel_l / nullif(v.output, 0) as l_per_output,
    v.in_band_share,
    v.mean_c,
    coalesce(b.location_kgco2e, 0)
    + coalesce(v.energy_kwh * s.scope_2_location_kgco2e / nullif(s.import_kwh, 0), 0) as location_kgco2e,
    v.energy_kwh * s.ntd_per_kwh as energy_ntd,
    v.known_h
from pivoted as v
left join burnt as b on v.site = b.site and v.measure = b.measure and v.day = b.day
left join mart.site_daily as s on v.site = s.site and v.day = s.day;
