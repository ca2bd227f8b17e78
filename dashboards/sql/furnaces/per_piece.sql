-- Energy of each furnace a good piece by local day.
select
    cast(d.day as timestamp) at time zone z.time_zone at time zone 'UTC' as time,
    d.asset as metric,
    d.kwh_per_piece
from mart.furnace_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and d.day >= cast(cast($__timeFrom() as timestamp) as date)
    and d.day <= cast(cast($__timeTo() as timestamp) as date) + 1
    and cast(d.day as timestamp) at time zone z.time_zone at time zone 'UTC'
    between cast($__timeFrom() as timestamp) - interval '12 hours' and cast($__timeTo() as timestamp)
    and d.kwh_per_piece is not null
order by 1, 2;
