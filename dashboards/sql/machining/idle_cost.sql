-- Cost of idling of each machine by local day, at the mean price of the site's day.
select
    cast(d.day as timestamp) at time zone z.time_zone at time zone 'UTC' as time,
    d.asset as metric,
    d.idle_kwh * s.ntd_per_kwh as idle_ntd
from mart.machine_daily as d
inner join mart.site as z on d.site = z.site
inner join mart.site_daily as s on d.site = s.site and d.day = s.day
where
    d.site in (${site:sqlstring})
    and d.day >= cast(cast($__timeFrom() as timestamp) as date)
    and d.day <= cast(cast($__timeTo() as timestamp) as date) + 1
    and cast(d.day as timestamp) at time zone z.time_zone at time zone 'UTC'
    between cast($__timeFrom() as timestamp) - interval '12 hours' and cast($__timeTo() as timestamp)
    and s.site in (${site:sqlstring})
    and s.day >= cast(cast($__timeFrom() as timestamp) as date)
    and s.day <= cast(cast($__timeTo() as timestamp) as date) + 1
    and d.idle_kwh is not null
order by 1, 2;
