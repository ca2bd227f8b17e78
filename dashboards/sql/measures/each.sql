-- Energy for each thing that was made or moved by local day, before the measure and since.
select
    cast(d.day as timestamp) at time zone z.time_zone at time zone 'UTC' as time,
    max(case when not d.is_after then d.kwh_per_output end) as before_value,
    max(case when d.is_after then d.kwh_per_output end) as after_value
from mart.measure_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and d.measure in (${measure:sqlstring})
    and $__timeFilter(d.day)
    and d.kwh_per_output is not null
group by 1
order by 1;
