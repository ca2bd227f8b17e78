-- One row a system (lights, air-conditioning …) and local day: energy within and outside working hours, base load.
create or replace view mart.load_daily as
with said as (
    select
        k.site,
        k.asset,
        k.system,
        max(k.number) filter (where k.role = 'from_h') as from_h,
        max(k.number) filter (where k.role = 'to_h') as to_h
    from op.kpi as k
    where k.kind = 'load'
    group by k.site, k.asset, k.system
),

each_interval as (
    select
        p.site,
        k.asset,
        k.system,
        p.point_id,
        f.local_day as day,
        f.amount,
        p.resolution_ms - f.missing_ms as known_ms,
        extract(isodow from f.local_day) < 6
        and extract(hour from f.starts_at at time zone 'UTC' at time zone p.time_zone) >= s.from_h
        and extract(hour from f.starts_at at time zone 'UTC' at time zone p.time_zone) < s.to_h as is_working
    from op.kpi as k
    inner join op.point as p on k.point_id = p.point_id
    inner join said as s on k.site = s.site and k.asset = s.asset and k.system = s.system
    inner join fact.interval as f on p.point_id = f.point_id
    where k.kind = 'load' and k.role = 'energy' and position('@' in p.site) = 0
)

select
    e.site,
    e.asset,
    e.system,
    e.day,
    cast(sum(e.amount) as double precision) / 1000000 as energy_kwh,
    cast(sum(e.amount) filter (where e.is_working) as double precision) / 1000000 as working_kwh,
    cast(sum(e.amount) filter (where not e.is_working) as double precision) / 1000000 as off_hours_kwh,
    cast(sum(e.amount) filter (where not e.is_working) as double precision) * 3.6 * count(distinct e.point_id)
    / nullif(cast(sum(e.known_ms) filter (where not e.is_working) as double precision), 0) as off_hours_kw,
    cast(sum(e.known_ms) filter (where not e.is_working) as double precision) / 3600000 / count(distinct e.point_id)
        as off_hours_h
from each_interval as e
group by e.site, e.asset, e.system, e.day;
