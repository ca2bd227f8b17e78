"""Exact scaling of integer amounts."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Int = NDArray[np.int64]

LIMIT = (1 << 63) - 1


def scale_half_even(amount: Int, ratio: Fraction) -> Int:
    """Multiply by a ratio and round half to even, once and exactly; OverflowError where a result exceeds 63 bits."""
    whole, rest = divmod(ratio.numerator, ratio.denominator)
    den = ratio.denominator
    largest = max(abs(int(amount.max(initial=0))), abs(int(amount.min(initial=0))))
    if largest * (abs(whole) + 1) > LIMIT:
        raise OverflowError(f"amount × ratio: expected at most {LIMIT}; got {largest} × {float(ratio):g}")
    if rest == 0:
        return amount * whole
    if largest * rest * 2 > LIMIT or den * 2 > LIMIT:
        return np.array([round(int(each) * ratio) for each in amount.tolist()], dtype=np.int64)
    product = amount * rest
    quotient, remainder = np.divmod(product, den)
    doubled = remainder * 2
    up = (doubled > den) | ((doubled == den) & (quotient + amount * whole) % 2 == 1)
    result: Int = amount * whole + quotient + up
    return result
