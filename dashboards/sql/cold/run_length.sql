-- Mean length of a run of each compressor by local day, minutes.
select
    local_day_start(d.day, z.time_zone) as time,
    d.asset as metric,
    d.run_min
from mart.compressor_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and in_local_days(d.day, z.time_zone)
    and d.run_min is not null
order by 1, 2;
