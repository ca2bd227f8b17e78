-- One row a measure of the site: a mean day before it and since, of the whole days in the range.
select
    d.title_zh,
    d.title_en,
    cast(d.from_day as varchar) as from_day,
    avg(d.energy_kwh) filter (where d.is_after)
    / nullif(avg(d.energy_kwh) filter (where not d.is_after), 0) - 1 as energy_change,
    sum(d.energy_kwh) filter (where d.is_after and d.output > 0)
    / nullif(sum(d.output) filter (where d.is_after and d.output > 0), 0)
    / nullif(
        sum(d.energy_kwh) filter (where not d.is_after and d.output > 0)
        / nullif(sum(d.output) filter (where not d.is_after and d.output > 0), 0), 0
    ) - 1 as each_change,
    sum(case when d.degree_hours > 0 then d.energy_kwh end) filter (where d.is_after)
    / nullif(sum(case when d.degree_hours > 0 then d.degree_hours end) filter (where d.is_after), 0)
    / nullif(
        sum(case when d.degree_hours > 0 then d.energy_kwh end) filter (where not d.is_after)
        / nullif(sum(case when d.degree_hours > 0 then d.degree_hours end) filter (where not d.is_after), 0), 0
    ) - 1 as degree_change,
    avg(d.fuel_l) filter (where d.is_after)
    / nullif(avg(d.fuel_l) filter (where not d.is_after), 0) - 1 as fuel_change,
    avg(d.output) filter (where d.is_after)
    / nullif(avg(d.output) filter (where not d.is_after), 0) - 1 as output_change,
    avg(d.location_kgco2e) filter (where d.is_after)
    / nullif(avg(d.location_kgco2e) filter (where not d.is_after), 0) - 1 as carbon_change,
    avg(d.in_band_share) filter (where d.is_after) as in_band_share,
    count(*) filter (where not d.is_after) as days_before,
    count(*) filter (where d.is_after) as days_after
from mart.measure_daily as d
where
    d.site in (${site:sqlstring})
    and in_local_days(d.day)
    and (d.known_h is null or d.known_h >= 23)
group by d.measure, d.title_zh, d.title_en, d.from_day
order by d.from_day, d.measure;
