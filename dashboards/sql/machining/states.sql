-- Hours of each state of the machine by local day.
select
    local_day_start(d.day, z.time_zone) as time,
    d.off_h,
    d.idle_h,
    d.setup_h,
    d.cutting_h
from mart.machine_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and d.asset in (${machine:sqlstring})
    and in_local_days(d.day, z.time_zone)
order by 1;
