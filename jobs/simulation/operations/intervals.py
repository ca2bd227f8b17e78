"""A simulated site as detectors see it: one row of values an interval."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import numpy as np

from jobs.simulation.clock import Real
from jobs.simulation.operations.site import ZONE, Measure, Metered, Operated, Watch
from streams.operators.detectors.looking import Row, Values

LONE = ""


def rows(site: Operated, watch: Watch) -> Iterator[Row]:
    """The rows that a rule is shown, in order of time."""
    clock, minutes = site.hours.clock, watch.minutes
    span_ms = minutes * 60_000
    roles = dict(watch.rule.roles)
    if watch.rule.points:
        (roles[LONE],) = watch.rule.points
    columns = [list(values_of(site.points[point], minutes)) for point in roles.values()]
    off_peak = site.hours.off_peak[::minutes].tolist()
    starts = range(clock.begins_ms, clock.ends_ms - span_ms + 1, span_ms)
    for starts_ms, is_off_peak, *values in zip(starts, off_peak, *columns, strict=True):
        local = datetime.fromtimestamp(starts_ms / 1000, tz=ZONE)
        by_role = dict(zip(roles, values, strict=True))
        yield Row(starts_ms, starts_ms + span_ms, local, is_off_peak, float("nan"), float("nan"), by_role)


def values_of(point: Metered, minutes: int) -> Iterator[Values]:
    """A point's values in intervals of so many minutes: a register spreads evenly over what it missed."""
    nan = float("nan")
    missing = point.missing.reshape(-1, minutes)
    known = np.where(point.missing, np.nan, point.course).reshape(-1, minutes)
    gone = np.asarray(missing.all(axis=1))
    if point.measure is Measure.REGISTER:
        amount: Real = _spread(point).reshape(-1, minutes).sum(axis=1)
        estimated = np.asarray(missing.any(axis=1)).tolist()
        rate = amount * (60 / minutes)
        for each, mean, is_estimated in zip(amount.tolist(), rate.tolist(), estimated, strict=True):
            yield Values(mean, mean, mean, mean, each, 1, is_estimated)
        return
    known[gone] = 0.0
    mean = np.nanmean(known, axis=1).tolist()
    if point.measure is Measure.RATE:
        for value, is_gone in zip(mean, gone.tolist(), strict=True):
            yield (
                Values(nan, nan, nan, nan, nan, 0)
                if is_gone
                else Values(value, value, value, value, value * minutes / 60, 1)
            )
        return
    last = known[np.arange(len(known)), minutes - 1 - np.argmax(~missing[:, ::-1], axis=1)]
    count = (~missing).sum(axis=1)
    low, high = np.nanmin(known, axis=1), np.nanmax(known, axis=1)
    columns = (mean, low.tolist(), high.tolist(), last.tolist(), count.tolist())
    for value, lowest, highest, latest, readings in zip(*columns, strict=True):
        yield (
            Values(value, lowest, highest, latest, nan, readings) if readings else Values(nan, nan, nan, nan, nan, 0)
        )


def _spread(point: Metered) -> Real:
    """What a register counted a minute, where each stretch that it missed has its even share."""
    course = point.course.copy()
    edges = np.flatnonzero(np.diff(np.concatenate(([0], point.missing.astype(np.int8), [0]))))
    for begin, end in edges.reshape(-1, 2).tolist():
        course[begin:end] = point.course[begin:end].mean()
    return course
