-- Elements of OEE of the machine by local day (ISO 22400-2).
select
    local_day_start(d.day, z.time_zone) as time,
    d.availability,
    d.effectiveness,
    d.quality_ratio,
    d.oee
from mart.machine_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and d.asset in (${machine:sqlstring})
    and in_local_days(d.day, z.time_zone)
    and d.availability is not null
order by 1;
