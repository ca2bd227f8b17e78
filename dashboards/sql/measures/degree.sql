-- Energy for each degree-hour that the measure's room was held below the outdoor temperature, by local day.
select
    cast(d.day as timestamp) at time zone z.time_zone at time zone 'UTC' as time,
    max(case when not d.is_after then d.kwh_per_degree_hour end) as before_value,
    max(case when d.is_after then d.kwh_per_degree_hour end) as after_value
from mart.measure_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and d.measure in (${measure:sqlstring})
    and d.day >= cast(cast($__timeFrom() as timestamp) as date)
    and d.day <= cast(cast($__timeTo() as timestamp) as date) + 1
    and d.kwh_per_degree_hour is not null
group by 1
order by 1;
