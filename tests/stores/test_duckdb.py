"""The DuckDB store: outputs, state and position commit together, and a restart goes on as if nothing had been."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest

from streams.domain.findings import FencedError, StoreError
from streams.domain.site import Point, PointKind, Quantity, Site, SiteKind
from streams.operators.clean import DECODED
from streams.operators.points import PointTable
from streams.stores.duckdb import DuckDBStore, path_of
from streams.stores.site import SiteStore

DECISIONS = ("fact.register_event", "fact.rejected_reading", "fact.rolling", "fact.register_day")
START_MS = 1_767_225_600_000
RECEIVED = datetime(2026, 2, 1, tzinfo=UTC)
RECEIVED_MS = int(RECEIVED.timestamp() * 1000)
FACTS = "select * exclude (recorded_at) from fact.interval order by point_id, starts_at"


def table_of(points: int) -> PointTable:
    """A site of registers."""
    every = tuple(
        Point(f"site/m{nth}", "hall", PointKind.REGISTER, Quantity.ENERGY, "kWh", modulus=1e6, max_rate=1e4)
        for nth in range(points)
    )
    zone = ZoneInfo("Asia/Taipei")
    return PointTable.of(
        Site("site", SiteKind.WAREHOUSE, zone, "", "", date(2025, 1, 1), (), every, (), (), (), (), "AR5", (), "")
    )


def telemetry(points: int, minutes: int, seed: int = 7) -> pl.DataFrame:
    """Readings with glitches, resets, duplicates and late ones, in order of arrival."""
    rng = np.random.default_rng(seed)
    minute, place = np.divmod(np.arange(points * minutes), points)
    growth = rng.integers(0, 500, (minutes, points)).cumsum(axis=0).reshape(-1)
    value = 1_000.0 + growth / 1_000
    value[rng.random(len(value)) < 0.002] = 0.0
    arrival = minute + np.where(rng.random(len(value)) < 0.01, rng.integers(0, 300, len(value)), 0)
    order = np.lexsort((place, arrival))
    frame = pl.DataFrame(
        {"point": [f"site/m{each}" for each in place], "time_ms": START_MS + minute * 60_000, "value": value}
    )[order]
    return frame.with_columns(
        pl.lit(None, pl.String).alias("text"),
        pl.lit(None, pl.String).alias("unit"),
        pl.lit(0, pl.Int8).alias("quality"),
        pl.lit(None, pl.String).alias("extra"),
    ).select(list(DECODED))


def ingest(
    path: Path, frame: pl.DataFrame, table: PointTable, size: int, *, reopen: bool, everything: bool = False
) -> Any:
    """Feed a frame in steps, opening the store anew before each where asked; return the facts."""
    store = DuckDBStore(path)
    site = SiteStore(store, table)
    pipeline = site.pipeline()
    number, done, _, _ = site.source("abc", "test", RECEIVED)
    for begin in range(0, len(frame), size):
        if reopen:
            store.close()
            store = DuckDBStore(path)
            site = SiteStore(store, table)
            pipeline = site.pipeline()
        outputs = pipeline.step(frame[begin : begin + size], RECEIVED_MS)
        after = min(begin + size, len(frame))
        site.commit(outputs, RECEIVED, source=(number, "test", done, after))
        done = after
    site.commit(pipeline.flush(), RECEIVED, control=("flush", RECEIVED))
    facts = store.query(FACTS)
    decisions = [store.query(f"select * from {name} order by all") for name in DECISIONS]
    store.close()
    return (facts, *decisions) if everything else facts


def test_a_restart_before_every_step_leaves_the_same_facts(tmp_path: Path) -> None:
    table, frame = table_of(3), telemetry(3, 1_200)
    whole = ingest(tmp_path / "a.duckdb", frame, table, len(frame), reopen=False, everything=True)
    steps = ingest(tmp_path / "b.duckdb", frame, table, 97, reopen=False, everything=True)
    restarted = ingest(tmp_path / "c.duckdb", frame, table, 97, reopen=True, everything=True)
    assert whole[0]["revision"].max() > 0
    assert len(whole[1]) > 0
    for mine, *others in zip(whole, steps, restarted, strict=True):
        assert [other.equals(mine) for other in others] == [True, True]


def test_what_a_register_grew_by_is_the_sum_of_its_intervals(tmp_path: Path) -> None:
    frame = telemetry(2, 1_500)
    facts = ingest(tmp_path / "a.duckdb", frame, table_of(2), 1_000, reopen=False)
    good = frame.filter(pl.col("value") > 0)
    grown = good.group_by("point").agg((pl.col("value").max() - pl.col("value").min()).alias("kwh"))["kwh"]
    assert facts["amount"].sum() == round(float(grown.sum()) * 1e6)


def test_a_writer_whose_position_was_moved_is_fenced(tmp_path: Path) -> None:
    store = DuckDBStore(tmp_path / "a.duckdb")
    table, frame = table_of(1), telemetry(1, 50)
    first, second = SiteStore(store, table), SiteStore(store, table)
    number, _, _, _ = first.source("abc", "test", RECEIVED)
    for site in (first, second):
        pipeline = site.pipeline()
        outputs = pipeline.step(frame, RECEIVED_MS)
        if site is first:
            site.commit(outputs, RECEIVED, source=(number, "test", 0, 50))
        else:
            with pytest.raises(FencedError, match="another writer has moved site 'site' on"):
                site.commit(outputs, RECEIVED, source=(number, "test", 0, 50))
    assert store.query("select count(*) as n from raw.reading")["n"][0] == 50


def test_a_store_that_another_process_holds_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    code = f"import duckdb; con = duckdb.connect({str(path)!r}); print('held', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(StoreError, match="another process holds it"):
            DuckDBStore(path)
        holder.communicate(b"\n")


def test_a_file_that_is_no_store_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    path.write_text("not a database" * 1000)
    with pytest.raises(StoreError, match="expected a DuckDB file; found something else"):
        DuckDBStore(path)


@pytest.mark.parametrize("url", ["duckdb://", "sqlite:///a.db", "a.duckdb"])
def test_a_store_url_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match="expected duckdb:///"):
        path_of(url)


@pytest.mark.parametrize("size", [97, 100_000])
def test_the_account_of_every_register_and_day_has_no_residual(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.duckdb"
    ingest(path, telemetry(3, 4_000), table_of(3), size, reopen=False)
    store = DuckDBStore(path)
    days = store.query("select * from mart.conservation order by point, day")
    assert len(days) == 3 * 4
    assert days["residual_kwh"].to_list() == [0.0] * len(days)
    assert days["interval_kwh"].sum() > 0
    store.con.execute("delete from fact.interval where starts_at = (select max(starts_at) from fact.interval)")
    assert store.query("select max(residual_kwh) as r from mart.conservation")["r"][0] > 0


def test_a_late_event_leaves_one_rolling_row_for_each_interval(tmp_path: Path) -> None:
    fills = Point("site/fill", "hall", PointKind.AMOUNT, Quantity.ENERGY, "kWh")
    table = PointTable.of(replace(table_of(1).site, points=(fills,)))
    store = DuckDBStore(tmp_path / "a.duckdb")
    site = SiteStore(store, table)
    pipeline = site.pipeline()
    number, done, _, _ = site.source("abc", "test", RECEIVED)
    for minute in (0, 100, 200, 50, 300):
        row = ("site/fill", START_MS + minute * 60_000, 1.0, None, None, 0, None)
        outputs = pipeline.step(pl.DataFrame([row], schema=DECODED, orient="row"), RECEIVED_MS)
        site.commit(outputs, RECEIVED, source=(number, "test", done, done + 1))
        done += 1
    site.commit(pipeline.flush(), RECEIVED, control=("flush", RECEIVED))
    rows = store.query("select ends_at, energy_24h_kwh from mart.rolling_energy order by ends_at")
    assert rows["ends_at"].is_unique().all()
    assert rows["energy_24h_kwh"].to_list() == [1, 2, 3, 4, 5]
