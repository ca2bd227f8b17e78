-- Readings of each site a minute, by their own time, of the last seven days of the range at most.
select
    $__timeGroupAlias(r.read_at, $__interval),
    r.site as metric,
    count(*) * 60000.0 / $__interval_ms as readings_per_min
from mart.reading as r
where $__timeFilter(r.read_at) and r.read_at > cast($__timeTo() as timestamp) - interval '7 days'
group by 1, 2
order by 1, 2;
