-- One row a rejected reading or message, as it came: the newest first.
select
    q.received_at,
    q.source,
    q.reason,
    q.payload
from mart.quarantine as q
where $__timeFilter(q.received_at)
order by q.received_at desc, q.source asc
limit 50;
