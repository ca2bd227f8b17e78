-- One row: the last reading of the range, its age, how many readings there are, and how many came late.
select
    floor(extract(epoch from cast($__timeTo() as timestamp) - max(r.read_at))) as age_s,
    count(*) as readings,
    count(*) filter (where r.is_late) as late,
    count(*) filter (where r.quality <> 'good') as doubtful
from mart.reading as r
where r.point in (${point:sqlstring}) and $__timeFilter(r.read_at)
having count(*) > 0;
