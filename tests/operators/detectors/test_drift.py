"""A compressor against itself weeks ago."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from math import pi, sin

from streams.operators.detectors.looking import Row, Values
from tests.operators.detectors.courses import MONDAY, gauge, rate, rows, rule_of, signs_of

WITH_AMBIENT = rule_of("compressor_drift", power="kw", room="temp", ambient="yard")
DAYS = 150


def course(more: Callable[[int], float], *, days: int = DAYS) -> list[Row]:
    """A winter that becomes summer, and a compressor that draws `more` from day to day."""

    def at(local: datetime) -> Mapping[str, Values]:
        day = local.toordinal() - MONDAY.toordinal()
        ambient = 22 - 7 * sin(pi / 2 - pi * day / DAYS) + 3 * sin(2 * pi * (local.hour - 8) / 24) + sin(day * 2.3)
        kw = (2 + 0.2 * (ambient + 20) + 0.3 * sin(day * 1.7)) * (1 + more(day))
        return {"power": rate(kw), "room": gauge(-20.0), "ambient": gauge(ambient)}

    return rows(MONDAY, timedelta(hours=1), days * 24, at)


def test_a_spring_is_no_drift_where_the_ambient_temperature_is_known() -> None:
    assert not any(sign.is_seen for sign in signs_of(WITH_AMBIENT, course(lambda _: 0.0)))


def test_a_slow_drift_is_seen_and_told_with_its_size() -> None:
    signs = signs_of(WITH_AMBIENT, course(lambda day: 0.3 * min(max(day - 60, 0) / 45, 1)))
    seen = [nth // 24 - 60 for nth, sign in enumerate(signs) if sign.is_seen]
    assert 14 <= seen[0] <= 45
    assert 15 <= max(sign.value for sign in signs if sign.is_seen) <= 33


def test_two_hard_days_are_no_drift() -> None:
    assert not any(sign.is_seen for sign in signs_of(WITH_AMBIENT, course(lambda day: 0.6 * (day in (90, 91)))))


def test_until_enough_days_are_known_it_says_so() -> None:
    last = signs_of(WITH_AMBIENT, course(lambda _: 0.0, days=35))[-1]
    assert last.said.en == "Warming up: 6 of 21 reference days known."
    assert last.said.zh == "學習中：參考日 6/21。"


def test_without_an_ambient_temperature_a_jump_is_still_seen() -> None:
    def at(local: datetime) -> Mapping[str, Values]:
        kw = 8.0 + 0.2 * sin(local.toordinal())
        return {"power": rate(kw * (1.25 if local.toordinal() - MONDAY.toordinal() > 70 else 1.0)), "room": gauge(3.0)}

    signs = signs_of(rule_of("compressor_drift", power="kw", room="temp"), rows(MONDAY, timedelta(hours=1), 2200, at))
    assert any(sign.is_seen for sign in signs)
    assert not any(sign.is_seen for sign in signs[: 70 * 24])
