-- One row a furnace and local day: hours that it was hot, waited hot with nothing to forge, and was overheated; pieces.
create or replace view mart.furnace_daily as
-- Whole numbers of base units (ms, mWh, thousandths of a piece, 1e-6 °C·h) up to the last step.
with reported as (
    select
        k.site,
        k.asset,
        bool_and(k.is_event) filter (where k.role = 'good') as good,
        bool_and(k.is_event) filter (where k.role = 'scrap') as scrap
    from mart.kpi as k
    where k.kind = 'furnace'
    group by k.site, k.asset
),

-- By quarter-hour, since points may have finer intervals than others.
each_interval as (
    select
        p.site,
        k.asset,
        f.local_day as day,
        sum(f.amount) filter (where k.role = 'hot_time') as hot,
        sum(f.amount) filter (where k.role = 'overheated_time') as overheated,
        sum(f.amount) filter (where k.role = 'overheated_area') as overheated_area,
        sum(f.amount) filter (where k.role = 'heater_time') as heater,
        sum(f.amount) filter (where k.role = 'energy') as energy,
        sum(f.amount) filter (where k.role = 'good') as good,
        sum(f.amount) filter (where k.role = 'scrap') as scrap,
        sum(f.amount) filter (where k.role in ('good', 'scrap')) as pieces,
        sum(f.missing_ms) filter (where k.role in ('good', 'scrap') and p.kind <> 'amount') as uncounted_ms,
        sum(f.amount) filter (where k.role = 'temperature_area') as temperature_area,
        sum(p.resolution_ms - f.missing_ms) filter (where k.role = 'hot_time') as known_ms,
        sum(f.missing_ms) filter (where k.role = 'energy') as energy_missing_ms,
        sum(p.resolution_ms) filter (where k.role = 'energy') as energy_ms,
        sum(f.missing_ms) filter (where k.role = 'good' and p.kind <> 'amount') as good_missing_ms,
        sum(p.resolution_ms) filter (where k.role = 'good' and p.kind <> 'amount') as good_ms,
        sum(f.missing_ms) filter (where k.role = 'scrap' and p.kind <> 'amount') as scrap_missing_ms,
        sum(p.resolution_ms) filter (where k.role = 'scrap' and p.kind <> 'amount') as scrap_ms
    from op.kpi as k
    inner join op.point as p on k.point_id = p.point_id
    inner join fact.interval as f on p.point_id = f.point_id
    where k.kind = 'furnace' and position('@' in p.site) = 0
    group by
        p.site, k.asset, f.local_day, date_trunc('hour', f.starts_at), floor(extract(minute from f.starts_at) / 15)
),

each_day as (
    select
        e.site,
        e.asset,
        e.day,
        sum(e.hot) as hot,
        case
            when count(e.uncounted_ms) > 0
                then coalesce(sum(e.hot) filter (where e.uncounted_ms = 0 and e.pieces = 0), 0)
        end as waiting_hot,
        sum(e.overheated) as overheated,
        sum(e.overheated_area) as overheated_area,
        sum(e.heater) as heater,
        sum(e.energy) as energy,
        case
            when count(e.uncounted_ms) > 0
                then coalesce(sum(e.energy) filter (where e.hot > 0 and e.uncounted_ms = 0 and e.pieces = 0), 0)
        end as waiting_hot_energy,
        sum(e.good) as good,
        sum(e.scrap) as scrap,
        sum(e.temperature_area) as temperature_area,
        sum(e.known_ms) as known_ms,
        1 - sum(e.energy_missing_ms) / sum(e.energy_ms) as energy_share,
        coalesce(1 - sum(e.good_missing_ms) / sum(e.good_ms), 1) as good_share,
        coalesce(1 - sum(e.scrap_missing_ms) / sum(e.scrap_ms), 1) as scrap_share
    from each_interval as e
    group by e.site, e.asset, e.day
),

counted as (
    select
        d.*,
        cast(coalesce(d.good, case when r.good then 0 end) as double precision) / 1000 as good_pieces,
        cast(coalesce(d.scrap, case when r.scrap then 0 end) as double precision) / 1000 as scrap_pieces
    from each_day as d
    inner join reported as r on d.site = r.site and d.asset = r.asset
)

select
    c.site,
    c.asset,
    c.day,
    cast(c.hot as double precision) / 3600000 as hot_h,
    cast(c.waiting_hot as double precision) / 3600000 as waiting_hot_h,
    cast(c.overheated as double precision) / 60000 as overheated_min,
    cast(c.overheated_area as double precision) * 60 / 1000000 as overheated_degree_min,
    cast(c.heater as double precision) / 3600000 as heater_h,
    cast(c.energy as double precision) / 1000000 as energy_kwh,
    cast(c.waiting_hot_energy as double precision) / 1000000 as waiting_hot_kwh,
    c.good_pieces,
    c.scrap_pieces,
    case
        when c.scrap_share >= 0.95 * c.good_share
            then c.good_pieces / nullif(c.good_pieces + c.scrap_pieces, 0)
    end as yield_share,
    case
        when c.energy_share >= 0.95 * c.good_share
            then cast(c.energy as double precision) / 1000000 / nullif(c.good_pieces, 0)
    end as kwh_per_piece,
    cast(c.temperature_area as double precision) * 3.6 / nullif(cast(c.known_ms as double precision), 0) as mean_c,
    cast(c.known_ms as double precision) / 3600000 as known_h
from counted as c;
