-- Raw readings, facts with their history, decisions, quarantine, and what a restart needs.
create schema if not exists op;
create schema if not exists raw;
create schema if not exists fact;
create schema if not exists mart;

create table op.migration (name varchar not null, sha256 varchar not null);

create table op.catalog (
    catalog_id integer not null, site varchar not null, sha256 varchar not null, content varchar not null
);

-- One row a unit: base units in one of it, and what is added to a value before; written anew at each start.
create table op.unit (unit varchar not null, base_per_unit double precision not null, shift double precision not null);

create table op.point (
    point_id integer not null,
    site varchar not null,
    asset varchar not null,
    point varchar not null,
    kind varchar not null,
    quantity varchar not null,
    unit varchar not null,
    resolution_ms bigint not null,
    time_zone varchar not null
);

-- One row a source: how many of its records are in the store.
create table op.source (
    source_id integer not null,
    site varchar not null,
    source varchar not null,
    name varchar not null,
    records bigint not null,
    received_at timestamp not null,
    is_complete boolean not null
);

-- One row a site: the number of the next raw row, by which a compare-and-set fences a second writer, and the part of
-- the log that its readings come from, if it is fed by one. Raw rows of counted points up to `trimmed_at` may be in
-- the archive alone.
create table op.position (
    site varchar not null, next_seq bigint not null, log varchar, part integer, trimmed_at timestamp
);

-- One row a part of a log that a worker reads: the offset of the next record; a compare-and-set on it fences.
create table op.log_position (log varchar not null, part integer not null, next_offset bigint not null);

-- One row a point: the operator's integers, eight bytes each, and the readings in doubt.
create table op.energy_state (point_id integer not null, counters bytea not null, pending varchar not null);

-- One row a recorded tick, end of stream or catalog, in the order of the raw rows.
create table op.control (
    seq bigint not null, site varchar not null, kind varchar not null, happened_at timestamp not null
);

-- One row a usable reading, in order of arrival; `late_at` is set on those later than the allowed lateness.
create table raw.reading (
    seq bigint not null,
    point_id integer not null,
    read_at timestamp not null,
    value double precision,
    text varchar,
    unit varchar,
    quality smallint not null,
    extra varchar,
    late_at timestamp,
    source_id integer not null,
    received_at timestamp not null
);

-- One row a point and interval: the latest revision.
create table fact.interval (
    point_id integer not null,
    starts_at timestamp not null,
    ends_at timestamp not null,
    local_day date not null,
    amount bigint,
    estimated bigint not null,
    estimated_ms bigint not null,
    missing_ms bigint not null,
    quality smallint not null,
    revision integer not null,
    catalog_id integer not null,
    recorded_at timestamp not null
);

-- One row a superseded revision of a fact.
create table fact.interval_history (
    point_id integer not null,
    starts_at timestamp not null,
    ends_at timestamp not null,
    local_day date not null,
    amount bigint,
    estimated bigint not null,
    estimated_ms bigint not null,
    missing_ms bigint not null,
    quality smallint not null,
    revision integer not null,
    catalog_id integer not null,
    recorded_at timestamp not null,
    superseded_at timestamp not null
);

create table fact.register_event (
    point_id integer not null,
    decided_at timestamp not null,
    happened_at timestamp not null,
    kind varchar not null,
    before_value double precision not null,
    after_value double precision not null,
    counted_value double precision not null,
    reason varchar not null
);

create table fact.rejected_reading (
    point_id integer not null,
    read_at timestamp not null,
    value double precision not null,
    reason varchar not null,
    recorded_at timestamp not null
);

create table fact.quarantine (
    received_at timestamp not null,
    source varchar not null,
    reason varchar not null,
    payload varchar not null
);

-- One row a register and local day: what moved it, in base units.
create table fact.register_day (
    point_id integer not null,
    begins_at timestamp not null,
    ends_at timestamp not null,
    local_day date not null,
    register bigint not null,
    wrapped bigint not null,
    reset bigint not null,
    exchanged bigint not null,
    quarantined bigint not null
);

-- One row a file of the raw archive; a file that is not listed here was never committed.
create table op.archive_file (
    file varchar not null,
    site varchar not null,
    first_seq bigint not null,
    readings bigint not null,
    sha256 varchar not null
);

-- One row a point and interval end: base units, null where nothing is known of the window.
create table fact.rolling (
    point_id integer not null,
    ends_at timestamp not null,
    amount_15min bigint,
    amount_1h bigint,
    amount_24h bigint,
    missing_15min_ms bigint not null,
    missing_1h_ms bigint not null,
    missing_24h_ms bigint not null
);

-- One row a site: the number of the first reading that no file of the archive holds, and the latest arrival before it.
create table op.archived (site varchar not null, first_seq bigint not null, received_at timestamp not null);

-- One row a site and quarter-hour: amounts in mWh, powers in mW.
create table fact.demand (
    site varchar not null,
    starts_at timestamp not null,
    amount bigint,
    estimated bigint not null,
    missing_ms bigint not null,
    demand_mw bigint,
    contract_mw bigint,
    quality smallint not null,
    revision integer not null,
    catalog_id integer not null,
    recorded_at timestamp not null
);

-- One row a superseded revision of fact.demand.
create table fact.demand_history (
    site varchar not null,
    starts_at timestamp not null,
    amount bigint,
    estimated bigint not null,
    missing_ms bigint not null,
    demand_mw bigint,
    contract_mw bigint,
    quality smallint not null,
    revision integer not null,
    catalog_id integer not null,
    recorded_at timestamp not null,
    superseded_at timestamp not null
);

-- One row a site and quarter-hour: energy in mWh and its cost in 1e-8 NTD, with the tariff that made it.
create table fact.cost (
    site varchar not null,
    starts_at timestamp not null,
    band varchar not null,
    amount bigint,
    cost_e8 bigint,
    tariff_id varchar,
    missing_ms bigint not null,
    revision integer not null,
    catalog_id integer not null,
    recorded_at timestamp not null
);

-- One row a superseded revision of fact.cost.
create table fact.cost_history (
    site varchar not null,
    starts_at timestamp not null,
    band varchar not null,
    amount bigint,
    cost_e8 bigint,
    tariff_id varchar,
    missing_ms bigint not null,
    revision integer not null,
    catalog_id integer not null,
    recorded_at timestamp not null,
    superseded_at timestamp not null
);

-- One row an emission source and interval: 1e-10 kgCO2e, null where unknown, with the factor that made it.
create table fact.emission (
    site varchar not null,
    source varchar not null,
    point_id integer not null,
    starts_at timestamp not null,
    ends_at timestamp not null,
    scope smallint not null,
    iso_category smallint not null,
    location_e10 bigint,
    market_e10 bigint,
    factor_id varchar,
    quality smallint not null,
    revision integer not null,
    catalog_id integer not null,
    recorded_at timestamp not null
);

-- One row a superseded revision of fact.emission.
create table fact.emission_history (
    site varchar not null,
    source varchar not null,
    point_id integer not null,
    starts_at timestamp not null,
    ends_at timestamp not null,
    scope smallint not null,
    iso_category smallint not null,
    location_e10 bigint,
    market_e10 bigint,
    factor_id varchar,
    quality smallint not null,
    revision integer not null,
    catalog_id integer not null,
    recorded_at timestamp not null,
    superseded_at timestamp not null
);
