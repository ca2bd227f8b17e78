-- Fuel of the measure's points by local day, before it and since.
select
    local_day_start(d.day, z.time_zone) as time,
    max(case when not d.is_after then d.fuel_l end) as before_value,
    max(case when d.is_after then d.fuel_l end) as after_value
from mart.measure_use_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and d.measure in (${measure:sqlstring})
    and in_local_days(d.day)
    and d.fuel_l is not null
group by 1
order by 1;
