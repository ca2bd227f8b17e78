-- One row for each of the 25 highest scores of the range: what was seen, what was expected, and why it is odd.
select
    a.site,
    a.asset,
    a.point,
    a.starts_at,
    a.score,
    a.value,
    a.expected,
    a.unit,
    a.cause
from mart.anomaly as a
where a.site in (${site:sqlstring}) and $__timeFilter(a.starts_at) and a.score >= 0.4 and not a.is_warming
order by a.score desc, a.starts_at desc
limit 25;
