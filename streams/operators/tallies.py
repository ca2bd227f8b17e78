"""Tallies of the course of a point, for key figures: time within bounds, area while it was, starts, degree-time.

A value holds from its reading to the next one, and decides whether the time between them is within the bounds. Areas
are those of the trapezoids between readings, as of an integrated rate, so that those of bands side by side add up to
the energy of the power. Beyond the largest gap of the point nothing is known.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.domain.kpi import Tally
from streams.operators.advance import Accepted
from streams.operators.groups import group_starts, running, shifted
from streams.operators.kinetic import ACTIVATION_K, ZERO_CELSIUS_K
from streams.operators.points import HOUR_MS, TALLIES, PointTable
from streams.operators.registers import Flag
from streams.operators.segments import split_at_edges
from streams.operators.state import EnergyState

Int = NDArray[np.int64]
KINETIC_SCALE: Final = 1e24
"""exp(−ΔH/RT) in whole numbers: 1e8 at the freezing point of water."""
WARMEST_MC: Final = 60_000
"""Warmer than this, in thousandths of a degree, is tallied as this, so that areas fit 63 bits."""


@lru_cache(maxsize=1 << 16)
def _kinetic(tick: int) -> int:
    return round(math.exp(-ACTIVATION_K / (min(tick, WARMEST_MC) / 1000 + ZERO_CELSIUS_K)) * KINETIC_SCALE)


def kinetic(ticks: Int) -> Int:
    """exp(−ΔH/RT) of temperatures in thousandths of a degree Celsius, in units of 1e-24."""
    distinct, which = np.unique(ticks, return_inverse=True)
    found = np.fromiter((_kinetic(each) for each in distinct.tolist()), dtype=np.int64, count=len(distinct))
    result: Int = found[which]
    return result


def tallies(table: PointTable, state: EnergyState, place: Int, time_ms: Int, value: Int) -> Accepted:
    """Tally the readings of derived points (`value` in the base units of the source); rows sorted by (place, time).

    Growth is in ms, thousandths of a start, or base units for an hour; state is changed.
    """
    starts = group_starts(place)
    who = place[starts]
    pieces = split_at_edges(table, state, place, time_ms, value)
    place, time_ms, value, held, first, is_edge = (
        pieces.place, pieces.time_ms, pieces.value, pieces.held, pieces.first, pieces.is_edge,
    )  # fmt: skip
    starts = group_starts(place)
    before = shifted(value, starts, state.column("value")[who])
    before_ms = shifted(time_ms, starts, state.column("read_ms")[who])
    elapsed = time_ms - before_ms
    known = ~first & (elapsed <= table.max_gap_ms[place])
    elapsed = np.where(known, elapsed, 0)
    low, high, kind = (column[place] for column in (table.tally.low, table.tally.high, table.tally.kind))
    within = (low <= held) & (held < high)
    amount = np.where(within, elapsed, 0)
    came = known & ~is_edge & ~within & (low <= value) & (value < high)
    amount = np.where(kind == TALLIES.index(Tally.STARTS), np.where(came, 1000, 0), amount)
    is_area = kind >= TALLIES.index(Tally.AREA)
    is_area &= kind != TALLIES.index(Tally.STARTS)
    if is_area.any():
        both = _heights(kind, low, high, within, before, value) * elapsed
        unit = 2 * HOUR_MS
        whole = running(np.where(is_area, both // unit, 0), starts, np.zeros(len(who), dtype=np.int64))
        left = np.where(first[starts], 0, state.column("remainder")[who])
        rest = running(np.where(is_area, both % unit, 0), starts, left)
        area = whole + rest // unit
        last = np.append(starts[1:], len(place)) - 1
        state.column("remainder")[who] = rest[last] % unit
        grown = area - shifted(area, starts, np.zeros(len(who), dtype=np.int64))
        amount = np.where(is_area, grown, amount)
    state.column("value")[who] = value[np.append(starts[1:], len(place)) - 1]
    flag = np.where(known | first, int(Flag.PLAIN), int(Flag.UNKNOWN))
    return Accepted(place, time_ms, amount, flag, first)


def _heights(kind: Int, low: Int, high: Int, within: NDArray[np.bool_], before: Int, value: Int) -> Int:
    """The two sides of each trapezoid together."""
    both = np.where(within, before + value, 0)
    above, below, warm = (kind == TALLIES.index(each) for each in (Tally.ABOVE, Tally.BELOW, Tally.KINETIC))
    over = np.maximum(before - low, 0) + np.maximum(value - low, 0)
    under = np.maximum(high - before, 0) + np.maximum(high - value, 0)
    both = np.where(above, over, np.where(below, under, both))
    if warm.any():
        both[warm] = kinetic(before[warm]) + kinetic(value[warm])
    return both
