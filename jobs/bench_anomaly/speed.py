"""What the score costs a point and interval, in batches as a large site has them."""

from __future__ import annotations

import time

import numpy as np

from jobs.bench_anomaly.labelled import MINUTE_MS, WEEK_MINUTES
from jobs.bench_anomaly.rules import closed
from streams.operators import anomaly
from streams.operators.scoring import score

POINTS = 5_000
WARM, STEPS = 30, 60
"""Intervals until every component is ready, and those that are measured."""


def microseconds() -> float:
    """Median time of this process a point and interval, in µs: `scoring.score`, its rows and its new state."""
    luck = np.random.default_rng(1)
    state = anomaly.fresh(POINTS)
    taken = []
    for step in range(WARM + STEPS):
        rows = closed(luck.normal(10, 1, (1, POINTS)), step * MINUTE_MS, MINUTE_MS)
        minute = np.full(POINTS, step % WEEK_MINUTES)
        begun = time.process_time()
        state, _, _ = score(state, rows, minute)
        if step >= WARM:
            taken.append(time.process_time() - begun)
    return float(np.median(taken)) / POINTS * 1e6
