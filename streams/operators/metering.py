"""Purchased energy as it grows within a running quarter-hour: from registers' growth, or from integrated power.

Energy is counted in whole mWh from a meter's first reading, or from the last that does not follow from the one before
it (a gap, a drop, a leap); at full minutes it is interpolated. It serves to look ahead only: the energy operator
decides what a quarter-hour was.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.domain.quantities import UNITS
from streams.domain.site import Point, PointKind
from streams.operators.demand import QUARTER_MS
from streams.operators.heard import ratio_at
from streams.operators.points import MARGIN
from streams.operators.readings import NEVER

Int = NDArray[np.int64]
Float = NDArray[np.float64]
Bool = NDArray[np.bool_]

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
WINDOW_MS = 600_000
"""Present power is the mean of the last ten minutes, from a full minute on: machines that cycle are one load."""
KEPT_MINUTES = 40
"""So many full minutes are remembered: the last quarter-hour, this one and a window."""


@dataclass(frozen=True, slots=True)
class Meter:
    """One measured point of the purchase and what a unit of it counts (negative where a formula takes it off)."""

    point: Point
    slot: int
    coefficient: float


@dataclass(frozen=True, slots=True)
class Count:
    """Where a meter stands: its last reading, the energy counted up to it since `begun_ms`, and what followed from it.

    `minutes` are the last full minutes, each with the energy counted there and since when it was counted; `used_mwh`,
    `power_mw` and `is_known` as in `Course`.
    """

    time_ms: int = NEVER
    value: float = 0.0
    energy_mwh: int = 0
    begun_ms: int = NEVER
    minutes: tuple[tuple[int, int, int], ...] = ()
    used_mwh: int = 0
    power_mw: float = 0.0
    is_known: bool = False


@dataclass(frozen=True, slots=True)
class Course:
    """What some readings of a meter say, one entry each.

    `used_mwh` since the quarter-hour of `time_ms` began, `power_mw` of late, and whether both are known. The three
    others are the full minutes, the energy counted there, and since when it was counted.
    """

    time_ms: Int
    used_mwh: Int
    power_mw: Float
    is_known: Bool
    minute: Int
    energy_mwh: Int
    begun_ms: Int

    def between(self, begin_ms: int, end_ms: int) -> int | None:
        """Energy between two full minutes; None where it is not known."""
        at = np.searchsorted(self.minute, np.array([begin_ms, end_ms]) // MINUTE_MS)
        if at[1] >= len(self.minute) or list(self.minute[at] * MINUTE_MS) != [begin_ms, end_ms]:
            return None
        is_whole = int(self.begun_ms[at[1]]) <= begin_ms
        return int(self.energy_mwh[at[1]] - self.energy_mwh[at[0]]) if is_whole else None


def run(meter: Meter, count: Count, time_ms: Int, value: Float) -> tuple[Count, Course]:
    """Take readings of a meter, each later than the one before."""
    times = np.concatenate(([count.time_ms], time_ms))
    values = np.concatenate(([count.value], value))
    growth, follows = _growth(meter.point, times, values)
    total = np.cumsum(np.concatenate(([count.energy_mwh], np.where(follows, growth, 0))))
    begun = np.maximum.accumulate(np.concatenate(([count.begun_ms], np.where(follows, NEVER, time_ms))))
    known = np.array(count.minutes, dtype=np.int64).reshape(-1, 3)
    minute, energy, since_when = (
        np.concatenate((before, new))
        for before, new in zip(known.T, _minutes(times, total, follows, begun), strict=True)
    )
    quarter = time_ms // QUARTER_MS * QUARTER_MS
    since = (time_ms - WINDOW_MS) // MINUTE_MS * MINUTE_MS
    base, has_base = _at(minute, energy, quarter)
    past, has_past = _at(minute, energy, since)
    power = (total[1:] - past) * (HOUR_MS / (time_ms - since))
    is_known = has_base & has_past & (np.minimum(quarter, since) >= begun[1:])
    course = Course(time_ms, total[1:] - base, power, is_known, minute, energy, since_when)
    if not len(time_ms):
        return count, course
    kept = zip(*(each[-KEPT_MINUTES:].tolist() for each in (minute, energy, since_when)), strict=True)
    after = Count(
        time_ms=int(times[-1]),
        value=float(values[-1]),
        energy_mwh=int(total[-1]),
        begun_ms=int(begun[-1]),
        minutes=tuple(kept),
        used_mwh=int(course.used_mwh[-1]),
        power_mw=float(power[-1]),
        is_known=bool(is_known[-1]),
    )
    return after, course


def _growth(point: Point, times: Int, values: Float) -> tuple[Int, Bool]:
    """Energy of each step in mWh, and whether the step follows from the reading before it."""
    span = np.diff(times)
    in_mwh = float(UNITS[point.unit][1])
    if point.kind is PointKind.REGISTER:
        grown = np.diff(values)
        if point.modulus is not None:
            grown = np.where(grown < -point.modulus / 2, grown + point.modulus, grown)
        ratio = ratio_at(point, times[1:])
        grown, slack = grown * ratio, ratio * 10.0**-point.decimals
    elif point.kind is PointKind.INTERVAL:
        grown, slack = values[1:], np.zeros(len(span))
    else:
        grown, slack = (values[1:] + values[:-1]) / 2 * (span / HOUR_MS), np.zeros(len(span))
    follows = (times[:-1] > NEVER) & (span <= point.max_gap_ms)
    if point.kind is PointKind.REGISTER:
        follows &= grown >= 0
        if point.max_rate is not None:
            follows &= grown <= point.max_rate * float(MARGIN) * span / HOUR_MS + slack
    mwh = np.where(follows, np.rint(np.where(follows, grown, 0) * in_mwh), 0)
    return mwh.astype(np.int64), follows


def _minutes(times: Int, total: Int, follows: Bool, begun: Int) -> tuple[Int, Int, Int]:
    """The full minutes that the steps pass, with the energy there and since when it is counted."""
    first, last = times[:-1] // MINUTE_MS, times[1:] // MINUTE_MS
    first = np.where(follows, first, last - (times[1:] % MINUTE_MS == 0))  # it may begin anew at a full minute
    counts = last - first
    step = np.repeat(np.arange(len(counts)), counts)
    nth = np.arange(len(step)) - np.repeat(np.cumsum(counts) - counts, counts)
    minute = first[step] + 1 + nth
    passed, whole = minute * MINUTE_MS - times[step], times[step + 1] - times[step]
    energy = total[step] + (total[step + 1] - total[step]) * passed // whole
    return minute, energy, begun[step + 1]


def _at(minute: Int, energy: Int, time_ms: Int) -> tuple[Int, Bool]:
    """The energy at full minutes, 0 where it is not known, and whether it is."""
    if not len(minute):
        return np.zeros(len(time_ms), dtype=np.int64), np.zeros(len(time_ms), dtype=np.bool_)
    wanted = time_ms // MINUTE_MS
    at = np.minimum(np.searchsorted(minute, wanted), len(minute) - 1)
    found = minute[at] == wanted
    return np.where(found, energy[at], 0), found


def meters_of(terms: list[tuple[Point, float]], slots: dict[str, int]) -> tuple[Meter, ...]:
    """Meters of points with their coefficients, one a point."""
    summed: dict[str, tuple[Point, float]] = {}
    for point, coefficient in terms:
        before = summed.get(point.name, (point, 0.0))[1]
        summed[point.name] = (point, before + coefficient)
    return tuple(Meter(point, slots[name], coefficient) for name, (point, coefficient) in summed.items() if coefficient)
