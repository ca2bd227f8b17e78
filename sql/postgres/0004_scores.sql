-- Keys of scores and of what is remembered for them and for rules.
create unique index anomaly_key on fact.anomaly (point_id, starts_at);
create unique index anomaly_state_key on op.anomaly_state (point_id);
create unique index rule_state_key on op.rule_state (site);
alter table op.anomaly_state set (fillfactor = 50);
alter table op.rule_state set (fillfactor = 50);
