-- One row a message about an alert that was given up.
select
    d.attempted_at,
    d.site,
    d.channel,
    d.kind,
    d.code,
    d.reason
from mart.alert_delivery as d
where $__timeFilter(d.attempted_at) and d.status = 'dead'
order by d.attempted_at desc
limit 50;
