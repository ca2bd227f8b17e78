-- Specific yield of each solar plant by local day: kWh a kWp.
select
    local_day_start(d.day, z.time_zone) as time,
    d.asset as metric,
    d.specific_yield_h
from mart.solar_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and in_local_days(d.day, z.time_zone)
    and d.specific_yield_h is not null
order by 1, 2;
