-- Generated energy by local day: used on site and exported.
select
    cast(d.day as timestamp) at time zone z.time_zone at time zone 'UTC' as time,
    sum(d.self_consumed_kwh) as self_consumed_kwh,
    sum(d.export_kwh) as export_kwh
from mart.solar_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and d.day >= cast(cast($__timeFrom() as timestamp) as date)
    and d.day <= cast(cast($__timeTo() as timestamp) as date) + 1
    and cast(d.day as timestamp) at time zone z.time_zone at time zone 'UTC'
    between cast($__timeFrom() as timestamp) - interval '12 hours' and cast($__timeTo() as timestamp)
group by 1
order by 1;
