"""The tables that the rivals write: raw readings and energy by quarter-hour, as one would lay them out by hand.

Both rivals can see a message twice, so both tables have a key and both statements bear a repetition. Times travel as
ISO 8601 text, which PostgreSQL reads faster than Python would.
"""

from __future__ import annotations

QUARTER_MS = 900_000

LAYOUT = """
create schema if not exists {schema};
create table if not exists {schema}.reading (
    point text not null, read_at timestamptz not null, value double precision not null, primary key (point, read_at)
);
create table if not exists {schema}.energy_15min (
    point text not null, starts_at timestamptz not null, energy_kwh double precision not null,
    primary key (point, starts_at)
);
"""
READING = "insert into {schema}.reading (point, read_at, value) values (%s, %s, %s) on conflict do nothing"
ENERGY = """
insert into {schema}.energy_15min (point, starts_at, energy_kwh) values (%s, to_timestamp(%s / 1000.0), %s)
on conflict (point, starts_at) do update set energy_kwh = excluded.energy_kwh
"""
