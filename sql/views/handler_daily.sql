-- One row a machine that moves loads and local day: moves, litres and kWh for them, engine hours.
create or replace view mart.handler_daily as
with tally as (
    select
        d.site,
        d.asset,
        d.day,
        sum(d.amount) filter (where d.role = 'moves') as moves,
        sum(d.amount) filter (where d.role = 'fuel') as fuel_l,
        sum(d.amount) filter (where d.role = 'energy') as energy_kwh,
        sum(d.amount) filter (where d.role in ('hours', 'engine_time')) as engine_h
    from mart.kpi_daily as d
    where d.kind = 'handler'
    group by d.site, d.asset, d.day
),

said as (
    select
        k.site,
        k.asset,
        max(k.value) filter (where k.role = 'hybrid') as hybrid,
        max(k.value) filter (where k.role = 'fuel_ntd_per_l') as fuel_ntd_per_l
    from mart.kpi as k
    where k.kind = 'handler'
    group by k.site, k.asset
)

select
    t.site,
    t.asset,
    t.day,
    coalesce(s.hybrid, 0) > 0 as is_hybrid,
    t.moves,
    t.fuel_l,
    t.energy_kwh,
    t.engine_h,
    t.fuel_l / nullif(t.moves, 0) as l_per_move,
    t.fuel_l / nullif(t.engine_h, 0) as l_per_engine_h,
    t.energy_kwh / nullif(t.moves, 0) as kwh_per_move,
    t.energy_kwh / nullif(t.engine_h, 0) as kwh_per_engine_h,
    t.moves / nullif(t.engine_h, 0) as moves_per_engine_h,
    t.fuel_l * s.fuel_ntd_per_l as fuel_ntd
from tally as t
left join said as s on t.site = s.site and t.asset = s.asset;
