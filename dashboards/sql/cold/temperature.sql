-- Mean temperature of the room with its band.
with room as (
    select
        t.point,
        max(b.value) filter (where b.role = 'low_c') as low_c,
        max(b.value) filter (where b.role = 'high_c') as high_c
    from mart.kpi as t
    inner join mart.kpi as b on t.site = b.site and t.asset = b.asset and b.kind = 'room'
    where
        t.site in (${site:sqlstring})
        and t.asset in (${room:sqlstring})
        and t.kind = 'room'
        and t.role = 'temperature'
    group by t.point
)

select
    $__timeGroupAlias(a.starts_at, $__interval),
    avg(a.value) as mean_c,
    min(r.low_c) as low_c,
    max(r.high_c) as high_c
from mart.anomaly as a
inner join room as r on a.point = r.point
where a.site in (${site:sqlstring}) and $__timeFilter(a.starts_at)
group by 1
order by 1;
