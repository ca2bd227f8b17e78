-- A mean day of the measure, before it and since: emissions.
select
    avg(d.location_kgco2e) filter (where not d.is_after) as before_kgco2e,
    avg(d.location_kgco2e) filter (where d.is_after) as after_kgco2e
from mart.measure_daily as d
where
    d.site in (${site:sqlstring})
    and d.measure in (${measure:sqlstring})
    and d.day >= cast(cast($__timeFrom() as timestamp) as date)
    and d.day <= cast(cast($__timeTo() as timestamp) as date) + 1
    and (d.known_h is null or d.known_h >= 23);
