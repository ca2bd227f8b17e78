"""Values that repeat, registers that stand; and how long something lasts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from math import nan

import pytest

from streams.operators.detectors.looking import Values
from tests.operators.detectors.courses import (
    EXAMPLES,
    MONDAY,
    NOTHING,
    blank,
    counted,
    gauge,
    rate,
    rows,
    rule_of,
    signs_of,
)

FIVE = timedelta(minutes=5)


@pytest.mark.parametrize("minutes", [1, 5, 15])
def test_the_length_of_the_intervals_does_not_matter(minutes: int) -> None:
    course = rows(MONDAY, timedelta(minutes=minutes), 600 // minutes, lambda _: {"": gauge(4.3)})
    seen = next(sign for sign in signs_of(rule_of("stuck_value"), course) if sign.is_seen)
    assert seen.at_ms - MONDAY.timestamp() * 1000 == (240 + minutes) * 60_000


def test_what_is_off_shows_nought_and_is_not_stuck_unless_the_rule_says_so() -> None:
    course = rows(MONDAY, FIVE, 100, lambda _: {"": rate(0.0)})
    assert not any(sign.is_seen for sign in signs_of(rule_of("stuck_value"), course))
    assert signs_of(rule_of("stuck_value", {"zero_counts": 1}), course)[-1].is_seen


def test_a_value_that_moves_within_the_interval_is_not_stuck() -> None:
    course = rows(MONDAY, FIVE, 100, lambda _: {"": Values(4.3, 4.3, 4.4, 4.3, nan, 5)})
    assert not any(sign.is_seen for sign in signs_of(rule_of("stuck_value"), course))


def test_two_halves_around_a_long_gap_are_no_whole() -> None:
    course = rows(MONDAY, FIVE, 90, lambda _: {"": gauge(4.3)})
    short = [blank(row) if 30 <= nth < 40 else row for nth, row in enumerate(course)]
    long = [blank(row) if 30 <= nth < 60 else row for nth, row in enumerate(course)]
    assert signs_of(rule_of("stuck_value"), short)[-1].is_seen
    assert not signs_of(rule_of("stuck_value"), long)[-1].is_seen


def test_a_register_that_stands_while_its_machine_runs_is_seen_within_the_hour() -> None:
    rule = rule_of("standing_register", {"running_above": 20.0}, running="load")
    course = rows(MONDAY, FIVE, 40, lambda local: {"": counted(0.0), "running": gauge(60.0 if local.hour else 5.0)})
    seen = next(sign for sign in signs_of(rule, course) if sign.is_seen)
    assert seen.said.en.startswith(
        "Register stands still: no growth for 1.0 h while the machine ran, since 03-02 01:00."
    )
    assert seen.said.zh.startswith("表計不走：機器運轉中讀數已 1.0 小時沒有增加，自 03-02 01:00 起。")


def test_the_time_in_which_the_machine_is_off_neither_counts_nor_clears() -> None:
    rule = rule_of("standing_register", {"running_above": 20.0}, running="load")
    course = rows(MONDAY, FIVE, 60, lambda local: {"": counted(0.0), "running": gauge(60.0 if local.hour < 2 else 0.0)})
    signs = signs_of(rule, course)
    assert all(sign.is_seen for sign in signs[11:])
    grown = [*course, *rows(MONDAY + 60 * FIVE, FIVE, 1, lambda _: {"": counted(1.0), "running": NOTHING})]
    assert not signs_of(rule, grown)[-1].is_seen


def test_a_register_may_rest_on_an_off_peak_day() -> None:
    example = EXAMPLES["standing_register"]
    begin = MONDAY + timedelta(days=21)

    def still(_: datetime) -> Mapping[str, Values]:
        return {"": counted(0.0)}

    holidays = rows(begin, timedelta(minutes=15), 4 * 96, still, off_peak=(0, 1, 2, 3))
    workdays = rows(begin, timedelta(minutes=15), 4 * 96, still)
    assert not any(sign.is_seen for sign in signs_of(example.rule, [*example.before, *holidays]))
    assert signs_of(example.rule, [*example.before, *workdays])[-1].is_seen


def test_a_register_that_has_been_learnt_for_a_week_only_says_so() -> None:
    example = EXAMPLES["standing_register"]
    last = signs_of(example.rule, example.before[: 7 * 96])[-1]
    assert last.said.en == "Warming up: 1 of 2 weeks known."
    assert last.said.zh == "學習中：累積 1/2 週。"
