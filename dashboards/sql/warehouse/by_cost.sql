-- One row an asset: cost of its fuel and its electricity.
select
    d.asset,
    sum(d.cost_ntd) as cost_ntd
from mart.hot_spot_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and in_local_days(d.day, z.time_zone)
group by d.asset
having sum(d.cost_ntd) > 0
order by cost_ntd desc, d.asset asc
limit 12;
