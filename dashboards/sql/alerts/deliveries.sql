-- One row a channel: what became of the messages that were tried in the range.
select
    d.channel,
    count(*) filter (where d.status = 'sent') as sent,
    count(*) filter (where d.status = 'failed') as failed,
    count(*) filter (where d.status = 'dead') as dead,
    count(*) filter (where d.status not in ('sent', 'failed', 'dead')) as withheld,
    max(d.attempted_at) filter (where d.status = 'sent') as last_sent_at
from mart.alert_delivery as d
where d.site in (${site:sqlstring}) and $__timeFilter(d.attempted_at)
group by d.channel
order by dead desc, d.channel asc;
