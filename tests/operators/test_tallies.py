"""Tallies as an operator: cuts and lateness change nothing, and bands side by side add up to the course."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from streams.catalog.kpi_kinds import derived_of
from streams.domain.kpi import Kpi, KpiKind
from streams.domain.site import PointKind
from streams.operators.points import PointTable
from tests.operators.test_energy import MINUTE_MS, Reading, Run, outcome, table_of

BOUNDS = {"idle_kw": 0.5, "setup_kw": 2.0, "cutting_kw": 5.0}
MACHINE = Kpi(
    KpiKind.MACHINE,
    "hall",
    (("power", "site/0"),),
    tuple(BOUNDS.items()),
    derived_of(KpiKind.MACHINE, {"power": ["site/0"]}, BOUNDS, {}),
)
TABLE = PointTable.of(replace(table_of(PointKind.POWER).site, kpis=(MACHINE,)))
PLACES = range(len(TABLE.points))
ROLES = ["power", *(role for role, _ in MACHINE.derived)]
QUARTER_MS = 15 * MINUTE_MS
KILOWATT = 1_000_000
Course = list[tuple[int, int]]


def fanned(course: Course) -> list[Reading]:
    """Each reading for the power and for every tally of it, as a lane hands them on."""
    return [(place, minute, ticks) for minute, ticks in course for place in PLACES]


@st.composite
def courses(draw: st.DrawFn) -> Course:
    """Minutes and power, in order of arrival: gaps, late ones, duplicates, values on the bounds and beside them."""
    minute, readings = 0, []
    for _ in range(draw(st.integers(0, 40))):
        minute += draw(st.sampled_from([1, 1, 1, 2, 5, 16, 90]))
        watt = draw(st.sampled_from([0, 499_999, 500_000, 1_999_999, 2_000_000, 5_000_000, 7_777_777]))
        readings += [(minute, watt)] * draw(st.sampled_from([1] * 9 + [2]))
    delay = [draw(st.sampled_from([0] * 9 + [3, 30, 400])) for _ in readings]
    return [readings[nth] for nth in sorted(range(len(readings)), key=lambda nth: (readings[nth][0] + delay[nth], nth))]


def sums(course: Course) -> tuple[dict[str, Counter[int]], dict[str, Counter[int]]]:
    """Amounts by role and interval of a course in order of time, and the missing milliseconds likewise."""
    run = Run(TABLE)
    run.feed(fanned(sorted(course)))
    run.end()
    amounts, missing = ({role: Counter[int]() for role in ROLES} for _ in range(2))
    for (place, start), (amount, _, _, missing_ms, _) in run.facts.items():
        amounts[ROLES[place]][start] += amount
        missing[ROLES[place]][start] += missing_ms
    return amounts, missing


@given(courses(), st.lists(st.integers(0, 700), max_size=12))
@example([(minute, 7_777_777) for minute in range(40)], [100, 101, 250])
def test_cutting_leaves_tallies_and_their_revisions_alike(course: Course, cuts: list[int]) -> None:
    readings = fanned(course)
    whole = outcome(TABLE, readings, [])
    assert outcome(TABLE, readings, cuts) == whole
    assert outcome(TABLE, readings, list(range(0, len(readings), len(PLACES)))) == whole


@given(courses())
@example([(0, 7_777_777), (5, 0), (90, 0), (3, 2_000_000)])
def test_late_readings_end_in_the_tallies_that_order_would_have_given(course: Course) -> None:
    late, _ = outcome(TABLE, fanned(course), list(range(0, len(course) * len(PLACES), len(PLACES))))
    ordered, _ = outcome(TABLE, fanned(sorted(course, key=lambda each: each[0])), [])
    assert isinstance(late, dict)
    assert isinstance(ordered, dict)
    assert {key: value[:-1] for key, value in late.items()} == {key: value[:-1] for key, value in ordered.items()}


@given(courses())
@example([(minute, KILOWATT) for minute in (0, 5, 10, 200, 205)])
def test_the_states_of_a_machine_fill_the_time_that_is_known(course: Course) -> None:
    found, missing = sums(course)
    for start in found["off_time"]:
        known_ms = sum(found[f"{state}_time"][start] for state in ("off", "idle", "setup", "cutting"))
        assert {each[start] for each in missing.values()} == {QUARTER_MS - known_ms}


@given(courses())
@example([(minute, 7_777_777 * (minute % 2)) for minute in range(40)])
def test_the_energy_of_bands_is_never_more_than_that_of_the_power(course: Course) -> None:
    found, _ = sums(course)
    banded = sum(sum(found[f"{state}_energy"].values()) for state in ("idle", "setup", "cutting"))
    assert 0 <= banded <= sum(found["power"].values())


def test_a_machine_that_never_goes_off_has_all_its_energy_in_its_bands() -> None:
    found, _ = sums([(minute, (1 + minute % 7) * KILOWATT) for minute in range(60)])
    banded = sum(sum(found[f"{state}_energy"].values()) for state in ("idle", "setup", "cutting"))
    total = sum(found["power"].values())
    assert total > 200_000
    assert 0 <= total - banded <= 3  # base units: what is left in each of three bands
