-- One row a role of a key figure and interval: what was counted or tallied, in `unit`, null where nothing is known.
create or replace view mart.kpi_interval as
select
    p.site,
    k.kind,
    k.asset,
    k.system,
    k.role,
    p.point,
    f.starts_at,
    f.ends_at,
    f.local_day as day,
    cast(f.amount as double precision) / u.base_per_unit as amount,
    u.unit,
    cast(f.missing_ms as double precision) / 1000 as missing_s,
    case f.quality when 0 then 'measured' when 1 then 'estimated' when 2 then 'partial' else 'missing' end as quality,
    f.revision,
    f.catalog_id as configuration_id
from op.kpi as k
inner join op.point as p on k.point_id = p.point_id
inner join fact.interval as f on p.point_id = f.point_id
inner join op.unit as u
    on u.unit = case p.quantity
        when 'energy' then 'kWh'
        when 'volume' then 'L'
        when 'mass' then 'kg'
        when 'count' then 'pcs'
        when 'duration' then 'h'
        when 'degree_time' then 'Cel.h'
        else '1'
    end
where position('@' in p.site) = 0;
