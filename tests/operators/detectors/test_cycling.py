"""Starts of compressors, lengths and numbers of defrosts."""

from __future__ import annotations

from datetime import timedelta
from math import nan

import pytest

from streams.operators.detectors.looking import Values
from tests.operators.detectors.courses import MONDAY, gauge, rate, rows, rule_of, signs_of

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("minutes", [4, 6, 10, 20])
def test_the_rate_is_that_of_the_starts(minutes: int) -> None:
    course = rows(MONDAY, MINUTE, 300, lambda local: {"power": rate(9.0 * (local.minute % minutes < minutes // 2))})
    last = signs_of(rule_of("short_cycling", power="kw"), course)[-1]
    assert last.value == pytest.approx(60 / minutes, abs=0.5)
    assert last.is_seen == (60 / minutes > 8)


def test_a_state_tells_starts_where_power_does_not() -> None:
    course = rows(
        MONDAY, MINUTE, 300, lambda local: {"power": rate(9.0), "running": gauge(float(local.minute % 5 < 2))}
    )
    rule = rule_of("short_cycling", power="kw", running="run")
    assert signs_of(rule, course)[-1].is_seen
    power = rows(MONDAY, MINUTE, 300, lambda _: {"power": rate(9.0)})
    assert not signs_of(rule_of("short_cycling", power="kw"), power)[-1].is_seen


def test_the_lowest_and_highest_of_a_gauge_tell_a_start_within_one_interval() -> None:
    both = Values(4.0, 0.2, 9.0, 9.0, nan, 6)
    course = rows(MONDAY, timedelta(minutes=5), 60, lambda _: {"power": both})
    assert signs_of(rule_of("short_cycling", power="kw"), course)[-1].value == pytest.approx(12, abs=0.5)


def test_a_compressor_that_runs_through_is_no_start_each_interval() -> None:
    course = rows(MONDAY, MINUTE, 300, lambda _: {"power": rate(9.0)})
    assert signs_of(rule_of("short_cycling", power="kw"), course)[-1].value == 0


@pytest.mark.parametrize("span", [1, 5, 15])
def test_a_usual_defrost_is_as_long_as_it_is_in_intervals_of_any_length(span: int) -> None:
    def heater(minute: int) -> float:
        return 9.0 if 10 <= minute % 360 < 40 else 0.0

    def at(first: int) -> float:
        return sum(heater(first + more) for more in range(span)) / span

    course = rows(
        MONDAY, timedelta(minutes=span), 600 // span, lambda local: {"power": rate(at(local.hour * 60 + local.minute))}
    )
    signs = signs_of(rule_of("defrost_overrun", power="kw"), course)
    assert not any(sign.is_seen for sign in signs)
    assert max(sign.value for sign in signs) == pytest.approx(30, abs=1)


def test_too_many_short_defrosts_are_seen_within_the_day() -> None:
    course = rows(
        MONDAY,
        timedelta(minutes=5),
        288,
        lambda local: {"power": rate(9.0 if (local.hour * 60 + local.minute) % 100 < 15 else 0.0)},
    )
    seen = next(sign for sign in signs_of(rule_of("defrost_overrun", power="kw"), course) if sign.is_seen)
    assert (seen.value, seen.limit, seen.unit) == (9, 8, "1/d")
    assert seen.said.zh.startswith("除霜過於頻繁：24 小時內 9 次（上限 8），自 03-02 01:40 起。")
    assert seen.said.en.startswith("Too many defrosts: 9 in 24 h (limit 8), since 03-02 01:40.")
