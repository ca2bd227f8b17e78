-- One row a point that is no energy (fuel, mass, pieces, reactive energy) and interval: its amount in `unit`.
create or replace view mart.amount_interval as
select
    p.site,
    p.asset,
    p.point,
    p.quantity,
    f.starts_at,
    f.ends_at,
    cast(f.amount as double precision) / u.base_per_unit as amount,
    u.unit,
    case f.quality when 0 then 'measured' when 1 then 'estimated' when 2 then 'partial' else 'missing' end as quality,
    f.revision,
    f.catalog_id as configuration_id
from fact.interval as f
inner join op.point as p on f.point_id = p.point_id
inner join op.unit as u
    on u.unit = case p.quantity
        when 'volume' then 'L'
        when 'mass' then 'kg'
        when 'count' then 'pcs'
        when 'reactive_energy' then 'kvarh'
        when 'duration' then 'h'
        else '1'
    end
where p.quantity <> 'energy' and p.kind <> 'derived' and position('@' in p.site) = 0;
