"""Scores of windows by a model: what was expected, a band, a score in [0, 1] and a cause, many windows at once.

Three distances of each window are looked at: the residual of the regression; the same followed slowly, over about a
day, which finds what draws a little more all the time; and how few splits of the forest set the window apart. Each
becomes a conformal tail probability against those of later data that training had not seen (see
`streams.operators.anomaly`). What counts is the mean of -log10 p of the three, or that of the slow residual alone where
it is more, less log10 2 since there are two ways to be odd; the score is that over `anomaly.FULL`, as the streaming
score has it.

As there, only + - * / sqrt, comparisons, frexp, indexing and sums in a fixed order are used, so that a score is the
same bit for bit on any machine.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from streams.operators.anomaly import FULL, log2, prior_survival
from streams.operators.models.parameters import Flags, Floats, Forest, Integers, Model, Terms

CAUSE_NONE, CAUSE_RESIDUAL, CAUSE_SLOW, CAUSE_COMBINATION, CAUSE_UNKNOWN, CAUSE_OUTSIDE = range(6)
CAUSES: Final = ("none", "residual", "slow", "combination", "unknown", "outside")
DAY_MS: Final = 86_400_000
PRIOR: Final = 40.0
"""Distances that the prior of a tail is worth."""
CUT: Final = 4.0
"""Mean distances to which a residual is cut before it is followed slowly."""
AT_ONCE: Final = 4_096
LOG10_2: Final = 0.30102999566398120


class Scored(NamedTuple):
    """One entry a window, NaN where nothing can be said; `cause` is negative where the value is below expectation.

    `residual`, `slow` and `isolation` are the distances behind the score; `followed` is the slow residual after each
    window, to go on from.
    """

    expected: Floats
    lower: Floats
    upper: Floats
    score: Floats
    cause: Integers
    residual: Floats
    slow: Floats
    isolation: Floats
    followed: Floats


def columns(terms: Terms, features: Floats) -> Floats:
    """Columns of the regression (windows × terms) from features (windows × features)."""
    x = features[:, terms.feature]
    bent = np.where(np.isneginf(terms.knot)[None, :], x, np.maximum(x - np.maximum(terms.knot, -1e300)[None, :], 0.0))
    other = np.where(terms.by[None, :] >= 0, features[:, np.maximum(terms.by, 0)], 1.0)
    product: Floats = bent * other
    return product


def expected(model: Model, features: Floats) -> Floats:
    """What the regression says, in the target's unit; terms are added in their order."""
    made = columns(model.terms, features)
    total = np.full(len(features), model.intercept)
    for nth in range(len(model.coefficients)):
        total = total + model.coefficients[nth] * made[:, nth]
    return total


def isolation(forest: Forest, rows: Floats) -> Floats:
    """Sum of path lengths over the trees, in their order; rows (windows × power and features) are taken as singles."""
    found = np.empty(len(rows))
    for begin in range(0, len(rows), AT_ONCE):
        found[begin : begin + AT_ONCE] = _isolation(forest, rows[begin : begin + AT_ONCE])
    return found


def _isolation(forest: Forest, rows: Floats) -> Floats:
    single = rows.astype(np.float32).astype(np.float64)
    trees = np.arange(len(forest.feature))[None, :]
    windows = np.arange(len(rows))[:, None]
    node = np.zeros((len(rows), len(forest.feature)), dtype=np.int64)
    inner = forest.feature.shape[1]
    while inner and node.size and node.flat[0] < inner:
        goes_right = single[windows, forest.feature[trees, node]] > forest.threshold[trees, node]
        node = 2 * node + 1 + goes_right
    length = forest.length[trees, node - inner]
    total: Floats = np.add.accumulate(length, axis=1)[:, -1]
    return total


def follow(model: Model, slow: float, residual: Floats) -> Floats:
    """The residual followed over about a day, after each window; one that is unknown changes nothing."""
    rate = min(1.0, model.period_ms / DAY_MS)
    cut = CUT * model.calibration.scale
    found = np.empty(len(residual))
    for nth, each in enumerate(residual.tolist()):
        if each == each:
            slow += rate * (min(max(each, -cut), cut) - slow)
        found[nth] = slow
    return found


def score(model: Model, slow: float, value: Floats, features: Floats, is_other: Flags, *, own: int = 0) -> Scored:
    """Score windows in order of time, from the slow residual before them.

    `value` is the target's mean, NaN where unknown; `features` (windows × features) likewise; `is_other` says that a
    word was heard which training did not know. What was not trained on has no score. `own` is 1 for the windows that
    the calibration is made of, which are not counted against themselves.
    """
    known = np.isfinite(value) & np.isfinite(features).all(axis=1)
    inside = ~is_other & (features >= model.lowest).all(axis=1) & (features <= model.highest).all(axis=1)
    usable = known & inside
    safe = np.where(usable[:, None], features, 0.0)
    middle = np.where(usable, expected(model, safe), np.nan)
    residual = value - middle
    followed = follow(model, slow, residual)
    apart = np.full(len(value), np.nan)
    apart[usable] = isolation(model.forest, np.column_stack((value[usable], features[usable])))

    made = model.calibration
    distance, slowly = np.abs(residual), np.where(usable, np.abs(followed), np.nan)
    worth = len(made.slow) * min(1.0, model.period_ms / DAY_MS)
    surprises = (
        _tail(made.residual, distance, made.scale, len(made.residual), own),
        _tail(made.slow, slowly, made.slow_scale, worth, own),
        _rank(made.isolation, apart, own),
    )
    mean = (surprises[0] + surprises[1] + surprises[2]) / 3.0
    evidence = np.maximum(np.maximum(mean, surprises[1]) - LOG10_2, 0.0)
    strongest = np.where(surprises[1] >= mean, CAUSE_SLOW, np.stack(surprises).argmax(axis=0) + CAUSE_RESIDUAL)
    sign = np.where(strongest == CAUSE_SLOW, np.sign(followed), np.sign(residual))
    cause = np.where(usable, strongest * np.where(sign < 0, -1, 1), np.where(known, CAUSE_OUTSIDE, CAUSE_UNKNOWN))
    return Scored(
        middle,
        middle + made.lower,
        middle + made.upper,
        np.where(usable, np.minimum(evidence / FULL, 1.0), np.nan),
        cause.astype(np.int64),
        distance,
        slowly,
        apart,
        followed,
    )


def _tail(earlier: Floats, distance: Floats, scale: float, worth: float, own: int) -> Floats:
    """-log10 of the tail probability of distances: the share of earlier ones as large, with a heavy tail beyond.

    `worth` is how many independent distances the earlier ones are.
    """
    count = np.maximum(len(earlier) - np.searchsorted(earlier, distance, side="left") - own, 0)
    share = count / max(len(earlier) - own, 1)
    prior = prior_survival(distance / scale) if scale > 0 else np.where(distance > 0, 0.0, 1.0)
    return _surprise((share * worth + PRIOR * prior) / (worth + PRIOR))


def _rank(earlier: Floats, length: Floats, own: int) -> Floats:
    """-log10 of the share of earlier windows set apart by as few splits."""
    count = np.maximum(np.searchsorted(earlier, length, side="right") - own, 0)
    return _surprise((count + 1.0) / (len(earlier) - own + 1.0))


def _surprise(probability: Floats) -> Floats:
    return np.maximum(0.0, log2(np.clip(np.nan_to_num(probability, nan=1.0), 1e-300, 1.0)) * -LOG10_2)
