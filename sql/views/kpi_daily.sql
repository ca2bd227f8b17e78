-- One row a role of a key figure and local day: what was counted or tallied, in `unit`, and the hours it is known of.
create or replace view mart.kpi_daily as
-- Each point by itself first: there are many intervals.
with point as (
    select distinct
        k.kind,
        p.site,
        p.point_id,
        p.resolution_ms
    from op.kpi as k
    inner join op.point as p on k.point_id = p.point_id
    where position('@' in p.site) = 0
),

each_day as (
    select
        p.site,
        p.kind,
        p.point_id,
        f.local_day as day,
        sum(f.amount) as amount,
        sum(p.resolution_ms - f.missing_ms) as known_ms
    from point as p
    inner join fact.interval as f on p.point_id = f.point_id
    group by p.site, p.kind, p.point_id, f.local_day
)

select
    d.site,
    d.kind,
    k.asset,
    k.system,
    k.role,
    d.day,
    cast(sum(d.amount) as double precision) / u.base_per_unit as amount,
    u.unit,
    cast(sum(d.known_ms) filter (where p.kind <> 'amount') as double precision)
    / 3600000 / nullif(count(*) filter (where p.kind <> 'amount'), 0) as known_h
from each_day as d
inner join op.kpi as k on d.site = k.site and d.kind = k.kind and d.point_id = k.point_id
inner join op.point as p on d.point_id = p.point_id
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
group by d.site, d.kind, k.asset, k.system, k.role, d.day, u.base_per_unit, u.unit;
