"""What one would use without the product: plain rules, each online, and the product's own score.

All take series side by side: `value` and `minute` have a row an interval and a column a series, NaN where a series has
none, and give a score of the same shape, NaN where there is none; a threshold makes an alarm of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from jobs.bench_anomaly.isolation import scored
from jobs.bench_anomaly.labelled import MINUTE_MS, Labelled
from jobs.simulation.clock import Int, Real, Truth
from streams.operators import anomaly
from streams.operators.anomaly import EDGES, KEEP, PRIOR, prior_survival
from streams.operators.closed import Closed
from streams.operators.scoring import score

SCORE, TAILED, ISOLATION = "score", "EWMA, same tail", "IsolationForest"
FIRST_SHARE = 20
"""A rule that must see a while first sees this part of a series, one in so many, at least HOUR and at most a day."""
HOUR = 60
RENEWED = 120
"""Intervals after which the fixed limits are taken anew."""
LOW, MIDDLE, HIGH = 0.005, 0.5, 0.995
RATE, SCALE_RATE, CUT, YOUNG = 1 / 20, 1 / 300, 4.0, 20
FLOOR = 1e-3
"""No scale is below this share of the mean magnitude."""
EXTREME_SHARE = 0.1
HALF_HOURS = 48
SATURDAY = 7200
CHUNK = 1440
"""Intervals that the operator is given at once."""
Rule = Callable[[Real, Int, int], Real]


def side_by_side(series: Sequence[Labelled]) -> tuple[Real, Int]:
    """Values and minutes of the week of series, shorter ones filled with NaN."""
    length = max(len(one.value) for one in series)
    value, minute = np.full((length, len(series)), np.nan), np.zeros((length, len(series)), dtype=np.int64)
    for nth, one in enumerate(series):
        value[: len(one.value), nth] = one.value
        minute[: len(one.minute), nth] = one.minute
    return value, minute


def product(value: Real, minute: Int, interval_ms: int) -> Real:
    """The score as the pipeline gives it: `scoring.score` over intervals as they close."""
    length, number = value.shape
    found = np.full(value.shape, np.nan)
    state = anomaly.fresh(number)
    for begin in range(0, length, CHUNK):
        part = value[begin : begin + CHUNK]
        rows = closed(part, begin * interval_ms, interval_ms)
        state, _, scores = score(state, rows, minute[begin : begin + CHUNK].T.ravel())
        found[begin : begin + CHUNK] = scores.reshape(number, -1).T
    return found


def closed(value: Real, starts_ms: int, interval_ms: int) -> Closed:
    """Intervals of points, a column each; the points in order, and each point's in order of time."""
    length, number = value.shape
    mean = value.T.ravel()
    place = np.repeat(np.arange(number), length)
    starts = np.tile(starts_ms + interval_ms * np.arange(length), number)
    known = np.isfinite(mean)
    return Closed(
        place,
        starts,
        starts + interval_ms,
        mean,
        mean,
        mean,
        mean,
        mean,
        known.astype(np.int64),
        np.zeros(len(mean), dtype=np.bool_),
    )


def fixed_limit(value: Real, minute: Int, interval_ms: int) -> Real:  # noqa: ARG001
    """How far beyond the range of earlier values, from one in 200 to 199 in 200, in widths of that range."""
    found = np.full(value.shape, np.nan)
    for nth in range(value.shape[1]):
        course = value[:, nth]
        for at in range(first_of(course), len(course), RENEWED):
            old = course[:at]
            old = old[np.isfinite(old)]
            if len(old):
                low, middle, high = np.quantile(old, (LOW, MIDDLE, HIGH))
                width = max(high - low, FLOOR * abs(middle), 1e-9)
                some = course[at : at + RENEWED]
                found[at : at + RENEWED, nth] = np.maximum(some - high, low - some) / width
    return found


