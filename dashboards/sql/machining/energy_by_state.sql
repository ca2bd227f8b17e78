-- Energy of each state of the machine by local day.
select
    local_day_start(d.day, z.time_zone) as time,
    d.idle_kwh,
    d.setup_kwh,
    d.cutting_kwh
from mart.machine_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and d.asset in (${machine:sqlstring})
    and in_local_days(d.day, z.time_zone)
    and d.cutting_kwh is not null
order by 1;
