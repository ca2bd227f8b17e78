"""Rows into the tables of a store. What a row replaces stays readable in its history (law 5)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import polars as pl

from streams.stores.rows import Tables
from streams.stores.store import Store

APPENDED: Final = {
    "raw": "raw.reading",
    "quarantine": "fact.quarantine",
    "fresh": "fact.interval",
    "event": "fact.register_event",
    "rejected": "fact.rejected_reading",
    "score": "fact.anomaly",
    "model_score": "fact.model_score",
}
REVISED: Final = {
    "revised": ("interval", ("point_id", "starts_at")),
    "demand": ("demand", ("site", "starts_at")),
    "cost": ("cost", ("site", "starts_at")),
    "emission": ("emission", ("site", "source", "starts_at")),
}
"""Rows that may replace others: table and key."""
ONCE: Final = {"outbox": ("op.alert_outbox", "message_id")}
"""Rows of a key that is never written twice: one that is there stays as it is."""
REPLACED: Final = {
    "day": ("fact.register_day", ("point_id", "local_day")),
    "rolling": ("fact.rolling", ("point_id", "ends_at")),
    "state": ("op.energy_state", ("point_id",)),
    "scoring": ("op.anomaly_state", ("point_id",)),
    "rules": ("op.rule_state", ("site",)),
    "model_state": ("op.model_state", ("site", "asset")),
    "episode": ("fact.alert_episode", ("episode_id",)),
}
"""Rows that take the place of those of the same key, which are not kept."""


def write(store: Store, tables: Tables, moment: datetime) -> None:
    """Write rows, inside the caller's transaction; `moment` (UTC, without a zone) is when they became known."""
    if "redecided" in tables:
        _forget_decisions(store, tables["redecided"])
    for name, table in APPENDED.items():
        if name in tables:
            store.append(table, tables[name])
    for name, (table, key) in REVISED.items():
        if name in tables:
            _revise(store, table, key, tables[name], moment)
    for name, (table, key) in REPLACED.items():
        if name in tables:
            _replace(store, table, key, tables[name])
    for name, (table, only) in ONCE.items():
        if name in tables:
            _add(store, table, only, tables[name])


def _forget_decisions(store: Store, after: pl.DataFrame) -> None:
    with store.stage("redecided", after):
        for table, time in (("register_event", "decided_at"), ("rejected_reading", "read_at")):
            store.execute(
                f"delete from fact.{table} as d using redecided as n "  # noqa: S608 - names of this module's own
                f"where d.point_id = n.point_id and d.{time} > n.since_at"
            )


def _revise(store: Store, table: str, key: tuple[str, ...], rows: pl.DataFrame, moment: datetime) -> None:
    """Put rows in the place of those of the same key; those that were otherwise go to the table's history."""
    values = [column for column in rows.columns if column not in (*key, "recorded_at")]
    same_key = " and ".join(f"f.{column} = n.{column}" for column in key)
    mine, theirs = (", ".join(f"{side}.{column}" for column in values) for side in "fn")
    kept = ", ".join(f"f.{column}" for column in rows.columns)
    span = [rows["starts_at"].min(), rows["starts_at"].max()]
    with store.stage("incoming", rows):
        store.derive(
            "changed",
            f"select n.* from incoming as n left join "  # noqa: S608 - names of this module's own
            f"(select * from fact.{table} where starts_at between $1 and $2) as f on {same_key} "
            f"where f.{key[0]} is null or row({mine}) is distinct from row({theirs})",
            span,
        )
    store.execute(
        f"insert into fact.{table}_history ({', '.join(rows.columns)}, superseded_at) "  # noqa: S608 - likewise
        f"select {kept}, cast($3 as timestamp) from fact.{table} as f "
        f"where f.starts_at between $1 and $2 and exists (select 1 from changed as n where {same_key})",
        [*span, moment],
    )
    store.execute(
        f"delete from fact.{table} as f using changed as n where {same_key} and f.starts_at between $1 and $2",  # noqa: S608 - likewise
        span,
    )
    store.execute(
        f"insert into fact.{table} ({', '.join(rows.columns)}) select {', '.join(rows.columns)} from changed"  # noqa: S608 - likewise
    )


def _replace(store: Store, table: str, key: tuple[str, ...], rows: pl.DataFrame) -> None:
    same_key = " and ".join(f"o.{column} = n.{column}" for column in key)
    columns = ", ".join(rows.columns)
    span = list[object]()
    if key[-1].endswith("_at"):
        same_key += f" and o.{key[-1]} between $1 and $2"
        span = [rows[key[-1]].min(), rows[key[-1]].max()]
    with store.stage("incoming", rows):
        store.execute(f"delete from {table} as o using incoming as n where {same_key}", span)  # noqa: S608 - names of this module's own
        store.execute(f"insert into {table} ({columns}) select {columns} from incoming")  # noqa: S608 - likewise


def _add(store: Store, table: str, key: str, rows: pl.DataFrame) -> None:
    columns = ", ".join(rows.columns)
    with store.stage("incoming", rows):
        store.execute(
            f"insert into {table} ({columns}) select {columns} from incoming as n "  # noqa: S608 - names of this module's own
            f"where not exists (select 1 from {table} as o where o.{key} = n.{key})"
        )
