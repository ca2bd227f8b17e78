"""Mean kinetic temperature."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.operators.kinetic import mean_kinetic_c

temperatures = st.lists(st.floats(-40, 60), min_size=1, max_size=50)


def test_the_published_course_has_its_published_mean() -> None:
    assert mean_kinetic_c([2, 2, 5, 8, 8, 8, 8]) == pytest.approx(6.2503, abs=5e-5)


def test_the_time_a_temperature_holds_is_its_weight() -> None:
    assert mean_kinetic_c([2, 5, 8], [2, 1, 4]) == pytest.approx(mean_kinetic_c([2, 2, 5, 8, 8, 8, 8]))


@given(temperatures)
def test_it_lies_between_the_arithmetic_mean_and_the_highest(course: list[float]) -> None:
    assert sum(course) / len(course) - 1e-6 <= mean_kinetic_c(course) <= max(course) + 1e-6


@given(temperatures, st.integers(1, 5))
def test_a_time_told_in_another_unit_or_cut_in_parts_changes_nothing(course: list[float], parts: int) -> None:
    once = mean_kinetic_c(course)
    assert mean_kinetic_c(course * parts) == pytest.approx(once, abs=1e-9)
    assert mean_kinetic_c(course, [3_600_000.0] * len(course)) == pytest.approx(once, abs=1e-9)


@pytest.mark.parametrize("celsius", [-272.0, -196.0, -40.0, 0.0, 1000.0])
def test_a_constant_temperature_is_its_own_mean_however_cold(celsius: float) -> None:
    assert mean_kinetic_c([celsius] * 3, [1e-300, 1e300, 0]) == pytest.approx(celsius, abs=1e-9)


@pytest.mark.parametrize(
    ("course", "weight"),
    [
        ([], None),
        ([float("nan")], None),
        ([-300.0], None),
        ([5.0], [0.0]),
        ([5.0], [-1.0]),
        ([5.0], [float("inf")]),
        ([5.0, 6.0], [1.0, float("nan")]),
        ([5.0, 6.0], [1.0]),
    ],
)
def test_what_has_no_mean_is_refused(course: list[float], weight: list[float] | None) -> None:
    with pytest.raises(ValueError, match="expected"):
        mean_kinetic_c(course, weight)
