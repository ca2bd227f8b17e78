"""Uncertainty of emissions and of savings; all relative uncertainties are shares of one, at one level of confidence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple


class Polynomial(NamedTuple):
    """Coefficients of a·M² + b·M + d over the months M of the reporting period (CalTRACK 2.0, section 4.3.2.4)."""

    a: float
    b: float
    d: float


class Frequency(Enum):
    """How often a baseline model has a value."""

    DAILY = Polynomial(-0.00024, 0.03535, 1.00286)
    BILLING = Polynomial(-0.00022, 0.03306, 0.94054)


def of_product(*shares: float) -> float:
    """Uncertainty of a product of independent factors, as activity × emission factor (ISO 14064-1:2018, 8.3)."""
    return math.hypot(*shares)


def of_sum(amounts: Sequence[float], shares: Sequence[float]) -> float:
    """Uncertainty of a sum of independent amounts as a share of it; ValueError where the sum is zero."""
    total = sum(amounts)
    if total == 0:
        raise ValueError("amounts: expected a sum other than zero; got 0")
    return math.hypot(*(amount * share for amount, share in zip(amounts, shares, strict=True))) / abs(total)


def fractional_savings_uncertainty(
    *,
    t: float,
    frequency: Frequency,
    months: float,
    cv_rmse: float,
    periods: int,
    reported: int,
    rho: float,
    saving: float,
) -> float:
    """Fractional savings uncertainty (CalTRACK 2.0 eq. 4.3.2.4; ASHRAE Guideline 14).

    `t`: Student's t at the level of confidence; `cv_rmse` of the baseline as a share; `periods` of the baseline and
    `reported` ones; `rho`: lag-1 autocorrelation of the residuals; `saving` as a share of the modelled baseline. Of an
    excess (a negative saving) it is the uncertainty of its size. ValueError where the saving is 0, rho is not within
    (-1, 1), a number of periods is not positive, or anything is not finite.
    """
    values = (t, months, cv_rmse, rho, saving)
    if saving == 0 or not -1 < rho < 1 or not all(map(math.isfinite, values)):
        raise ValueError(f"expected finite values, a saving other than 0 and rho within (-1, 1); got {values}")
    if periods <= 0 or reported <= 0:
        raise ValueError(f"periods, reported: expected at least 1 each; got {periods} and {reported}")
    a, b, d = frequency.value
    effective = periods * (1 - rho) / (1 + rho)
    spread = math.sqrt(periods / effective * (1 + 2 / effective) / reported)
    return t * (a * months**2 + b * months + d) * cv_rmse * spread / abs(saving)


def of_portfolio(savings: Sequence[float], shares: Sequence[float]) -> float:
    """Fractional uncertainty of the sum of several sites' independent savings."""
    return of_sum(savings, shares)