def first_of(course: Real) -> int:
    """Intervals that a rule sees of a series before it says anything."""
    known = np.flatnonzero(np.isfinite(course))
    length = int(known[-1]) + 1 if len(known) else len(course)
    return min(max(length // FIRST_SHARE, HOUR), 1440)


def ewma(value: Real, minute: Int, interval_ms: int) -> Real:  # noqa: ARG001
    """Distance from an exponentially weighted mean over 20 intervals in mean distances over 300, far ones cut."""
    return _distances(value, 0.0)


def _distances(value: Real, extreme_share: float) -> Real:
    found = np.full(value.shape, np.nan)
    count, mean, scale, magnitude, extreme = (np.zeros(value.shape[1]) for _ in range(5))
    for at, row in enumerate(value):
        known = np.isfinite(row)
        now = np.where(known, row, mean)
        count = count + known
        once = 1 / np.maximum(count, 1)
        magnitude += np.where(known, (np.abs(now) - magnitude) * np.maximum(FLOOR / 2, once), 0.0)
        far = now - mean
        later = known & (count > 1)
        extreme += np.where(later, (np.abs(far) - extreme) * np.maximum(FLOOR / 3, once), 0.0)
        used = np.maximum(np.maximum(scale, FLOOR * magnitude + 1e-9), extreme_share * extreme)
        found[at] = np.where(known & (count > YOUNG), np.abs(far) / used, np.nan)
        limit = np.where(count >= YOUNG, CUT * used, np.inf)
        mean += np.where(known, np.maximum(RATE, once) * np.clip(far, -limit, limit), 0.0)
        rate = np.maximum(SCALE_RATE, 1 / np.maximum(count - 1, 1))
        scale += np.where(later, rate * (np.minimum(np.abs(far), limit) - scale), 0.0)
    return found


def ewma_with_tail(value: Real, minute: Int, interval_ms: int) -> Real:  # noqa: ARG001
    """The same distance as a tail probability, by the very calibration of the product's score: -log10 p."""
    found = np.full(value.shape, np.nan)
    tail, total = np.zeros((value.shape[1], len(EDGES))), np.zeros(value.shape[1])
    for at, distance in enumerate(_distances(value, EXTREME_SHARE)):
        known = np.isfinite(distance)
        far = np.where(known, distance, 0.0)
        reach = far[:, None] >= EDGES[None, :]
        earlier = _beyond(far, tail, total, reach.sum(axis=1))
        p = (earlier + PRIOR * prior_survival(far)) / (total + PRIOR)
        found[at] = np.where(known, -np.log10(np.clip(p, 1e-300, 1.0)), np.nan)
        keep = np.where(known, KEEP, 1.0)
        tail = tail * keep[:, None] + (reach & known[:, None])
        total = total * keep + known
    return found


def _beyond(far: Real, tail: Real, total: Real, reached: Int) -> Real:
    """Earlier distances as large as each, between two edges by straight line over their logarithm."""
    rows = np.arange(len(far))
    at, after = np.maximum(reached - 1, 0), np.minimum(reached, len(EDGES) - 1)
    here = tail[rows, at]
    above = np.where(reached < len(EDGES), tail[rows, after], 0.0)
    wide = EDGES[after] / EDGES[at]
    share = np.where(wide > 1, np.log(np.maximum(far, 1e-9) / EDGES[at]) / np.log(np.maximum(wide, 1.0001)), 1.0)
    result: Real = np.where(reached == 0, total, here + (above - here) * np.clip(share, 0.0, 1.0))
    return result


def week_band(value: Real, minute: Int, interval_ms: int) -> Real:
    """Distance from the mean of earlier values at the same time of a working day or of a weekend's day.

    The means are those of half-hours, with a straight line between them; the distance is counted in mean distances,
    half those of that time, half those of the whole series.
    """
    found = np.full(value.shape, np.nan)
    visit = max(1.0, 30 * MINUTE_MS / interval_ms)
    profile = Profile.of(value.shape[1])
    magnitude, seen, overall, ready = (np.zeros(value.shape[1]) for _ in range(4))
    for row, minutes, out in zip(value, minute, found, strict=True):
        known = np.isfinite(row)
        now = np.where(known, row, 0.0)
        seen += known
        magnitude += np.where(known, (np.abs(now) - magnitude) * np.maximum(FLOOR / 2, 1 / np.maximum(seen, 1)), 0.0)
        count, usual, wide = profile.at(minutes)
        judged = known & (count >= 0.9 * visit)
        used = np.maximum((wide + overall) / 2, FLOOR * magnitude + 1e-9)
        out[:] = np.where(judged & (ready >= YOUNG), np.abs(now - usual) / used, np.nan)
        limit = np.where(judged & (ready >= YOUNG), CUT * used, np.inf)
        cut = np.clip(now - usual, -limit, limit)
        ready += judged
        rate = np.maximum(1 / 1440, 1 / np.maximum(ready, 1))
        overall += np.where(judged, rate * (np.abs(cut) - overall), 0.0)
        profile.learn(np.where(judged, cut, now - usual), known, judged, 5 * visit)
    return found


@dataclass
class Profile:
    """Count, mean and mean distance of each half-hour of two kinds of day, a row a series."""

    count: Real
    mean: Real
    distance: Real
    place: tuple[Int, Int, Real]

    @classmethod
    def of(cls, number: int) -> Profile:
        """Nothing known yet."""
        nothing = np.zeros(number, dtype=np.int64)
        count, mean, distance = (np.zeros((number, 2 * HALF_HOURS)) for _ in range(3))
        return cls(count, mean, distance, (nothing, nothing, np.zeros(number)))

    def at(self, minute: Int) -> tuple[Real, Real, Real]:
        """Count, mean and distance between the two half-hours that are next to each minute of the week."""
        day = HALF_HOURS * (minute >= SATURDAY)
        before, share = minute % 1440 // 30, minute % 30 / 30
        self.place = (before + day, (before + 1) % HALF_HOURS + day, share)
        rows = np.arange(len(minute))
        left, right, share = self.place
        count, mean, distance = (
            each[rows, left] * (1 - share) + each[rows, right] * share
            for each in (self.count, self.mean, self.distance)
        )
        return count, mean, distance

    def learn(self, far: Real, known: Truth, judged: Truth, memory: float) -> None:
        """Move the two half-hours last asked for by how far the value was from them."""
        rows = np.arange(len(far))
        left, right, share = self.place
        for place, part in ((left, 1 - share), (right, share)):
            weight = np.where(known, part, 0.0)
            count = self.count[rows, place]
            rate = weight * np.maximum(1 / np.maximum(count + weight, 1e-9), 1 / max(memory, 8.0))
            self.mean[rows, place] += np.minimum(rate, 1.0) * far
            self.distance[rows, place] += np.where(judged, rate * (np.abs(far) - self.distance[rows, place]), 0.0)
            self.count[rows, place] += weight


def isolation_forest(value: Real) -> Real:
    """A forest over raw windows, which learns the first part of each series (`jobs.bench_anomaly.isolation`)."""
    return np.stack([scored(course, first_of(course)) for course in value.T], axis=1)


RULES: dict[str, Rule] = {
    SCORE: product,
    "EWMA": ewma,
    TAILED: ewma_with_tail,
    "time-of-week band": week_band,
    "fixed limit": fixed_limit,
}
