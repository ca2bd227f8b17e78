-- One row a measure and local day: what its points used and made, and whether its condition held.
create or replace view mart.measure_use_daily as
-- A day is known for as long as that point of a role is that is known least; one that is absent is not known at all.
with declared as (
    select
        p.site,
        m.measure,
        m.from_day,
        m.title_zh,
        m.title_en,
        m.role,
        count(*) filter (where p.kind <> 'amount') as points,
        count(*) filter (where p.kind = 'amount') as events
    from op.measure as m
    inner join op.point as p on m.point_id = p.point_id
    group by p.site, m.measure, m.from_day, m.title_zh, m.title_en, m.role
),

each_point as (
    select
        p.site,
        m.measure,
        m.role,
        p.point_id,
        f.local_day as day,
        sum(f.amount) as amount,
        max(
            case p.quantity
                when 'energy' then 1000000
                when 'volume' then 1000
                when 'mass' then 1000000
                when 'duration' then 3600000
                when 'degree_time' then 1000000
                else 1000
            end
        ) as base_per_unit,
        -- Fills and deliveries are events: nothing tells how much of a day they are known for.
        sum(p.resolution_ms - f.missing_ms) filter (where p.kind <> 'amount') as known_ms
    from op.measure as m
    inner join op.point as p on m.point_id = p.point_id
    inner join fact.interval as f on p.point_id = f.point_id
    where position('@' in p.site) = 0
    group by p.site, m.measure, m.role, p.point_id, f.local_day
),

part as (
    select
        e.site,
        e.measure,
        d.from_day,
        d.title_zh,
        d.title_en,
        e.role,
        e.day,
        cast(sum(e.amount) as double precision) / max(e.base_per_unit) as amount,
        case
            when count(e.known_ms) = max(d.points) then cast(min(e.known_ms) as double precision) / 3600000
            else 0
        end as known_h
    from each_point as e
    inner join declared as d on e.site = d.site and e.measure = d.measure and e.role = d.role
    group by e.site, e.measure, d.from_day, d.title_zh, d.title_en, e.role, e.day
),

-- A day without a fill or a delivery has one of zero.
eventful as (
    select
        d.site,
        d.measure,
        count(*) filter (where d.role = 'fuel' and d.events > 0) > 0 as fills,
        count(*) filter (where d.role = 'material' and d.events > 0) > 0 as deliveries
    from declared as d
    group by d.site, d.measure
)

select
    t.site,
    t.measure,
    t.from_day,
    t.title_zh,
    t.title_en,
    t.day,
    t.day >= t.from_day as is_after,
    sum(t.amount) filter (where t.role = 'energy') as energy_kwh,
    coalesce(sum(t.amount) filter (where t.role = 'fuel'), case when bool_or(v.fills) then 0 end) as fuel_l,
    coalesce(sum(t.amount) filter (where t.role = 'material'), case when bool_or(v.deliveries) then 0 end)
        as material_kg,
    sum(t.amount) filter (where t.role = 'output') as output,
    min(t.known_h) filter (where t.role in ('energy', 'fuel')) as known_h,
    sum(t.amount) filter (where t.role = 'in_band')
    / nullif(max(t.known_h) filter (where t.role = 'in_band'), 0) as in_band_share,
    sum(t.amount) filter (where t.role = 'temperature_area')
    / nullif(max(t.known_h) filter (where t.role = 'temperature_area'), 0) as mean_c
from part as t
inner join eventful as v on t.site = v.site and t.measure = v.measure
group by t.site, t.measure, t.from_day, t.title_zh, t.title_en, t.day;
