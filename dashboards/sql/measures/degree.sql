-- Energy for each degree-hour that the measure's room was held below the outdoor temperature, by local day.
select
    local_day_start(d.day, z.time_zone) as time,
    max(case when not d.is_after then d.kwh_per_degree_hour end) as before_value,
    max(case when d.is_after then d.kwh_per_degree_hour end) as after_value
from mart.measure_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and d.measure in (${measure:sqlstring})
    and in_local_days(d.day)
    and d.kwh_per_degree_hour is not null
group by 1
order by 1;
