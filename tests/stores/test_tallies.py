"""Tallies of points for key figures: what they count, and that cuts, restarts and lateness leave them alike."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from streams.catalog.kpi_kinds import derived_of
from streams.domain.kpi import Kpi, KpiKind
from streams.domain.site import Point, PointKind, Quantity
from streams.operators.clean import DECODED
from streams.operators.kinetic import mean_kinetic_c
from streams.operators.points import PointTable
from streams.stores.duckdb import DuckDBStore
from streams.stores.site import SiteStore
from tests.stores.test_duckdb import RECEIVED, RECEIVED_MS, START_MS, ingest, table_of

MINUTE_MS = 60_000
QUARTER_MS = 15 * MINUTE_MS
POWER, ROOM, OUTDOOR, DOOR, ENERGY = (f"site/{name}" for name in ("kw", "room", "outdoor", "door", "kwh"))


def kpi(
    kind: KpiKind, points: dict[str, str], numbers: dict[str, float], words: dict[str, list[str]] | None = None
) -> Kpi:
    """A key figure of the hall."""
    roles = {role: [name] for role, name in points.items()}
    derived = derived_of(kind, roles, numbers, words or {})
    return Kpi(kind, "hall", tuple(points.items()), tuple(numbers.items()), derived)


COMPRESSOR = kpi(KpiKind.COMPRESSOR, {"power": POWER, "energy": ENERGY}, {"on_kw": 2.0})
MACHINE = kpi(KpiKind.MACHINE, {"power": POWER}, {"idle_kw": 0.5, "setup_kw": 2.0, "cutting_kw": 5.0})
COLD = kpi(
    KpiKind.ROOM,
    {"temperature": ROOM, "outdoor": OUTDOOR, "door": DOOR, "energy": ENERGY},
    {"low_c": 0.0, "high_c": 7.0},
    {"door": ["open", "1"]},
)


def point(name: str, kind: PointKind, quantity: Quantity, unit: str) -> Point:
    return Point(name, "hall", kind, quantity, unit, max_gap_ms=10 * MINUTE_MS, modulus=1e6, max_rate=1e4)


TABLE = PointTable.of(
    replace(
        table_of(1).site,
        points=(
            point(POWER, PointKind.POWER, Quantity.ENERGY, "kW"),
            point(ROOM, PointKind.GAUGE, Quantity.TEMPERATURE, "Cel"),
            point(OUTDOOR, PointKind.GAUGE, Quantity.TEMPERATURE, "Cel"),
            point(DOOR, PointKind.STATE, Quantity.OTHER, "1"),
            point(ENERGY, PointKind.REGISTER, Quantity.ENERGY, "kWh"),
        ),
        kpis=(COMPRESSOR, MACHINE, COLD),
    )
)
Row = tuple[str, int, float | None, str | None]


def frame(rows: list[Row]) -> pl.DataFrame:
    """Readings: point, seconds, value, word."""
    every = [(name, START_MS + second * 1000, value, word, None, 0, None) for name, second, value, word in rows]
    return pl.DataFrame(every, schema=DECODED, orient="row")


def messy(minutes: int, seed: int) -> pl.DataFrame:
    """Readings of all points with gaps, duplicates and late ones, in order of arrival."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[float, Row]] = []
    kwh, is_open = 100.0, False
    for minute in range(minutes):
        if minute % 400 < 370:  # then nothing for half an hour
            values = {
                POWER: float(rng.choice([0.0, 1.0, 3.0, 8.0])),
                ROOM: round(float(rng.normal(5, 3)), 2),
                OUTDOOR: round(float(rng.normal(25, 3)), 2),
            }
            kwh += 0.05
            values[ENERGY] = round(kwh, 3)
            for name, value in values.items():
                second = minute * 60 + int(rng.integers(0, 50))
                delay = 0.0 if rng.random() < 0.95 else float(rng.choice([200, 4_000, 40_000]))
                rows.append((second + delay, (name, second, value, None)))
                if rng.random() < 0.02:
                    rows.append((second + delay + 30, (name, second, value, None)))
        if rng.random() < 0.1:
            is_open = not is_open
            delay = 0.0 if rng.random() < 0.9 else 20_000.0
            second = minute * 60 + int(rng.integers(0, 60))
            sent: Row = (DOOR, second, None, "open" if is_open else "closed")
            rows.append((second + delay, sent if rng.random() < 0.7 else (DOOR, second, float(is_open), None)))
    return frame([row for _, row in sorted(rows, key=lambda each: each[0])])


