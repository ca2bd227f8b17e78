"""Levels (temperature, humidity, power factor) by interval: mean, extremes and last value of what was read in it.

An interval holds the readings from its start up to, and without, its end. It is given once, when its point's watermark
has passed it; what comes later is in the views of the raw readings and changes nothing here.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from streams.domain.site import PointKind
from streams.operators.groups import group_starts
from streams.operators.points import PointTable
from streams.operators.readings import Readings
from streams.operators.state import EnergyState

Int = NDArray[np.int64]
TIME_BITS = 42


@dataclass(frozen=True, slots=True)
class Levels:
    """Intervals of gauges sorted by (place, start): ms, and in ticks the sum, extremes and last of `count` readings.

    An interval without a reading has a count of 0, and zeros.
    """

    place: Int
    starts_ms: Int
    ends_ms: Int
    count: Int
    total: Int
    low: Int
    high: Int
    last: Int

    def __len__(self) -> int:
        """Count the intervals."""
        return len(self.place)


def levels(table: PointTable, state: EnergyState, ready: Readings, until: Int) -> Levels:
    """Intervals that end at or before `until` (one entry a point), from all readings in them; state is changed.

    Of readings of one time the smallest counts. A point begins with the interval of its first reading.
    """
    key = (ready.place << TIME_BITS) + ready.time_ms
    order = np.lexsort((ready.ticks, key))
    key = key[order]
    order = order[group_starts(key)]
    place, time_ms, ticks = ready.place[order], ready.time_ms[order], ready.ticks[order]
    starts = group_starts(place)
    who = place[starts]
    new = who[state.column("started")[who] == 0]
    first = time_ms[starts[state.column("started")[who] == 0]]
    state.column("edge_ms")[new] = first // table.resolution_ms[new] * table.resolution_ms[new]
    state.column("started")[who] = 1
    state.column("read_ms")[who] = time_ms[np.append(starts[1:], len(place)) - 1] if len(who) else 0
    kept = time_ms >= state.column("edge_ms")[place]  # after the end of a stream its last interval has been given
    place, time_ms, ticks = place[kept], time_ms[kept], ticks[kept]
    open_ = np.flatnonzero(table.of_kind(PointKind.GAUGE) & (state.column("started") == 1))
    edge, resolution = state.column("edge_ms")[open_], table.resolution_ms[open_]
    number: Int = np.maximum((until[open_] - edge) // resolution, 0)
    base = np.zeros(len(table.points), dtype=np.int64)
    base[open_] = np.cumsum(number) - number
    which = np.repeat(open_, number)
    nth = np.arange(len(which)) - base[which]
    begins = state.column("edge_ms")[which] + nth * table.resolution_ms[which]
    at = base[place] + (time_ms - state.column("edge_ms")[place]) // table.resolution_ms[place]
    state.column("edge_ms")[open_] = edge + number * resolution
    sums, count = np.zeros(len(which), dtype=np.int64), np.zeros(len(which), dtype=np.int64)
    low, high, last = sums.copy(), sums.copy(), sums.copy()
    if len(at):
        runs = group_starts(at)
        filled, edges = at[runs], np.append(runs[1:], len(at))
        sums[filled] = np.add.reduceat(ticks, runs)
        low[filled] = np.minimum.reduceat(ticks, runs)
        high[filled] = np.maximum.reduceat(ticks, runs)
        count[filled], last[filled] = edges - runs, ticks[edges - 1]
    return Levels(which, begins, begins + table.resolution_ms[which], count, sums, low, high, last)


def together(parts: list[Levels]) -> Levels:
    """Intervals of several moments, one after the other."""
    none = [np.zeros(0, dtype=np.int64)]
    columns = (np.concatenate([getattr(part, each.name) for part in parts] or none) for each in fields(Levels))
    return Levels(*columns)
