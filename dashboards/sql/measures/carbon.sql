-- A mean day of the measure, before it and since: emissions.
select
    avg(d.location_kgco2e) filter (where not d.is_after) as before_kgco2e,
    avg(d.location_kgco2e) filter (where d.is_after) as after_kgco2e
from mart.measure_daily as d
where
    d.site in (${site:sqlstring})
    and d.measure in (${measure:sqlstring})
    and in_local_days(d.day)
    and (d.known_h is null or d.known_h >= 23);
