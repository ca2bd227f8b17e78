"""The bench of the anomaly score: what it counts, what it reads, and rules that cannot see the future."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from jobs.bench_anomaly import __main__ as bench
from jobs.bench_anomaly import rules
from jobs.bench_anomaly.judging import LEAD, RATES, WARM, by_chance, counted, recall
from jobs.bench_anomaly.labelled import MINUTE_MS, Labelled, LabelledError, coarser, gridded, series_in
from jobs.bench_anomaly.made_up import SHAPES, made_up
from jobs.bench_anomaly.operations import AFTER, BEFORE, works
from jobs.bench_anomaly.rules import RULES, SCORE, ewma_with_tail, isolation_forest, product
from jobs.bench_anomaly.shared import SHARED, inverters, refrigerator
from streams.operators import anomaly

Real = NDArray[np.float64]
DAY = 1440
HEAD = "time,value,label\n"


def series_of(length: int, *events: tuple[int, int]) -> Labelled:
    every = tuple((begin, end, "") for begin, end in events)
    return Labelled("x", MINUTE_MS, np.zeros(length), np.zeros(length, dtype=np.int64), every)


def naive_false(one: Labelled, score: Real, threshold: float) -> int:
    """Alarms that come outside all events, but for those of the last LEAD before one that are still there then."""
    on, label, count = score >= threshold, one.label, 0
    for at in range(len(on)):
        if not on[at] or label[at] or (at and on[at - 1]):
            continue
        ahead = [begin for begin, _, _ in one.events if 0 < begin - at <= LEAD]
        count += not any(on[at : begin + 1].all() for begin in ahead)
    return count


@given(
    st.lists(st.floats(0, 1).map(lambda each: round(each, 1)), min_size=60, max_size=120),
    st.sets(st.integers(4, 55), max_size=3),
)
def test_false_alarms_under_every_threshold_are_those_that_one_would_count(values: list[float], at: set[int]) -> None:
    begins = [begin for begin in sorted(at) if not {begin - 1, begin - 2, begin - 3} & at]
    one = series_of(len(values), *((begin, begin + 3) for begin in begins))
    score = np.array(values)
    score[: int(WARM * len(score))] = 0.0
    counts = counted([one], [score.copy()])
    score[: int(WARM * len(score))] = -np.inf
    assert counts.false[0].tolist() == [naive_false(one, score, each) for each in counts.thresholds]


def test_recall_is_that_of_the_lowest_threshold_that_keeps_the_rate() -> None:
    length = 10 * DAY
    score = np.zeros(length)
    score[[2000, 5000, 9000]] = 0.9, 0.6, 0.3
    score[[3000, 6000, 7000, 8000]] = 0.7, 0.5, 0.4, 0.2
    one = series_of(length, (1999, 2002), (4999, 5002), (8999, 9002), (12_000, 12_002))
    found = recall(counted([one], [score]))
    # 0.2 a day are 1.9 false alarms in the nine and a half days that count, 0.5 are 4
    assert found.share.tolist() == [0.5, 0.75, 0.75, 0.75]  # of the last there is no score
    assert [each.tolist() for _, each in found.by_kind.values()] == [found.share.tolist()]
    nothing = recall(counted([series_of(length, (1999, 2002))], [np.full(length, np.nan)]))
    assert nothing.share.tolist() == [0.0] * len(RATES)


def test_alarms_at_random_times_find_long_events() -> None:
    day_long = by_chance([series_of(10 * DAY, (2 * DAY, 3 * DAY))])
    assert day_long.tolist() == pytest.approx((1 - np.exp(-np.array(RATES))).tolist())
    assert by_chance([series_of(10 * DAY, (2 * DAY, 2 * DAY + 1))]).max() < 0.01


@pytest.mark.parametrize("rule", RULES)
def test_no_rule_sees_the_future_or_the_series_beside_it(rule: str) -> None:
    luck = np.random.default_rng(3)
    value = 10 + luck.normal(size=(3 * DAY, 3))
    value[2 * DAY + 7, 0] += 12
    minute = np.tile(np.arange(3 * DAY)[:, None], 3)
    whole = RULES[rule](value, minute, MINUTE_MS)
    other = value.copy()
    other[2 * DAY + 200 :, 0] = 1e6
    other[:, 1] = -5.0
    again = RULES[rule](other, minute, MINUTE_MS)
    assert np.array_equal(whole[: 2 * DAY + 200, 0], again[: 2 * DAY + 200, 0], equal_nan=True)
    assert np.array_equal(whole[:, 2], again[:, 2], equal_nan=True)
    assert int(np.nanargmax(whole[: 2 * DAY + 200, 0])) == 2 * DAY + 7


def test_the_score_is_the_operators_own() -> None:
    value = 10 + np.random.default_rng(4).normal(size=(DAY + 300, 2))
    minute = np.tile(np.arange(len(value))[:, None], 2)
    found = product(value, minute, MINUTE_MS)
    state, config = anomaly.fresh(2), anomaly.Config()
    each = np.array([anomaly.advance(config, state, minute[at], value[at]).score for at in range(len(value))])
    assert np.isnan(found[: DAY - 1]).all()
    assert np.array_equal(found[DAY - 1 :], each[DAY - 1 :])


def test_the_tail_of_the_rule_beside_it_is_that_of_the_score() -> None:
    luck = np.random.default_rng(5)
    value = 10 + luck.standard_t(3, size=(900, 1))
    distance = rules._distances(value, rules.EXTREME_SHARE)[:, 0]
    tail, total = np.zeros((1, anomaly.COMPONENTS, anomaly.BINS), np.float32), np.zeros((1, anomaly.COMPONENTS))
    state = anomaly.fresh(1)
    expected = np.full(len(value), np.nan)
    for at in np.flatnonzero(np.isfinite(distance)).tolist():
        far = np.full((1, anomaly.COMPONENTS), distance[at])
        surprise, bin_ = anomaly.conformal(state.tail, total, far)
        expected[at] = surprise[0, 0]
        anomaly.learn_tail(state, np.ones_like(far, dtype=np.bool_), total, bin_)
        total = total * anomaly.KEEP + 1
    found = ewma_with_tail(value, np.zeros(value.shape, dtype=np.int64), MINUTE_MS)[:, 0]
    assert np.array_equal(np.isnan(found), np.isnan(expected))
    assert np.nanmax(np.abs(found - expected)) < 1e-3
    assert tail.sum() == 0


def test_a_made_up_series_comes_from_its_seed_and_its_events_are_where_it_says() -> None:
    one, again, other = made_up(7, large=True), made_up(7, large=True), made_up(8, large=True)
    assert np.array_equal(one.value, again.value, equal_nan=True)
    assert one.events == again.events != other.events
    assert len(one.value) % DAY == 0
    assert all(begin >= DAY and end <= len(one.value) and kind in SHAPES for begin, end, kind in one.events)
    assert {kind for seed in range(12) for _, _, kind in made_up(seed, large=False).events} == set(SHAPES)
    shifts = [(one, each) for seed in range(12) for one in [made_up(seed, large=True)] for each in one.events]
    moved = [
        abs(np.nanmean(one.value[begin:end]) - np.nanmean(one.value[begin - 60 : begin]))
        / (np.nanstd(one.value[begin - 60 : begin]) + 1e-9)
        for one, (begin, end, kind) in shifts
        if kind in ("spike", "shift")
    ]
    assert float(np.median(moved)) > 3


@pytest.fixture(scope="module")
def site() -> list[Labelled]:
    """Series of a site at work that is not the reported one."""
    return works(21)


def test_faults_of_a_site_are_events_of_the_points_that_they_move(site: list[Labelled]) -> None:
    kinds = {kind for one in site for _, _, kind in one.events}
    assert len(kinds) >= 15
    for one in site:
        fault, point = one.name.split()[1:]
        begin, end, kind = next(each for each in one.events if each[2] == fault and each[1] > BEFORE - 1)
        assert kind == fault
        assert 0 <= begin < end <= len(one.value) <= BEFORE + AFTER
        assert np.isnan(one.value).mean() < 0.2, point
    waits = {one.name.split()[2] for one in site if "waiting_hot" in one.name}
    assert "press/kw" in waits
    assert "furnace/temp" not in waits
    assert not any(one.name.split()[2] in ("main", "reactive") and "idle_at_power" in one.name for one in site)


def test_coarser_series_keep_means_and_events() -> None:
    one = Labelled("x", MINUTE_MS, np.arange(60.0), np.arange(60), ((14, 16, "a"), (31, 32, "b")))
    one.value[45:53] = np.nan
    quarter = coarser(one, 15)
    assert quarter.interval_ms == 15 * MINUTE_MS
    assert quarter.value[:3].tolist() == [7, 22, 37]
    assert np.isnan(quarter.value[3])
    assert quarter.minute.tolist() == [0, 15, 30, 45]
    assert quarter.events == ((0, 2, "a"), (2, 3, "b"))


def test_rows_in_any_order_become_a_grid_with_gaps() -> None:
    time_ms = np.array([2, 0, 1, 5]) * MINUTE_MS
    one = gridded("x", time_ms, np.array([2.0, 0.0, 1.0, 5.0]), np.array([True, False, False, True]), "fault")
    assert one.interval_ms == MINUTE_MS
    assert np.array_equal(one.value, [0, 1, 2, np.nan, np.nan, 5], equal_nan=True)
    assert one.minute[0] == 3 * DAY  # the epoch began on a Thursday
    assert one.events == ((2, 3, "fault"), (5, 6, "fault"))


def written(folder: Path, days: int = 3) -> Path:
    """A folder with one series of minutes that has a labelled spike."""
    luck = np.random.default_rng(1)
    rows = []
    for at in range(days * DAY):
        inside = 2 * DAY + 30 <= at < 2 * DAY + 33
        time = np.datetime64("2026-01-05T00:00") + np.timedelta64(at, "m")
        rows.append(f"{time},{10 + luck.normal() + 15 * inside:.3f},{int(inside)}")
    (folder / "some").mkdir(parents=True)
    (folder / "some" / "meter.csv").write_text(HEAD + "\n".join(rows) + "\n")
    return folder


def test_a_folder_of_files_is_read(tmp_path: Path) -> None:
    (one,) = series_in(written(tmp_path))
    assert (one.name, one.interval_ms, len(one.value)) == ("some/meter.csv", MINUTE_MS, 3 * DAY)
    assert one.events == ((2 * DAY + 30, 2 * DAY + 33, ""),)
    assert one.minute[0] == 0  # a Monday


def test_data_of_the_numenta_benchmark_has_its_labels_apart(tmp_path: Path) -> None:
    (tmp_path / "data" / "real").mkdir(parents=True)
    (tmp_path / "labels").mkdir()
    rows = [f"2014-04-01 00:{minute:02}:00,{minute}" for minute in range(0, 50, 5)]
    (tmp_path / "data" / "real" / "a.csv").write_text("timestamp,value\n" + "\n".join(rows) + "\n")
    windows = {"real/a.csv": [["2014-04-01 00:10:00.000000", "2014-04-01 00:20:00.000000"]]}
    (tmp_path / "labels" / "combined_windows.json").write_text(json.dumps(windows))
    for folder in (tmp_path, tmp_path / "data" / "real"):
        (one,) = series_in(folder)
        assert one.interval_ms == 5 * MINUTE_MS
        assert one.events == ((2, 5, ""),)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, r"expected files \*.csv with the columns time, value, label; found none"),
        (HEAD + "2026-01-05T00:00,1,0\n", "expected two rows or more; found 1"),
        ("time,value\n2026-01-05T00:00,1\n2026-01-05T00:01,1\n", "expected a column label or .*; found time, value"),
        (HEAD + "yesterday,1,0\n", "expected a time such as 2026-01-05T08:00:00; found 'yesterday'"),
        (HEAD + "2026-01-05T00:00,much,0\n", "expected a number; found 'much'"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, text: str | None, told: str) -> None:
    if text is not None:
        (tmp_path / "a.csv").write_text(text)
    with pytest.raises(LabelledError, match=told):
        series_in(tmp_path)


def test_sets_beside_the_project_are_read() -> None:
    if not SHARED.is_dir():
        pytest.skip(f"no labelled sets: {SHARED} is not there")
    fridge = refrigerator(SHARED / "fridge_faults")
    assert len(fridge) == 30
    assert all(one.events and one.events[0][0] >= 3 * DAY for one in fridge)
    stale, outliers = inverters(SHARED / "pv_inverters")
    assert int(stale.label.sum()) == 245
    assert len(outliers.events) == 6


def test_a_set_that_is_not_there_is_left_out_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert list(bench.beside(tmp_path)) == []
    assert "refrigerator: left out, there is no folder" in capsys.readouterr().out


def test_the_bench_judges_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["bench", "--series", str(written(tmp_path / "mine"))])
    monkeypatch.setattr(bench, "microseconds", lambda: 12.3)
    bench.main()
    said = capsys.readouterr().out
    assert "\n  IsolationForest " in said
    assert "mine, 1 min: 1 series, 3 days, 1 events" in said
    (line,) = (line for line in said.splitlines() if line.split()[:1] == [SCORE] and "[" in line)
    assert line.split()[1:] == ["1.000", "[1.00-1.00]"] * 4
    assert "12.3 µs a point and interval" in said


def test_the_bench_says_in_one_line_what_it_cannot_judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["bench", "--series", str(tmp_path)])
    with pytest.raises(SystemExit, match=r"bench: .*found none"):
        bench.main()


def test_a_forest_scores_a_spike() -> None:
    course = 10 + np.random.default_rng(2).normal(size=2 * DAY)
    value = np.stack([course, course], axis=1)
    value[-100:-95] = 1e6
    found = isolation_forest(value)
    assert found.shape == value.shape
    assert np.array_equal(found[:, 0], found[:, 1], equal_nan=True)
    assert np.nanmax(found[-100:-88, 0]) > np.nanquantile(found[:-100, 0], 0.999)
