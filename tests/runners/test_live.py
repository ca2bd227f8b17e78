"""The live core: how records are cut into commits, and when intervals are closed, changes nothing that comes out."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.catalog.folder import SiteFolder
from streams.domain.alerts import Rule
from streams.domain.findings import FencedError
from streams.domain.site import Contract, EmissionSource, Point, PointKind, Quantity, Site
from streams.ingest.records import Record
from streams.operators.anomaly import Config
from streams.runners import live
from streams.runners.live import Lane
from streams.stores.duckdb import DuckDBStore
from tests.stores.test_duckdb import START_MS, table_of, telemetry

NOW = datetime(2026, 2, 1, tzinfo=UTC)
SITES = ("alpha", "beta", "gamma")
MINUTES = 150
TABLES = {
    "raw.reading": "point_id, read_at, seq",
    "fact.interval": "point_id, starts_at",
    "fact.rolling": "point_id, ends_at",
    "fact.demand": "site, starts_at",
    "fact.cost": "site, starts_at",
    "fact.emission": "site, source, starts_at",
    "fact.register_event": "point_id, happened_at, kind",
    "fact.rejected_reading": "point_id, read_at, value",
    "fact.register_day": "point_id, begins_at",
    "op.control": "site, seq, happened_at",
    "fact.anomaly": "point_id, starts_at",
    "fact.alert_episode": "site, rule, subject, opened_at",
    "op.alert_outbox": "message_id",
}
"""Not the history: a revision that another one follows in the same commit was never known to anybody."""
RUN_COLUMNS = {"recorded_at", "superseded_at", "source_id", "catalog_id", "created_at"}


def named(site: Site, name: str) -> Site:
    """The site of two registers under another name."""
    points = tuple(replace(point, name=point.name.replace("site/", f"{name}/")) for point in site.points)
    room = Point(f"{name}/room", "hall", PointKind.GAUGE, Quantity.TEMPERATURE, "Cel", resolution_ms=120_000)
    warm = Rule(
        "warm", "threshold", (room.name,), numbers={"above": 7.0, "clear": 6.0}, for_ms=300_000, remind_ms=900_000
    )
    odd = Rule("odd", "score", (points[0].name, room.name), numbers={"above": 0.01}, clear_ms=0)
    stuck = Rule("stuck", "stuck_value", (room.name,), numbers={"max_hours": 0.25, "zero_counts": 0.0})
    silent = Rule("silent", "silence", (room.name, points[1].name), for_ms=1_800_000)
    return replace(
        site,
        name=name,
        points=(*points, room),
        rules=(warm, odd, stuck, silent),
        import_points=(f"{name}/m0",),
        contracts=(Contract(date(2025, 1, 1), "HV_3T", 100),),
        emission_sources=(EmissionSource("grid", f"{name}/m0", "grid_tw", 2, 2),),
        sha256=name,
    )


def folder() -> SiteFolder:
    site = table_of(2).site
    return SiteFolder(Path("none"), sites={name: named(site, name) for name in SITES})


def log_of_records() -> list[Record]:
    """Messages of three sites in turn, some late, the last site silent half-way; a tick every twenty minutes."""
    made: list[tuple[int, str, bytes, int | None]] = []
    chance = random.Random(3)
    for nth, name in enumerate(SITES):
        rows = telemetry(2, MINUTES, seed=nth)
        rows = rows[: len(rows) // 2] if name == "gamma" else rows
        for begin in range(0, len(rows), 10):
            readings = [
                {"point": point.replace("site/", f"{name}/"), "time": time_ms, "value": value}
                for point, time_ms, value in rows[begin : begin + 10].select("point", "time_ms", "value").iter_rows()
            ]
            minute = begin // 2
            for each in range(minute, minute + 5):
                warm = 5.0 + (each % 40) / 12 if each < 90 else 6.5
                readings.append({"point": f"{name}/room", "time": START_MS + each * 60_000, "value": warm})
            delay = chance.choice((0, 0, 0, 0, 0, 25, 90)) * 60_000
            made.append((begin * 30_000 + delay, name, orjson.dumps(readings), None))
    made += [(at * 60_000, "", b"", START_MS + at * 60_000) for at in range(20, MINUTES + 120, 20)]
    made.sort(key=lambda each: each[0])
    return [
        Record(offset, site, "gw", value, int(NOW.timestamp() * 1000), tick)
        for offset, (_, site, value, tick) in enumerate(made)
    ]


RECORDS = log_of_records()


@contextmanager
def lane() -> Iterator[Lane]:
    with tempfile.TemporaryDirectory() as path, closing(DuckDBStore(Path(path) / "a.duckdb")) as store:
        yield Lane("log", 0, store, folder(), lambda: NOW)


def feed(made: Lane, records: list[Record], *, rests: bool = False) -> None:
    """Work off some records, as a runner does."""
    for piece in made.batches(records):
        while made.next_offset <= piece[-1].offset:
            made.commit(made.prepare(piece))
    if rests and (batch := made.rest()) is not None:
        made.commit(batch)


def outcome(made: Lane) -> dict[str, Any]:
    while (batch := made.rest()) is not None:
        made.commit(batch)
    found = {}
    for table, key in TABLES.items():
        rows = made.store.frame(f"select * from {table} order by {key}")
        found[table] = rows.drop(RUN_COLUMNS, strict=False)
    return found


@pytest.fixture(scope="module", autouse=True)
def _warm() -> Iterator[None]:
    """Two and a half hours are too short for rules to act on scores otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Config, "warm_steps", 0.0)
        yield


