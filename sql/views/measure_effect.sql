-- One row a measure: a mean day before it and since, of the days that the store knows whole, and the change.
create or replace view mart.measure_effect as
-- Millionths are summed as whole numbers, so that means are the same in any order and on any store.
with whole_day as (
    select
        d.site,
        d.measure,
        d.title_zh,
        d.title_en,
        d.from_day,
        d.is_after,
        cast(floor(d.energy_kwh * 1000000 + 0.5) as bigint) as energy,
        cast(floor(d.fuel_l * 1000000 + 0.5) as bigint) as fuel,
        cast(floor(d.output * 1000000 + 0.5) as bigint) as output,
        cast(floor(d.in_band_share * 1000000 + 0.5) as bigint) as in_band,
        cast(floor(d.degree_hours * 1000000 + 0.5) as bigint) as degrees,
        cast(floor(case when d.degree_hours > 0 then d.energy_kwh end * 1000000 + 0.5) as bigint) as cooling,
        cast(floor(d.location_kgco2e * 1000000 + 0.5) as bigint) as location
    from mart.measure_daily as d
    where d.known_h is null or d.known_h >= 23
),

mean_day as (
    select
        w.site,
        w.measure,
        w.title_zh,
        w.title_en,
        w.from_day,
        count(*) filter (where not w.is_after) as days_before,
        count(*) filter (where w.is_after) as days_after,
        cast(sum(w.energy) filter (where not w.is_after) as double precision) / 1000000
        / nullif(count(w.energy) filter (where not w.is_after), 0) as energy_kwh_before,
        cast(sum(w.energy) filter (where w.is_after) as double precision) / 1000000
        / nullif(count(w.energy) filter (where w.is_after), 0) as energy_kwh_after,
        cast(sum(w.fuel) filter (where not w.is_after) as double precision) / 1000000
        / nullif(count(w.fuel) filter (where not w.is_after), 0) as fuel_l_before,
        cast(sum(w.fuel) filter (where w.is_after) as double precision) / 1000000
        / nullif(count(w.fuel) filter (where w.is_after), 0) as fuel_l_after,
        cast(sum(w.output) filter (where not w.is_after) as double precision) / 1000000
        / nullif(count(w.output) filter (where not w.is_after), 0) as output_before,
        cast(sum(w.output) filter (where w.is_after) as double precision) / 1000000
        / nullif(count(w.output) filter (where w.is_after), 0) as output_after,
        cast(sum(w.in_band) filter (where not w.is_after) as double precision) / 1000000
        / nullif(count(w.in_band) filter (where not w.is_after), 0) as in_band_share_before,
        cast(sum(w.in_band) filter (where w.is_after) as double precision) / 1000000
        / nullif(count(w.in_band) filter (where w.is_after), 0) as in_band_share_after,
        cast(sum(w.location) filter (where not w.is_after) as double precision) / 1000000
        / nullif(count(w.location) filter (where not w.is_after), 0) as location_kgco2e_before,
        cast(sum(w.location) filter (where w.is_after) as double precision) / 1000000
        / nullif(count(w.location) filter (where w.is_after), 0) as location_kgco2e_after,
        cast(sum(w.cooling) filter (where not w.is_after) as double precision)
        / nullif(sum(w.degrees) filter (where not w.is_after and w.degrees > 0), 0) as kwh_per_degree_hour_before,
        cast(sum(w.cooling) filter (where w.is_after) as double precision)
        / nullif(sum(w.degrees) filter (where w.is_after and w.degrees > 0), 0) as kwh_per_degree_hour_after
    from whole_day as w
    group by w.site, w.measure, w.title_zh, w.title_en, w.from_day
)

select
    m.*,
    m.energy_kwh_after / nullif(m.energy_kwh_before, 0) - 1 as energy_change,
    m.fuel_l_after / nullif(m.fuel_l_before, 0) - 1 as fuel_change,
    m.output_after / nullif(m.output_before, 0) - 1 as output_change,
    (m.energy_kwh_after / nullif(m.output_after, 0))
    / nullif(m.energy_kwh_before / nullif(m.output_before, 0), 0) - 1 as kwh_per_output_change,
    m.kwh_per_degree_hour_after / nullif(m.kwh_per_degree_hour_before, 0) - 1 as kwh_per_degree_hour_change,
    m.location_kgco2e_after / nullif(m.location_kgco2e_before, 0) - 1 as location_kgco2e_change,
    (m.location_kgco2e_after / nullif(m.output_after, 0))
    / nullif(m.location_kgco2e_before / nullif(m.output_before, 0), 0) - 1 as kgco2e_per_output_change
from mean_day as m;
