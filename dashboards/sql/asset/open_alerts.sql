-- One row: episodes of the asset that are open at the end of the range, and that were opened in it.
select
    count(*) filter (where e.closed_at is null or e.closed_at > $__timeTo()) as open,
    count(*) filter (where e.opened_at >= $__timeFrom()) as opened
from mart.alert_episode as e
where e.site in (${site:sqlstring}) and e.asset in (${asset:sqlstring}) and e.opened_at <= $__timeTo();
