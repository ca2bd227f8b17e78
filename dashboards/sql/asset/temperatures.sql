-- Mean of each temperature of the asset.
select
    $__timeGroupAlias(a.starts_at, $__interval),
    a.point as metric,
    avg(a.value) as temperature_c
from mart.anomaly as a
where
    a.site in (${site:sqlstring})
    and a.asset in (${asset:sqlstring})
    and a.unit = 'Cel'
    and $__timeFilter(a.starts_at)
group by 1, 2
order by 1, 2;
