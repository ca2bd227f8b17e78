-- One row an asset: fuel and electricity, and the emissions and the cost of both. Electricity counts at the mean factor
-- and the mean price of the site.
with site as (
    select
        s.site,
        sum(s.scope_2_location_kgco2e) / nullif(sum(s.import_kwh), 0) as kgco2e_per_kwh,
        sum(s.cost_ntd) / nullif(sum(s.import_kwh), 0) as ntd_per_kwh
    from mart.site_daily as s
    where
        s.site in (${site:sqlstring}) and s.day >= cast(cast($__timeFrom() as timestamp) as date)
        and s.day <= cast(cast($__timeTo() as timestamp) as date) + 1
    group by s.site
),

meter as (
    select distinct
        k.site,
        k.asset,
        k.point
    from mart.kpi as k
    where k.site in (${site:sqlstring}) and k.kind in ('handler', 'load') and k.role = 'energy'
),

electric as (
    select
        e.site,
        m.asset,
        sum(e.energy_kwh) as energy_kwh
    from mart.energy_daily as e
    inner join meter as m on e.point = m.point
    inner join mart.site as z on e.site = z.site
    where
        e.site in (${site:sqlstring})
        and e.day >= cast(cast($__timeFrom() as timestamp) as date)
        and e.day <= cast(cast($__timeTo() as timestamp) as date) + 1
        and cast(e.day as timestamp) at time zone z.time_zone at time zone 'UTC'
        between cast($__timeFrom() as timestamp) - interval '12 hours' and cast($__timeTo() as timestamp)
    group by e.site, m.asset
),

burnt as (
    select
        e.site,
        e.asset,
        sum(e.location_kgco2e) as direct_kgco2e
    from mart.emissions_interval as e
    inner join mart.site as z on e.site = z.site
    where
        e.site in (${site:sqlstring})
        and $__timeFilter(e.starts_at)
        and date_trunc('day', e.starts_at at time zone 'UTC' at time zone z.time_zone)
        at time zone z.time_zone at time zone 'UTC'
        between cast($__timeFrom() as timestamp) - interval '12 hours' and cast($__timeTo() as timestamp)
        and e.scope = 1
    group by e.site, e.asset
),

fuel as (
    select
        d.site,
        d.asset,
        sum(d.fuel_l) as fuel_l,
        sum(d.fuel_ntd) as fuel_ntd
    from mart.handler_daily as d
    inner join mart.site as z on d.site = z.site
    where
        d.site in (${site:sqlstring})
        and d.day >= cast(cast($__timeFrom() as timestamp) as date)
        and d.day <= cast(cast($__timeTo() as timestamp) as date) + 1
        and cast(d.day as timestamp) at time zone z.time_zone at time zone 'UTC'
        between cast($__timeFrom() as timestamp) - interval '12 hours' and cast($__timeTo() as timestamp)
    group by d.site, d.asset
),

place as (
    select
        m.site,
        m.asset
    from meter as m
    union
    select
        b.site,
        b.asset
    from burnt as b
    union
    select
        f.site,
        f.asset
    from fuel as f
)

select
    p.site,
    p.asset,
    f.fuel_l,
    e.energy_kwh,
    (coalesce(b.direct_kgco2e, 0) + case when e.energy_kwh is null then 0 else e.energy_kwh * s.kgco2e_per_kwh end)
    / 1000 as mass_tco2e,
    case when f.fuel_ntd is not null or coalesce(f.fuel_l, 0) = 0 then coalesce(f.fuel_ntd, 0) end
    + case when e.energy_kwh is null then 0 else e.energy_kwh * s.ntd_per_kwh end as cost_ntd
from place as p
inner join site as s on p.site = s.site
left join electric as e on p.site = e.site and p.asset = e.asset
left join burnt as b on p.site = b.site and p.asset = b.asset
left join fuel as f on p.site = f.site and p.asset = f.asset
order by mass_tco2e desc nulls last, p.asset asc;
