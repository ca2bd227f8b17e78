-- One row an emission source and interval: kgCO2e, null where the energy or the factor is unknown.
create or replace view mart.emissions_interval as
select
    e.site,
    p.asset,
    p.point,
    e.source,
    e.starts_at,
    e.ends_at,
    e.scope,
    e.iso_category,
    cast(e.location_e10 as double precision) / 10000000000 as location_kgco2e,
    cast(e.market_e10 as double precision) / 10000000000 as market_kgco2e,
    e.factor_id,
    case e.quality when 0 then 'measured' when 1 then 'estimated' when 2 then 'partial' else 'missing' end as quality,
    e.revision,
    e.catalog_id as configuration_id
from fact.emission as e
inner join op.point as p on e.point_id = p.point_id
where position('@' in p.site) = 0;
