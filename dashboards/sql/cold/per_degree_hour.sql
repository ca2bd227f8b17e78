-- Energy of each room for a degree held for an hour below the outdoor temperature, by local day.
select
    local_day_start(d.day, z.time_zone) as time,
    d.asset as metric,
    d.kwh_per_degree_hour
from mart.room_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and in_local_days(d.day, z.time_zone)
    and d.kwh_per_degree_hour is not null
order by 1, 2;
