-- One row a site and quarter-hour: average power in kW against the contract, null where a part is missing; what was
-- purchased of energy, the estimated part of it, and the seconds of which nothing is known.
create or replace view mart.demand_15min as
select
    d.site,
    d.starts_at,
    cast(d.demand_mw as double precision) / 1000000 as demand_kw,
    cast(d.contract_mw as double precision) / 1000000 as contract_kw,
    case d.quality when 0 then 'measured' when 1 then 'estimated' when 2 then 'partial' else 'missing' end as quality,
    d.revision,
    d.catalog_id as configuration_id,
    cast(d.amount as double precision) / 1000000 as energy_kwh,
    cast(d.estimated as double precision) / 1000000 as estimated_kwh,
    cast(d.missing_ms as double precision) / 1000 as missing_s
from fact.demand as d
where position('@' in d.site) = 0;
