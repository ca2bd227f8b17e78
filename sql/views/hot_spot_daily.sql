-- One row an asset that burns fuel or has a meter among the key figures, and local day: its emissions and its cost.
create or replace view mart.hot_spot_daily as
-- A meter that key figures of one asset share counts once.
with meter as (
    select distinct
        k.site,
        k.asset,
        k.point
    from mart.kpi as k
    where k.kind in ('handler', 'load') and k.role = 'energy'
),

tank as (
    select
        k.point,
        min(k.asset) as asset
    from mart.kpi as k
    where k.kind = 'handler' and k.role = 'fuel'
    group by k.point
),

-- What the key figures have of an asset.
role as (
    select
        k.site,
        k.asset,
        bool_or(k.kind = 'handler' and k.role = 'fuel') as burns,
        bool_or(k.role = 'energy') as is_metered
    from mart.kpi as k
    where k.kind in ('handler', 'load')
    group by k.site, k.asset
),

part as (
    select
        e.site,
        m.asset,
        e.day,
        e.energy_kwh,
        cast(null as double precision) as fuel_l,
        cast(null as double precision) as fuel_ntd,
        cast(null as double precision) as scope_1_kgco2e,
        0 as sources
    from meter as m
    inner join mart.energy_daily as e on m.site = e.site and m.point = e.point
    union all
    select
        h.site,
        h.asset,
        h.day,
        null as energy_kwh,
        h.fuel_l,
        h.fuel_ntd,
        null as scope_1_kgco2e,
        0 as sources
    from mart.handler_daily as h
    union all
    select
        p.site,
        coalesce(t.asset, p.asset) as asset,
        cast(e.starts_at at time zone 'UTC' at time zone p.time_zone as date) as day,
        null as energy_kwh,
        null as fuel_l,
        null as fuel_ntd,
        cast(e.location_e10 as double precision) / 10000000000 as scope_1_kgco2e,
        1 as sources
    from fact.emission as e
    inner join op.point as p on e.point_id = p.point_id
    left join tank as t on p.point = t.point
    where e.scope = 1 and position('@' in p.site) = 0
),

used as (
    select
        x.site,
        x.asset,
        x.day,
        sum(x.fuel_l) as fuel_l,
        sum(x.energy_kwh) as energy_kwh,
        sum(x.fuel_ntd) as fuel_ntd,
        sum(x.scope_1_kgco2e) as scope_1_kgco2e,
        sum(x.sources) as sources
    from part as x
    group by x.site, x.asset, x.day
),

priced as (
    select
        u.site,
        u.asset,
        u.day,
        u.fuel_l,
        u.energy_kwh,
        u.fuel_ntd,
        u.energy_kwh * s.ntd_per_kwh as energy_ntd,
        u.scope_1_kgco2e,
        u.sources,
        u.energy_kwh * s.scope_2_location_kgco2e / nullif(s.import_kwh, 0) as scope_2_location_kgco2e
    from used as u
    left join mart.site_daily as s on u.site = s.site and u.day = s.day
)

select
    p.site,
    p.asset,
    p.day,
    p.fuel_l,
    p.energy_kwh,
    p.scope_1_kgco2e,
    p.scope_2_location_kgco2e,
    -- What an asset has, and says nothing of on a day, is not known; a day without a fill has none.
    case
        when r.burns and p.fuel_l is null then null
        when p.scope_1_kgco2e is null and (p.fuel_l > 0 or p.sources > 0) then null
        else coalesce(p.scope_1_kgco2e, 0)
    end
    + case when r.is_metered then p.scope_2_location_kgco2e else 0 end as location_kgco2e,
    p.fuel_ntd,
    p.energy_ntd,
    case
        when r.burns then p.fuel_ntd
        when p.sources = 0 then 0
    end
    + case when r.is_metered then p.energy_ntd else 0 end as cost_ntd
from priced as p
left join role as r on p.site = r.site and p.asset = r.asset;
