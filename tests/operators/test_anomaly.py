"""Laws of the anomaly score: causal, the same however cut and with whomever, between 0 and 1, calm on constants."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from streams.operators import anomaly
from streams.operators.anomaly import ALARMING, State
from streams.operators.closed import Closed
from streams.operators.scoring import score

STEPS = 130
QUARTER_MS = 900_000
Values = NDArray[np.float64]
Scored = dict[tuple[int, int], tuple[object, ...]]


def series(seed: int, points: int, missing: float = 0.05) -> Values:
    """Daily courses of all sizes with noise, spikes and gaps: one row a step, one column a point."""
    rng = np.random.default_rng(seed)
    time = np.arange(STEPS)[:, None]
    noise = rng.normal(size=(STEPS, points)) * rng.choice([0, 0.1, 1])
    value = 10 + 3 * np.sin(time * 2 * np.pi / 96 + rng.uniform(size=points)) + noise
    value *= 10.0 ** rng.integers(-3, 6, points)
    value[rng.uniform(size=value.shape) < 0.02] *= 5
    value[rng.uniform(size=value.shape) < missing] = np.nan
    return value


def closed(value: Values, first: int = 0) -> Closed:
    """Quarter-hours of all points from a step on, in order of time."""
    steps, points = value.shape
    place = np.tile(np.arange(points), steps)
    starts = (first + np.repeat(np.arange(steps), points)) * QUARTER_MS
    flat = value.reshape(-1)
    known = np.isfinite(flat).astype(np.int64)
    return Closed(
        place, starts, starts + QUARTER_MS, flat, flat, flat, flat, flat, known, np.zeros(len(flat), np.bool_)
    )


def run(
    value: Values, cuts: list[int] | None = None, state: State | None = None, first: int = 0, quarters: int = 1
) -> tuple[State, Scored]:
    """All rows of scores by point and time, in pieces cut at some steps; a reading is of so many quarter-hours."""
    state = anomaly.fresh(value.shape[1]) if state is None else state
    edges = [0, *sorted({cut for cut in cuts or [] if 0 < cut < len(value)}), len(value)]
    found: Scored = {}
    for begin, end in pairwise(edges):
        rows = closed(value[begin:end], first + begin)
        reading_ms = np.full(len(rows), quarters * QUARTER_MS)
        state, frame, _ = score(state, rows, rows.starts_ms // 60_000 % 10_080, reading_ms)
        found |= {(row[0], row[1]): row for row in frame.iter_rows()}
    return state, found


def until(found: Scored, step: int) -> Scored:
    return {key: row for key, row in found.items() if key[1] < step * QUARTER_MS}


def scores_of(found: Scored, place: int = 0) -> list[float]:
    return [float(row[4] or 0.0) for key, row in sorted(found.items()) if key[0] == place]  # type: ignore[arg-type]


def same_state(one: State, other: State) -> bool:
    return all(a.tobytes() == b.tobytes() for a, b in zip(one, other, strict=True))


@settings(max_examples=6, deadline=None)
@given(
    seed=st.integers(0, 10**6), cut=st.integers(1, STEPS - 1), only=st.sampled_from([None, *range(anomaly.COMPONENTS)])
)
def test_noise_in_place_of_the_future_changes_no_score_of_the_past(seed: int, cut: int, only: int | None) -> None:
    """Of the whole and of each component alone."""
    value = series(seed, 3)
    other = value.copy()
    other[cut:] = np.random.default_rng(seed + 1).normal(size=other[cut:].shape) * 1e4
    with pytest.MonkeyPatch.context() as patch:
        if only is not None:
            patch.setattr(anomaly, "WEIGHT", np.eye(anomaly.COMPONENTS)[only])
        whole = until(run(value)[1], cut)
        assert whole == until(run(other)[1], cut)
        assert whole == run(value[:cut])[1]


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6), cuts=st.lists(st.integers(1, STEPS - 1), max_size=6))
def test_cuts_change_nothing_and_bytes_restore_the_state(seed: int, cuts: list[int]) -> None:
    value = series(seed, 3)
    state, whole = run(value)
    again, found = run(value, cuts)
    assert found == whole
    assert same_state(state, again)
    middle = cuts[0] if cuts else 1
    kept = anomaly.to_bytes(run(value[:middle])[0], np.arange(3))
    loaded = anomaly.from_bytes(3, dict(enumerate(kept)))
    end, rest = run(value[middle:], state=loaded, first=middle)
    assert same_state(end, state)
    assert {**until(whole, middle), **rest} == whole


@settings(max_examples=10, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    cuts=st.lists(st.integers(1, STEPS - 1), min_size=1, max_size=6),
    quarters=st.integers(2, 96),
)
def test_cuts_within_a_reading_of_several_intervals_change_nothing(seed: int, cuts: list[int], quarters: int) -> None:
    value = series(seed, 2)
    state, whole = run(value, quarters=quarters)
    again, found = run(value, cuts, quarters=quarters)
    assert found == whole
    assert same_state(state, again)


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10**6), points=st.integers(2, 300))
def test_a_point_does_not_see_those_it_is_scored_with(seed: int, points: int) -> None:
    value = series(seed, points)[:60]
    state, whole = run(value)
    alone_state, alone = run(value[:, :1])
    assert {key: row for key, row in whole.items() if key[0] == 0} == alone
    assert anomaly.to_bytes(state, np.array([0])) == anomaly.to_bytes(alone_state, np.array([0]))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(allow_nan=True, allow_infinity=True, width=64), min_size=60, max_size=120))
def test_scores_stay_between_0_and_1_whatever_comes(values: list[float]) -> None:
    for row in run(np.array(values)[:, None])[1].values():
        _, _, _, _, number, expected, lower, upper, *_ = row
        if number is not None:
            assert 0.0 <= number <= 1.0  # type: ignore[operator]
            assert lower <= expected <= upper  # type: ignore[operator]


def test_a_missing_interval_has_no_score_and_teaches_nothing() -> None:
    state, _ = run(series(3, 2, missing=0.0))
    after, found = run(np.full((1, 2), np.nan), state=state, first=STEPS)
    assert found == {}
    for name in ("ring", "profile", "spread", "weight", "tail"):
        assert getattr(state, name).tobytes() == getattr(after, name).tobytes()


def test_a_constant_series_never_alarms() -> None:
    _, found = run(np.tile([0.0, 5.0, -3e7, 1e-9], (1000, 1)))
    assert max(max(scores_of(found, place)) for place in range(4)) < 0.1


def test_a_spike_stands_out_with_its_direction_and_cause() -> None:
    value = 10 + np.random.default_rng(1).normal(size=(600, 1)) * 0.1
    value[500] = 15.0
    _, found = run(value)
    spike = found[0, 500 * QUARTER_MS]
    assert float(spike[4]) > ALARMING > max(scores_of(found)[100:500])  # type: ignore[arg-type]
    assert int(spike[8]) > 0  # type: ignore[call-overload]
    assert float(spike[7]) < 15.0  # type: ignore[arg-type]


def test_a_step_becomes_normal() -> None:
    noise = np.random.default_rng(2).normal(size=(96 * 12, 1)) * 0.2
    value = np.where(np.arange(96 * 12) < 96 * 6, 10.0, 20.0)[:, None] + noise
    found = scores_of(run(value)[1])
    assert found[96 * 6] > ALARMING
    assert sum(each > ALARMING for each in found[96 * 9 :]) <= 1


def test_no_rule_acts_on_the_scores_of_a_points_first_day() -> None:
    value = 10 + np.random.default_rng(1).normal(size=(200, 2)) * 0.1
    value[80, 0] = value[180, 1] = 15.0
    rows = closed(value)
    _, frame, acted_on = score(anomaly.fresh(2), rows, rows.starts_ms // 60_000 % 10_080)
    acted_on = acted_on.reshape(200, 2)
    assert np.isnan(acted_on[:95]).all()
    first, second = (frame.filter(place=place) for place in (0, 1))
    assert first["is_warming"].to_list() == [True] * 95 + [False] * 105
    assert min(first["score"][80], second["score"][180]) > ALARMING
    assert second["score"].to_list()[95:] == acted_on[95:, 1].tolist()


def test_the_logarithm_is_close_and_own() -> None:
    x = np.geomspace(1e-300, 1e300, 10001)
    assert np.abs(anomaly.log2(x) - np.log2(x)).max() < 1e-8


def test_what_is_spread_over_quarter_hours_has_the_scores_of_its_hours() -> None:
    hours = series(3, 2, missing=0)
    rows = closed(np.repeat(hours, 4, axis=0))
    minute = rows.starts_ms // 60_000 % 10_080
    state, frame, acted_on = score(anomaly.fresh(2), rows, minute, np.full(len(rows), 4 * QUARTER_MS))
    whole = closed(hours)
    whole = replace(whole, starts_ms=whole.starts_ms * 4, ends_ms=whole.starts_ms * 4 + 4 * QUARTER_MS)
    by_hour, expected, _ = score(anomaly.fresh(2), whole, whole.starts_ms // 60_000 % 10_080)
    assert frame["value"].equals(pl.Series("value", rows.mean))
    is_first = pl.col("starts_ms") % (4 * QUARTER_MS) == 0
    assert frame.filter(is_first).drop("ends_ms").equals(expected.drop("ends_ms"))
    rest = frame.filter(~is_first)
    assert rest["score"].null_count() == len(rest)
    assert not rest["is_warming"].any()
    assert same_state(state, by_hour)
    assert np.isnan(acted_on[rows.starts_ms % (4 * QUARTER_MS) != 0]).all()
