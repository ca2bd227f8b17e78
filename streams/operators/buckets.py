"""Amounts of events (fills, top-ups, deliveries) summed by interval; an interval without an event has no fact."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streams.domain.site import PointKind
from streams.operators.advance import COUNTERS, FACT_COLUMNS, Facts
from streams.operators.groups import group_starts
from streams.operators.points import PointTable
from streams.operators.state import EnergyState

Int = NDArray[np.int64]


def bucket(table: PointTable, state: EnergyState, place: Int, time_ms: Int, value: Int) -> Facts:
    """Add rows sorted by (place, time); return the intervals that a later row has closed. State is changed.

    The last interval of each point stays open (`open`, `edge_ms`, `amount`) until its watermark has passed it.
    """
    resolution = table.resolution_ms[place]
    begins = time_ms // resolution * resolution
    starts = group_starts(place)
    who = place[starts]
    held = state.column("open")[who] == 1
    place = np.concatenate((who[held], place))
    begins = np.concatenate((state.column("edge_ms")[who[held]], begins))
    value = np.concatenate((state.column("amount")[who[held]], value))
    order = np.lexsort((begins, place))
    place, begins, value = place[order], begins[order], value[order]
    first = np.flatnonzero(np.concatenate(([True], (place[1:] != place[:-1]) | (begins[1:] != begins[:-1]))))
    total = np.add.reduceat(value, first)
    place, begins = place[first], begins[first]
    last = np.append(group_starts(place)[1:], len(place)) - 1
    state.column("open")[who] = 1
    state.column("started")[who] = 1
    state.column("edge_ms")[who] = begins[last]
    state.column("amount")[who] = total[last]
    state.column("read_ms")[who] = time_ms[np.append(starts[1:], len(time_ms)) - 1]
    closed = np.ones(len(place), dtype=np.bool_)
    closed[last] = False
    return _facts(table, place[closed], begins[closed], total[closed])


def close_buckets(table: PointTable, state: EnergyState, limit: Int) -> Facts:
    """Close and return the open intervals that end at or before each point's watermark."""
    ends = state.column("edge_ms") + table.resolution_ms
    place = np.flatnonzero((state.column("open") == 1) & (ends <= limit))
    state.column("open")[place] = 0
    return _facts(table, place, state.column("edge_ms")[place], state.column("amount")[place])


def open_buckets(table: PointTable, state: EnergyState) -> Facts:
    """The intervals that are still open, as far as they go."""
    place = np.flatnonzero((state.column("open") == 1) & table.of_kind(PointKind.AMOUNT))
    return _facts(table, place, state.column("edge_ms")[place], state.column("amount")[place])


def _facts(table: PointTable, place: Int, begins: Int, amount: Int) -> Facts:
    facts: Facts = dict.fromkeys((*FACT_COLUMNS, *COUNTERS), np.zeros(len(place), dtype=np.int64))
    return facts | {
        "place": place,
        "starts_ms": begins,
        "ends_ms": begins + table.resolution_ms[place],
        "amount": amount,
    }
