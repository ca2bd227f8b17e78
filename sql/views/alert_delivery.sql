-- One row an attempt to deliver a message about an episode by a channel, a reason not to, or what a person did about a
-- dead letter. `attempts`, `next_at` and `message_status` are of the message and channel as they stand now: `dead` is a
-- dead letter, which nobody tries again until a person sends it again.
create or replace view mart.alert_delivery as
select
    o.site,
    d.episode_id,
    d.message_id,
    o.kind,
    d.channel,
    d.attempt,
    d.attempted_at,
    d.status,
    d.code,
    d.reason,
    d.parent_episode_id,
    coalesce(p.attempts, 0) as attempts,
    p.next_at,
    coalesce(p.status, d.status) as message_status
from fact.alert_delivery as d
inner join op.alert_outbox as o on d.message_id = o.message_id
left join op.alert_dispatch as p on d.message_id = p.message_id and d.channel = p.channel
where position('@' in o.site) = 0;
