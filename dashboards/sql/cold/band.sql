-- Where the mean temperature of each room stood in each quarter-hour: 0 within its band, 1 above, 2 below it.
with room as (
    select
        t.asset,
        t.point,
        max(b.value) filter (where b.role = 'low_c') as low_c,
        max(b.value) filter (where b.role = 'high_c') as high_c
    from mart.kpi as t
    inner join mart.kpi as b on t.site = b.site and t.asset = b.asset and b.kind = 'room'
    where t.site in (${site:sqlstring}) and t.kind = 'room' and t.role = 'temperature'
    group by t.asset, t.point
),

mean as (
    select
        $__timeGroupAlias(a.starts_at, $__interval),
        a.point,
        avg(a.value) as mean_c
    from mart.anomaly as a
    where a.site in (${site:sqlstring}) and a.unit = 'Cel' and $__timeFilter(a.starts_at)
    group by 1, 2
)

select
    m.time,
    r.asset as metric,
    case when m.mean_c > r.high_c then 1 when m.mean_c < r.low_c then 2 else 0 end as state
from mean as m
inner join room as r on m.point = r.point
order by m.time, r.asset;
