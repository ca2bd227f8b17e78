-- One row a mover of loads: its moves, and litres and kWh for a move and an hour of its engine; null without a fill.
select
    d.site,
    d.asset,
    d.is_hybrid,
    sum(d.moves) as moves,
    sum(d.engine_h) as engine_h,
    sum(d.fuel_l) as fuel_l,
    nullif(sum(d.fuel_l) filter (where d.moves is not null), 0)
    / nullif(sum(d.moves) filter (where d.fuel_l is not null), 0) as l_per_move,
    nullif(sum(d.fuel_l) filter (where d.engine_h is not null), 0)
    / nullif(sum(d.engine_h) filter (where d.fuel_l is not null), 0) as l_per_engine_h,
    sum(d.energy_kwh) filter (where d.moves is not null)
    / nullif(sum(d.moves) filter (where d.energy_kwh is not null), 0) as kwh_per_move,
    sum(d.energy_kwh) filter (where d.engine_h is not null)
    / nullif(sum(d.engine_h) filter (where d.energy_kwh is not null), 0) as kwh_per_engine_h,
    sum(d.moves) filter (where d.engine_h is not null)
    / nullif(sum(d.engine_h) filter (where d.moves is not null), 0) as moves_per_engine_h
from mart.handler_daily as d
inner join mart.site as z on d.site = z.site
where
    d.site in (${site:sqlstring})
    and in_local_days(d.day, z.time_zone)
group by d.site, d.asset, d.is_hybrid
order by l_per_move desc nulls last, d.asset asc;
