"""Accepted readings to facts: cumulative counters, and their differences at interval boundaries.

A fact is a difference of cumulative counters at two boundaries, never a sum of pieces, so energy telescopes:
whatever the cuts, the facts of a day add up to what the register grew by. Integers throughout.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.operators.groups import group_starts, running, shifted
from streams.operators.points import PointTable
from streams.operators.registers import Flag
from streams.operators.state import EnergyState

Int = NDArray[np.int64]

FACT_COLUMNS = ("place", "starts_ms", "ends_ms", "amount", "estimated", "estimated_ms", "missing_ms")
COUNTERS = ("amount", "estimated", "estimated_ms", "missing_ms")


@dataclass(frozen=True, slots=True)
class Accepted:
    """Accepted rows sorted by (place, time): growth in base units since the row before, and flags of `Flag`.

    `first` marks the first row a point ever had: it opens the counters and has no stretch before it.
    """

    place: Int
    time_ms: Int
    amount: Int
    flag: Int
    first: NDArray[np.bool_]


Facts = dict[str, Int]


def advance(table: PointTable, state: EnergyState, rows: Accepted) -> Facts:
    """Move the counters over the rows (state is changed) and return the facts of all boundaries passed.

    Between two rows an amount is spread evenly over the time, exactly: `a + (d // dt)·x + ((d mod dt)·x) // dt`.
    """
    if not len(rows.place):
        return {name: np.zeros(0, dtype=np.int64) for name in FACT_COLUMNS}
    place, starts = rows.place, group_starts(rows.place)
    who = place[starts]
    fresh = rows.first[starts]
    resolution = table.resolution_ms[place]
    new = who[fresh]
    if len(new):
        opened = rows.time_ms[starts[fresh]]
        edge = opened // table.resolution_ms[new] * table.resolution_ms[new]
        for name in COUNTERS:
            state.column(name)[new] = 0
            state.column("edge_" + name)[new] = 0
        state.column("edge_ms")[new] = edge
        state.column("edge_missing_ms")[new] = edge - opened
        state.column("read_ms")[new] = opened
        state.column("started")[new] = 1
    before_ms = shifted(rows.time_ms, starts, state.column("read_ms")[who])
    elapsed = rows.time_ms - before_ms
    unknown = (rows.flag & int(Flag.UNKNOWN)) != 0
    long = (elapsed > table.max_gap_ms[place]) & ~rows.first
    doubtful = (long | ((rows.flag & int(Flag.DOUBTFUL)) != 0)) & ~unknown
    growth = {"amount": rows.amount}
    if doubtful.any():
        growth["estimated"] = np.where(doubtful, rows.amount, 0)
        growth["estimated_ms"] = np.where(doubtful, elapsed, 0)
    if unknown.any():
        growth["missing_ms"] = np.where(unknown, elapsed, 0)
    after = {name: running(grown, starts, state.column(name)[who]) for name, grown in growth.items()}
    last = np.append(starts[1:], len(place)) - 1
    nth = rows.time_ms // resolution
    passed = nth - shifted(nth, starts, state.column("read_ms")[who] // table.resolution_ms[who])
    crossing = np.flatnonzero((passed > 0) & ~rows.first)
    facts = _facts(table, state, rows, crossing, passed[crossing], before_ms, elapsed, growth, after)
    for name, counted in after.items():
        state.column(name)[who] = counted[last]
    state.column("read_ms")[who] = rows.time_ms[last]
    return facts


def _facts(
    table: PointTable,
    state: EnergyState,
    rows: Accepted,
    crossing: Int,
    passed: Int,
    before_ms: Int,
    elapsed: Int,
    growth: dict[str, Int],
    after: dict[str, Int],
) -> Facts:
    if not len(crossing):
        return {name: np.zeros(0, dtype=np.int64) for name in FACT_COLUMNS}
    row = np.repeat(crossing, passed)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(passed) - passed, passed) + 1
    place = rows.place[row]
    resolution = table.resolution_ms[place]
    edge = (before_ms[row] // resolution + nth) * resolution
    into, stretch = edge - before_ms[row], elapsed[row]
    starts = group_starts(place)
    who = place[starts]
    facts: Facts = {"place": place, "starts_ms": edge - resolution, "ends_ms": edge}
    last = np.append(starts[1:], len(place)) - 1
    for name in COUNTERS:
        at_edge: Int = state.column(name)[place]
        if name in growth:
            grown: Int = growth[name][row]
            whole, rest = np.divmod(grown, stretch)
            at_edge = after[name][row] - grown + whole * into + rest * into // stretch
        facts[name] = at_edge - shifted(at_edge, starts, state.column("edge_" + name)[who])
        state.column("edge_" + name)[who] = at_edge[last]
    state.column("edge_ms")[who] = edge[last]
    return facts


def tail_facts(table: PointTable, state: EnergyState, places: Int, until_ms: Int) -> Facts:
    """Facts of intervals that no reading has closed yet, up to `until_ms` (one entry a place), the unknown as missing.

    Used at ticks and at the end of a stream; the counters are not changed, so a later reading revises these facts.
    """
    edge = state.column("edge_ms")[places]
    resolution = table.resolution_ms[places]
    count: Int = np.maximum(-((edge - until_ms) // resolution), 0)
    place = np.repeat(places, count)
    nth = np.arange(len(place)) - np.repeat(np.cumsum(count) - count, count)
    resolution = table.resolution_ms[place]
    begins = state.column("edge_ms")[place] + nth * resolution
    facts: Facts = {"place": place, "starts_ms": begins, "ends_ms": begins + resolution}
    opening = nth == 0
    for name in COUNTERS:
        known = state.column(name)[place] - state.column("edge_" + name)[place]
        facts[name] = np.where(opening, known, 0)
    covered = np.clip(state.column("read_ms")[place] - begins, 0, resolution)
    facts["missing_ms"] = np.where(opening, facts["missing_ms"], 0) + resolution - covered
    return facts
