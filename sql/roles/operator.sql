-- People on duty look at alerts, acknowledge and silence them, and send dead letters again.
do $$
begin
    execute format('grant connect on database %I to kilowatch_operator', current_database());
end
$$;
revoke all on schema raw, run from kilowatch_operator;
revoke all on all tables in schema op, raw, fact, mart, run from kilowatch_operator;
grant usage on schema op, fact, mart to kilowatch_operator;
grant select on op.migration, op.catalog, op.alert_outbox, op.alert_dispatch to kilowatch_operator;
grant select on fact.alert_episode, fact.alert_silence to kilowatch_operator;
grant select on mart.alert_episode, mart.alert_delivery to kilowatch_operator;
grant insert on fact.alert_acknowledgement, fact.alert_silence, fact.alert_delivery to kilowatch_operator;
grant update (ends_at) on fact.alert_silence to kilowatch_operator;
grant update (next_at, status) on op.alert_dispatch to kilowatch_operator;
