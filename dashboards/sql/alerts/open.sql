-- One row: episodes open at the end of the range by severity, those nobody acknowledged, and what the range opened.
select
    count(*) filter (where e.is_open and e.severity = 'critical') as critical,
    count(*) filter (where e.is_open and e.severity = 'warning') as warning,
    count(*) filter (where e.is_open and e.acknowledged_at is null) as unacknowledged,
    count(*) filter (where e.opened_at >= $__timeFrom()) as opened
from (
    select
        x.severity,
        x.opened_at,
        x.acknowledged_at,
        x.closed_at is null or x.closed_at > $__timeTo() as is_open
    from mart.alert_episode as x
    where x.site in (${site:sqlstring}) and x.opened_at <= $__timeTo()
) as e;
