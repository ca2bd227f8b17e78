"""The fit of a model with scikit-learn, and its parameters taken out of it; the only place that knows the library."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from jobs.training.data import Data, Windows
from streams.operators.models import scoring
from streams.operators.models.parameters import NO_KNOT, Calibration, Floats, Forest, Integers, Model, Terms

TREES = 100
SAMPLES = 256
"""Windows that each tree is grown on."""
ALPHA = 1.0
KNOTS = (0.25, 0.5, 0.75)
"""Shares of the training windows below the knots at which a mean may bend what it explains."""
WINDOWS_A_TERM = 20
MARGIN = 0.1
"""Share of the range that was trained on by which an input may leave it."""
BAND = (0.005, 0.995)
MOST_KEPT = 4_000
EMPTY = np.zeros(0)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model, and the objects of scikit-learn that it was taken from."""

    model: Model
    scaler: Any
    regression: Any
    forest: Any


def fit(data: Data) -> Fitted:
    """Fit a model to the training windows and calibrate it on the later ones; the same data give the same model."""
    training = data.training
    terms = _terms(data)
    columns = scoring.columns(terms, training.features)
    scaler = StandardScaler().fit(columns)
    regression = Ridge(alpha=ALPHA, solver="cholesky").fit(scaler.transform(columns), training.value)
    forest = IsolationForest(n_estimators=TREES, max_samples=min(SAMPLES, len(training)), random_state=0)
    forest.fit(_rows(training).astype(np.float32))
    coefficients = regression.coef_ / scaler.scale_
    lowest, highest = training.features.min(axis=0), training.features.max(axis=0)
    margin = MARGIN * (highest - lowest)
    margin[len(data.inputs) :] = 1.0  # a share lies between 0 and 1 by itself
    model = Model(
        asset=data.choice.asset,
        target=data.choice.target.name,
        period_ms=data.choice.period_ms,
        inputs=data.inputs,
        states=data.states,
        lowest=lowest - margin,
        highest=highest + margin,
        terms=terms,
        intercept=float(regression.intercept_ - (coefficients * scaler.mean_).sum()),
        coefficients=coefficients,
        forest=plain_forest(forest),
        calibration=Calibration(EMPTY, EMPTY, EMPTY, 0.0, 0.0, 0.0, 0.0),
    )
    return Fitted(replace(model, calibration=calibrated(model, data.later)), scaler, regression, forest)


def calibrated(model: Model, later: Windows) -> Calibration:
    """What a model leaves on later windows, in order of time."""
    loose = replace(model, calibration=replace(model.calibration, scale=np.inf, slow_scale=np.inf))
    first = scoring.score(loose, 0.0, later.value, later.features, later.is_other)
    residual = (later.value - first.expected)[np.isfinite(first.expected)]
    if not len(residual):
        return model.calibration
    scale = float(np.abs(residual).mean())
    cut = replace(loose, calibration=replace(model.calibration, scale=scale, slow_scale=np.inf))
    seen = scoring.score(cut, 0.0, later.value, later.features, later.is_other)
    slow = seen.slow[later.starts_ms >= later.starts_ms[0] + scoring.DAY_MS]
    slow = slow[np.isfinite(slow)]
    lower, upper = np.quantile(residual, BAND).tolist()
    return Calibration(
        residual=_kept(np.abs(residual)),
        slow=_kept(slow),
        isolation=_kept(seen.isolation[np.isfinite(seen.isolation)]),
        scale=scale,
        slow_scale=float(slow.mean()) if len(slow) else scale,
        lower=lower,
        upper=upper,
    )


def plain_forest(forest: Any) -> Forest:  # noqa: ANN401 - an IsolationForest
    """The trees of an IsolationForest as full binary trees of the depth of the deepest."""
    trees = [each.tree_ for each in forest.estimators_]
    depth = max(int(each.max_depth) for each in trees)
    feature = np.zeros((len(trees), 2**depth - 1), dtype=np.int64)
    threshold = np.full((len(trees), 2**depth - 1), np.inf)
    length = np.zeros((len(trees), 2**depth))
    for nth, tree in enumerate(trees):
        _fill(tree, depth, feature[nth], threshold[nth], length[nth])
    return Forest(feature, threshold, length)


def _fill(tree: Any, depth: int, feature: Integers, threshold: Floats, length: Floats) -> None:  # noqa: ANN401 - a Tree
    """One tree: below a leaf that stands higher than the others every row goes left."""
    waiting = [(0, 0, 0)]  # node of the tree, its place in order of breadth, its depth
    while waiting:
        node, place, down = waiting.pop()
        if tree.children_left[node] >= 0:
            feature[place], threshold[place] = tree.feature[node], tree.threshold[node]
            waiting.append((int(tree.children_left[node]), 2 * place + 1, down + 1))
            waiting.append((int(tree.children_right[node]), 2 * place + 2, down + 1))
            continue
        leaf = place
        for _ in range(depth - down):
            leaf = 2 * leaf + 1
        length[leaf - len(feature)] = down + average_path(int(tree.n_node_samples[node]))


def average_path(samples: int) -> float:
    """Mean path length of an unsuccessful search among so many samples (Liu, Ting, Zhou 2008, equation 1)."""
    if samples <= 1:
        return 0.0
    if samples == 2:
        return 1.0
    return float(2.0 * (np.log(samples - 1.0) + np.euler_gamma) - 2.0 * (samples - 1.0) / samples)


def _terms(data: Data) -> Terms:
    """Each feature; means that bend at their knots; means in each state; fewer where there are few windows."""
    x, means = data.training.features, len(data.inputs)
    every = [(nth, NO_KNOT, -1) for nth in range(x.shape[1])]
    bent = [
        (nth, knot, -1)
        for nth in range(means)
        for knot in np.unique(np.quantile(x[:, nth], KNOTS)).tolist()
        if x[:, nth].min() < knot < x[:, nth].max()
    ]
    inside = [(nth, NO_KNOT, by) for nth in range(means) for by in range(means, x.shape[1])]
    for more in (bent, inside):
        if (len(every) + len(more)) * WINDOWS_A_TERM <= len(x):
            every += more
    feature, knot, by = zip(*every, strict=True)
    return Terms(np.array(feature, dtype=np.int64), np.array(knot, dtype=np.float64), np.array(by, dtype=np.int64))


def _rows(windows: Windows) -> Floats:
    return np.column_stack((windows.value, windows.features))


def _kept(distances: Floats) -> Floats:
    """In rising order; of very many some that stand for all, the least and the greatest among them."""
    ordered = np.sort(distances)
    if len(ordered) <= MOST_KEPT:
        return ordered
    chosen: Floats = ordered[np.linspace(0, len(ordered) - 1, MOST_KEPT).round().astype(np.int64)]
    return chosen
