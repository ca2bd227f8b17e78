-- Degree-minutes of each room outside its band by local day: above the band and below it together.
select
    cast(d.day as timestamp) at time zone z.time_zone at time zone 'UTC' as time,
    d.asset as metric,
    coalesce(d.above_degree_min, 0) + coalesce(d.below_degree_min, 0) as degree_min
from mart.room_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and d.day >= cast(cast($__timeFrom() as timestamp) as date)
    and d.day <= cast(cast($__timeTo() as timestamp) as date) + 1
    and cast(d.day as timestamp) at time zone z.time_zone at time zone 'UTC'
    between cast($__timeFrom() as timestamp) - interval '12 hours' and cast($__timeTo() as timestamp)
    and (d.above_degree_min is not null or d.below_degree_min is not null)
order by 1, 2;
