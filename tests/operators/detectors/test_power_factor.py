"""Power factor against the tariff's base."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.operators.detectors.courses import MONDAY, gauge, rate, rows, rule_of, signs_of

QUARTER = timedelta(minutes=15)
METERS = rule_of("power_factor_low", active="main", reactive="reactive")
GAUGE = rule_of("power_factor_low", active="main", power_factor="pf")


@pytest.mark.parametrize(("kvar", "percent"), [(0, 100), (75, 80), (100, 70.71)])
def test_it_is_active_over_apparent_energy_as_on_the_bill(kvar: float, percent: float) -> None:
    course = rows(MONDAY, QUARTER, 20, lambda _: {"active": rate(100), "reactive": rate(kvar)})
    last = signs_of(METERS, course)[-1]
    assert last.value == pytest.approx(percent, abs=0.01)
    assert last.is_seen == (percent < 80)


@pytest.mark.parametrize("shown", [0.72, 72.0, -0.72])
def test_a_gauge_of_the_power_factor_says_the_same_in_either_unit(shown: float) -> None:
    course = rows(MONDAY, QUARTER, 20, lambda _: {"active": rate(100), "power_factor": gauge(shown)})
    last = signs_of(GAUGE, course)[-1]
    assert last.value == pytest.approx(72)
    assert last.is_seen


def test_without_load_it_does_not_matter() -> None:
    course = rows(MONDAY, QUARTER, 20, lambda _: {"active": rate(4), "reactive": rate(9)})
    assert not any(sign.is_seen for sign in signs_of(METERS, course))


def test_a_low_hour_in_a_good_day_does_not_alarm() -> None:
    course = rows(
        MONDAY, QUARTER, 96, lambda local: {"active": rate(100), "reactive": rate(110 if local.hour == 9 else 40)}
    )
    assert not any(sign.is_seen for sign in signs_of(METERS, course))
