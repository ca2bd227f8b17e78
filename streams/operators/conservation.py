"""The account of each register and local day (law 1): last − first + wraps + resets + exchanges = growth + quarantined.

The register's side is taken from its values and the decisions about it, not from the counters that make the facts,
so that the difference to the sum of the facts, which a view takes, is a check and not a tautology.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from streams.operators.state import EnergyState

Int = NDArray[np.int64]

DAY_COLUMNS = ("place", "begins_ms", "ends_ms", "register", "wrapped", "reset", "exchanged", "quarantined")
"""Base units; `register` is what the register's own value moved by, so the last five add up to its energy."""

TOTALS = ("wrapped", "reset", "exchanged", "quarantined")


@dataclass(frozen=True, slots=True)
class Course:
    """Accepted rows of registers, sorted by (place, time), with the row before each (the state's for the first).

    `register` is the cumulative amount in base units by the register's value and the decisions at the row before,
    `growth` the amount since then; `totals` has TOTALS at the row before, in ticks.
    """

    place: Int
    before_ms: Int
    time_ms: Int
    register: Int
    growth: Int
    totals: Int
    opening: NDArray[np.bool_]


def midnights(zone: ZoneInfo, from_ms: int, to_ms: int) -> Int:
    """Local midnights in (from, to], UTC ms."""
    day = datetime.fromtimestamp(from_ms / 1000, tz=zone).date()
    found: list[int] = []
    while True:
        day += timedelta(days=1)
        midnight = int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000)
        if midnight > to_ms:
            return np.array(found, dtype=np.int64)
        found.append(midnight)


Day = tuple[int, ...]


def open_days(state: EnergyState, place: Int, time_ms: Int) -> None:
    """Begin the accounts of registers at their first reading."""
    state.column("day_ms")[place] = time_ms
    for name in ("register", *TOTALS):
        state.column("day_" + name)[place] = 0


def passes_midnight(zone: ZoneInfo, before_ms: Int, time_ms: Int) -> bool:
    """Tell whether any of the stretches may pass a local midnight."""
    return len(midnights(zone, int(before_ms.min()), int(time_ms.max()))) > 0


def days(zone: ZoneInfo, state: EnergyState, course: Course) -> list[Day]:
    """Close the days that the rows pass (rows of DAY_COLUMNS); the state keeps the account at the last midnight."""
    moving = ~course.opening
    every = midnights(zone, int(course.before_ms[moving].min()), int(course.time_ms.max()))
    upto = np.searchsorted(every, course.time_ms, side="right")
    since = np.where(moving, np.searchsorted(every, course.before_ms, side="right"), upto)
    closed: list[Day] = []
    for row in np.flatnonzero(upto > since).tolist():
        place = int(course.place[row])
        elapsed = int(course.time_ms[row] - course.before_ms[row])
        for midnight in every[since[row] : upto[row]].tolist():
            grown, into = int(course.growth[row]), midnight - int(course.before_ms[row])
            register = int(course.register[row]) + grown // elapsed * into + grown % elapsed * into // elapsed
            closed.append(_close(state, place, midnight, register, course.totals[row].tolist()))
    return closed


def open_day(state: EnergyState, place: int) -> Day | None:
    """The account of the day that is still open, up to the last reading; None where nothing was read in it."""
    until = int(state.column("read_ms")[place])
    if until <= state.column("day_ms")[place]:
        return None
    totals = [int(state.column(name)[place]) for name in TOTALS]
    shadow = EnergyState(state.table[place : place + 1].copy())
    row = _close(shadow, 0, until, register_amount(state, place), totals)
    return (place, *row[1:])


def register_amount(state: EnergyState, place: int) -> int:
    """Cumulative amount by the register's value and the decisions, in base units."""
    value, origin, growth, amount, num, den = (
        int(state.column(name)[place]) for name in ("value", "origin", "growth", "amount", "num", "den")
    )
    wrapped, reset, exchanged, quarantined = (int(state.column(name)[place]) for name in TOTALS)
    unwrapped = value - origin + wrapped + reset + exchanged - quarantined
    return amount + (unwrapped - growth) * num // den


def _close(state: EnergyState, place: int, midnight: int, register: int, totals: list[int]) -> Day:
    num, den = int(state.column("num")[place]), int(state.column("den")[place])
    moved = []
    for name, total in zip(TOTALS, totals, strict=True):
        column = state.column("day_" + name)
        moved.append((total - int(column[place])) * num // den)
        column[place] = total
    grown = register - int(state.column("day_register")[place])
    begins = int(state.column("day_ms")[place])
    state.column("day_ms")[place] = midnight
    state.column("day_register")[place] = register
    wrapped, reset, exchanged, quarantined = moved
    return (place, begins, midnight, grown - wrapped - reset - exchanged + quarantined, *moved)
