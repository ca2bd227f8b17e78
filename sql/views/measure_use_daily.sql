-- One row a measure and local day: what its points used and made, and whether its condition held.
create or replace view mart.measure_use_daily as
with part as (
    select
        p.site,
        m.measure,
        m.from_day,
        m.title_zh,
        m.title_en,
        m.role,
        f.local_day as day,
        cast(sum(f.amount) as double precision) / max(
            case p.quantity
                when 'energy' then 1000000
                when 'volume' then 1000
                when 'mass' then 1000000
                when 'duration' then 3600000
                when 'degree_time' then 1000000
                else 1000
            end
        ) as amount,
        -- Fills and deliveries are events: nothing tells how much of a day they are known for.
        cast(
            sum(p.resolution_ms - f.missing_ms) filter (where p.kind <> 'amount') as double precision
        ) / 3600000 / nullif(count(distinct case when p.kind <> 'amount' then p.point_id end), 0) as known_h
    from op.measure as m
    inner join op.point as p on m.point_id = p.point_id
    inner join fact.interval as f on p.point_id = f.point_id
    where position('@' in p.site) = 0
    group by p.site, m.measure, m.from_day, m.title_zh, m.title_en, m.role, f.local_day
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
    sum(t.amount) filter (where t.role = 'fuel') as fuel_l,
    sum(t.amount) filter (where t.role = 'material') as material_kg,
    sum(t.amount) filter (where t.role = 'output') as output,
    min(t.known_h) filter (where t.role in ('energy', 'fuel')) as known_h,
    sum(t.amount) filter (where t.role = 'in_band')
    / nullif(max(t.known_h) filter (where t.role = 'in_band'), 0) as in_band_share,
    sum(t.amount) filter (where t.role = 'temperature_area')
    / nullif(max(t.known_h) filter (where t.role = 'temperature_area'), 0) as mean_c
from part as t
group by t.site, t.measure, t.from_day, t.title_zh, t.title_en, t.day;
