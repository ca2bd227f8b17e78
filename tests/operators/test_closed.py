"""Intervals in people's units: levels, what is counted, and the gaps between."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.domain.site import Point, PointKind, Quantity, Site, SiteKind
from streams.operators import energy
from streams.operators.closed import Closed, closed
from streams.operators.points import PointTable
from streams.operators.readings import ON_TIME, Readings
from streams.operators.state import EnergyState

MINUTE = 60_000
START = 1_767_225_600_000
Row = tuple[int, float, float]  # place, minute, value


def table() -> PointTable:
    """A register in kWh, a power in kW, a temperature in °C and one in °F, quarter-hours, five minutes late."""
    points = (
        Point("s/register", "hall", PointKind.REGISTER, Quantity.ENERGY, "kWh"),
        Point("s/power", "hall", PointKind.POWER, Quantity.ENERGY, "kW"),
        Point("s/room", "hall", PointKind.GAUGE, Quantity.TEMPERATURE, "Cel"),
        Point("s/roof", "hall", PointKind.GAUGE, Quantity.TEMPERATURE, "degF"),
    )
    zone = ZoneInfo("Asia/Taipei")
    return PointTable.of(
        Site("s", SiteKind.WAREHOUSE, zone, "", "", date(2025, 1, 1), (), points, (), (), (), (), "AR5", (), "")
    )


TABLE = table()


def run(rows: list[Row], cuts: list[int], *, ticks: dict[int, float] | None = None, end: bool = False) -> list[tuple]:
    """The intervals of some readings, cut at some places, with ticks (minute) before some rows."""
    state, found, seen = EnergyState.empty(4), list[tuple](), list[Readings]()

    def history(places: list[int], since_ms: int) -> Readings:
        every = Readings.concat(seen)
        return every.take(np.isin(every.place, places) & (every.time_ms > since_ms))

    ticks = ticks or {}
    edges = sorted({0, len(rows), *(cut for cut in cuts if cut < len(rows)), *ticks})
    for begin, stop in pairwise([*edges, len(rows)]):
        if begin in ticks:
            state, out = energy.tick(TABLE, state, START + int(ticks[begin] * MINUTE), history)
            found += listed(closed(TABLE, out))
        if begin < stop:
            batch = readings(rows[begin:stop], begin)
            state, out = energy.step(TABLE, state, batch, history)
            seen.append(replace(batch, tag=out.tags))
            found += listed(closed(TABLE, out))
    if end:
        state, out = energy.flush(TABLE, state, history)
        found += listed(closed(TABLE, out))
    return sorted(found, key=lambda each: each[:2])


def readings(rows: list[Row], first: int) -> Readings:
    place = np.array([row[0] for row in rows], dtype=np.int64)
    time_ms = np.array([START + int(row[1] * MINUTE) for row in rows], dtype=np.int64)
    ticks = np.round(np.array([row[2] for row in rows]) * TABLE.ticks_per_unit[place]).astype(np.int64)
    return Readings(place, time_ms, ticks, first + np.arange(len(rows)), np.full(len(rows), ON_TIME))


def listed(rows: Closed) -> list[tuple]:
    columns = (rows.place, (rows.starts_ms - START) // MINUTE, rows.mean, rows.low, rows.high, rows.last, rows.readings)
    return [
        tuple(None if value != value else value for value in each)
        for each in zip(*(c.tolist() for c in columns), strict=True)
    ]


def test_a_level_has_mean_extremes_and_last_from_its_start_up_to_its_end() -> None:
    rows = [(2, 0, -18.0), (2, 5, -20.0), (2, 14.9, -19.0), (2, 15, 99.0), (2, 20, 1.0)]
    assert run(rows, []) == [(2, 0, -19.0, -20.0, -18.0, -19.0, 3)]


def test_a_level_in_fahrenheit_stays_in_fahrenheit() -> None:
    found = run([(3, 1, 50.0), (3, 2, 68.0), (3, 25, 50.0)], [])
    assert found[0][2:6] == pytest.approx((59.0, 50.0, 68.0, 68.0), abs=1e-2)


def test_an_interval_without_a_reading_is_unknown_and_never_a_zero() -> None:
    assert run([(2, 1, 4.0), (2, 50, 5.0), (2, 70, 5.0)], [])[1:3] == [(2, 15, *[None] * 4, 0), (2, 30, *[None] * 4, 0)]


def test_a_tick_closes_the_intervals_of_a_silent_level() -> None:
    assert run([(2, 1, 4.0)], [], ticks={1: 36.0}) == [(2, 0, 4.0, 4.0, 4.0, 4.0, 1), (2, 15, *[None] * 4, 0)]


def test_the_end_of_a_stream_gives_the_last_interval_as_far_as_it_goes_and_once() -> None:
    assert run([(2, 1, 4.0), (2, 17, 6.0)], [], end=True) == [
        (2, 0, 4.0, 4.0, 4.0, 4.0, 1),
        (2, 15, 6.0, 6.0, 6.0, 6.0, 1),
    ]


def test_a_register_has_its_energy_and_its_mean_power() -> None:
    found = run([(0, each, 100.0 + each / 15) for each in range(0, 36, 5)], [])
    assert found[0] == (0, 0, 4.0, 4.0, 4.0, 4.0, 1)


TIMES = st.tuples(st.sampled_from([0, 1, 2]), st.integers(0, 90), st.integers(0, 40).map(float))


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(TIMES, min_size=1, max_size=40), cuts=st.lists(st.integers(1, 39)), end=st.booleans())
def test_cuts_change_nothing(rows: list[Row], cuts: list[int], end: bool) -> None:
    middle = {len(rows) // 2: 60.0}
    assert run(rows, cuts, ticks=middle, end=end) == run(rows, [], ticks=middle, end=end)
