-- Raw readings: lowest, mean and highest of each interval, in the unit that they came in.
select
    $__timeGroupAlias(r.read_at, $__interval),
    avg(r.value) as mean_value,
    min(r.value) as lowest_value,
    max(r.value) as highest_value
from mart.reading as r
where r.point in (${point:sqlstring}) and r.value is not null and $__timeFilter(r.read_at)
group by 1
order by 1;
