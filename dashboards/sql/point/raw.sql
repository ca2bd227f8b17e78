-- One row a raw reading, as it came: the newest first.
select
    r.read_at,
    r.value,
    r.text,
    r.unit,
    r.quality,
    r.is_late,
    extract(epoch from r.received_at - r.read_at) as way_s,
    r.source
from mart.reading as r
where r.point in (${point:sqlstring}) and $__timeFilter(r.read_at)
order by r.read_at desc
limit 200;
