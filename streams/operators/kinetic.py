"""Mean kinetic temperature: the constant temperature that would age goods as much as the course they went through."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

ZERO_CELSIUS_K = 273.15
ACTIVATION_K = 10_000.0
"""ΔH/R = 83.14472 kJ/mol over 8.314472 J/(mol·K), by USP <1079.2>."""


def mean_kinetic_c(temperature_c: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Mean kinetic temperature in °C of temperatures in °C, weighted by the time each holds (any unit), USP <1079.2>.

    ValueError where there is none, one is not finite or not above absolute zero, or the weights are not finite,
    negative or all zero. A gap has no temperature: leave it out, or it would count as a value.

    >>> round(mean_kinetic_c([2, 5, 8], [2, 1, 4]), 4)
    6.2503
    """
    celsius = np.asarray(temperature_c, dtype=np.float64)
    share = np.ones_like(celsius) if weight is None else np.asarray(weight, dtype=np.float64)
    if not len(celsius) or not np.isfinite(celsius).all() or (celsius <= -ZERO_CELSIUS_K).any():
        raise ValueError(f"temperature_c: expected finite values above {-ZERO_CELSIUS_K}; got {celsius.tolist()[:10]}")
    if share.shape != celsius.shape or not np.isfinite(share).all() or (share < 0).any() or not share.any():
        raise ValueError(f"weight: expected {len(celsius)} values of at least 0, not all 0; got {share.tolist()[:10]}")
    held = share > 0
    exponent = -ACTIVATION_K / (celsius[held] + ZERO_CELSIUS_K)
    highest = exponent.max()  # taken out before exp, so that deep cold does not vanish below the smallest float
    share = share[held] / share.max()
    mean = highest + np.log((share * np.exp(exponent - highest)).sum() / share.sum())
    return float(-ACTIVATION_K / mean - ZERO_CELSIUS_K)
