"""What the meters of a plant send when nothing goes wrong, on every point's own beat."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

import numpy as np

from jobs.simulation.clock import DAY_S, STEP_S, Clock, Int, Real, chance
from jobs.simulation.loads import door_minutes
from jobs.simulation.plant import Plant
from jobs.simulation.states import EXECUTION, states
from streams.domain.findings import KilowatchError
from streams.domain.quantities import UNITS
from streams.domain.site import Point, PointKind, Quantity
from streams.operators.points import base_per_tick

USUAL_MS = 60_000
HOUR_S = 3600
KG_A_PIECE, SCRAP = 0.2, 0.15


class SimulationError(KilowatchError):
    """What was asked for cannot be simulated: at this site, in this time."""


@dataclass
class Series:
    """The readings of one point in order of time, one entry each.

    `ticks` is what the truth is made of: a register's count that never wraps nor resets (last decimals), base units
    of an amount or an interval, base units an hour of a rate, nothing (empty) otherwise. `value` is what is sent,
    `text` the word of a state.
    """

    point: Point
    time_ms: Int
    ticks: Int
    value: Real
    text: list[str] | None = None


def series_of(point: Point, plant: Plant) -> Series | None:
    """Readings of a point; None for one that sends none (virtual)."""
    if point.kind is PointKind.REGISTER:
        return _register(point, plant)
    if point.kind is PointKind.POWER:
        return _power(point, plant)
    if point.kind is PointKind.INTERVAL:
        return _interval(point, plant)
    if point.kind is PointKind.AMOUNT:
        is_metal = point.unit == "kg" and plant.clock.is_measured(point.asset)
        return _metal(point, plant) if is_metal else _amounts(point, plant.clock)
    if point.kind is PointKind.GAUGE:
        times = beat(point, plant.clock)
        level = plant.gauge(point)[_minute(plant.clock, times)]
        return Series(point, times, np.zeros(0, dtype=np.int64), np.round(level, min(point.decimals, 2)))
    if point.kind is PointKind.STATE:
        return _states(point, plant.clock)
    return None


def beat(point: Point, clock: Clock) -> Int:
    """Times of readings: the first moment, every interval, the last moment.

    Meters of the import send on the dot, others some seconds past it, each its own.
    """
    interval = point.interval_ms or USUAL_MS
    dotted = point.name in clock.site.import_points
    shift = 0 if dotted else int(chance(clock.seed, point.name, "beat").integers(0, max(interval // 1000, 1))) * 1000
    times = np.arange(clock.begins_ms + shift, clock.ends_ms, interval, dtype=np.int64)
    return np.unique(np.concatenate(([clock.begins_ms], times, [clock.ends_ms])))


def _minute(clock: Clock, time_ms: Int) -> Int:
    result: Int = np.clip((time_ms - clock.begins_ms) // (STEP_S * 1000), 0, clock.steps - 1)
    return result


def _used(rate: Int, clock: Clock, time_ms: Int) -> Int:
    """What has been used since the begin, in 3,600ths of a base unit: exact, in whole numbers."""
    total = np.concatenate(([0], np.cumsum(rate) * STEP_S))
    at = _minute(clock, time_ms)
    into_s = (time_ms - clock.begins_ms) // 1000 - at * STEP_S
    result: Int = total[at] + rate[at] * into_s
    return result


def _register(point: Point, plant: Plant) -> Series:
    times = beat(point, plant.clock)
    rate = plant.rate(point)
    used = _used(rate, plant.clock, times)
    ratios = [(ratio.from_ms, ratio.value) for ratio in point.ratios] or [(0, Fraction(1))]
    ratios[0] = (min(ratios[0][0], plant.clock.begins_ms), ratios[0][1])
    ticks = np.zeros(len(times), dtype=np.int64)
    for nth, (from_ms, ratio) in enumerate(ratios):
        until = ratios[nth + 1][0] if nth + 1 < len(ratios) else plant.clock.ends_ms
        if until <= plant.clock.begins_ms or from_ms >= plant.clock.ends_ms:
            continue
        low, high = (np.array([max(from_ms, plant.clock.begins_ms)]), np.array([min(until, plant.clock.ends_ms)]))
        begun, ended = _used(rate, plant.clock, low)[0], _used(rate, plant.clock, high)[0]
        unit = base_per_tick(point, ratio) * HOUR_S
        within = np.clip(used, begun, ended) - begun
        if int(within.max(initial=0)) * unit.denominator >= 1 << 62:
            raise SimulationError(
                f"{point.name}: expected less than 2^62 steps of its counter; got a longer simulation"
            )
        ticks += within * unit.denominator // unit.numerator
    return Series(point, times, ticks, np.zeros(0))


def _power(point: Point, plant: Plant) -> Series:
    times = beat(point, plant.clock)
    rate = plant.rate(point)[_minute(plant.clock, times)]
    unit = UNITS[point.unit][1]
    shown = np.round(rate * float(1 / unit), point.decimals)
    return Series(point, times, np.rint(shown * float(unit)).astype(np.int64), shown)


def _interval(point: Point, plant: Plant) -> Series:
    clock, interval = plant.clock, point.interval_ms or USUAL_MS
    first = -(-clock.begins_ms // interval) * interval
    edges = np.arange(first, clock.ends_ms + 1, interval, dtype=np.int64)
    unit = UNITS[point.unit][1]
    step = max(int(unit / 10**point.decimals), 1)  # base units in the last decimal
    counted = _used(plant.rate(point), clock, edges) // (HOUR_S * step) * step
    amount = np.diff(counted)
    times = edges[:-1] if point.stamp_at_start else edges[1:]
    return Series(point, times, amount, np.round(amount * float(1 / unit), point.decimals))


def _amounts(point: Point, clock: Clock) -> Series:
    """Fills and deliveries: mobile machines every working day, a generator's test run and a top-up now and then."""
    luck = chance(clock.seed, point.name, "amounts")
    often, low, high = _habits(point, clock)
    moments = [
        clock.begins_ms + (day * 1440 + int(luck.integers(1440))) * 60_000
        for day in range(clock.days)
        if luck.random() < often[day * 1440]
    ]
    times = np.array(moments or [clock.begins_ms + int(luck.integers(1440)) * 60_000], dtype=np.int64)
    return _events(point, times, luck.uniform(low, high, size=len(times)))


