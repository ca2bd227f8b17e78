-- Mean kinetic temperature of the room by local day (USP <1079.2>).
select
    cast(d.day as timestamp) at time zone z.time_zone at time zone 'UTC' as time,
    d.mean_kinetic_c
from mart.room_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and d.asset in (${room:sqlstring})
    and d.day >= cast(cast($__timeFrom() as timestamp) as date)
    and d.day <= cast(cast($__timeTo() as timestamp) as date) + 1
    and cast(d.day as timestamp) at time zone z.time_zone at time zone 'UTC'
    between cast($__timeFrom() as timestamp) - interval '12 hours' and cast($__timeTo() as timestamp)
    and d.mean_kinetic_c is not null
order by 1;
