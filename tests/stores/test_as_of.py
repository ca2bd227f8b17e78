"""What was known at an earlier moment stays readable."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest

from streams.domain.findings import StoreError
from streams.domain.site import Contract, EmissionSource
from streams.operators.points import PointTable
from streams.stores.duckdb import DuckDBStore
from streams.stores.duckdb_as_of import KEPT, EarlierStore
from streams.stores.site import SiteStore
from tests.stores.test_duckdb import RECEIVED_MS, table_of, telemetry

FIRST, SECOND = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 2, 2, tzinfo=UTC)


def table() -> PointTable:
    site = table_of(2).site
    contract = Contract(date(2025, 1, 1), "average_price", 100, average_price_ntd_per_kwh=Fraction(381, 100))
    grid = EmissionSource("grid", "site/m0", "grid_tw", 2, 2)
    return PointTable.of(replace(site, import_points=("site/m0",), contracts=(contract,), emission_sources=(grid,)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store that got half a day's readings without one hour, and that hour a day later."""
    frame = telemetry(2, 720)
    hour = pl.col("time_ms").is_between(pl.col("time_ms").min() + 200 * 60_000, pl.col("time_ms").min() + 260 * 60_000)
    held = frame.with_columns(held=hour)
    file = tmp_path / "a.duckdb"
    store = DuckDBStore(file)
    site = SiteStore(store, table())
    pipeline = site.pipeline()
    number, done, _, _ = site.source("abc", "test", FIRST)
    for moment, which in ((FIRST, False), (SECOND, True)):
        rows = held.filter(pl.col("held") == which).drop("held")
        site.commit(pipeline.step(rows, RECEIVED_MS), moment, source=(number, "test", done, done + len(rows)))
        done += len(rows)
        site.commit(pipeline.flush(), moment, control=("flush", moment))
    store.close()
    return file


@pytest.mark.parametrize("view", KEPT)
def test_a_view_reads_as_it_did_then_and_as_it_does_now(path: Path, view: str) -> None:
    statement = f"select * from mart.{view} order by all"
    store = DuckDBStore(path, read_only=True)
    now = store.query(statement)
    store.close()
    then = EarlierStore(path, FIRST).query(statement)
    assert len(then) == len(now)
    assert not then.equals(now)
    assert EarlierStore(path, SECOND).query(statement).equals(now)
    assert len(EarlierStore(path, FIRST - timedelta(days=1)).query(statement)) == 0


def test_the_energy_is_the_same_though_its_course_was_not_known(path: Path) -> None:
    statement = (
        "select point, sum(energy_kwh) as kwh, sum(estimated_kwh) as estimated "
        "from mart.energy_daily group by all order by all"
    )
    then, now = EarlierStore(path, FIRST).query(statement), EarlierStore(path, SECOND).query(statement)
    assert then["kwh"].round(6).equals(now["kwh"].round(6))
    assert (then["estimated"] > 0).all()
    assert (now["estimated"] == 0).all()


def test_a_view_that_keeps_nothing_earlier_is_said_so(path: Path) -> None:
    with pytest.raises(StoreError, match=r"at an earlier moment there are: mart\.energy_interval"):
        EarlierStore(path, FIRST).query("select * from mart.rolling_energy")
