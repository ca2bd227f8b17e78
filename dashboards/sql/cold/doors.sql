-- Minutes of each local day that the door of each room stood open.
select
    local_day_start(d.day, z.time_zone) as time,
    d.asset as metric,
    d.door_open_min
from mart.room_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and in_local_days(d.day, z.time_zone)
    and d.door_open_min is not null
order by 1, 2;
