-- The highest anomaly score of each point of the asset.
select
    $__timeGroupAlias(a.starts_at, $__interval),
    a.point as metric,
    max(a.score) as score
from mart.anomaly as a
where a.site in (${site:sqlstring}) and a.asset in (${asset:sqlstring}) and $__timeFilter(a.starts_at)
group by 1, 2
order by 1, 2;
