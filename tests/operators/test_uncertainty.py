"""Uncertainty of emissions and savings."""

from __future__ import annotations

import pytest

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


def test_no_saving_has_no_uncertainty() -> None:
    with pytest.raises(ValueError, match="expected a saving other than 0"):
        fractional_savings_uncertainty(
            t=1.6, frequency=Frequency.DAILY, months=12, cv_rmse=0.1, periods=365, reported=365, rho=0.5, saving=0
        )
    with pytest.raises(ValueError, match="expected a sum other than zero"):
        of_sum([1, -1], [0.1, 0.1])