def test_cuts_restarts_and_lateness_leave_tallies_alike(tmp_path: Path) -> None:
    late = messy(1_500, 3)
    whole = ingest(tmp_path / "a.duckdb", late, TABLE, len(late), reopen=False, everything=True)
    steps = ingest(tmp_path / "b.duckdb", late, TABLE, 137, reopen=False, everything=True)
    restarted = ingest(tmp_path / "c.duckdb", late, TABLE, 411, reopen=True, everything=True)
    assert whole[0]["revision"].max() > 0
    assert whole[0]["point_id"].n_unique() == 2 + len(TABLE.site.derived)
    for mine, *others in zip(whole, steps, restarted, strict=True):
        assert [other.equals(mine) for other in others] == [True, True]
    ordered = ingest(tmp_path / "d.duckdb", late.sort("time_ms", "point"), TABLE, len(late), reopen=False)
    columns = ["point_id", "starts_at", "amount", "estimated", "missing_ms"]
    assert ordered.select(columns).equals(whole[0].select(columns))


def tallied(path: Path, readings: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Sums of a quarter-hour by role, with what is missing."""
    store = DuckDBStore(path)
    site = SiteStore(store, TABLE)
    pipeline = site.pipeline()
    number, _, _, _ = site.source("abc", "test", RECEIVED)
    site.commit(pipeline.step(readings, RECEIVED_MS), RECEIVED, source=(number, "test", 0, len(readings)))
    site.commit(pipeline.flush(), RECEIVED, control=("flush", RECEIVED))
    rows = store.query(
        "select kind || ' ' || role as name, sum(amount) as amount, sum(missing_s) as missing_s, min(unit) as unit"
        " from mart.kpi_interval group by 1"
    )
    store.close()
    return {row.pop("name"): row for row in rows.to_dicts()}


def by_hand(readings: pl.DataFrame) -> dict[str, float]:
    """The tallies of an orderly course, segment by segment, in floating point."""
    found = dict.fromkeys(("on", "starts", "idle", "cut", "cut_kwh", "in", "above", "below", "temp", "open"), 0.0)
    kinetic: list[tuple[float, float]] = []
    for name in (POWER, ROOM, DOOR):
        rows = readings.filter(pl.col("point") == name).sort("time_ms")
        course = list(zip(rows["time_ms"], rows["value"], rows["text"], strict=True))
        for (begin, value, word), (end, then, _) in itertools.pairwise(course):
            hours = (end - begin) / 3_600_000
            if name == DOOR:
                found["open"] += hours * (word == "open" or value == 1)
                continue
            if hours > 1 / 6:
                continue
            if name == POWER:
                found["on"] += hours * (value >= 2)
                found["starts"] += value < 2 <= then
                found["idle"] += hours * (0.5 <= value < 2)
                found["cut"] += hours * (value >= 5)
                found["cut_kwh"] += hours * (value >= 5) * (value + then) / 2
                continue
            found["in"] += hours * (0 <= value <= 7)
            found["temp"] += hours * (value + then) / 2
            kinetic.append((value, hours))
            kinetic.append((then, hours))
    found["kinetic"] = mean_kinetic_c([each for each, _ in kinetic], [hours for _, hours in kinetic])
    return found


@pytest.mark.parametrize("seed", range(4))
def test_tallies_are_those_of_the_course_segment_by_segment(tmp_path: Path, seed: int) -> None:
    readings = messy(720, seed).unique(["point", "time_ms"], maintain_order=True).sort("time_ms")
    mine, hand = tallied(tmp_path / "a.duckdb", readings), by_hand(readings)
    pairs = {
        "compressor on_time": "on", "compressor starts": "starts", "machine idle_time": "idle",
        "machine cutting_time": "cut", "machine cutting_energy": "cut_kwh", "room in_band": "in",
        "room temperature_area": "temp",
    }  # fmt: skip
    for name, known in pairs.items():
        assert mine[name]["amount"] == pytest.approx(hand[known], rel=1e-5), name
    assert mine["room door_open"]["amount"] == pytest.approx(hand["open"], rel=1e-6)
    states = [mine[f"machine {each}_time"]["amount"] for each in ("off", "idle", "setup", "cutting")]
    last = readings.filter(pl.col("point") == POWER)["time_ms"]
    known_h = (int(last.max()) - int(last.min())) / 3_600_000  # type: ignore[call-overload]
    gaps = last.sort().diff().drop_nulls()
    known_h -= float(gaps.filter(gaps > 10 * MINUTE_MS).sum()) / 3_600_000
    assert sum(states) == pytest.approx(known_h, rel=1e-9)
    area, known = mine["room kinetic_area"]["amount"] * 1e-21, known_of(readings, ROOM)
    assert -10_000 / math.log(area / known) - 273.15 == pytest.approx(
        hand["kinetic"], abs=0.02
    )  # which is not cut at quarter-hours


def known_of(readings: pl.DataFrame, name: str) -> float:
    """Hours of a course that are known."""
    gaps = readings.filter(pl.col("point") == name)["time_ms"].sort().diff().drop_nulls()
    return float(gaps.filter(gaps <= 10 * MINUTE_MS).sum()) / 3_600_000


def test_what_passes_a_bound_is_counted_as_degrees_and_time(tmp_path: Path) -> None:
    rows: list[Row] = [
        (ROOM, minute * 60, value, None) for minute, value in enumerate([9.0] * 6 + [-1.0] * 6 + [7.0] * 4)
    ]
    found = tallied(tmp_path / "a.duckdb", frame(rows))
    assert found["room above_area"]["amount"] * 60 == pytest.approx(2 * 5 + 2 / 2, abs=1e-4)
    assert found["room below_area"]["amount"] * 60 == pytest.approx(1 * 5 + 1 / 2 + 1 / 2, abs=1e-4)
    assert found["room in_band"]["amount"] * 60 == pytest.approx(3)
    assert (found["room in_band"]["unit"], found["room above_area"]["unit"]) == ("h", "Cel.h")


def test_a_gap_is_missing_and_no_zero(tmp_path: Path) -> None:
    rows: list[Row] = [(POWER, minute * 60, 3.0, None) for minute in (*range(16), *range(61, 76))]
    found = tallied(tmp_path / "a.duckdb", frame(rows))
    assert found["compressor on_time"]["amount"] == pytest.approx(29 / 60)
    assert found["compressor on_time"]["missing_s"] == pytest.approx(46 * 60)
    assert found["compressor starts"]["amount"] == 0  # it ran before the gap and after it


def test_energy_views_and_rules_do_not_see_tallies(tmp_path: Path) -> None:
    store = DuckDBStore(tmp_path / "a.duckdb")
    site = SiteStore(store, TABLE)
    pipeline = site.pipeline()
    number, _, _, _ = site.source("abc", "test", RECEIVED)
    readings = messy(300, 1)
    outputs = pipeline.step(readings, RECEIVED_MS)
    site.commit(outputs, RECEIVED, source=(number, "test", 0, len(readings)))
    measured = {each.name for each in TABLE.site.points}
    for view in ("energy_interval", "energy_daily", "amount_interval", "rolling_energy", "point", "point_state"):
        assert set(store.query(f"select distinct point from mart.{view}")["point"]) <= measured, view
    assert int(outputs.scores["place"].max()) < TABLE.measured  # type: ignore[arg-type]
    store.close()