def _events(point: Point, times: Int, amount: Real) -> Series:
    value = np.round(amount, 1)
    return Series(point, times, np.rint(value * float(UNITS[point.unit][1])).astype(np.int64), value)


def _habits(point: Point, clock: Clock) -> tuple[Real, float, float]:
    """How likely a fill or delivery is on the day of each minute, its least and its largest amount.

    Where a measure names the machine, it is filled on working days, and after the measure hardly ever.
    """
    often, low, high = 0.9, 120.0, 320.0
    if clock.is_measured(point.asset):
        return np.where(clock.free, 0.0, np.where(clock.since(point.asset), 0.03, 0.97)), low, high
    if point.unit == "kg":
        often, low, high = (0.04, 0.4, 2.5) if "top" in point.name or "refrig" in point.name else (0.6, 150.0, 1500.0)
    elif "genset" in point.name or "generator" in point.name:
        often, low, high = 0.08, 8.0, 60.0
    return np.full(clock.steps, often), low, high


def _metal(point: Point, plant: Plant) -> Series:
    """One delivery each working day, as much as is made that day, and what of it goes back as scrap.

    Before the measure that names the store one in eight is recycled metal, after it seven in eight.
    """
    clock = plant.clock
    luck = chance(clock.seed, clock.site.name, point.asset, "deliveries")  # one lorry: the same for all metals
    minute, swing = luck.integers(420, 960, clock.days), luck.uniform(0.9, 1.1, clock.days)
    pieces = [each for each in clock.site.points if each.quantity is Quantity.COUNT and each.kind is PointKind.REGISTER]
    made = sum((plant.rate(each) for each in pieces), np.zeros(clock.steps, dtype=np.int64)).reshape(clock.days, -1)
    amount = KG_A_PIECE * swing * made.sum(axis=1) / 60_000
    is_other = clock.local_s[::1440] // DAY_S % 8 == 0
    is_recycled = clock.since(point.asset)[::1440] ^ is_other
    share, comes = 1.0, ~is_recycled
    if "scrap" in point.name:
        share, comes = SCRAP, np.ones(clock.days, dtype=np.bool_)
    elif "recycled" in point.name:
        comes = is_recycled
    at = np.flatnonzero(comes & (amount > 0))
    return _events(point, clock.begins_ms + (at * 1440 + minute[at]) * 60_000, share * amount[at])


def _states(point: Point, clock: Clock) -> Series:
    """Words as they change, with the one that holds at the begin."""
    nothing = np.zeros(0, dtype=np.int64)
    if "door" in point.name:
        code, words = (door_minutes(clock, point.asset) > 0).astype(np.int64), ["closed", "open"]
    else:
        code, words = states(clock, point.asset), list(EXECUTION)
    at = np.flatnonzero(np.concatenate(([True], code[1:] != code[:-1])))
    times = clock.begins_ms + at * STEP_S * 1000
    return Series(point, times, nothing, np.full(len(at), np.nan), [words[each] for each in code[at].tolist()])


def local_boundaries(point: Point, clock: Clock) -> list[int]:
    """Times (UTC ms) within the simulation at which a register goes back to zero as the catalog declares."""
    if point.resets is None:
        return []
    starts = np.flatnonzero(np.diff(clock.day)) + 1
    times = []
    for at in starts.tolist():
        moment_ms = clock.begins_ms + at * STEP_S * 1000
        local = datetime.fromtimestamp(moment_ms / 1000, tz=clock.site.time_zone)
        if point.resets == "daily" or local.day == 1:
            times.append(moment_ms)
    return times