@pytest.fixture(scope="module")
def whole(_warm: None) -> dict[str, Any]:
    with lane() as made:
        feed(made, RECORDS)
        return outcome(made)


def same(one: dict[str, pl.DataFrame], other: dict[str, pl.DataFrame]) -> list[str]:
    return [name for name, rows in one.items() if not rows.equals(other[name])]


@settings(max_examples=2, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(
    cuts=st.lists(st.integers(10, 90), min_size=1, max_size=5),
    work_s=st.sampled_from([-1.0, 0.0, 100.0]),
    rests=st.booleans(),
)
def test_cuts_and_when_intervals_are_closed_change_nothing(
    whole: dict[str, Any], cuts: list[int], work_s: float, rests: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch, lane() as made:
        patch.setattr(live, "WORK_S", work_s)
        patch.setattr(live, "TICK_S", work_s)
        at, turn = 0, 0
        while at < len(RECORDS):
            size = cuts[turn % len(cuts)]
            feed(made, RECORDS[at : at + size], rests=rests)
            at, turn = at + size, turn + 1
        assert same(whole, outcome(made)) == []


@settings(max_examples=2, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(stops=st.lists(st.integers(1, len(RECORDS) - 1), min_size=1, max_size=4), work_s=st.sampled_from([-1.0, 100.0]))
def test_a_lane_that_is_loaded_anew_anywhere_goes_on_alike(
    whole: dict[str, Any], stops: list[int], work_s: float
) -> None:
    with pytest.MonkeyPatch.context() as patch, lane() as made:
        patch.setattr(live, "WORK_S", work_s)
        edges = [0, *sorted(set(stops)), len(RECORDS)]
        for begin, end in pairwise(edges):
            feed(made, RECORDS[begin:end])
            made.prepare(RECORDS[end : end + 5] or RECORDS[-1:])  # computed, and never committed
            made.reload()
        assert same(whole, outcome(made)) == []


def test_the_whole_run_closes_intervals_and_finds_late_readings(whole: dict[str, Any]) -> None:
    assert len(whole["fact.interval"]) > 100
    assert int(whole["fact.interval"]["revision"].sum()) > 10
    assert len(whole["op.control"]) > 5
    assert set(whole["fact.alert_episode"]["rule"]) == {"warm", "odd", "stuck", "silent"}
    assert {"opened", "reminded", "closed"} <= set(whole["op.alert_outbox"]["kind"])
    assert whole["fact.anomaly"]["score"].is_not_null().sum() > 5


def test_a_batch_of_what_was_left_is_known_by_its_number_when_its_answer_is_lost() -> None:
    with pytest.MonkeyPatch.context() as patch, lane() as made:
        patch.setattr(live, "WORK_S", -1.0)
        patch.setattr(live, "LEFT_MS", 1 << 60)
        at = 0
        while len(made.behind) < 2:
            feed(made, RECORDS[at : at + 20])
            at += 20
        batch = made.rest()
        assert batch is not None
        assert batch.before == batch.after
        assert not made.settled(batch)
        made.commit(batch)
        assert made.settled(batch)
        with pytest.raises(FencedError):
            made.commit(batch)


def test_a_reading_of_another_site_is_unknown_where_it_was_sent() -> None:
    with lane() as made:
        value = orjson.dumps({"point": "beta/m0", "time": START_MS, "value": 1.0})
        feed(made, [Record(0, "alpha", "gw", value, START_MS)])
        rows = made.store.rows("select reason from fact.quarantine")
        assert rows == [("unknown point",)]


def test_a_tick_moves_whoever_is_silent_and_leaves_alone_whoever_reports() -> None:
    """Telemetry is as old as its records, since the clock says when something arrived, and a tick what time it is."""

    def message(minute: int, name: str) -> bytes:
        time_ms = START_MS + minute * 60_000
        return orjson.dumps([{"point": f"{name}/m{nth}", "time": time_ms, "value": 1000.0 + minute} for nth in (0, 1)])

    told = [(minute, name, message(minute, name), None) for minute in range(60) for name in ("alpha", "beta")]
    told = [each for each in told if each[1] == "alpha" or each[0] < 10]
    ticks = [(minute, "", b"", START_MS + minute * 60_000) for minute in range(60)]
    rows = sorted([*told, *ticks], key=lambda each: each[0])
    with lane() as made:
        for nth, (_, name, value, tick) in enumerate(rows):
            feed(made, [Record(nth, name, "gw", value, START_MS, tick)])
        moved = made.store.rows(
            "select site, count(*), min(happened_at) from op.control where kind = 'tick' group by site"
        )
    begins = datetime.fromtimestamp(START_MS / 1000, UTC).replace(tzinfo=None)
    steps, after_grace = 3, begins + timedelta(minutes=21)
    assert moved == [("beta", steps, after_grace)]
