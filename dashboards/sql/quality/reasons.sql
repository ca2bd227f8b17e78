-- One row a reason for which readings or messages were rejected: how many, from how many sources, and the last.
select
    q.reason,
    count(*) as rejected,
    count(distinct q.source) as sources,
    max(q.received_at) as last_at
from mart.quarantine as q
where $__timeFilter(q.received_at)
group by q.reason
order by rejected desc, q.reason asc;
