"""A made-up site at work: repeatable, faulty only where the answer key says so, and seen by the detectors."""

from __future__ import annotations

import json
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from jobs import detecting
from jobs.detecting import REPORTED_SEEDS, TUNED_SEEDS, Alarm, alarms, measured, quiet
from jobs.simulation.holidays import is_free
from jobs.simulation.operations.files import write
from jobs.simulation.operations.intervals import rows, values_of
from jobs.simulation.operations.planning import KINDS, Fault
from jobs.simulation.operations.site import LEARNING_DAYS, WATCHES, Measure, Metered, operate
from streams.catalog.site import load_site
from streams.ingest.files import read_blocks
from streams.operators.detectors.registry import DETECTORS

SPRING = date(2026, 3, 1)
QUICK = ("setup_overrun", "spindle_without_parts", "idle_at_power", "fuel_without_moves", "tank_drop_engine_off")


def test_there_are_faults_for_every_detector_and_a_rule_for_each_fault() -> None:
    assert set(KINDS) == set(DETECTORS) == {watch.rule.kind for watch in WATCHES}


def test_every_rule_names_the_roles_and_numbers_that_its_detector_knows() -> None:
    for watch in WATCHES:
        detector, rule = DETECTORS[watch.rule.kind], watch.rule
        assert set(detector.roles) <= set(rule.roles) <= {*detector.roles, *detector.optional}
        assert len(rule.points) == (0 if detector.roles else 1)
        needed = {name for name, default in detector.numbers.items() if default is None}
        assert needed <= set(rule.numbers) <= set(detector.numbers)


def test_the_same_seed_makes_the_same_site_and_another_one_another() -> None:
    first, again, other = (operate(SPRING, 76, seed, QUICK, 1) for seed in (7, 7, 8))
    assert first.faults == again.faults
    assert first.faults != other.faults
    for name, point in first.points.items():
        assert np.array_equal(point.course, again.points[name].course)
    assert not np.array_equal(first.points["cnc/kw"].course, other.points["cnc/kw"].course)


def test_a_fault_changes_its_machine_while_it_is_there_and_no_other_machine() -> None:
    healthy = operate(SPRING, 75, 7, ())
    faulty = operate(SPRING, 75, 7, ("waiting_hot", "pv_below_envelope"), 1)
    assert healthy.faults == ()
    for name in ("cnc/kw", "crane/level-l", "frozen-room/temp", "office/kw"):
        assert np.array_equal(healthy.points[name].course, faulty.points[name].course)
    told = np.zeros(75 * 1440, dtype=np.bool_)
    for fault in faulty.faults:
        assert fault.begin >= LEARNING_DAYS * 1440
        if fault.kind == "waiting_hot":
            told[fault.begin : fault.end] = True
            assert faulty.points["press/kw"].course[fault.begin : fault.end].max() < 2
            assert faulty.points["furnace/temp"].course[fault.begin : fault.end].min() > 1000
    same = healthy.points["press/kw"].course == faulty.points["press/kw"].course
    assert same[~told].all()


def test_the_answer_key_says_kind_points_begin_and_end() -> None:
    site = operate(SPRING, 75, 7, ("night_base_load",), 1)
    (answer,) = site.answers()
    assert (answer["kind"], answer["points"]) == ("night_base_load", ["office/kw", "main"])
    assert str(answer["begin"]) < str(answer["end"])
    assert str(answer["begin"]).endswith("+00:00")


def test_a_fault_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match=r"kinds: expected some of stuck_value, .*; got on_fire"):
        operate(SPRING, 75, 7, ("on_fire",))


def test_days_that_are_too_few_are_refused() -> None:
    with pytest.raises(ValueError, match="pv_below_envelope: expected room for"):
        operate(SPRING, 60, 7, ("pv_below_envelope",))


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 2, 27), True),  # the 28th, a holiday, is a Saturday
        (date(2026, 10, 9), True),
        (date(2026, 10, 26), True),  # the 25th, a holiday, is a Sunday
        (date(2026, 2, 17), True),
        (date(2026, 3, 1), True),
        (date(2026, 3, 2), False),
        (date(2026, 3, 7), False),
    ],
)
def test_nobody_works_on_holidays_nor_on_the_days_that_stand_in_for_them(day: date, expected: bool) -> None:
    assert is_free(day) == expected


