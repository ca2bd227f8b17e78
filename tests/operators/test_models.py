"""Models at work: windows are what their points were like, told once, in order, and never from anything later."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.domain.findings import KilowatchError
from streams.operators.closed import Closed
from streams.operators.models import scoring, watch
from streams.operators.models.parameters import StateInput, digest, from_bytes, plain, to_bytes
from streams.operators.models.watch import ModelState, Watched
from streams.operators.models.windows import STALE_MS, Changes, Parts, means, shares, word_of
from streams.operators.points import PointTable
from tests.operators.modelled_site import MINUTE_MS, QUARTER_MS, START_MS, WORDS, modelled_site, plain_model

TABLE = PointTable.of(modelled_site())
MODEL = plain_model()
KWH, ROOM, EXECUTION = (point.name for point in TABLE.points)


def watched() -> Watched:
    made = Watched.of(TABLE, 3, MODEL)
    assert made is not None
    return made


def test_parameters_come_back_exactly_and_the_same_give_the_same_hash() -> None:
    again = from_bytes(to_bytes(MODEL))
    assert plain(again) == plain(MODEL)
    assert digest(to_bytes(again)) == digest(to_bytes(MODEL))
    assert again.intercept == MODEL.intercept
    assert np.array_equal(again.forest.threshold, MODEL.forest.threshold)
    assert np.isneginf(again.terms.knot[0])
    assert digest(to_bytes(plain_model(shift=1e-12))) != digest(to_bytes(MODEL))


def test_parameters_of_another_format_and_other_bytes_are_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KilowatchError, match="expected parameters as they were trained"):
        from_bytes(b"no model")
    monkeypatch.setattr("streams.operators.models.parameters.FORMAT", 2)
    newer = to_bytes(MODEL)
    monkeypatch.undo()
    with pytest.raises(KilowatchError, match="expected parameters of format 1; found 2; upgrade Kilowatch"):
        from_bytes(newer)


def test_a_forest_is_walked_as_each_tree_by_itself() -> None:
    chance = np.random.default_rng(5)
    rows = chance.uniform(-5, 30, (200, 4))
    forest, inner = MODEL.forest, MODEL.forest.feature.shape[1]
    for row, found in zip(rows.astype(np.float32), scoring.isolation(forest, rows), strict=True):
        total = 0.0
        for feature, threshold, length in zip(forest.feature, forest.threshold, forest.length, strict=True):
            node = 0
            while node < inner:
                node = 2 * node + (1 if row[feature[node]] <= threshold[node] else 2)
            total += length[node - inner]
        assert found == total


@given(st.lists(st.tuples(st.integers(0, 11), st.integers(-50, 50) | st.none()), unique_by=lambda each: each[0]))
def test_the_mean_of_a_window_is_that_of_its_known_intervals_where_they_are_half_of_it(
    rows: list[tuple[int, int | None]],
) -> None:
    rows = sorted(rows, key=lambda each: each[0])
    lasts, period = 5 * MINUTE_MS, 15 * MINUTE_MS
    starts = np.array([at * lasts for at, _ in rows], dtype=np.int64)
    values = np.array([np.nan if value is None else float(value) for _, value in rows])
    windows = np.array([0, period, 3 * period], dtype=np.int64)
    found = means(Parts(starts, np.full(len(rows), lasts), values), windows, period)
    for window, mean in zip(windows.tolist(), found.tolist(), strict=True):
        known = [value for at, value in rows if value is not None and window <= at * lasts < window + period]
        assert (mean == pytest.approx(sum(known) / len(known))) if 2 * len(known) >= 3 else np.isnan(mean)


@given(
    st.lists(st.tuples(st.integers(-30, 70), st.sampled_from(["A", "B", "C"])), unique_by=lambda each: each[0]),
    st.sampled_from([STALE_MS, 20]),
)
def test_shares_are_those_of_each_millisecond(changes: list[tuple[int, str]], stale: int) -> None:
    changes = sorted(changes)
    windows, period = np.array([0, 10, 40], dtype=np.int64), 10
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("streams.operators.models.windows.STALE_MS", stale)
        known = Changes(tuple(at for at, _ in changes), tuple(word for _, word in changes))
        share, is_other = shares(StateInput("x", ("A", "B")), known, windows, period)
    for nth, window in enumerate(windows.tolist()):
        held = []
        for at in range(window, window + period):
            before = [(since, word) for since, word in changes if since <= at]
            held.append(before[-1][1] if before and at < before[-1][0] + stale else None)
        heard = [word for word in held if word]
        assert is_other[nth] == ("C" in heard)
        if 2 * len(heard) < period:
            assert np.isnan(share[nth]).all()
        else:
            assert share[nth].tolist() == [held.count(word) / len(heard) for word in ("A", "B")]


def test_a_word_is_its_text_as_stores_keep_it_or_its_number() -> None:
    words = [word_of("RUN\x00", None), word_of(None, 1.0), word_of(None, None), word_of("1", 2.0)]
    assert words == ["RUN\ufffd", "1", "", "1"]


Event = tuple[str, int, float]
"""A point, the number of its next interval (or the minute of a word), and a value."""


@st.composite
def courses(draw: st.DrawFn) -> list[Event]:
    """What closes and is heard, each point in its own order, the points mixed; ticks in between."""
    chance = np.random.default_rng(draw(st.integers(0, 1_000)))
    quarters = draw(st.integers(3, 8))
    kwh: list[Event] = [(KWH, nth, float(chance.normal(14, 2))) for nth in range(quarters)]
    room: list[Event] = [(ROOM, nth, float(chance.normal(6, 2))) for nth in range(3 * quarters)]
    for each in (kwh, room):
        for at in draw(st.lists(st.integers(0, len(each) - 1), max_size=3, unique=True)):
            each[at] = (*each[at][:2], float("nan"))
    minutes = draw(st.lists(st.integers(0, 15 * quarters + 20), max_size=12))
    words: list[Event] = [(EXECUTION, minute, float(minute % 3)) for minute in minutes]
    ticks: list[Event] = [("", minute, 0.0) for minute in sorted(draw(st.lists(st.integers(0, 150), max_size=3)))]
    lanes = [kwh, room, words, ticks]
    order = draw(st.permutations([nth for nth, lane in enumerate(lanes) for _ in lane]))
    taken = [iter(lane) for lane in lanes]
    return [next(taken[nth]) for nth in order]


def closed(events: list[Event]) -> Closed:
    rows = [
        (TABLE.index[point], START_MS + nth * lasts, START_MS + (nth + 1) * lasts, value)
        for point, nth, value in events
        if point in (KWH, ROOM)
        for lasts in [QUARTER_MS if point == KWH else 5 * MINUTE_MS]
    ]
    place, starts, ends = (np.array([row[at] for row in rows], dtype=np.int64) for at in range(3))
    value = np.array([row[3] for row in rows])
    return Closed(place, starts, ends, *[value] * 5, np.ones_like(place), np.zeros(len(rows), dtype=np.bool_))


def take(state: ModelState, batch: list[Event]) -> tuple[ModelState, list[pl.DataFrame]]:
    """Take a batch as the pipeline does: words, then intervals, then what is complete; a tick stands alone."""
    by = watched()
    if batch[0][0] == "":
        state, first = watch.tell(by, state, watch.reach(by, state))
        state, rows = watch.tell(by, state, watch.reach_at(by, state, START_MS + batch[0][1] * MINUTE_MS))
        return state, [first, rows]
    words = [(minute, (*WORDS, "?")[int(code)]) for name, minute, code in batch if name == EXECUTION]
    times = [START_MS + minute * MINUTE_MS for minute, _ in words]
    state = watch.hear(by, state, EXECUTION, times, [word for _, word in words]) if words else state
    state = watch.close(by, state, closed(batch))
    state, rows = watch.tell(by, state, watch.reach(by, state))
    return state, [rows]


def cut(events: list[Event], at: list[int]) -> list[list[Event]]:
    """Events in batches; ticks stand alone."""
    ticks = [nth for nth, each in enumerate(events) if each[0] == ""]
    edges = sorted({0, len(events), *(each % (len(events) + 1) for each in at), *ticks, *(nth + 1 for nth in ticks)})
    return [events[begin:end] for begin, end in pairwise(edges) if end > begin]


def run(batches: list[list[Event]], *, kept_as_bytes: bool = False, ends: bool = True) -> pl.DataFrame:
    state, found = ModelState(), [watch.NOTHING]
    for batch in batches:
        if kept_as_bytes:
            state = ModelState.from_bytes(state.to_bytes())
        state, rows = take(state, batch)
        found += rows
    if ends:
        found.append(watch.tell(watched(), state, watch.reach_of_end(watched(), state))[1])
    return pl.concat(found)


@given(courses(), st.lists(st.integers(0, 200), max_size=8), st.booleans())
def test_cutting_and_keeping_as_bytes_change_no_score(events: list[Event], at: list[int], kept: bool) -> None:
    one_by_one = run([[each] for each in events])
    assert run(cut(events, at), kept_as_bytes=kept).equals(one_by_one)
    assert one_by_one["starts_ms"].is_sorted()
    assert one_by_one["starts_ms"].is_unique().all()


@given(courses(), st.integers(0, 200))
def test_what_a_prefix_tells_is_the_prefix_of_what_is_told(events: list[Event], at: int) -> None:
    whole = run([[each] for each in events])
    prefix = run([[each] for each in events[: at % (len(events) + 1)]], ends=False)
    assert prefix.equals(whole[: len(prefix)])


@given(courses())
def test_nothing_later_than_a_window_changes_its_score(events: list[Event]) -> None:
    """Whatever values the intervals and words from a window's end on have: the score stands."""
    without_ticks = [each for each in events if each[0]]
    whole = run([without_ticks]) if without_ticks else watch.NOTHING
    for row in whole.iter_rows(named=True):
        end = row["ends_ms"]

        def later(each: Event, end: int = end) -> Event:
            lasts = {KWH: QUARTER_MS, ROOM: 5 * MINUTE_MS, EXECUTION: MINUTE_MS}[each[0]]
            if START_MS + each[1] * lasts < end:
                return each
            return (each[0], each[1], 2.0 - each[2]) if each[0] == EXECUTION else (each[0], each[1], each[2] + 7)

        changed = run([[later(each) for each in without_ticks]])
        assert changed.filter(pl.col("starts_ms") == row["starts_ms"]).to_dicts() == [row]


