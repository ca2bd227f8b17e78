-- A mean day of the measure, before it and since: energy.
select
    avg(d.energy_kwh) filter (where not d.is_after) as before_kwh,
    avg(d.energy_kwh) filter (where d.is_after) as after_kwh
from mart.measure_use_daily as d
where
    d.site in (${site:sqlstring})
    and d.measure in (${measure:sqlstring})
    and in_local_days(d.day)
    and (d.known_h is null or d.known_h >= 23);
