-- Generated energy by local day: used on site and exported.
select
    local_day_start(d.day, z.time_zone) as time,
    sum(d.self_consumed_kwh) as self_consumed_kwh,
    sum(d.export_kwh) as export_kwh
from mart.solar_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and in_local_days(d.day, z.time_zone)
group by 1
order by 1;
