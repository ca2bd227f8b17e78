-- One row a message that was given up: nobody was told of it by this channel.
select
    d.attempted_at,
    d.site,
    d.channel,
    d.kind,
    d.code,
    d.reason
from mart.alert_delivery as d
where d.site in (${site:sqlstring}) and $__timeFilter(d.attempted_at) and d.status = 'dead'
order by d.attempted_at desc
limit 50;
