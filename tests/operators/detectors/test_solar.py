"""A roof under clouds, and a roof that fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import pi, sin

from streams.domain.alerts import Sign
from streams.operators.detectors.looking import Values
from tests.operators.detectors.courses import MONDAY, rate, rows, rule_of, signs_of

USUAL = (1.0, 0.5, 0.9, 0.3, 1.0, 0.8)


def roof(shares: Sequence[float], minutes: int = 15) -> list[Sign]:
    """A share of the clear day for each day, after three weeks of usual weather."""
    every = [*(USUAL[day % 6] for day in range(21)), *shares]

    def at(local: datetime) -> Mapping[str, Values]:
        share = every[local.toordinal() - MONDAY.toordinal()]
        return {"": rate(50 * share * max(sin(pi * (local.hour + local.minute / 60 - 6) / 12), 0))}

    span = timedelta(minutes=minutes)
    return signs_of(rule_of("pv_below_envelope"), rows(MONDAY, span, len(every) * 1440 // minutes, at))


def days_seen(signs: Sequence[Sign]) -> list[bool]:
    """Whether it is seen at the end of each day after the usual ones."""
    count = len(signs) // (len(signs) * 15 // 1440)
    return [sign.is_seen for sign in signs[count - 1 :: count]][21:]


def test_rain_for_days_is_no_fault() -> None:
    assert not any(sign.is_seen for sign in roof([0.2, 0.3, 0.15, 0.4, 0.3, 1.0, 0.1, 0.1]))


def test_half_of_the_strings_gone_is_seen_after_days_and_over_with_the_first_good_hour() -> None:
    signs = roof([0.5] * 9 + [1.0] * 2)
    assert days_seen(signs) == [False] * 7 + [True] * 2 + [False] * 2


def test_a_dead_inverter_is_seen_the_same_day_and_through_the_night() -> None:
    signs = roof([0.0, 0.0, 1.0])
    assert days_seen(signs) == [True, True, False]
    seen = next(sign for sign in signs if sign.is_seen)
    assert 10 <= (seen.at_ms - MONDAY.timestamp() * 1000) / 3_600_000 % 24 <= 14
    assert seen.said.zh.startswith("太陽能幾乎沒有出力：近 4 個日照小時只有晴天")
    assert seen.said.en.startswith("PV gives next to nothing: 0 % of its clear-day envelope of")


def test_an_outage_teaches_nothing() -> None:
    signs = roof([0.0] * 20)
    assert all(days_seen(signs))


def test_in_the_first_days_it_learns() -> None:
    assert roof([])[5 * 96].said.en == "Warming up: 5/10 days known."
