-- One row a point and interval: energy in kWh, null where it is missing.
create or replace view mart.energy_interval as
select
    p.site,
    p.asset,
    p.point,
    f.starts_at,
    f.ends_at,
    cast(f.amount as double precision) / 1000000 as energy_kwh,
    case f.quality when 0 then 'measured' when 1 then 'estimated' when 2 then 'partial' else 'missing' end as quality,
    f.revision,
    f.catalog_id as configuration_id
from fact.interval as f
inner join op.point as p on f.point_id = p.point_id
where p.quantity = 'energy' and position('@' in p.site) = 0;
