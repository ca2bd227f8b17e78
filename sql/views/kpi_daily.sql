-- One row a role of a key figure and local day: what was counted or tallied, in `unit`, and the hours it is known of.
create or replace view mart.kpi_daily as
select
    p.site,
    k.kind,
    k.asset,
    k.system,
    k.role,
    f.local_day as day,
    cast(sum(f.amount) as double precision) / u.base_per_unit as amount,
    u.unit,
    case
        when bool_or(p.kind <> 'amount')
            then
                count(*) * max(p.resolution_ms) / 3600000e0 / count(distinct p.point_id)
                - cast(sum(f.missing_ms) as double precision) / 3600000 / count(distinct p.point_id)
    end as known_h
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
where position('@' in p.site) = 0
group by p.site, k.kind, k.asset, k.system, k.role, f.local_day, u.base_per_unit, u.unit;
