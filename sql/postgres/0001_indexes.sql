-- What PostgreSQL needs beside the tables: keys that a doubled row would break, and ways to find rows.
create unique index migration_name on op.migration (name);
create unique index catalog_key on op.catalog (site, sha256);
create unique index point_key on op.point (point);
create unique index point_number on op.point (point_id);
create unique index source_key on op.source (site, source);
create unique index position_key on op.position (site);
create unique index log_position_key on op.log_position (log, part);
create unique index energy_state_key on op.energy_state (point_id);
create index control_key on op.control (site, seq);
create unique index archive_file_key on op.archive_file (site, file);
create unique index archived_key on op.archived (site);

create index reading_key on raw.reading (point_id, read_at);
create index reading_late on raw.reading (point_id, seq) where late_at is not null;
create index reading_received on raw.reading using brin (received_at);

create unique index interval_key on fact.interval (point_id, starts_at);
create index interval_time on fact.interval (starts_at);
create index interval_history_key on fact.interval_history (point_id, starts_at);
create index register_event_key on fact.register_event (point_id, decided_at);
create index rejected_reading_key on fact.rejected_reading (point_id, read_at);
create index quarantine_time on fact.quarantine (received_at);
create unique index register_day_key on fact.register_day (point_id, local_day);
create unique index rolling_key on fact.rolling (point_id, ends_at);
create unique index demand_key on fact.demand (site, starts_at);
create index demand_history_key on fact.demand_history (site, starts_at);
create unique index cost_key on fact.cost (site, starts_at);
create index cost_history_key on fact.cost_history (site, starts_at);
create unique index emission_key on fact.emission (site, source, starts_at);
create index emission_history_key on fact.emission_history (site, source, starts_at);

-- State is written over and over: room on each page keeps the updates short.
alter table op.position set (fillfactor = 50);
alter table op.log_position set (fillfactor = 50);
alter table op.energy_state set (fillfactor = 50);
