-- One row: messages about alerts that were given up.
select count(*) as dead_letters
from mart.alert_delivery
where status = 'dead' and $__timeFilter(attempted_at);
