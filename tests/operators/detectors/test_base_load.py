"""Base load by night and on days off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from streams.domain.alerts import Schedule
from streams.operators.detectors.base_load import holds
from streams.operators.detectors.looking import Memory, Values
from streams.operators.detectors.registry import DETECTORS
from tests.operators.detectors.courses import EXAMPLES, MONDAY, ZONE, rate, rows, rule_of, signs_of

QUARTER = timedelta(minutes=15)


def office(local: datetime) -> Mapping[str, Values]:
    """Six kilowatts, twenty in the day."""
    return {"": rate(20.0 if 8 <= local.hour < 18 else 6.0)}


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (datetime(2026, 3, 6, 21, 59, tzinfo=ZONE), False),
        (datetime(2026, 3, 6, 22, 0, tzinfo=ZONE), True),
        (datetime(2026, 3, 7, 5, 59, tzinfo=ZONE), True),
        (datetime(2026, 3, 7, 6, 0, tzinfo=ZONE), False),
        (datetime(2026, 3, 7, 22, 0, tzinfo=ZONE), False),
        (datetime(2026, 3, 9, 5, 0, tzinfo=ZONE), False),
    ],
)
def test_a_night_from_monday_to_friday_ends_on_saturday_morning(at: datetime, expected: bool) -> None:
    assert holds(Schedule(frozenset(range(5)), 22 * 60, 6 * 60), at, False) == expected


@pytest.mark.parametrize(
    ("wanted", "is_off_peak", "expected"), [(None, True, True), (True, False, False), (False, True, False)]
)
def test_a_schedule_may_ask_for_off_peak_days_or_against_them(wanted: bool, is_off_peak: bool, expected: bool) -> None:
    assert holds(Schedule(off_peak_days=wanted), MONDAY, is_off_peak) == expected


def test_a_fixed_limit_needs_no_earlier_nights() -> None:
    course = rows(MONDAY, QUARTER, 48, office)
    assert any(sign.is_seen for sign in signs_of(rule_of("night_base_load", {"base_kw": 5.0}), course))
    assert not any(sign.is_seen for sign in signs_of(rule_of("night_base_load", {"base_kw": 7.0}), course))


def test_until_enough_nights_are_known_it_says_so() -> None:
    last = signs_of(rule_of("night_base_load"), rows(MONDAY, QUARTER, 3 * 96, office))[-1]
    assert (last.is_seen, last.said.zh, last.said.en) == (
        False,
        "學習中：已知 3/7 夜間。",
        "Warming up: 3/7 days or nights known.",
    )


def test_the_schedule_of_the_rule_is_the_night() -> None:
    example = EXAMPLES["night_base_load"]
    late = replace(example.rule, schedule=Schedule(begin_minute=22 * 60, end_minute=24 * 60))
    seen = [sign.at_ms for sign in signs_of(late, [*example.before, *example.after]) if sign.is_seen]
    hours = {datetime.fromtimestamp(at / 1000 - 1, tz=ZONE).hour for at in seen}
    assert hours == {23}


def test_an_off_peak_weekday_is_a_day_off_and_a_working_sunday_site_may_say_otherwise() -> None:
    example = EXAMPLES["holiday_base_load"]
    wednesday = rows(MONDAY + timedelta(days=30), QUARTER, 96, lambda _: {"": rate(12.0)}, off_peak=(2,))
    assert wednesday[0].local.weekday() == 2
    learnt = [*example.before, *wednesday]
    assert any(sign.is_seen for sign in signs_of(example.rule, learnt)[-96:])
    nights = replace(example.rule, schedule=Schedule(frozenset({6})))
    assert not any(sign.is_seen for sign in signs_of(nights, learnt)[-96:])


def test_saturdays_are_days_off_where_the_rule_says_so() -> None:
    def shop(local: datetime) -> Mapping[str, Values]:
        return {"": rate(30.0 if local.weekday() < 5 else 5.0)}

    course = rows(MONDAY, QUARTER, 26 * 96, shop)
    saturday = rows(MONDAY + timedelta(days=26), QUARTER, 96, lambda _: {"": rate(12.0)})
    for is_off in (0.0, 1.0):
        signs = signs_of(rule_of("holiday_base_load", {"saturday_is_off": is_off}), [*course, *saturday])
        assert any(sign.is_seen for sign in signs) == bool(is_off)


def test_after_a_change_that_stays_the_new_level_becomes_the_usual_one() -> None:
    example = EXAMPLES["night_base_load"]
    later = rows(MONDAY + timedelta(days=12), QUARTER, 20 * 96, example.faulty)
    signs = signs_of(example.rule, [*example.before, *later])
    by_day = [any(sign.is_seen for sign in signs[day * 96 : day * 96 + 96]) for day in range(32)]
    assert by_day[12:15] == [True] * 3
    assert not any(by_day[-10:])


def test_hours_are_those_of_the_site_where_its_zone_is_half_an_hour_off() -> None:
    zone = ZoneInfo("Asia/Kolkata")
    course = rows(datetime(2026, 3, 2, tzinfo=zone), QUARTER, 30 * 96, lambda local: office(local.astimezone(zone)))
    course = [replace(row, local=row.local.astimezone(zone)) for row in course]
    assert not any(sign.is_seen for sign in signs_of(rule_of("night_base_load"), course))
    memory: Memory = {}
    for row in course:
        memory, _ = DETECTORS["night_base_load"].look(rule_of("night_base_load"), memory, row)
    assert {hour: len(kept) for hour, kept in memory["hours"].items()} == dict.fromkeys(
        ["0", "1", "2", "3", "4", "22", "23"], 28
    )
