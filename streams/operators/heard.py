"""The readings that rules look at: of watched points, numbers only, each later than all before it of its point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.domain.site import Point, PointKind
from streams.operators.groups import group_starts
from streams.operators.points import PointTable, Ratios

Int = NDArray[np.int64]
Float = NDArray[np.float64]
SCALED = (PointKind.POWER, PointKind.INTERVAL)
TIME_BITS = 42


@dataclass(frozen=True, slots=True)
class Watched:
    """The points that rules look at reading by reading, by their slots.

    `slot` has one entry a place of the table, -1 where a point is not watched.
    """

    points: tuple[Point, ...]
    slot: Int

    @classmethod
    def of(cls, table: PointTable, names: set[str]) -> Watched:
        """The measured points among these."""
        places = sorted(table.index[name] for name in names if table.index[name] < len(table.points))
        slot = np.full(len(table.every), -1, dtype=np.int64)
        slot[places] = np.arange(len(places))
        return cls(tuple(table.points[place] for place in places), slot)


@dataclass(frozen=True, slots=True)
class Heard:
    """Readings by slot and time, four arrays of one length; `row` is the place of each in the input.

    Those of slot `slots[i]` are `starts[i]` up to `starts[i + 1]`.
    """

    slot: Int
    time_ms: Int
    value: Float
    row: Int
    slots: Int
    starts: Int

    def of(self, slot: int) -> slice:
        """Where the readings of a slot are; an empty slice where there are none."""
        at = int(np.searchsorted(self.slots, slot))
        if at == len(self.slots) or self.slots[at] != slot:
            return slice(0, 0)
        return slice(int(self.starts[at]), int(self.starts[at + 1]))


def hear(watched: Watched, newest_ms: Int, place: Int, time_ms: Int, value: Float) -> tuple[Int, Heard]:
    """Take readings in order of arrival; returns the newest time of each slot, and the readings later than it was.

    A reading at or before the newest one of its point is left out, and so is what is no finite number. Values of
    powers and intervals are turned to the primary side of their transformers.
    """
    slot = watched.slot[place]
    at = np.flatnonzero((slot >= 0) & np.isfinite(value))
    at = at[np.argsort(slot[at], kind="stable")]
    slot, time = slot[at], time_ms[at]
    starts = group_starts(slot)
    lengths = np.diff(np.append(starts, len(slot)))
    group = np.repeat(np.arange(len(starts), dtype=np.int64) << TIME_BITS, lengths)
    before = np.empty_like(time)
    highest = np.maximum.accumulate(group + time) - group
    before[1:] = highest[:-1]
    before[starts] = newest_ms[slot[starts]]
    later = time > np.maximum(before, newest_ms[slot])
    newest_ms = newest_ms.copy()
    np.maximum.at(newest_ms, slot, time)
    slot, time, at = slot[later], time[later], at[later]
    starts = group_starts(slot)
    heard = Heard(slot, time, value[at], at, slot[starts], np.append(starts, len(slot)))
    for each in heard.slots.tolist():
        point, part = watched.points[each], heard.of(each)
        if point.ratios and point.kind in SCALED:
            heard.value[part] *= ratio_at(point, time[part])
    return newest_ms, heard


def in_units(table: PointTable, place: Int, ticks: Int) -> Float:
    """Clean readings in the units of their points; NaN for words."""
    words = table.of_kind(PointKind.STATE)[place]
    return np.where(words, np.nan, ticks / table.ticks_per_unit[place])


def ratio_at(point: Point, time_ms: Int) -> Float:
    """The CT×PT ratio of a point at each time, as a number."""
    num, den = Ratios.of(point).at(time_ms)
    return num / den
