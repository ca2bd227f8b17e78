-- One row a room and local day: temperature, time out of its band, degree-hours held, energy for them, pallets.
create or replace view mart.room_daily as
with delivered as (
    select
        k.site,
        k.asset,
        bool_and(k.is_event) as is_event
    from mart.kpi as k
    where k.kind = 'room' and k.role = 'pallets'
    group by k.site, k.asset
),

tally as (
    select
        d.site,
        d.asset,
        d.day,
        max(d.known_h) filter (where d.role = 'temperature_area') as known_h,
        sum(d.amount) filter (where d.role = 'temperature_area') as temperature_area,
        sum(d.amount) filter (where d.role = 'in_band') as in_band_h,
        max(d.known_h) filter (where d.role = 'in_band') as in_band_known_h,
        sum(d.amount) filter (where d.role = 'above_area') as above_area,
        sum(d.amount) filter (where d.role = 'below_area') as below_area,
        -- In units of 1e-21 h: see streams/operators/tallies.py.
        sum(d.amount) filter (where d.role = 'kinetic_area') as kinetic_area,
        sum(d.amount) filter (where d.role = 'outdoor_area') as outdoor_area,
        max(d.known_h) filter (where d.role = 'outdoor_area') as outdoor_known_h,
        sum(d.amount) filter (where d.role = 'door_open') as door_open_h,
        sum(d.amount) filter (where d.role = 'defrosts') as defrosts,
        sum(d.amount) filter (where d.role = 'energy') as energy_kwh,
        max(d.known_h) filter (where d.role = 'energy') as energy_known_h,
        sum(d.amount) filter (where d.role = 'pallets') as counted_pallets
    from mart.kpi_daily as d
    where d.kind = 'room'
    group by d.site, d.asset, d.day
),

held as (
    select
        t.*,
        t.temperature_area / nullif(t.known_h, 0) as mean_c,
        t.outdoor_area / nullif(t.outdoor_known_h, 0) as outdoor_c,
        -- What it took is compared with what it was for where both are known of the same time, to one part in twenty.
        case when t.energy_known_h >= 0.95 * t.known_h then t.energy_kwh end as whole_kwh,
        coalesce(t.counted_pallets, case when p.is_event then 0 end) as pallets
    from tally as t
    left join delivered as p on t.site = p.site and t.asset = p.asset
)

select
    h.site,
    h.asset,
    h.day,
    h.mean_c,
    -10000 / ln(nullif(h.kinetic_area, 0) * 1e-21 / nullif(h.known_h, 0)) - 273.15 as mean_kinetic_c,
    h.in_band_h / nullif(h.in_band_known_h, 0) as in_band_share,
    (h.in_band_known_h - h.in_band_h) * 60 as excursion_min,
    h.above_area * 60 as above_degree_min,
    h.below_area * 60 as below_degree_min,
    h.door_open_h * 60 as door_open_min,
    h.defrosts,
    h.outdoor_c,
    (h.outdoor_c - h.mean_c) * h.known_h as degree_hours,
    h.energy_kwh,
    case when h.outdoor_c > h.mean_c then h.whole_kwh / nullif((h.outdoor_c - h.mean_c) * h.known_h, 0) end
        as kwh_per_degree_hour,
    case when h.outdoor_c > h.mean_c then (h.outdoor_c - h.mean_c) * h.known_h / nullif(h.whole_kwh, 0) end
        as degree_hours_per_kwh,
    h.pallets,
    h.whole_kwh / nullif(h.pallets, 0) as kwh_per_pallet,
    h.known_h
from held as h;