def test_a_window_waits_for_all_points_and_a_tick_gives_up_what_has_not_come() -> None:
    by = watched()
    state, told = take(ModelState(), [(KWH, 0, 14.0), (EXECUTION, 0, 0.0)])
    assert sum(map(len, told)) == 0
    state, told = take(state, [(ROOM, nth, 6.0) for nth in range(3)])
    assert sum(map(len, told)) == 0  # the state may still change
    early, rows = watch.tell(by, state, watch.reach_at(by, state, START_MS + QUARTER_MS))
    assert len(rows) == 0
    assert early is state
    after = START_MS + QUARTER_MS + by.slack_ms
    _, rows = watch.tell(by, state, watch.reach_at(by, state, after))
    (row,) = rows.to_dicts()
    assert row["expected"] == pytest.approx(10 + 0.5 * 6 + 4)
    assert (row["version"], row["value"]) == (3, 14.0)
    assert row["score"] is not None
    no_room, _ = take(ModelState(), [(KWH, 0, 14.0), (EXECUTION, 0, 0.0)])
    (row,) = watch.tell(by, no_room, watch.reach_at(by, no_room, after))[1].to_dicts()
    assert (row["score"], row["expected"], row["cause"]) == (None, None, scoring.CAUSE_UNKNOWN)


