-- Anomaly scores, and alerts: episodes, the messages about them, and what became of each.

-- One row a point and interval: the value that was looked at and what was thought of it, written once. `cause` is a
-- code of streams/operators/anomaly.py, negative where the value is below what was expected.
create table fact.anomaly (
    point_id integer not null,
    starts_at timestamp not null,
    ends_at timestamp not null,
    value double precision not null,
    score double precision,
    expected double precision,
    lower double precision,
    upper double precision,
    cause smallint not null,
    is_warming boolean not null
);

-- One row a point: what the anomaly operator remembers.
create table op.anomaly_state (point_id integer not null, content bytea not null);

-- One row a site: what the rules remember.
create table op.rule_state (site varchar not null, content bytea not null);

-- One row an episode, as it stands.
create table fact.alert_episode (
    episode_id varchar not null,
    site varchar not null,
    rule varchar not null,
    subject varchar not null,
    asset varchar not null,
    severity varchar not null,
    opened_at timestamp not null,
    updated_at timestamp not null,
    closed_at timestamp,
    value double precision not null,
    worst double precision not null,
    limit_value double precision not null,
    unit varchar not null,
    flaps integer not null,
    said_zh varchar not null,
    said_en varchar not null,
    advice_zh varchar not null,
    advice_en varchar not null,
    catalog_id integer not null
);

-- One row a message about an episode; it came into the store with the episode. `planned_at` is when it was given to its
-- channels, and null until then.
create table op.alert_outbox (
    message_id varchar not null,
    episode_id varchar not null,
    site varchar not null,
    kind varchar not null,
    number integer not null,
    happened_at timestamp not null,
    created_at timestamp not null,
    payload varchar not null,
    planned_at timestamp
);

-- One row a message and channel: how often it was tried, when it will be looked at again (null: never), and how it
-- stands. `number` is the message's place within its episode, by which a channel has them in order.
create table op.alert_dispatch (
    message_id varchar not null,
    episode_id varchar not null,
    number integer not null,
    channel varchar not null,
    attempts integer not null,
    next_at timestamp,
    status varchar not null
);

-- One row an attempt to deliver a message by a channel, or a reason not to: `grouped` names the episode of the parent
-- asset that stands for it, and a message that no route takes has no channel.
create table fact.alert_delivery (
    message_id varchar not null,
    episode_id varchar not null,
    channel varchar not null,
    attempt integer not null,
    attempted_at timestamp not null,
    status varchar not null,
    code integer,
    reason varchar not null,
    parent_episode_id varchar
);

-- One row an acknowledgement of an episode.
create table fact.alert_acknowledgement (
    episode_id varchar not null, acknowledged_at timestamp not null, by_whom varchar not null, note varchar not null
);

-- One row a silence: what is not to be told from `begins_at` to `ends_at`; null stands for any rule or subject.
create table fact.alert_silence (
    silence_id varchar not null,
    site varchar not null,
    rule varchar,
    subject varchar,
    begins_at timestamp not null,
    ends_at timestamp not null,
    by_whom varchar not null,
    note varchar not null
);

-- One row a channel that a receiver has closed (410): nothing is sent to it until it is configured anew.
create table op.alert_channel (
    channel varchar not null, sha256 varchar not null, closed_at timestamp not null, reason varchar not null
);
