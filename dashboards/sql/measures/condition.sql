-- The share of the time that the measure's condition held, before it and since.
select
    avg(d.in_band_share) filter (where not d.is_after) as before_share,
    avg(d.in_band_share) filter (where d.is_after) as after_share
from mart.measure_use_daily as d
where
    d.site in (${site:sqlstring})
    and d.measure in (${measure:sqlstring})
    and in_local_days(d.day)
    and (d.known_h is null or d.known_h >= 23);
