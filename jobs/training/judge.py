"""How well a model does on later windows, and whether it may replace the one that is active."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import isfinite, nan

import numpy as np

from jobs.training.data import Data, Series, Windows
from streams.operators.anomaly import ALARMING
from streams.operators.models import scoring
from streams.operators.models.parameters import Flags, Model

CV_LIMIT_PERCENT, NMBE_LIMIT_PERCENT = 30.0, 10.0
"""ASHRAE Guideline 14-2002, 5.3.2.4 f: calibration to hourly data."""
MOST_OUTSIDE = 0.5
MOST_ALARMS = 0.05


@dataclass(frozen=True, slots=True)
class Metrics:
    """A model on later windows; power in the target's unit, NaN where there is nothing to tell it from.

    `windows` were scored; of all that are known, `outside_share` could not be, since an input lay outside what was
    trained on. `alarm_share` is the share of scored windows above `anomaly.ALARMING`.
    """

    windows: int
    outside_share: float
    r2: float
    mae: float
    rmse: float
    cv_rmse_percent: float
    nmbe_percent: float
    alarm_share: float

    @property
    def is_calibrated(self) -> bool:
        """Whether it keeps the limits of Guideline 14 for hourly data."""
        return self.cv_rmse_percent <= CV_LIMIT_PERCENT and abs(self.nmbe_percent) <= NMBE_LIMIT_PERCENT

    def plain(self) -> dict[str, object]:
        """As JSON can hold it."""
        return {
            name: None if isinstance(value, float) and not isfinite(value) else value
            for name, value in asdict(self).items()
        } | {"guideline_14_hourly": self.is_calibrated}


def measured(model: Model, later: Windows, which: Flags, *, own: int) -> Metrics:
    """A model on those of the later windows that `which` says; it goes through all of them, in order."""
    scored = scoring.score(model, 0.0, later.value, later.features, later.is_other, own=own)
    told = np.isfinite(scored.score) & which
    known = int((later.is_known & which).sum())
    outside = 1 - float((np.isfinite(scored.score) & which).sum()) / known if known else nan
    if not told.any():
        return Metrics(0, outside, nan, nan, nan, nan, nan, nan)
    value = later.value[told]
    error = value - scored.expected[told]
    square, mean = float((error * error).sum()), float(value.mean())
    spread = float(((value - mean) ** 2).sum())
    free = max(len(value) - 1, 1)
    rmse = (square / free) ** 0.5
    return Metrics(
        windows=len(value),
        outside_share=outside,
        r2=1 - square / spread if spread else nan,
        mae=float(np.abs(error).mean()),
        rmse=rmse,
        cv_rmse_percent=100 * rmse / mean if mean else nan,
        nmbe_percent=100 * float(error.sum()) / (free * mean) if mean else nan,
        alarm_share=float((scored.score[told] > ALARMING).mean()),
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """A new model, the active one on the same windows where there is one, and why the new one may not replace it."""

    new: Metrics
    old: Metrics | None
    refusal: str


def judge(model: Model, data: Data, active: Model | None, series: Series, *, accept: bool) -> Verdict:
    """Compare on the later windows; with an active model whose points are still there, on those that both can score.

    A model may not be used that explains later data no better than their mean, or of which most of them lie outside
    what it was trained on. It may not replace one whose root mean square error is smaller, nor one that alarms on more
    than one window in twenty, unless that is accepted: what it alarms about would become normal.
    """
    alone = measured(model, data.later, data.later.is_known, own=1)
    if active is None or not {*series.parts, *series.changes} >= set(active.points):  # the site has changed since
        return Verdict(alone, None, _unusable(alone))
    theirs = series.windows(active.target, active.inputs, active.states, active.period_ms)
    theirs = theirs.take(theirs.starts_ms >= data.later.starts_ms[0])
    old = measured(active, theirs, theirs.is_known, own=0)
    refusal = _unusable(alone)
    if (active.target, active.period_ms) == (model.target, model.period_ms):
        both, which = _both(model, data.later, active, theirs)
        if which.any():
            new_there = measured(model, data.later, both, own=1)
            old_there = measured(active, theirs, which, own=0)
            old = old_there
            alone = new_there
            if not refusal and new_there.rmse > old_there.rmse:
                refusal = (
                    f"it does worse than the active one: root mean square error {new_there.rmse:.3g} instead of "
                    f"{old_there.rmse:.3g} on the same {new_there.windows:,} later windows"
                )
    if not refusal and not accept and old.alarm_share > MOST_ALARMS:
        refusal = (
            f"the active one alarms on {100 * old.alarm_share:.0f} % of the later windows, which would become normal; "
            "look into it first, or give --accept"
        )
    return Verdict(alone, old, refusal)


def _both(model: Model, ours: Windows, active: Model, theirs: Windows) -> tuple[Flags, Flags]:
    """Which windows of each both models can score."""
    mine = scoring.score(model, 0.0, ours.value, ours.features, ours.is_other)
    other = scoring.score(active, 0.0, theirs.value, theirs.features, theirs.is_other)
    shared = np.intersect1d(
        ours.starts_ms[np.isfinite(mine.score)], theirs.starts_ms[np.isfinite(other.score)], assume_unique=True
    )
    return np.isin(ours.starts_ms, shared), np.isin(theirs.starts_ms, shared)


def _unusable(found: Metrics) -> str:
    if not found.windows or found.outside_share > MOST_OUTSIDE:
        return (
            f"{100 * found.outside_share:.0f} % of the later windows lie outside what it was trained on; train it on a "
            "longer time"
        )
    if not found.r2 > 0:
        return f"it explains later data no better than their mean (R² {found.r2:.2f})"
    return ""
