-- One row a machine that moves loads and local day: moves, litres and kWh for them, engine hours.
create or replace view mart.handler_daily as
with tally as (
    select
        d.site,
        d.asset,
        d.day,
        sum(d.amount) filter (where d.role = 'moves') as counted_moves,
        sum(d.amount) filter (where d.role = 'fuel') as counted_l,
        sum(d.amount) filter (where d.role = 'energy') as energy_kwh,
        sum(d.amount) filter (where d.role in ('hours', 'engine_time')) as engine_h,
        max(d.known_h) filter (where d.role = 'fuel') as fuel_known_h,
        max(d.known_h) filter (where d.role = 'energy') as energy_known_h,
        max(d.known_h) filter (where d.role = 'moves') as moves_known_h,
        max(d.known_h) filter (where d.role in ('hours', 'engine_time')) as engine_known_h
    from mart.kpi_daily as d
    where d.kind = 'handler'
    group by d.site, d.asset, d.day
),

said as (
    select
        k.site,
        k.asset,
        max(k.value) filter (where k.role = 'hybrid') as hybrid,
        max(k.value) filter (where k.role = 'fuel_ntd_per_l') as fuel_ntd_per_l,
        bool_and(k.is_event) filter (where k.role = 'fuel') as fills,
        bool_and(k.is_event) filter (where k.role = 'moves') as reports_moves
    from mart.kpi as k
    where k.kind = 'handler'
    group by k.site, k.asset
),

-- Of fills no single day has a quotient.
used as (
    select
        t.*,
        coalesce(s.hybrid, 0) > 0 as is_hybrid,
        s.fuel_ntd_per_l,
        coalesce(t.counted_moves, case when s.reports_moves then 0 end) as moves,
        coalesce(t.counted_l, case when s.fills then 0 end) as fuel_l
    from tally as t
    left join said as s on t.site = s.site and t.asset = s.asset
)

select
    t.site,
    t.asset,
    t.day,
    t.is_hybrid,
    t.moves,
    t.fuel_l,
    t.energy_kwh,
    t.engine_h,
    case when t.fuel_known_h >= 0.95 * coalesce(t.moves_known_h, 24) then t.fuel_l / nullif(t.moves, 0) end
        as l_per_move,
    case when t.fuel_known_h >= 0.95 * t.engine_known_h then t.fuel_l / nullif(t.engine_h, 0) end as l_per_engine_h,
    case when t.energy_known_h >= 0.95 * coalesce(t.moves_known_h, 24) then t.energy_kwh / nullif(t.moves, 0) end
        as kwh_per_move,
    case when t.energy_known_h >= 0.95 * t.engine_known_h then t.energy_kwh / nullif(t.engine_h, 0) end
        as kwh_per_engine_h,
    case
        when coalesce(t.moves_known_h, t.engine_known_h) >= 0.95 * t.engine_known_h then t.moves / nullif(t.engine_h, 0)
    end
        as moves_per_engine_h,
    t.fuel_l * t.fuel_ntd_per_l as fuel_ntd
from used as t;
