"""A number beyond a limit, with hysteresis: kind `threshold` over readings, kinds of scores over intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from streams.domain.alerts import Rule, Words
from streams.operators import sentences
from streams.operators.episodes import LESS, SAME, SEEN, UNSEEN, Case, Log, Looks, Seen, SeenAt, Track, follow
from streams.operators.heard import Heard
from streams.operators.rule_calendar import Calendar

Int = NDArray[np.int64]
Float = NDArray[np.float64]


Say = Callable[[Case, float, float, str, int], Words]
"""A sentence from a case, value, limit, unit, and the time since when it is so."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seen above `above` or below `below`; what is open lasts until `high` and `low`; infinite where not given."""

    above: float
    below: float
    high: float
    low: float

    @classmethod
    def of(cls, rule: Rule) -> Limits:
        """Those of a rule."""
        numbers = rule.numbers
        above, below = numbers.get("above", inf), numbers.get("below", -inf)
        high, low = (numbers.get("clear", limit) if limit in numbers.values() else limit for limit in (above, below))
        return cls(above, below, high, low)

    def code(self, value: Float) -> NDArray[np.int8]:
        """SEEN beyond a limit, UNSEEN back from it, LESS in between, SAME where the value is unknown."""
        beyond, back = (value > self.above) | (value < self.below), (value <= self.high) & (value >= self.low)
        between = np.where(np.isnan(value), SAME, LESS)
        return np.where(beyond, SEEN, np.where(back, UNSEEN, between)).astype(np.int8)

    def excess(self, value: Float) -> Float:
        """How far beyond the nearer limit, negative within."""
        return np.maximum(value - self.above, self.below - value)

    def passed(self, value: float) -> float:
        """The limit that a value is beyond, or nearer to."""
        return self.above if value - self.above >= self.below - value else self.below


@dataclass(frozen=True, slots=True)
class Threshold:
    """A rule over some watched points, by their slots (`slots` by their names); `words` makes the sentence."""

    rule: Rule
    limits: Limits
    cases: dict[int, Case]
    slots: dict[str, int]
    units: dict[int, str]
    words: Say
    is_watched: NDArray[np.bool_]


def limit_words(calendar: Calendar, labels: dict[str, Words]) -> Say:
    """Sentences of kind `threshold`; `labels` are the names of points for people."""

    def words(case: Case, value: float, limit: float, unit: str, since_ms: int) -> Words:
        return sentences.limit(labels[case.subject], value, limit, unit, calendar.local(since_ms))

    return words


def score_words(calendar: Calendar, labels: dict[str, Words]) -> Say:
    """Sentences of kind `score`."""

    def words(case: Case, value: float, limit: float, _unit: str, since_ms: int) -> Words:
        return sentences.score(labels[case.subject], value, limit, calendar.local(since_ms))

    return words


def model_words(calendar: Calendar, labels: dict[str, Words]) -> Say:
    """Sentences of kind `model_score`."""

    def words(case: Case, value: float, limit: float, _unit: str, since_ms: int) -> Words:
        return sentences.model_score(labels[case.subject], value, limit, calendar.local(since_ms))

    return words


def cross(log: Log, each: Threshold, tracks: dict[tuple[str, str], Track], heard: Heard, since_ms: Int) -> None:
    """Take readings (or intervals, true since `since_ms`) of the rule's points; changes `tracks`."""
    mine = each.is_watched[heard.slot]
    if not mine.any():
        return
    code = each.limits.code(heard.value)
    busy = set(np.unique(heard.slot[mine & (code == SEEN)]).tolist())
    busy |= {each.slots[subject] for name, subject in tracks if name == each.rule.name and subject in each.slots}
    for slot in sorted(busy):
        part, case = heard.of(slot), each.cases[slot]
        if part.start == part.stop:
            continue
        value = heard.value[part]
        within = log.calendar.holds(each.rule.schedule, since_ms[part])
        codes = np.where(within, code[part], UNSEEN).astype(np.int8)
        looks = Looks(since_ms[part], heard.time_ms[part], codes, each.limits.excess(value), heard.row[part])
        after = follow(log, case, tracks.get(key_of(case)), looks, _shown(each, case, value, each.units[slot]))
        keep(tracks, case, after)


def hold(log: Log, each: Threshold, case: Case, track: Track, at_ms: int) -> Track | None:
    """Take the passing of time: what was seen last is still so, unless the schedule has ended."""
    now = np.array([at_ms], dtype=np.int64)
    code = SAME if bool(log.calendar.holds(each.rule.schedule, now)[0]) else UNSEEN

    def shown(_at: int, since_ms: int) -> Seen:
        said = each.words(case, track.value, track.limit, track.unit, since_ms)
        return Seen(track.value, track.limit, track.unit, said)

    return follow(log, case, track, Looks.one(at_ms, at_ms, code), shown)


def _shown(each: Threshold, case: Case, value: Float, unit: str) -> SeenAt:
    def shown(at: int, since_ms: int) -> Seen:
        now = float(value[at])
        limit = each.limits.passed(now)
        return Seen(now, limit, unit, each.words(case, now, limit, unit, since_ms))

    return shown


def key_of(case: Case) -> tuple[str, str]:
    """Under what a track is kept."""
    return case.rule.name, case.subject


def keep(tracks: dict[tuple[str, str], Track], case: Case, track: Track | None) -> None:
    """Keep a track, or forget that there was one."""
    if track is None:
        tracks.pop(key_of(case), None)
    else:
        tracks[key_of(case)] = track
