-- Keys of alerts, and ways to find the few messages that are not done with among all that ever were.
create unique index alert_episode_key on fact.alert_episode (episode_id);
create index alert_episode_open on fact.alert_episode (site, asset) where closed_at is null;
create unique index alert_outbox_key on op.alert_outbox (message_id);
create index alert_outbox_unplanned on op.alert_outbox (created_at) where planned_at is null;
create unique index alert_dispatch_key on op.alert_dispatch (message_id, channel);
create index alert_dispatch_episode on op.alert_dispatch (episode_id, channel, number);
create index alert_dispatch_due on op.alert_dispatch (next_at) where next_at is not null;
create index alert_delivery_message on fact.alert_delivery (message_id, channel);
create index alert_delivery_time on fact.alert_delivery (attempted_at);
create index alert_acknowledgement_key on fact.alert_acknowledgement (episode_id);
create index alert_silence_time on fact.alert_silence (site, ends_at);
