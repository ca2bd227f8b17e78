-- Readings and messages that could not be used, by reason.
select
    $__timeGroupAlias(q.received_at, $__interval),
    q.reason as metric,
    count(*) as rejected
from mart.quarantine as q
where $__timeFilter(q.received_at)
group by 1, 2
order by 1, 2;
