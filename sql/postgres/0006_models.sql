-- Keys of models, of what they remember, and of their scores.
create unique index model_key on op.model (site, asset, version);
create index model_wanted on op.model (site) where active_seq is null;
create unique index model_state_key on op.model_state (site, asset);
create unique index model_score_key on fact.model_score (point_id, starts_at);
alter table op.model_state set (fillfactor = 50);
