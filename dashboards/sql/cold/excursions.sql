-- Minutes of each local day that each room was out of its band.
select
    local_day_start(d.day, z.time_zone) as time,
    d.asset as metric,
    d.excursion_min
from mart.room_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and in_local_days(d.day, z.time_zone)
    and d.excursion_min is not null
order by 1, 2;
