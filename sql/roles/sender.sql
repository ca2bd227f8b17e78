-- The sender of alerts reads messages and what decides whether they are sent, and notes what became of them: no
-- readings, no results, and no word about an episode.
do $$
begin
    execute format('grant connect on database %I to kilowatch_sender', current_database());
end
$$;
revoke all on schema raw, mart, run from kilowatch_sender;
revoke all on all tables in schema op, raw, fact, mart, run from kilowatch_sender;
grant usage on schema op, fact to kilowatch_sender;
grant select on op.migration, op.catalog, op.alert_outbox, op.alert_dispatch, op.alert_channel to kilowatch_sender;
grant select on fact.alert_episode, fact.alert_acknowledgement, fact.alert_silence to kilowatch_sender;
grant select (message_id, channel, attempt, status) on fact.alert_delivery to kilowatch_sender;
grant insert on op.alert_dispatch, op.alert_channel, fact.alert_delivery to kilowatch_sender;
grant update (planned_at) on op.alert_outbox to kilowatch_sender;
grant update (attempts, next_at, status) on op.alert_dispatch to kilowatch_sender;
