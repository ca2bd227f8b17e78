-- One row a furnace and local day: hours that it was hot, waited hot with nothing to forge, and was overheated; pieces.
create or replace view mart.furnace_daily as
-- Whole numbers of base units (ms, mWh, thousandths of a piece, 1e-6 °C·h) up to the last step.
with each_interval as (
    select
        p.site,
        k.asset,
        f.starts_at,
        f.local_day as day,
        sum(f.amount) filter (where k.role = 'hot_time') as hot,
        sum(f.amount) filter (where k.role = 'overheated_time') as overheated,
        sum(f.amount) filter (where k.role = 'overheated_area') as overheated_area,
        sum(f.amount) filter (where k.role = 'heater_time') as heater,
        sum(f.amount) filter (where k.role = 'energy') as energy,
        sum(f.amount) filter (where k.role = 'good') as good,
        sum(f.amount) filter (where k.role = 'scrap') as scrap,
        sum(f.amount) filter (where k.role in ('good', 'scrap')) as pieces,
        sum(f.missing_ms) filter (where k.role in ('good', 'scrap')) as uncounted_ms,
        sum(f.amount) filter (where k.role = 'temperature_area') as temperature_area,
        sum(p.resolution_ms - f.missing_ms) filter (where k.role = 'hot_time') as known_ms
    from op.kpi as k
    inner join op.point as p on k.point_id = p.point_id
    inner join fact.interval as f on p.point_id = f.point_id
    where k.kind = 'furnace' and position('@' in p.site) = 0
    group by p.site, k.asset, f.starts_at, f.local_day
)

select
    e.site,
    e.asset,
    e.day,
    cast(sum(e.hot) as double precision) / 3600000 as hot_h,
    cast(sum(e.hot) filter (where e.uncounted_ms = 0 and e.pieces = 0) as double precision) / 3600000 as waiting_hot_h,
    cast(sum(e.overheated) as double precision) / 60000 as overheated_min,
    cast(sum(e.overheated_area) as double precision) * 60 / 1000000 as overheated_degree_min,
    cast(sum(e.heater) as double precision) / 3600000 as heater_h,
    cast(sum(e.energy) as double precision) / 1000000 as energy_kwh,
    cast(sum(e.energy) filter (where e.hot > 0 and e.uncounted_ms = 0 and e.pieces = 0) as double precision)
    / 1000000 as waiting_hot_kwh,
    cast(sum(e.good) as double precision) / 1000 as good_pieces,
    cast(sum(e.scrap) as double precision) / 1000 as scrap_pieces,
    cast(sum(e.good) as double precision) / nullif(cast(sum(e.good) + sum(e.scrap) as double precision), 0)
        as yield_share,
    cast(sum(e.energy) as double precision) / 1000 / nullif(cast(sum(e.good) as double precision), 0) as kwh_per_piece,
    cast(sum(e.temperature_area) as double precision) * 3.6
    / nullif(cast(sum(e.known_ms) as double precision), 0) as mean_c,
    cast(sum(e.known_ms) as double precision) / 3600000 as known_h
from each_interval as e
group by e.site, e.asset, e.day;
