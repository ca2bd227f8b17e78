"""Uncertainty of emissions and savings."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.operators.uncertainty import (
    Frequency,
    fractional_savings_uncertainty,
    of_portfolio,
    of_product,
    of_sum,
)


def test_the_savings_uncertainty_of_a_daily_model_is_the_published_one() -> None:
    found = fractional_savings_uncertainty(
        t=1.649, frequency=Frequency.DAILY, months=12, cv_rmse=0.15, periods=365, reported=365, rho=0.6, saving=0.10
    )
    assert found == pytest.approx(0.3645, abs=5e-5)


@pytest.mark.parametrize(("frequency", "value"), [(Frequency.DAILY, 1.3925), (Frequency.BILLING, 1.30558)])
def test_the_polynomials_at_twelve_months_are_the_published_ones(frequency: Frequency, value: float) -> None:
    a, b, d = frequency.value
    assert a * 144 + b * 12 + d == pytest.approx(value, abs=5e-5)


def test_purchased_power_is_known_to_seven_percent() -> None:
    assert of_product(0.01, 0.07) == pytest.approx(0.0707, abs=5e-5)


def test_independent_amounts_are_known_better_together_than_alone() -> None:
    assert of_sum([100, 100], [0.1, 0.1]) == pytest.approx(0.1 / 2**0.5)
    assert of_portfolio([10, 30], [0.5, 0.1]) == pytest.approx((5**2 + 3**2) ** 0.5 / 40)


GIVEN = {
    "t": 1.649,
    "frequency": Frequency.DAILY,
    "months": 12.0,
    "cv_rmse": 0.15,
    "periods": 365,
    "reported": 365,
    "rho": 0.6,
    "saving": 0.10,
}


@pytest.mark.parametrize(
    "changed",
    [
        {"saving": 0.0},
        {"rho": 1.0},
        {"rho": -1.0},
        {"rho": math.nan},
        {"cv_rmse": math.inf},
        {"periods": 0},
        {"reported": 0},
    ],
    ids=str,
)
def test_what_has_no_uncertainty_is_refused(changed: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        fractional_savings_uncertainty(**(GIVEN | changed))  # type: ignore[arg-type]


def test_an_excess_is_as_uncertain_as_a_saving_of_its_size() -> None:
    saved, wasted = (fractional_savings_uncertainty(**(GIVEN | {"saving": each})) for each in (0.1, -0.1))  # type: ignore[arg-type]
    assert saved == wasted > 0


@given(st.floats(0, 0.9), st.floats(0.01, 0.09))
def test_residuals_that_hang_together_make_a_saving_less_certain(rho: float, more: float) -> None:
    less, greater = (fractional_savings_uncertainty(**(GIVEN | {"rho": each})) for each in (rho, rho + more))  # type: ignore[arg-type]
    assert less < greater


def test_a_sum_of_nothing_has_no_uncertainty() -> None:
    with pytest.raises(ValueError, match="expected a sum other than zero"):
        of_sum([1, -1], [0.1, 0.1])


@given(st.lists(st.tuples(st.floats(0.1, 1e6), st.floats(0, 1)), min_size=1, max_size=10))
def test_independent_terms_together_are_never_less_certain_than_the_least_certain(
    terms: list[tuple[float, float]],
) -> None:
    amounts, shares = zip(*terms, strict=True)
    assert of_sum(amounts, shares) <= max(shares) * (1 + 1e-9)
