-- What TimescaleDB adds: chunks by time, columns compressed once late data have become rare. May be applied again.
-- Times are UTC without a zone on both stores, so the warning about that type does not apply.
select create_hypertable(
    'raw.reading', 'read_at',
    chunk_time_interval => interval '1 day', if_not_exists => true, migrate_data => true,
    create_default_indexes => false
);
select create_hypertable(
    'fact.interval', 'starts_at',
    chunk_time_interval => interval '30 days', if_not_exists => true, migrate_data => true,
    create_default_indexes => false
);
select create_hypertable(
    'fact.rolling', 'ends_at',
    chunk_time_interval => interval '30 days', if_not_exists => true, migrate_data => true,
    create_default_indexes => false
);
select create_hypertable(
    'fact.anomaly', 'starts_at',
    chunk_time_interval => interval '30 days', if_not_exists => true, migrate_data => true,
    create_default_indexes => false
);
select create_hypertable(
    'fact.model_score', 'starts_at',
    chunk_time_interval => interval '30 days', if_not_exists => true, migrate_data => true,
    create_default_indexes => false
);

alter table raw.reading set (
    timescaledb.compress, timescaledb.compress_segmentby = 'point_id', timescaledb.compress_orderby = 'read_at, seq'
);
alter table fact.interval set (
    timescaledb.compress, timescaledb.compress_segmentby = 'point_id', timescaledb.compress_orderby = 'starts_at'
);
alter table fact.rolling set (
    timescaledb.compress, timescaledb.compress_segmentby = 'point_id', timescaledb.compress_orderby = 'ends_at'
);
alter table fact.anomaly set (
    timescaledb.compress, timescaledb.compress_segmentby = 'point_id', timescaledb.compress_orderby = 'starts_at'
);
alter table fact.model_score set (
    timescaledb.compress, timescaledb.compress_segmentby = 'point_id', timescaledb.compress_orderby = 'starts_at'
);

select add_compression_policy('raw.reading', interval '14 days', if_not_exists => true);
select add_compression_policy('fact.interval', interval '400 days', if_not_exists => true);
select add_compression_policy('fact.rolling', interval '100 days', if_not_exists => true);
select add_compression_policy('fact.anomaly', interval '100 days', if_not_exists => true);
select add_compression_policy('fact.model_score', interval '100 days', if_not_exists => true);
