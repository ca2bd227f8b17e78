-- One row a measure: a mean day before it and since, of the days that the store knows whole, and the change.
create or replace view mart.measure_effect as
with mean_day as (
    select
        d.site,
        d.measure,
        d.title_zh,
        d.title_en,
        d.from_day,
        count(*) filter (where not d.is_after) as days_before,
        count(*) filter (where d.is_after) as days_after,
        avg(d.energy_kwh) filter (where not d.is_after) as energy_kwh_before,
        avg(d.energy_kwh) filter (where d.is_after) as energy_kwh_after,
        avg(d.fuel_l) filter (where not d.is_after) as fuel_l_before,
        avg(d.fuel_l) filter (where d.is_after) as fuel_l_after,
        avg(d.output) filter (where not d.is_after) as output_before,
        avg(d.output) filter (where d.is_after) as output_after,
        avg(d.in_band_share) filter (where not d.is_after) as in_band_share_before,
        avg(d.in_band_share) filter (where d.is_after) as in_band_share_after,
        avg(d.location_kgco2e) filter (where not d.is_after) as location_kgco2e_before,
        avg(d.location_kgco2e) filter (where d.is_after) as location_kgco2e_after
    from mart.measure_daily as d
    where d.known_h is null or d.known_h > 23
    group by d.site, d.measure, d.title_zh, d.title_en, d.from_day
)

select
    m.*,
    m.energy_kwh_after / nullif(m.energy_kwh_before, 0) - 1 as energy_change,
    m.fuel_l_after / nullif(m.fuel_l_before, 0) - 1 as fuel_change,
    m.output_after / nullif(m.output_before, 0) - 1 as output_change,
    (m.energy_kwh_after / nullif(m.output_after, 0))
    / nullif(m.energy_kwh_before / nullif(m.output_before, 0), 0) - 1 as kwh_per_output_change,
    m.location_kgco2e_after / nullif(m.location_kgco2e_before, 0) - 1 as location_kgco2e_change,
    (m.location_kgco2e_after / nullif(m.output_after, 0))
    / nullif(m.location_kgco2e_before / nullif(m.output_before, 0), 0) - 1 as kgco2e_per_output_change
from mean_day as m;