def test_a_register_spreads_what_it_missed_and_all_else_is_unknown_there() -> None:
    missing = np.array([False] * 5 + [True] * 10 + [False] * 5)
    counts = np.arange(20, dtype=np.float64)
    register = list(values_of(Metered("x", "kWh", Measure.REGISTER, counts, missing), 5))
    assert [each.amount for each in register] == [10, 47.5, 47.5, 85]
    assert [each.is_estimated for each in register] == [False, True, True, False]
    level = list(values_of(Metered("x", "Cel", Measure.GAUGE, counts, missing), 5))
    assert [each.readings for each in level] == [5, 0, 0, 5]
    assert (level[0].low, level[0].high, level[0].last, level[0].mean) == (0, 4, 4, 2)
    assert np.isnan(level[1].mean)


def test_rows_are_complete_and_in_order() -> None:
    site = operate(SPRING, 3, 7, ())
    (watch,) = (each for each in WATCHES if each.rule.kind == "waiting_hot")
    made = list(rows(site, watch))
    assert len(made) == 3 * 288
    assert all(a.ends_ms == b.starts_ms for a, b in pairwise(made))
    assert made[0].local.isoformat() == "2026-03-01T00:00:00+08:00"
    assert made[0].is_off_peak_day
    assert set(made[0].by_role) == {"furnace", "parts", "press"}


def test_faults_of_machines_are_found_and_their_alarms_are_about_them() -> None:
    watches = [watch for watch in WATCHES if watch.rule.kind in QUICK]
    table = measured((21,), 80, QUICK, 1, watches)
    assert table["kind"].sort().to_list() == sorted(QUICK)
    assert table["found"].sum() >= 0.9 * table["faults"].sum() > 0
    assert table["false_alarms"].sum() <= 2


def test_a_healthy_month_is_nearly_silent() -> None:
    table = quiet((22,), 28, [watch for watch in WATCHES if watch.minutes > 1])
    assert table["kind"].to_list() == list(DETECTORS)
    assert table["per_week"].sum() <= 0.7
    assert (table["why"].str.len_chars() > 0).to_list() == (table["alarms"] > 0).to_list()


def test_the_measure_would_count_what_is_false_and_miss_what_is_not_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    site = operate(SPRING, 75, 7, ("waiting_hot",), 1)
    fault: Fault = site.faults[0]
    begin = site.hours.clock.begins_ms + fault.begin * 60_000
    hit = Alarm("waiting_hot", ("furnace/temp",), begin + 3_600_000, begin + 7_200_000, "")
    early = Alarm("waiting_hot", ("furnace/temp",), begin - 10**9, begin - 10**9 + 1, "")
    beside = Alarm("stuck_value", ("press/kw",), begin, begin + 1, "")
    elsewhere = Alarm("stuck_value", ("outdoor/temp",), begin, begin + 1, "")

    def heard(*_: object) -> list[Alarm]:
        return [hit, early, beside, elsewhere]

    monkeypatch.setattr(detecting, "alarms", heard)
    monkeypatch.setattr(detecting, "operate", lambda *_: site)
    table = measured((7,), 75, ("waiting_hot", "stuck_value"))
    waiting, stuck = (
        table.filter(kind="waiting_hot").row(0, named=True),
        table.filter(kind="stuck_value").row(0, named=True),
    )
    assert (waiting["found"], waiting["median_delay_h"], waiting["false_alarms"]) == (1, 1.0, 1)
    assert (stuck["faults"], stuck["recall"], stuck["other_alarms"], stuck["false_alarms"]) == (0, None, 1, 1)


def test_no_seed_is_both_tuned_on_and_reported() -> None:
    assert not set(TUNED_SEEDS) & set(REPORTED_SEEDS)


def test_alarms_of_an_unknown_site_are_none() -> None:
    assert alarms(operate(SPRING, 1, 7, ()), ()) == []


def test_the_site_is_written_for_the_pipeline(tmp_path: Path) -> None:
    made = operate(SPRING, 54, 7, ("stuck_value",), 1)
    written = write(made, tmp_path)
    site = load_site(written.site)
    assert {point.name for point in site.points} == {f"{site.name}/{name}" for name in made.points}
    assert [each["kind"] for each in json.loads(written.faults.read_text(encoding="utf-8"))] == ["stuck_value"]
    blocks = [next(iter(read_blocks(written.telemetry, None, block_rows=50_000)))]
    assert sum(len(block.rejects) for block in blocks) == 0
    sent = pl.scan_parquet(written.telemetry).filter(pl.col("point") == f"{site.name}/crane/engine-h").collect()
    assert sent["value"].cast(pl.Float64).is_sorted()
    missing = int(made.points["crane/engine-h"].missing.sum())
    assert len(sent) == 54 * 1440 - missing
