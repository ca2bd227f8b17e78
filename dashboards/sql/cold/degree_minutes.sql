-- Degree-minutes of each room outside its band by local day: above the band and below it together.
select
    local_day_start(d.day, z.time_zone) as time,
    d.asset as metric,
    coalesce(d.above_degree_min, 0) + coalesce(d.below_degree_min, 0) as degree_min
from mart.room_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and in_local_days(d.day, z.time_zone)
    and (d.above_degree_min is not null or d.below_degree_min is not null)
order by 1, 2;
