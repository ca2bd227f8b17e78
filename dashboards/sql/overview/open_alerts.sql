-- One row: episodes that are open at the end of the range, by severity.
select
    count(*) filter (where e.severity = 'critical') as critical,
    count(*) filter (where e.severity = 'warning') as warning
from mart.alert_episode as e
where
    e.site in (${site:sqlstring})
    and e.opened_at <= $__timeTo()
    and (e.closed_at is null or e.closed_at > $__timeTo());
