-- Mean billet temperature of the furnace with its limits, and the mean power of its heater.
with part as (
    select
        k.role,
        k.point,
        max(b.value) filter (where b.role = 'hot_c') as hot_c,
        max(b.value) filter (where b.role = 'too_hot_c') as too_hot_c
    from mart.kpi as k
    inner join mart.kpi as b on k.site = b.site and k.asset = b.asset and b.kind = 'furnace'
    where
        k.site in (${site:sqlstring})
        and k.asset in (${furnace:sqlstring})
        and k.kind = 'furnace'
        and k.role in ('temperature', 'power')
    group by k.role, k.point
)

select
    $__timeGroupAlias(a.starts_at, $__interval),
    avg(a.value) filter (where p.role = 'temperature') as billet_c,
    avg(a.value) filter (where p.role = 'power') as heater_kw,
    max(p.hot_c) as hot_c,
    max(p.too_hot_c) as too_hot_c
from mart.anomaly as a
inner join part as p on a.point = p.point
where a.site in (${site:sqlstring}) and $__timeFilter(a.starts_at)
group by 1
order by 1;
