-- Energy for each thing that was made or moved by week, before the measure and since.
select
    cast(date_trunc('week', d.day) as timestamp) at time zone min(z.time_zone) at time zone 'UTC' as time,
    sum(case when not d.is_after then d.energy_kwh end)
    / nullif(sum(case when not d.is_after then d.output end), 0) as before_value,
    sum(case when d.is_after then d.energy_kwh end)
    / nullif(sum(case when d.is_after then d.output end), 0) as after_value
from mart.measure_use_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and d.measure in (${measure:sqlstring})
    and in_local_days(d.day)
    and d.energy_kwh is not null
    and d.output is not null
group by date_trunc('week', d.day)
order by 1;
