-- Cost of idling of each machine by local day, at the mean price of the site's day.
select
    local_day_start(d.day, z.time_zone) as time,
    d.asset as metric,
    d.idle_kwh * s.ntd_per_kwh as idle_ntd
from mart.machine_daily as d
inner join mart.site as z on d.site = z.site
inner join mart.site_daily as s on d.site = s.site and d.day = s.day
where
    d.site in (${site:sqlstring})
    and in_local_days(d.day, z.time_zone)
    and s.site in (${site:sqlstring})
    and in_local_days(s.day)
    and d.idle_kwh is not null
order by 1, 2;