def test_an_input_outside_what_was_trained_on_and_an_unknown_word_have_no_score() -> None:
    features = np.array([[6.0, 1.0, 0.0], [99.0, 1.0, 0.0], [6.0, 1.0, 0.0]])
    found = scoring.score(MODEL, 0.0, np.array([17.0, 17.0, 17.0]), features, np.array([False, False, True]))
    assert np.isfinite(found.score).tolist() == [True, False, False]
    assert np.abs(found.cause[1:]).tolist() == [scoring.CAUSE_OUTSIDE, scoring.CAUSE_OUTSIDE]


def test_what_draws_a_little_more_all_day_is_found_slowly_and_by_its_name() -> None:
    features = np.tile([6.0, 1.0, 0.0], (400, 1))
    value = np.full(400, 17.0)
    value[200:] += 0.48
    found = scoring.score(MODEL, 0.0, value, features, np.zeros(400, dtype=np.bool_))
    assert found.score[:200].max() < 0.3
    assert found.score[350:].min() > 0.5
    assert set(found.cause[350:].tolist()) == {scoring.CAUSE_SLOW}
    below = scoring.score(MODEL, 0.0, 34.0 - value, features, np.zeros(400, dtype=np.bool_))
    assert set(below.cause[350:].tolist()) == {-scoring.CAUSE_SLOW}


def test_words_repeated_each_second_are_not_all_remembered() -> None:
    by, state = watched(), ModelState()
    for begin in range(0, 3_000, 100):
        times = [START_MS + second * 1_000 for second in range(begin, begin + 100)]
        state = watch.hear(by, state, EXECUTION, times, ["ACTIVE"] * 100)
    kept = state.courses[EXECUTION].changes
    assert len(kept.words) < 1_300  # those of the last windows, in which another may still come
    assert kept.time_ms[0] == START_MS


def test_a_site_without_the_points_of_a_model_does_not_watch_by_it() -> None:
    assert Watched.of(TABLE, 1, replace(MODEL, target="depot/gone")) is None
    assert Watched.of(TABLE, 1, replace(MODEL, inputs=(EXECUTION,), states=())) is None


def test_whoever_scores_does_not_load_scikit_learn() -> None:
    code = (
        "import sys, streams.runners.embedded, streams.runners.live, streams.runners.audit, jobs.train;"
        "print([name for name in ('sklearn', 'scipy', 'joblib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
