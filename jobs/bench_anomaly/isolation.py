"""IsolationForest on raw windows of eight values, fitted on the first part of each series: a rule to compare with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest

WINDOW = 8
TREES = 50
SAMPLES = 256


def scored(course: NDArray[np.float64], first: int) -> NDArray[np.float64]:
    """Scores of a series after its first part, NaN where there is none; a missing value is the last one known."""
    found = np.full(len(course), np.nan)
    known = np.flatnonzero(np.isfinite(course))
    if len(known) < 2 * WINDOW:
        return found
    last = np.maximum.accumulate(np.where(np.isfinite(course), np.arange(len(course)), known[0]))
    windows = np.lib.stride_tricks.sliding_window_view(course[last], WINDOW)
    end = int(known[-1]) + 1 - (WINDOW - 1)
    learnt = windows[: max(first - WINDOW + 1, WINDOW)]
    forest = IsolationForest(n_estimators=TREES, max_samples=min(SAMPLES, len(learnt)), random_state=0).fit(learnt)
    begin = len(learnt)
    found[begin + WINDOW - 1 : end + WINDOW - 1] = -forest.score_samples(windows[begin:end])
    found[~np.isfinite(course)] = np.nan
    return found
