-- One row a gauge (temperature, humidity, power factor) and quarter-hour: mean and extremes in the point's unit.
create or replace view mart.measurement_15min as
-- Millionths are summed as whole numbers, so that the mean is the same in any order and on any store.
with reading as (
    select
        r.point_id,
        date_trunc('hour', r.read_at)
        + interval '15 minutes' * cast(floor(extract(minute from r.read_at) / 15) as integer) as starts_at,
        min(
            cast(
                floor(((r.value + s.shift) * s.base_per_unit / o.base_per_unit - o.shift) * 1000000 + 0.5) as bigint
            )
        ) as millionths
    from raw.reading as r
    inner join op.point as p on r.point_id = p.point_id
    inner join op.unit as o on p.unit = o.unit
    inner join op.unit as s on coalesce(r.unit, p.unit) = s.unit
    where p.kind = 'gauge' and r.value is not null
    group by r.point_id, r.read_at
)

select
    p.site,
    p.asset,
    p.point,
    p.unit,
    r.starts_at,
    cast(sum(r.millionths) as double precision) / count(*) / 1000000 as mean_value,
    cast(min(r.millionths) as double precision) / 1000000 as lowest_value,
    cast(max(r.millionths) as double precision) / 1000000 as highest_value,
    count(*) as readings
from reading as r
inner join op.point as p on r.point_id = p.point_id
group by p.site, p.asset, p.point, p.unit, r.starts_at;
