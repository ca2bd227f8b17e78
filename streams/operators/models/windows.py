"""What a model's points were like in windows of time: means of closed intervals, shares of the words of a state.

The same arithmetic makes the features that a model is trained on and those that it scores.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from streams.operators.models.parameters import Flags, Floats, Integers, Model, StateInput

STALE_MS: Final = 4 * 86_400_000
"""So long a word holds of which nothing more is heard: over a long weekend."""
NUL, REPLACED = "\x00", "\ufffd"


@dataclass(frozen=True, slots=True)
class Parts:
    """Closed intervals of a point in order of time: starts in ms, lengths in ms, means (NaN where unknown)."""

    starts_ms: Integers
    lasts_ms: Integers
    mean: Floats

    @classmethod
    def none(cls) -> Parts:
        """No interval."""
        return cls(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0))

    def __len__(self) -> int:
        """Count the intervals."""
        return len(self.starts_ms)

    def take(self, which: Flags) -> Parts:
        """Select intervals."""
        return Parts(self.starts_ms[which], self.lasts_ms[which], self.mean[which])

    def then(self, later: Parts) -> Parts:
        """These, and later ones."""
        return Parts(
            np.concatenate([self.starts_ms, later.starts_ms]),
            np.concatenate([self.lasts_ms, later.lasts_ms]),
            np.concatenate([self.mean, later.mean]),
        )


@dataclass(frozen=True, slots=True)
class Changes:
    """Words of a state by the time from which each holds, in order of time."""

    time_ms: tuple[int, ...] = ()
    words: tuple[str, ...] = ()


def word_of(text: str | None, value: float | None) -> str:
    """The word of a reading of a state: its text as stores keep it, or its number."""
    if text is not None:
        return text.replace(NUL, REPLACED)
    return "" if value is None else f"{value:.12g}"


def means(parts: Parts, starts_ms: Integers, period_ms: int) -> Floats:
    """Mean of the known intervals in each window, NaN where they are less than half of it."""
    at = np.searchsorted(starts_ms, parts.starts_ms, side="right") - 1
    inside = (at >= 0) & np.isfinite(parts.mean)
    inside &= parts.starts_ms < starts_ms[np.maximum(at, 0)] + period_ms
    at, mean, lasts = at[inside], parts.mean[inside], parts.lasts_ms[inside]
    count = np.bincount(at, minlength=len(starts_ms))
    total = np.bincount(at, weights=mean, minlength=len(starts_ms))
    known_ms = np.zeros(len(starts_ms), dtype=np.int64)
    np.add.at(known_ms, at, lasts)
    found: Floats = np.where(2 * known_ms >= period_ms, total / np.maximum(count, 1), np.nan)
    return found


def shares(state: StateInput, changes: Changes, starts_ms: Integers, period_ms: int) -> tuple[Floats, Flags]:
    """Share of each word in the known part of each window (windows × words), and whether another word was heard.

    NaN where less than half of a window is known.
    """
    codes = {word: nth for nth, word in enumerate(state.words)}
    other = len(codes)
    code = np.array([codes.get(word, other) for word in changes.words], dtype=np.int64)
    begins = np.array(changes.time_ms, dtype=np.int64)
    ends = np.minimum(np.append(begins[1:], np.iinfo(np.int64).max), begins + STALE_MS)
    first = np.searchsorted(starts_ms + period_ms, begins, side="right")
    number = np.maximum(np.searchsorted(starts_ms, ends, side="left") - first, 0)
    which = np.repeat(np.arange(len(begins)), number)
    window = first[which] + np.arange(len(which)) - np.repeat(np.cumsum(number) - number, number)
    inside = np.minimum(ends[which], starts_ms[window] + period_ms) - np.maximum(begins[which], starts_ms[window])
    spent = np.zeros((len(starts_ms), other + 1), dtype=np.int64)
    np.add.at(spent, (window, code[which]), np.maximum(inside, 0))
    known = spent.sum(axis=1)
    share = np.where((2 * known >= period_ms)[:, None], spent[:, :other] / np.maximum(known, 1)[:, None], np.nan)
    return share, spent[:, other] > 0


def features(
    model: Model, parts: Mapping[str, Parts], changes: Mapping[str, Changes], starts_ms: Integers
) -> tuple[Floats, Flags]:
    """The features of windows (windows × features), and which of them heard a word that the model does not know."""
    return made(model.inputs, model.states, model.period_ms, parts, changes, starts_ms)


def made(
    inputs: Sequence[str],
    states: Sequence[StateInput],
    period_ms: int,
    parts: Mapping[str, Parts],
    changes: Mapping[str, Changes],
    starts_ms: Integers,
) -> tuple[Floats, Flags]:
    """See `features`."""
    found = [means(parts[point], starts_ms, period_ms)[:, None] for point in inputs]
    is_other = np.zeros(len(starts_ms), dtype=np.bool_)
    for state in states:
        share, others = shares(state, changes[state.point], starts_ms, period_ms)
        found.append(share)
        is_other |= others
    return np.concatenate(found, axis=1) if found else np.zeros((len(starts_ms), 0)), is_other
