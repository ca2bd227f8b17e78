-- Minutes of set-up a job of each machine by local day.
select
    local_day_start(d.day, z.time_zone) as time,
    d.asset as metric,
    d.setup_min_per_job
from mart.machine_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and in_local_days(d.day, z.time_zone)
    and d.setup_min_per_job is not null
order by 1, 2;
