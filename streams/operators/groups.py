"""Arrays whose rows come in groups, one a point: where each begins, sums and neighbours within it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Int = NDArray[np.int64]


def group_starts(place: Int) -> Int:
    """Indices at which a new point begins in an array sorted by point."""
    if not len(place):
        return np.zeros(0, dtype=np.int64)
    return np.flatnonzero(np.concatenate(([True], place[1:] != place[:-1])))


def running(values: Int, starts: Int, base: Int) -> Int:
    """Cumulative sum within each group, continued from `base` (one entry a group)."""
    total = np.cumsum(values)
    before = total[starts] - values[starts]
    lengths = np.diff(np.append(starts, len(values)))
    result: Int = total + np.repeat(base - before, lengths)
    return result


def shifted(values: Int, starts: Int, base: Int) -> Int:
    """The value of the row before, `base` for the first row of each group."""
    result = np.empty_like(values)
    result[1:] = values[:-1]
    result[starts] = base
    return result
