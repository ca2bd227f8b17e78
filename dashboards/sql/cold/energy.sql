-- One row: energy of the meters that serve rooms and compressors, each counted once, its cost, and what it was for.
with meter as (
    select distinct
        k.site,
        k.point
    from mart.kpi as k
    where k.site in (${site:sqlstring}) and k.kind in ('room', 'compressor') and k.role = 'energy'
),

energy as (
    select
        sum(e.energy_kwh) as energy_kwh,
        sum(e.estimated_kwh) as estimated_kwh,
        sum(e.missing_s) as missing_s,
        count(*) * 86400 as whole_s
    from mart.energy_daily as e
    inner join meter as m on e.point = m.point
    inner join mart.site as z on e.site = z.site
    where
        e.site in (${site:sqlstring})
        and in_local_days(e.day, z.time_zone)
),

price as (
    select sum(s.cost_ntd) / nullif(sum(s.import_kwh) filter (where s.cost_ntd is not null), 0) as ntd_per_kwh
    from mart.site_daily as s
    where
        s.site in (${site:sqlstring}) and in_local_days(s.day)
),

room as (
    select
        sum(d.energy_kwh) filter (where d.kwh_per_degree_hour is not null)
        / nullif(sum(d.degree_hours) filter (where d.kwh_per_degree_hour is not null), 0) as kwh_per_degree_hour,
        sum(d.energy_kwh) filter (where d.pallets > 0)
        / nullif(sum(d.pallets) filter (where d.pallets > 0), 0) as kwh_per_pallet
    from mart.room_daily as d
    inner join mart.site as z on d.site = z.site
    where
        d.site in (${site:sqlstring})
        and in_local_days(d.day, z.time_zone)
        and d.energy_kwh is not null
)

select
    e.energy_kwh,
    e.energy_kwh * p.ntd_per_kwh as cost_ntd,
    r.kwh_per_degree_hour,
    r.kwh_per_pallet,
    least(e.estimated_kwh / nullif(e.energy_kwh, 0), 1) as estimated_share,
    e.missing_s / nullif(e.whole_s, 0) as missing_share
from energy as e
cross join price as p
cross join room as r
where e.energy_kwh is not null;
