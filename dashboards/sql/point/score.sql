-- The highest anomaly score of each interval.
select
    $__timeGroupAlias(a.starts_at, $__interval),
    max(a.score) as score
from mart.anomaly as a
where a.point in (${point:sqlstring}) and $__timeFilter(a.starts_at)
group by 1
order by 1;
