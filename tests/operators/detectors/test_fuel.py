"""Tanks and engines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from streams.domain.alerts import Sign
from streams.operators.detectors.looking import Values
from tests.operators.detectors.courses import MONDAY, NOTHING, counted, gauge, rows, rule_of, signs_of

TANK = rule_of("tank_drop_engine_off", level="level", engine_hours="hours")
FIVE = timedelta(minutes=5)
OFF, ON = counted(0.0), counted(0.1)


def tank(*stretches: tuple[int, float, Values]) -> list[Sign]:
    """Stretches of (intervals, level in L, engine hours)."""
    values = [{"level": gauge(level), "engine_hours": hours} for count, level, hours in stretches for _ in range(count)]
    course = iter(values)
    return signs_of(TANK, rows(MONDAY, FIVE, len(values), lambda _: next(course)))


def seen(signs: Sequence[Sign]) -> list[bool]:
    """Whether each sign is seen."""
    return [sign.is_seen for sign in signs]


def test_a_drop_while_the_engine_works_is_what_it_burns() -> None:
    assert not any(seen(tank((6, 400, ON), (6, 340, ON), (12, 330, OFF))))


def test_one_reading_that_is_off_is_no_drop() -> None:
    assert not any(seen(tank((6, 400, OFF), (1, 300, OFF), (6, 400, OFF))))


def test_a_drop_is_seen_until_the_engine_starts() -> None:
    signs = tank((6, 400, OFF), (4, 350, OFF), (2, 350, ON), (6, 350, OFF))
    assert seen(signs) == [False] * 7 + [True] * 3 + [False] * 8
    assert signs[7].value == 50


def test_after_a_refill_with_the_engine_off_the_drop_is_from_the_new_level() -> None:
    signs = tank((6, 200, OFF), (6, 550, OFF), (3, 500, OFF))
    assert signs[-1].is_seen
    assert signs[-1].value == 50


def test_a_drop_that_a_gap_of_the_engine_hours_hides_is_not_called_one() -> None:
    assert not any(seen(tank((6, 400, OFF), (6, 380, NOTHING), (12, 340, OFF))))


def test_a_drop_that_a_gap_of_the_level_hides_is_one_if_the_engine_did_not_run() -> None:
    values = [{"level": gauge(400.0) if nth < 6 else NOTHING if nth < 12 else gauge(340.0)} for nth in range(18)]
    course = iter([{**each, "engine_hours": OFF} for each in values])
    assert signs_of(TANK, rows(MONDAY, FIVE, 18, lambda _: next(course)))[-1].is_seen


def test_a_drop_that_was_seen_stays_seen_over_a_gap_of_the_engine_hours() -> None:
    signs = tank((6, 400, OFF), (4, 350, OFF), (6, 350, NOTHING), (6, 350, OFF))
    assert all(seen(signs)[7:])


def test_fuel_counts_anew_after_a_move_and_after_the_engine_was_off() -> None:
    rule = rule_of("fuel_without_moves", fuel="fuel", moves="moves")

    def run(*stretches: tuple[int, float, float]) -> list[bool]:
        made = iter(
            {"fuel": counted(litres), "moves": counted(moves)}
            for count, litres, moves in stretches
            for _ in range(count)
        )
        return seen(signs_of(rule, rows(MONDAY, FIVE, sum(count for count, _, _ in stretches), lambda _: next(made))))

    assert run((20, 0.5, 0)) == [False] * 19 + [True]
    assert not any(run((15, 0.5, 0), (1, 0.5, 1), (15, 0.5, 0)))
    assert not any(run((15, 0.5, 0), (6, 0.0, 0), (15, 0.5, 0)))
    assert any(run((15, 0.5, 0), (4, 0.0, 0), (15, 0.5, 0)))
