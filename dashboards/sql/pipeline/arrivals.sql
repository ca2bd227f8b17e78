-- Readings of each site a minute, by their own time.
select
    $__timeGroupAlias(r.read_at, $__interval),
    r.site as metric,
    count(*) * 60000.0 / $__interval_ms as readings_per_min
from mart.reading as r
where $__timeFilter(r.read_at)
group by 1, 2
order by 1, 2;
