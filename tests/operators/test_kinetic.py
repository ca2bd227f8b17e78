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


@pytest.mark.parametrize(("course", "weight"), [([], None), ([float("nan")], None), ([-300.0], None), ([5.0], [0.0])])
def test_what_has_no_mean_is_refused(course: list[float], weight: list[float] | None) -> None:
    with pytest.raises(ValueError, match="expected"):
        mean_kinetic_c(course, weight)
