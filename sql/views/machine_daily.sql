-- One row a machine and local day: hours and energy of each state, set-ups, pieces, elements of OEE (ISO 22400).
create or replace view mart.machine_daily as
with tally as (
    select
        d.site,
        d.asset,
        d.day,
        max(d.known_h) filter (where d.role = 'cutting_time') as known_h,
        sum(d.amount) filter (where d.role = 'idle_time') as idle_h,
        sum(d.amount) filter (where d.role = 'setup_time') as setup_h,
        sum(d.amount) filter (where d.role = 'cutting_time') as cutting_h,
        sum(d.amount) filter (where d.role = 'idle_energy') as idle_kwh,
        sum(d.amount) filter (where d.role = 'setup_energy') as setup_kwh,
        sum(d.amount) filter (where d.role = 'cutting_energy') as cutting_kwh,
        sum(d.amount) filter (where d.role = 'setups') as setups,
        sum(d.amount) filter (where d.role = 'energy') as energy_kwh,
        max(d.known_h) filter (where d.role = 'energy') as energy_known_h,
        max(d.known_h) filter (where d.role = 'good') as good_known_h,
        max(d.known_h) filter (where d.role = 'scrap') as scrap_known_h,
        sum(d.amount) filter (where d.role = 'good') as counted_good,
        sum(d.amount) filter (where d.role = 'scrap') as counted_scrap
    from mart.kpi_daily as d
    where d.kind = 'machine'
    group by d.site, d.asset, d.day
),

said as (
    select
        k.site,
        k.asset,
        max(k.value) filter (where k.role = 'planned_h') as planned_h,
        max(k.value) filter (where k.role = 'ideal_s') as ideal_s,
        bool_and(k.is_event) filter (where k.role = 'good') as reports_good,
        bool_and(k.is_event) filter (where k.role = 'scrap') as reports_scrap
    from mart.kpi as k
    where k.kind = 'machine'
    group by k.site, k.asset
),

made as (
    select
        t.*,
        s.ideal_s,
        case when extract(isodow from t.day) < 6 and t.cutting_h is not null then s.planned_h end as planned_h,
        coalesce(t.counted_good, case when s.reports_good then 0 end) as good_pieces,
        coalesce(t.counted_scrap, case when s.reports_scrap then 0 end) as scrap_pieces
    from tally as t
    inner join said as s on t.site = s.site and t.asset = s.asset
),

counted as (
    select
        m.*,
        m.good_pieces + coalesce(m.scrap_pieces, 0) as pieces,
        -- As much of the pieces is known as of the hours.
        coalesce(m.good_known_h, m.known_h) >= 0.95 * m.known_h
        and coalesce(m.scrap_known_h, m.known_h) >= 0.95 * m.known_h as are_counted
    from made as m
)

select
    c.site,
    c.asset,
    c.day,
    c.known_h - coalesce(c.idle_h, 0) - coalesce(c.setup_h, 0) - c.cutting_h as off_h,
    c.idle_h,
    c.setup_h,
    c.cutting_h,
    c.idle_kwh,
    c.setup_kwh,
    c.cutting_kwh,
    c.setups,
    c.setup_h * 60 / nullif(c.setups, 0) as setup_min_per_job,
    c.energy_kwh,
    c.good_pieces,
    c.scrap_pieces,
    case when c.energy_known_h >= 0.95 * coalesce(c.good_known_h, 24) then c.energy_kwh / nullif(c.good_pieces, 0) end
        as kwh_per_piece,
    c.cutting_h / nullif(c.planned_h, 0) as availability,
    case when c.are_counted then c.ideal_s * c.pieces / nullif(c.cutting_h * 3600, 0) end as effectiveness,
    case when c.are_counted and c.scrap_pieces is not null then c.good_pieces / nullif(c.pieces, 0) end
        as quality_ratio,
    case when c.are_counted then c.ideal_s * c.good_pieces / nullif(c.planned_h * 3600, 0) end as oee,
    c.known_h,
    c.pieces,
    c.ideal_s,
    c.planned_h
from counted as c;
