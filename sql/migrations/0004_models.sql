-- Models of assets: plain parameters by version, what the active ones remember, and the scores that they gave.

-- Controls of one `seq` have an order: `nth` counts them (null in rows of before: by time). `detail` says what of.
alter table op.control add column nth integer;
alter table op.control add column detail varchar;

-- One row a version of an asset's model; one without parameters ended the one before. Of an asset the highest version
-- holds, from reading `active_seq` on; it is null until whoever works off the site has recorded that in op.control.
create table op.model (
    site varchar not null,
    asset varchar not null,
    version integer not null,
    point varchar not null,
    trained_at timestamp not null,
    window_from timestamp,
    window_until timestamp,
    validated_until timestamp,
    data_sha256 varchar,
    parameters_sha256 varchar,
    parameters bytea,
    metrics varchar not null,
    active_seq bigint,
    active_at timestamp
);

-- One row an asset with a model: the version that is active, and what it remembers.
create table op.model_state (
    site varchar not null, asset varchar not null, version integer not null, content bytea not null
);

-- One row a target point and window, written once. `cause` is a code of streams/operators/models/scoring.py, negative
-- where the value is below what was expected.
create table fact.model_score (
    point_id integer not null,
    starts_at timestamp not null,
    ends_at timestamp not null,
    version integer not null,
    value double precision not null,
    score double precision,
    expected double precision,
    lower double precision,
    upper double precision,
    cause smallint not null
);
