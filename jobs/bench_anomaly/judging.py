"""Event recall at a fixed number of false alarms a series and day, one threshold for all series.

An alarm is a score that comes to or above the threshold from below it. It is false where it comes outside all events;
within the last LEAD intervals before one it is not, if it is still there when the event begins. An event is found where
the score is at or above the threshold within it. The first WARM of each series is not looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jobs.bench_anomaly.labelled import Labelled
from jobs.simulation.clock import Int, Real

RATES = (0.2, 0.5, 1.0, 2.0)
"""False alarms a series and day."""
DAY_MS = 86_400_000
LEAD = 5
WARM = 0.05
DRAWS = 300
GRID, MOST = 200, 0.25
RANGE = (0.05, 0.95)


@dataclass(frozen=True)
class Counts:
    """False alarms by series and threshold; days by series; highest score within each event, its series and kind.

    Thresholds fall.
    """

    thresholds: Real
    false: Real
    days: Real
    peak: Real
    series: Int
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class Recall:
    """At each of RATES: the share of events found, its range over series, and the share by kind of event."""

    share: Real
    low: Real
    high: Real
    by_kind: dict[str, tuple[int, Real]]


def counted(series: Sequence[Labelled], scores: Sequence[Real]) -> Counts:
    """Count alarms and events of series under every threshold; a score is NaN where there is none."""
    plain = [np.nan_to_num(score, nan=-np.inf) for score in scores]
    thresholds = _thresholds(plain)
    false = np.zeros((len(series), len(thresholds)))
    days, peaks, place, kinds = np.zeros(len(series)), [], [], []
    for nth, (one, score) in enumerate(zip(series, plain, strict=True)):
        warm = first_of(one)
        score[:warm] = -np.inf
        days[nth] = (len(score) - warm) * one.interval_ms / DAY_MS
        false[nth] = _false(one, score, thresholds)
        for begin, end, kind in one.events:
            if begin >= warm:
                peaks.append(float(score[begin:end].max()))
                place.append(nth)
                kinds.append(kind)
    return Counts(thresholds, false, days, np.array(peaks), np.array(place, dtype=np.int64), tuple(kinds))


def first_of(one: Labelled) -> int:
    """Where what is looked at of a series begins."""
    return int(WARM * len(one.value))


def by_chance(series: Sequence[Labelled]) -> Real:
    """Recall at RATES of alarms at random times: what long events give to any rule."""
    days = [
        (end - begin) * one.interval_ms / DAY_MS
        for one in series
        for begin, end, _ in one.events
        if begin >= first_of(one)
    ]
    result: Real = (1 - np.exp(-np.outer(days, RATES))).mean(axis=0) if days else np.zeros(len(RATES))
    return result


def _thresholds(scores: Sequence[Real]) -> Real:
    """Falling, denser towards the highest scores; none that more than a share MOST of all scores reach."""
    pool = np.sort(np.concatenate([score[np.isfinite(score)] for score in scores]))
    if not len(pool):
        return np.array([np.inf])
    shares = np.concatenate((np.geomspace(1e-6, MOST, GRID), [0.0]))
    grid = np.unique(np.quantile(pool, 1 - shares))[::-1]
    reached = len(pool) - np.searchsorted(pool, grid, side="left")
    result: Real = np.concatenate(([np.inf], grid[reached <= MOST * len(pool) + 1]))
    return result


def _false(one: Labelled, score: Real, thresholds: Real) -> Real:
    """How many false alarms there are under each threshold."""
    before = np.concatenate(([-np.inf], score[:-1]))
    label = one.label
    low, high = before.copy(), score
    for begin, _, _ in one.events:
        held = np.inf
        for at in range(begin, max(0, begin - LEAD) - 1, -1):  # still there when it begins: the lowest since then
            held = min(held, float(score[at]))
            if not label[at]:
                low[at] = max(low[at], held)
    counts = ~label & (high > low)
    rise, base = np.sort(high[counts]), np.sort(low[counts])
    reached = len(rise) - np.searchsorted(rise, thresholds, side="left")
    passed = len(base) - np.searchsorted(base, thresholds, side="left")
    result: Real = (reached - passed).astype(np.float64)
    return result


def recall(counts: Counts, seed: int = 0) -> Recall:
    """Recall at RATES, with a bootstrap over series."""
    luck, number = np.random.default_rng(seed), len(counts.days)
    found = counts.peak[:, None] >= counts.thresholds[None, :]
    hits, events = np.zeros((number, len(counts.thresholds))), np.zeros(number)
    np.add.at(hits, counts.series, found)
    np.add.at(events, counts.series, 1.0)
    every = np.arange(number)
    draws = np.array([_shares(counts, hits, events, luck.integers(0, number, number)) for _ in range(DRAWS)])
    low, high = np.quantile(draws, RANGE, axis=0)
    at = _chosen(counts, every)
    kinds = {kind: np.array([each == kind for each in counts.kinds]) for kind in dict.fromkeys(counts.kinds)}
    by_kind = {kind: (int(of.sum()), _at(found[of].mean(axis=0), at)) for kind, of in kinds.items()}
    return Recall(_shares(counts, hits, events, every), low, high, by_kind)


def _chosen(counts: Counts, rows: Int) -> Int:
    """Place of the lowest threshold that stays within each of RATES; -1 where none does."""
    worst = np.maximum.accumulate(counts.false[rows].sum(axis=0) / counts.days[rows].sum())
    result: Int = np.searchsorted(worst, np.array(RATES), side="right") - 1
    return result


def _shares(counts: Counts, hits: Real, events: Real, rows: Int) -> Real:
    return _at(hits[rows].sum(axis=0) / max(1.0, float(events[rows].sum())), _chosen(counts, rows))


def _at(shares: Real, place: Int) -> Real:
    result: Real = np.where(place >= 0, shares[np.maximum(place, 0)], 0.0)
    return result
