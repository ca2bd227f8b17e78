"""What a model is fitted to: windows of an asset's points as they were known when their intervals closed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from jobs.training.choice import Choice, UntrainableError
from streams.domain.site import Point
from streams.operators.models.parameters import Flags, Floats, Integers, StateInput
from streams.operators.models.windows import STALE_MS, Changes, Parts, made, word_of
from streams.stores.store import Store, aware, naive

INTERVALS = (
    "select starts_at, ends_at, value from mart.anomaly where point = $1 and starts_at >= $2 and starts_at < $3 "
    "order by starts_at"
)
WORDS = (
    "select read_at, word, value from mart.state_change where point = $1 and read_at >= $2 and read_at < $3 "
    "order by read_at"
)
DAY_MS = 86_400_000
LEAST_KNOWN = 0.5
"""Share of the windows in which an input must be known."""
MOST_WORDS = 16
RARE = 1 / 1000
"""A word that held for less than this share of the time is one that was not seen."""
LEAST_DAYS = 7.0
LEAST_LATER_DAYS = 2.0
LATER_SHARE = 0.25
"""The last quarter of the time is kept for validation."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows in order of time: starts, the target's mean, features (windows × features), unknown words heard."""

    starts_ms: Integers
    value: Floats
    features: Floats
    is_other: Flags

    def __len__(self) -> int:
        """Count the windows."""
        return len(self.starts_ms)

    def take(self, which: Flags) -> Windows:
        """Select windows."""
        return Windows(self.starts_ms[which], self.value[which], self.features[which], self.is_other[which])

    @property
    def is_known(self) -> Flags:
        """Of which everything is known."""
        known: Flags = np.isfinite(self.value) & np.isfinite(self.features).all(axis=1)
        return known


@dataclass(frozen=True, slots=True)
class Series:
    """An asset's points over a time: closed intervals by point, changes of words by state."""

    parts: dict[str, Parts]
    changes: dict[str, Changes]

    def windows(self, target: str, inputs: Sequence[str], states: Sequence[StateInput], period_ms: int) -> Windows:
        """Windows in which the target has an interval."""
        starts = np.unique(self.parts[target].starts_ms // period_ms) * period_ms
        every, is_other = made((target, *inputs), states, period_ms, self.parts, self.changes, starts)
        return Windows(starts, every[:, 0], every[:, 1:], is_other)


@dataclass(frozen=True, slots=True)
class Data:
    """What a model is fitted to: inputs and states that were kept, windows of training, and later ones.

    `left_out` says of an input why it is none.
    """

    choice: Choice
    inputs: tuple[str, ...]
    states: tuple[StateInput, ...]
    training: Windows
    later: Windows
    left_out: tuple[str, ...]
    sha256: str


def read(store: Store, points: Sequence[Point], states: Sequence[Point], begins: datetime, ends: datetime) -> Series:
    """The intervals and words of [begins, ends) (aware) of some points, from the mart views.

    Intervals that were mostly missing or estimated are not among them.
    """
    window = [naive(begins), naive(ends)]
    parts = {}
    for point in points:
        rows = store.frame(INTERVALS, [point.name, *window])
        starts, stops = (rows[name].dt.epoch("ms").to_numpy() for name in ("starts_at", "ends_at"))
        parts[point.name] = Parts(starts, stops - starts, rows["value"].to_numpy())
    changes = {}
    for point in states:
        since = naive(begins) - timedelta(milliseconds=STALE_MS)
        heard: dict[int, str] = {}
        for moment, text, value in store.rows(WORDS, [point.name, since, window[1]]):
            time_ms, word = round(aware(moment).timestamp() * 1000), word_of(text, value)
            heard[time_ms] = max(word, heard.get(time_ms, word))  # as the stream has it
        changes[point.name] = Changes(tuple(heard), tuple(heard.values()))
    return Series(parts, changes)


def gathered(choice: Choice, series: Series, later_from_ms: int | None = None) -> Data:
    """Windows for a fit, split in order of time, where `later_from_ms` says or after three quarters.

    UntrainableError where too little is known.
    """
    period = choice.period_ms
    target = series.parts[choice.target.name]
    if not len(target):
        raise UntrainableError(f"{choice.target.name} has no closed interval that is known, in this window")
    begin, end = int(target.starts_ms[0]), int(target.starts_ms[-1]) + period
    cut = int(begin + (1 - LATER_SHARE) * (end - begin)) if later_from_ms is None else later_from_ms
    left_out = list[str]()
    states = _states(choice, series, (begin, cut), left_out)
    inputs = [point.name for point in choice.inputs]
    every = series.windows(choice.target.name, inputs, states, period)
    share = np.isfinite(every.features).mean(axis=0) if len(every) else np.zeros(every.features.shape[1])
    for name, known in zip(list(inputs), share.tolist(), strict=False):
        if known < LEAST_KNOWN:
            left_out.append(f"{name}: known in {100 * known:.0f} % of the windows")
            inputs.remove(name)
    first = len(choice.inputs)
    for state in list(states):
        known = float(share[first]) if first < len(share) else 0.0
        first += len(state.words)
        if known < LEAST_KNOWN:
            left_out.append(f"{state.point}: known in {100 * known:.0f} % of the windows")
            states.remove(state)
    if not inputs and not states:
        raise UntrainableError("of nothing that explains it enough is known: " + "; ".join(left_out))
    every = series.windows(choice.target.name, inputs, states, period)
    every = every.take(every.is_known)
    training = every.take((every.starts_ms < cut) & ~every.is_other)
    later = every.take(every.starts_ms >= cut)
    for what, windows, least in (("training", training, LEAST_DAYS), ("validation", later, LEAST_LATER_DAYS)):
        days = len(windows) * period / DAY_MS
        if days < least:
            raise UntrainableError(
                f"too little data: expected {least:g} days of known windows for {what}; found {days:.1f}"
            )
    digest = _digest(choice, inputs, states, every)
    return Data(choice, tuple(inputs), tuple(states), training, later, tuple(left_out), digest)


def _states(choice: Choice, series: Series, window: tuple[int, int], left_out: list[str]) -> list[StateInput]:
    """The states that are inputs, with the words that were seen in training, those that held longest first."""
    found = []
    for point in choice.states:
        changes = series.changes[point.name]
        spent: dict[str, int] = {}
        ends = [*changes.time_ms[1:], window[1]]
        for word, since, until in zip(changes.words, changes.time_ms, ends, strict=True):
            lasts = min(until, since + STALE_MS, window[1]) - max(since, window[0])
            if lasts > 0:
                spent[word] = spent.get(word, 0) + lasts
        total = sum(spent.values())
        words = [word for word in sorted(spent, key=lambda word: (-spent[word], word)) if spent[word] >= RARE * total]
        if not words:
            left_out.append(f"{point.name}: not heard in the training window")
        elif len(words) > MOST_WORDS:
            left_out.append(f"{point.name}: {len(words)} words, more than {MOST_WORDS}")
        else:
            found.append(StateInput(point.name, tuple(words)))
    return found


def _digest(choice: Choice, inputs: Sequence[str], states: Sequence[StateInput], every: Windows) -> str:
    digest = hashlib.sha256(repr((choice.target.name, choice.period_ms, tuple(inputs), tuple(states))).encode())
    for array, kind in ((every.starts_ms, "<i8"), (every.value, "<f8"), (every.features, "<f8")):
        digest.update(np.ascontiguousarray(array, kind).tobytes())
    return digest.hexdigest()
