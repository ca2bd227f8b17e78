"""What is true of each quarter-hour, and whether it can be known from what was sent.

The truth of a register is exact: the whole number of base units that it grew by between two boundaries, where a
boundary between two readings takes its even share of the growth, as the pipeline takes it. A rate is the area under
the straight lines between all readings as they would have come without faults. An interval's or event's amount is as
sent. No fault changes any of it. `knowable` says whether the readings that do arrive, put in order, give that very
number; for a rate to within one base unit, since a fault also changes the fraction that is carried on after it. The sum
over a stretch that is not knowable can still be so (see `energy_knowable` of each fault).
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import polars as pl

from jobs.simulation.clock import QUARTER_MS, Clock, Int, Truth
from jobs.simulation.sending import Sending
from streams.domain.site import Point, PointKind
from streams.operators.points import HOUR_MS, base_per_tick

COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "point": pl.String,
    "starts_at": pl.Datetime("ms", "UTC"),
    "amount": pl.Int64,
    "knowable": pl.Boolean,
}
TRUTH = pl.Schema(COLUMNS)
"""`site/point`, start of the quarter-hour, base units (mWh, mL, mg …), whether the readings sent can tell it."""


def truth_of(sending: Sending, clock: Clock) -> pl.DataFrame:
    """The answer key of a point (TRUTH); empty for gauges and states."""
    first = -(-clock.begins_ms // QUARTER_MS) * QUARTER_MS
    edges = np.arange(first, clock.ends_ms + 1, QUARTER_MS, dtype=np.int64)
    point, kind = sending.point, sending.point.kind
    if kind is PointKind.AMOUNT:
        starts, place = np.unique(sending.time_ms // QUARTER_MS * QUARTER_MS, return_inverse=True)
        amount = np.zeros(len(starts), dtype=np.int64)
        np.add.at(amount, place, sending.ticks)
        return _frame(point, starts, amount, np.ones(len(starts), dtype=np.bool_))
    if kind not in (PointKind.REGISTER, PointKind.POWER, PointKind.INTERVAL):
        return pl.DataFrame(schema=TRUTH)
    everything = np.ones(len(sending.time_ms), dtype=np.bool_)
    times, total = _course(sending, everything)
    edges = edges[(edges >= times[0]) & (edges <= times[-1])]
    whole = _at(times, total, edges)
    amount = np.diff(whole)
    known = _course(sending, sending.kept) if sending.kept.any() else (times[:1], total[:1])
    knowable = _at(*known, edges) == whole if kind is not PointKind.POWER else np.ones(len(edges), dtype=np.bool_)
    knowable &= (edges >= known[0][0]) & (edges <= known[0][-1])
    both = knowable[:-1] & knowable[1:]
    if kind is PointKind.POWER:
        both &= np.abs(np.diff(_at(*known, edges)) - amount) <= 1
        both &= ~_overlaps(edges, _gaps(sending))
    lost = [(begin, end) for begin, end, lossy in sending.stretches if lossy]
    both &= ~_overlaps(edges, lost)
    for begin, end, lossy in sending.stretches:
        if not lossy:
            inside = (edges > begin) & (edges < end)
            both &= ~(inside[:-1] | inside[1:])
    return _frame(point, edges[:-1], amount, both)


def _frame(point: Point, starts: Int, amount: Int, knowable: Truth) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "point": pl.Series([point.name] * len(starts), dtype=pl.String),
            "starts_at": pl.Series(starts).cast(pl.Datetime("ms")).dt.replace_time_zone("UTC"),
            "amount": amount,
            "knowable": knowable,
        },
        schema=TRUTH,
    )


def _overlaps(edges: Int, stretches: list[tuple[int, int]]) -> Truth:
    result = np.zeros(len(edges) - 1, dtype=np.bool_)
    for begin, end in stretches:
        result |= (edges[:-1] < end) & (edges[1:] > begin)
    return result


def _gaps(sending: Sending) -> list[tuple[int, int]]:
    times = sending.time_ms[sending.kept]
    wide = np.flatnonzero(np.diff(times) > sending.point.max_gap_ms)
    return [(int(times[at]), int(times[at + 1])) for at in wide]


def _at(times: Int, total: Int, edges: Int) -> Int:
    """A cumulative amount at boundaries: the growth around each is spread evenly, rounded down."""
    if len(times) < 2:
        return np.full(len(edges), -1, dtype=np.int64)
    after = np.clip(np.searchsorted(times, edges), 1, len(times) - 1)
    grown, stretch = total[after] - total[after - 1], times[after] - times[after - 1]
    into = np.clip(edges - times[after - 1], 0, stretch)
    whole, rest = np.divmod(grown, stretch)
    result: Int = total[after - 1] + whole * into + rest * into // stretch
    return result


def _course(sending: Sending, kept: Truth) -> tuple[Int, Int]:
    """Times and cumulative base units of some of the readings."""
    times, ticks = sending.time_ms[kept], sending.ticks[kept]
    point = sending.point
    if point.kind is PointKind.REGISTER:
        return _register(point, sending, times, ticks)
    if point.kind is PointKind.POWER:
        return _area(point, times, ticks)
    interval = point.interval_ms or QUARTER_MS
    ends = times + interval if point.stamp_at_start else times
    return np.concatenate(([ends[0] - interval], ends)), np.concatenate(([0], np.cumsum(ticks)))


def _register(point: Point, sending: Sending, times: Int, ticks: Int) -> tuple[Int, Int]:
    """Ticks to base units under the ratio that holds; the moments of exchanges and declared resets are readings too."""
    if len(times) < 2:
        return times, np.zeros(len(times), dtype=np.int64)
    begin, end = times[0], times[-1]
    declared = [(each.at_ms, sending.ticks_at(each.at_ms)) for each in sending.returns if each.declared]
    for at_ms, count in declared:
        if begin < at_ms < end and at_ms not in times:
            place = int(np.searchsorted(times, at_ms))
            times, ticks = np.insert(times, place, at_ms), np.insert(ticks, place, count)
    changes = [ratio for ratio in point.ratios[1:] if begin < ratio.from_ms <= end]
    for change in changes:
        place = int(np.searchsorted(times, change.from_ms))
        if times[place] != change.from_ms:
            grown, stretch = ticks[place] - ticks[place - 1], times[place] - times[place - 1]
            share = ticks[place - 1] + grown * (change.from_ms - times[place - 1]) // stretch
            times, ticks = np.insert(times, place, change.from_ms), np.insert(ticks, place, share)
    held = [ratio.value for ratio in point.ratios if ratio.from_ms <= begin]
    ratio = held[-1] if held else (point.ratios[0].value if point.ratios else Fraction(1))
    total = np.zeros(len(times), dtype=np.int64)
    at, base = 0, 0
    for until, following in [(change.from_ms, change.value) for change in changes] + [(int(end), ratio)]:
        stop = int(np.searchsorted(times, until))
        unit = base_per_tick(point, ratio)
        total[at : stop + 1] = base + (ticks[at : stop + 1] - ticks[at]) * unit.numerator // unit.denominator
        at, base, ratio = stop, int(total[stop]), following
    return times, total


def _area(point: Point, times: Int, rate: Int) -> tuple[Int, Int]:
    """The trapezoid rule in whole numbers, with a point at each boundary of the resolution in which facts are made."""
    edges = np.arange(times[0] // point.resolution_ms + 1, -(-times[-1] // point.resolution_ms)) * point.resolution_ms
    between = edges[~np.isin(edges, times)]
    if len(between) and len(times) > 1:
        after = np.searchsorted(times, between)
        rise, stretch = rate[after] - rate[after - 1], times[after] - times[after - 1]
        shares = rate[after - 1] + rise * (between - times[after - 1]) // stretch
        order = np.argsort(np.concatenate((times, between)), kind="stable")
        times, rate = np.concatenate((times, between))[order], np.concatenate((rate, shares))[order]
    elapsed = np.diff(times)
    elapsed[elapsed > point.max_gap_ms] = 0
    doubled = (rate[1:] + rate[:-1]) * elapsed
    whole, rest = np.cumsum(doubled // (2 * HOUR_MS)), np.cumsum(doubled % (2 * HOUR_MS))
    return times, np.concatenate(([0], whole + rest // (2 * HOUR_MS)))
