-- Dead letters are few among all messages, and are counted every few seconds.
create index alert_dispatch_dead on op.alert_dispatch (channel) where status = 'dead';
create index alert_delivery_dead on fact.alert_delivery (message_id, channel) where status = 'dead';
