-- One row an asset: tonnes CO2e of its fuel and its electricity.
select
    d.asset,
    sum(d.location_kgco2e) / 1000 as mass_tco2e
from mart.hot_spot_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and d.day >= cast(cast($__timeFrom() as timestamp) as date)
    and d.day <= cast(cast($__timeTo() as timestamp) as date) + 1
    and cast(d.day as timestamp) at time zone z.time_zone at time zone 'UTC'
    between cast($__timeFrom() as timestamp) - interval '12 hours' and cast($__timeTo() as timestamp)
group by d.asset
having sum(d.location_kgco2e) > 0
order by mass_tco2e desc, d.asset asc
limit 12;
