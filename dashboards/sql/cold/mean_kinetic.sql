-- Mean kinetic temperature of the room by local day (USP <1079.2>).
select
    local_day_start(d.day, z.time_zone) as time,
    d.mean_kinetic_c
from mart.room_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and d.asset in (${room:sqlstring})
    and in_local_days(d.day, z.time_zone)
    and d.mean_kinetic_c is not null
order by 1;
