-- One row a gateway or file heard in the last day: readings, points, the last arrival, and the longest way of one.
select
    r.source,
    count(*) as readings,
    count(distinct r.point) as points,
    max(r.read_at) as last_read_at,
    greatest(extract(epoch from cast($__timeTo() as timestamp) - max(r.received_at)), 0) as heard_s,
    max(extract(epoch from r.received_at - r.read_at)) as slowest_s
from mart.reading as r
where r.read_at > cast($__timeTo() as timestamp) - interval '1 day' and r.read_at <= $__timeTo()
group by r.source
order by heard_s desc, r.source asc;
