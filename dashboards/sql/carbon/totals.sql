-- One row: tonnes CO2e by scope, and the share of them that rests on estimated or partial data. Scope 2 by both bases.
select
    sum(e.location_kgco2e) filter (where e.scope = 1) / 1000 as scope1_tco2e,
    sum(e.location_kgco2e) filter (where e.scope = 2) / 1000 as scope2_location_tco2e,
    sum(e.market_kgco2e) filter (where e.scope = 2) / 1000 as scope2_market_tco2e,
    sum(e.location_kgco2e) filter (where e.scope = 3) / 1000 as scope3_tco2e,
    coalesce(sum(e.location_kgco2e) filter (where e.quality in ('estimated', 'partial')), 0)
    / nullif(sum(e.location_kgco2e), 0) as estimated_share,
    coalesce(sum(extract(epoch from e.ends_at - e.starts_at)) filter (where e.location_kgco2e is null), 0)
    / nullif(sum(extract(epoch from e.ends_at - e.starts_at)), 0) as unknown_share
from mart.emissions_interval as e
where e.site in (${site:sqlstring}) and $__timeFilter(e.starts_at) and e.scope > 0;
