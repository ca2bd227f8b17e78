-- The value against what was expected of it, with the band: means, and the widest of the band, of each interval.
select
    $__timeGroupAlias(a.starts_at, $__interval),
    avg(a.value) as value,
    avg(a.expected) as expected,
    min(a.lower) as lower,
    max(a.upper) as upper
from mart.anomaly as a
where a.point in (${point:sqlstring}) and $__timeFilter(a.starts_at)
group by 1
order by 1;
