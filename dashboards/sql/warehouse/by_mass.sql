-- One row an asset: tonnes CO2e of its fuel and its electricity.
select
    d.asset,
    sum(d.location_kgco2e) / 1000 as mass_tco2e
from mart.hot_spot_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and in_local_days(d.day, z.time_zone)
group by d.asset
having sum(d.location_kgco2e) > 0
order by mass_tco2e desc, d.asset asc
limit 12;
