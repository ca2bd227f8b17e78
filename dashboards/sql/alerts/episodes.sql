-- One row an episode of the range: the newest first.
select
    e.severity,
    e.site,
    e.asset,
    e.rule,
    e.opened_at,
    extract(epoch from coalesce(e.closed_at, cast($__timeTo() as timestamp)) - e.opened_at) as lasted_s,
    e.said_zh,
    e.said_en
from mart.alert_episode as e
where
    e.site in (${site:sqlstring})
    and e.opened_at <= $__timeTo()
    and (e.closed_at is null or e.closed_at >= $__timeFrom())
order by e.opened_at desc
limit 100;
