-- One row a site, source and factor: what was multiplied by what. A factor that ends in ?provisional stands in for one
-- that was not published yet.
select
    e.site,
    e.source,
    e.asset,
    e.point,
    e.scope,
    e.factor_id,
    sum(e.location_kgco2e) / 1000 as location_tco2e,
    sum(e.market_kgco2e) / 1000 as market_tco2e,
    count(*) filter (where e.location_kgco2e is null) as unknown_intervals
from mart.emissions_interval as e
where e.site in (${site:sqlstring}) and $__timeFilter(e.starts_at)
group by e.site, e.source, e.asset, e.point, e.scope, e.factor_id
order by location_tco2e desc nulls last, e.source asc;
