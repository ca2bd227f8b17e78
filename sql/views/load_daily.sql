-- One row a system (lights, air-conditioning …) and local day: energy within and outside working hours, base load.
create or replace view mart.load_daily as
with said as (
    select
        k.site,
        k.asset,
        k.system,
        max(k.value) filter (where k.role = 'from_h') as from_h,
        max(k.value) filter (where k.role = 'to_h') as to_h
    from mart.kpi as k
    where k.kind = 'load'
    group by k.site, k.asset, k.system
),

each_interval as (
    select
        i.site,
        i.asset,
        i.system,
        i.day,
        i.amount,
        extract(epoch from i.ends_at - i.starts_at) - i.missing_s as known_s,
        extract(isodow from i.day) < 6
        and extract(hour from i.starts_at at time zone 'UTC' at time zone z.time_zone) >= s.from_h
        and extract(hour from i.starts_at at time zone 'UTC' at time zone z.time_zone) < s.to_h as is_working
    from mart.kpi_interval as i
    inner join said as s on i.site = s.site and i.asset = s.asset and i.system = s.system
    inner join mart.site as z on i.site = z.site
    where i.kind = 'load' and i.role = 'energy'
)

select
    e.site,
    e.asset,
    e.system,
    e.day,
    sum(e.amount) as energy_kwh,
    sum(e.amount) filter (where e.is_working) as working_kwh,
    sum(e.amount) filter (where not e.is_working) as off_hours_kwh,
    sum(e.amount) filter (where not e.is_working)
    / nullif(sum(e.known_s) filter (where not e.is_working) / 3600, 0) as off_hours_kw,
    sum(e.known_s) filter (where not e.is_working) / 3600 as off_hours_h
from each_interval as e
group by e.site, e.asset, e.system, e.day;
