-- One row an episode that is open at the end of the range: the gravest first, then the oldest.
select
    e.severity,
    e.site,
    e.asset,
    e.rule,
    e.opened_at,
    extract(epoch from cast($__timeTo() as timestamp) - e.opened_at) as lasted_s,
    e.acknowledged_by,
    e.said_zh,
    e.said_en,
    e.advice_zh,
    e.advice_en
from mart.alert_episode as e
where
    e.site in (${site:sqlstring})
    and e.opened_at <= $__timeTo()
    and (e.closed_at is null or e.closed_at > $__timeTo())
order by case e.severity when 'critical' then 0 when 'warning' then 1 else 2 end, e.opened_at
limit 50;
