-- Hours of the furnace by local day: hot with pieces, hot without a piece.
select
    cast(d.day as timestamp) at time zone z.time_zone at time zone 'UTC' as time,
    d.hot_h - d.waiting_hot_h as forging_h,
    d.waiting_hot_h
from mart.furnace_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and d.asset in (${furnace:sqlstring})
    and d.day >= cast(cast($__timeFrom() as timestamp) as date)
    and d.day <= cast(cast($__timeTo() as timestamp) as date) + 1
    and cast(d.day as timestamp) at time zone z.time_zone at time zone 'UTC'
    between cast($__timeFrom() as timestamp) - interval '12 hours' and cast($__timeTo() as timestamp)
order by 1;
