"""Temperatures beyond their limits, and what they did."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.operators.detectors.excursion import ageing, kinetic_c
from streams.operators.kinetic import mean_kinetic_c
from tests.operators.detectors.courses import MONDAY, gauge, rows, rule_of, signs_of

FIVE = timedelta(minutes=5)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(-60, 60), st.integers(1, 900_000)), min_size=1, max_size=20))
def test_ageing_summed_up_is_mean_kinetic_temperature(course: list[tuple[float, int]]) -> None:
    celsius, weight = zip(*course, strict=True)
    mean = sum(ageing(each) * span for each, span in course) / sum(weight)
    assert kinetic_c(mean) == pytest.approx(mean_kinetic_c(celsius, weight), abs=1e-6)


def test_the_deepest_cold_has_a_mean_too() -> None:
    assert kinetic_c(ageing(-273.0)) == pytest.approx(-150)


def test_too_cold_is_an_excursion_where_a_lower_limit_is_given() -> None:
    course = rows(MONDAY, FIVE, 12, lambda _: {"": gauge(-1.5)})
    assert not any(sign.is_seen for sign in signs_of(rule_of("temperature_excursion", {"above_c": 7}), course))
    seen = signs_of(rule_of("temperature_excursion", {"above_c": 7, "below_c": 0}), course)[-1]
    assert (seen.is_seen, seen.value, seen.limit) == (True, -1.5, 0)
    assert seen.said.zh.startswith(
        "溫度過低：低於 0 °C 已 60 分鐘，自 03-02 00:00 起，最低 -1.5 °C；"
        "動力學平均溫度：本次 -1.5 °C，24 小時 -1.5 °C。"
    )
    assert seen.said.en.startswith("Too cold: below 0 °C for 60 min, since 03-02 00:00, worst -1.5 °C;")


def test_from_one_side_to_the_other_another_excursion_begins() -> None:
    course = rows(MONDAY, FIVE, 24, lambda local: {"": gauge(9.0 if local.hour < 1 else -2.0)})
    signs = signs_of(rule_of("temperature_excursion", {"above_c": 7, "below_c": 0}), course)
    assert signs[11].is_seen
    assert not signs[12].is_seen
    assert "since 03-02 01:00" in signs[-1].said.en


def test_the_mean_of_a_day_forgets_the_day_before() -> None:
    course = rows(MONDAY, FIVE, 26 * 12, lambda local: {"": gauge(30.0 if local.day == 2 and local.hour < 1 else 8.0)})
    signs = signs_of(rule_of("temperature_excursion", {"above_c": 7}), course)
    assert "8.0 °C over 24 h" not in signs[23 * 12].said.en
    assert "8.0 °C over 24 h" in signs[-1].said.en
