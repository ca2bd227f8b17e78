"""Gauges in the mart: in the point's own unit, whatever unit a reading came in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from streams.domain.site import Point, PointKind, Quantity
from streams.operators.clean import DECODED
from streams.operators.points import PointTable
from streams.stores.duckdb import DuckDBStore
from streams.stores.site import SiteStore
from tests.stores.test_duckdb import RECEIVED, RECEIVED_MS, START_MS, table_of


@pytest.mark.parametrize(("unit", "shown"), [("Cel", 20.0), ("degF", 68.0)])
def test_a_temperature_is_shown_in_the_unit_of_its_point(tmp_path: Path, unit: str, shown: float) -> None:
    room = Point("site/t", "hall", PointKind.GAUGE, Quantity.TEMPERATURE, unit, minimum=-60, maximum=100)
    table = PointTable.of(replace(table_of(1).site, points=(room,)))
    rows = [
        ("site/t", START_MS, 68.0, None, "degF", 0, None),
        ("site/t", START_MS + 60_000, 20.0, None, "Cel", 0, None),
        ("site/t", START_MS + 60_000, 20.0, None, "Cel", 0, None),
        ("site/t", START_MS + 120_000, shown, None, None, 0, None),
        ("site/t", START_MS + 180_000, 500.0, None, None, 0, None),
        ("site/t", START_MS + 240_000, None, "warm", None, 0, None),
    ]
    store = DuckDBStore(tmp_path / "a.duckdb")
    site = SiteStore(store, table)
    number, _, _, _ = site.source("abc", "test", RECEIVED)
    outputs = site.pipeline().step(pl.DataFrame(rows, schema=DECODED, orient="row"), RECEIVED_MS)
    site.commit(outputs, RECEIVED, source=(number, "test", 0, len(rows)))
    (found,) = store.query("select * from mart.measurement_15min").to_dicts()
    assert (found["unit"], found["readings"]) == (unit, 3)
    assert found["mean_value"] == pytest.approx(shown)
    assert found["highest_value"] - found["lowest_value"] == pytest.approx(0, abs=1e-9)
    rejected = store.query("select reason from mart.quarantine order by 1")
    assert rejected["reason"].to_list() == ["not a number", "value out of range"]
