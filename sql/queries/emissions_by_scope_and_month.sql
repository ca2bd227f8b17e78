-- One row a site, local month, scope and source: kg CO2e location- and market-based, with the factors that made them.
-- Never add the two bases. Scope 0 is a memo line, reported beside the total. A factor that ends in ?provisional is
-- that of an earlier year, because the year's own was not published yet.
with zone as (
    select distinct
        p.site,
        p.time_zone
    from op.point as p
),

dated as (
    select
        e.site,
        cast(date_trunc('month', e.starts_at at time zone 'UTC' at time zone z.time_zone) as date) as month_of,
        e.scope,
        e.source,
        e.location_kgco2e,
        e.market_kgco2e,
        e.factor_id
    from mart.emissions_interval as e
    inner join zone as z on e.site = z.site
)

select
    d.site,
    d.month_of,
    d.scope,
    d.source,
    sum(d.location_kgco2e) as location_kgco2e,
    sum(d.market_kgco2e) as market_kgco2e,
    count(*) filter (where d.location_kgco2e is null) as unknown_intervals,
    string_agg(distinct d.factor_id, ', ') as factor_ids
from dated as d
group by d.site, d.month_of, d.scope, d.source
order by d.site, d.month_of, d.scope, d.source;
