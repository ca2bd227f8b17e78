-- One row a point and interval: energy in kWh, null where it is missing, the estimated part of it, and the seconds of
-- which nothing is known; `day` is the site's own.
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
    f.catalog_id as configuration_id,
    f.local_day as day,
    cast(f.estimated as double precision) / 1000000 as estimated_kwh,
    cast(f.missing_ms as double precision) / 1000 as missing_s
from fact.interval as f
inner join op.point as p on f.point_id = p.point_id
where p.quantity = 'energy' and p.kind <> 'derived' and position('@' in p.site) = 0;
