"""Anomaly scores of closed intervals: each point's in order of time, many points at once."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.operators import anomaly
from streams.operators.anomaly import BLOCK, Config, Outputs, State
from streams.operators.closed import Closed

Int = NDArray[np.int64]
Float = NDArray[np.float64]
MINUTE_MS = 60_000

SCORES = {
    "place": pl.Int64,
    "starts_ms": pl.Int64,
    "ends_ms": pl.Int64,
    "value": pl.Float64,
    "score": pl.Float64,
    "expected": pl.Float64,
    "lower": pl.Float64,
    "upper": pl.Float64,
    "cause": pl.Int8,
    "is_warming": pl.Boolean,
}
"""`value`, `expected`, `lower` and `upper` in the unit of `Closed.mean`; `score` is null while nothing is known
yet, and where an interval is no news.

`cause` is a code of `anomaly.CAUSES`, negative where the value is below what was expected.
"""


def score(
    state: State, rows: Closed, minute_of_week: Int, reading_ms: Int | None = None
) -> tuple[State, pl.DataFrame, Float]:
    """Score intervals; `minute_of_week` has the local minute at which each begins, holidays like Sundays.

    `reading_ms` is the time from one reading of each interval's point to the next. Intervals shorter than that repeat
    one another, and are no news: the first of those of a reading, counted from midnight, has a score for them all.

    Returns the new state, the rows of SCORES for all whose value is known, and the score of each interval that a rule
    may act on (NaN where there is none, and while the point is warming up: what is new in a point's first day is its
    first day). An interval that is mostly missing or estimated has none, and teaches nothing.
    """
    resolution = rows.ends_ms - rows.starts_ms
    beat = resolution if reading_ms is None else -(-np.maximum(reading_ms, resolution) // resolution) * resolution
    is_news = _is_news(minute_of_week, beat, resolution)
    known = np.isfinite(rows.mean) & ~rows.is_estimated
    value = np.where(known, rows.mean, np.nan)
    found = {name: np.full(len(rows), np.nan) for name in ("score", "expected", "lower", "upper")}
    cause, is_warming = np.zeros(len(rows), dtype=np.int8), is_news.copy()
    state = anomaly.copied(state)
    for each in np.unique(beat).tolist():
        mine = np.flatnonzero((beat == each) & is_news)
        for at, out in _stepwise(state, rows.place, value, minute_of_week, mine, _config(each)):
            for name, column in found.items():
                column[at] = getattr(out, name)
            cause[at], is_warming[at] = out.cause * out.direction, out.warming
    columns = {"place": rows.place, "starts_ms": rows.starts_ms, "ends_ms": rows.ends_ms, "value": value}
    frame = pl.DataFrame(columns | found | {"cause": cause, "is_warming": is_warming}, schema=SCORES)
    return state, frame.filter(pl.Series(known)).fill_nan(None), np.where(is_warming, np.nan, found["score"])


def _is_news(minute_of_week: Int, beat: Int, resolution: Int) -> NDArray[np.bool_]:
    """The first interval of each beat, told by its own time alone (law 4)."""
    first: NDArray[np.bool_] = minute_of_week * MINUTE_MS % beat < resolution
    return first


@lru_cache(maxsize=64)
def _config(beat_ms: int) -> Config:
    return Config(interval_minutes=beat_ms / MINUTE_MS)


def _stepwise(
    state: State, place: Int, value: Float, minute: Int, mine: Int, config: Config
) -> list[tuple[Int, Outputs]]:
    """Take the first interval of each point, then the second of those that have one, and so on; writes into `state`."""
    mine = mine[np.argsort(place[mine], kind="stable")]
    points, first, number = np.unique(place[mine], return_index=True, return_counts=True)
    most_first = np.argsort(-number, kind="stable")
    points, first, number = points[most_first], first[most_first], number[most_first]
    found = []
    for begin in range(0, len(points), BLOCK):
        some, since, left = (each[begin : begin + BLOCK] for each in (points, first, number))
        part = anomaly.take(state, some)
        for nth in range(int(left[0])):
            active = int(np.searchsorted(-left, -nth, side="left"))  # those with more than `nth`
            at = mine[since[:active] + nth]
            rows = anomaly.take(part, slice(0, active))
            found.append((at, anomaly.advance(config, rows, minute[at], value[at])))
        anomaly.put(state, some, part)
    return found
