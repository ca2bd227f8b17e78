-- Starts an hour of each compressor by local day.
select
    local_day_start(d.day, z.time_zone) as time,
    d.asset as metric,
    d.starts_per_h
from mart.compressor_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and in_local_days(d.day, z.time_zone)
    and d.starts_per_h is not null
order by 1, 2;
