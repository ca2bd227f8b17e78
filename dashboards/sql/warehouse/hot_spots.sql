-- One row an asset: fuel and electricity, and the emissions and the cost of both.
select
    d.site,
    d.asset,
    sum(d.fuel_l) as fuel_l,
    sum(d.energy_kwh) as energy_kwh,
    sum(d.location_kgco2e) / 1000 as mass_tco2e,
    sum(d.cost_ntd) as cost_ntd
from mart.hot_spot_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and in_local_days(d.day, z.time_zone)
group by d.site, d.asset
order by mass_tco2e desc nulls last, d.asset asc;
