"""A model at work: intervals and words wait until a window is complete, and are scored once, in order (ADR 13).

A window is complete when all the points of the model have come past it. What has not come when a recorded tick is past
it by the points' lateness, or when a stream ends, is unknown there for good. So a score depends on the order of arrival
alone, not on the cuts, and never on anything later than its window but that the other points have passed it.

Words are taken as they arrive. One is late, and passed over, that lies before the window in which the newest of its
point, less the allowed lateness, stood.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import orjson
import polars as pl

from streams.domain.site import PointKind
from streams.operators.aligning import GRACE_MS
from streams.operators.closed import Closed
from streams.operators.models import scoring
from streams.operators.models.parameters import Integers, Model
from streams.operators.models.windows import STALE_MS, Changes, Parts, features
from streams.operators.points import PointTable
from streams.operators.readings import NEVER

AT_ONCE: Final = 10_000
NO_CHANGES: Final = Changes()

MODEL_SCORES = {
    "place": pl.Int64,
    "starts_ms": pl.Int64,
    "ends_ms": pl.Int64,
    "version": pl.Int32,
    "value": pl.Float64,
    "score": pl.Float64,
    "expected": pl.Float64,
    "lower": pl.Float64,
    "upper": pl.Float64,
    "cause": pl.Int8,
}
"""`place` of the target, `value` to `upper` in the unit of `Closed.mean`; null where nothing can be said.

`cause` is a code of `scoring.CAUSES`, negative where the value is below what was expected.
"""
NOTHING = pl.DataFrame(schema=MODEL_SCORES)


@dataclass(frozen=True, slots=True)
class Watched:
    """A model of a site and its version, ready to look.

    `places` are those of the target and the inputs by name, `states` those of its states; `lateness_ms` is how late
    words of each may come. A tick is past a window `slack_ms` after its end.
    """

    version: int
    model: Model
    places: Mapping[str, int]
    states: Mapping[str, int]
    lateness_ms: Mapping[str, int]
    slack_ms: int

    @classmethod
    def of(cls, table: PointTable, version: int, model: Model) -> Watched | None:
        """Make one; None where the site no longer has its points."""
        if any(table.index.get(name, len(table.points)) >= len(table.points) for name in model.points):
            return None
        points = {name: table.points[table.index[name]] for name in model.points}
        worded = [each.point for each in model.states]
        if any((points[name].kind is PointKind.STATE) != (name in worded) for name in points):
            return None
        lateness = {name: point.allowed_lateness_ms for name, point in points.items()}
        return cls(
            version,
            model,
            {name: table.index[name] for name in (model.target, *model.inputs)},
            {name: table.index[name] for name in worded},
            {name: lateness[name] for name in worded},
            max(lateness.values()) + model.period_ms + GRACE_MS,
        )


@dataclass(frozen=True, slots=True)
class Course:
    """A state as it was heard: the newest time, and its changes that windows may still need."""

    highest_ms: int = NEVER
    changes: Changes = NO_CHANGES


@dataclass(frozen=True, slots=True)
class ModelState:
    """What a model remembers: up to where windows are done, how far each point has come, what waits, what it follows.

    Nothing in it is changed in place.
    """

    done_ms: int = NEVER
    heads: Mapping[str, int] = field(default_factory=dict)
    parts: Mapping[str, Parts] = field(default_factory=dict)
    courses: Mapping[str, Course] = field(default_factory=dict)
    slow: float = 0.0

    def to_bytes(self) -> bytes:
        """The state as JSON, whose numbers come back exactly; NaN is null."""
        parts = {
            point: [each.starts_ms.tolist(), each.lasts_ms.tolist(), each.mean.tolist()]
            for point, each in self.parts.items()
        }
        courses = {
            point: [each.highest_ms, each.changes.time_ms, each.changes.words] for point, each in self.courses.items()
        }
        content = {"done_ms": self.done_ms, "heads": self.heads, "parts": parts, "courses": courses, "slow": self.slow}
        return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)

    @classmethod
    def from_bytes(cls, content: bytes) -> ModelState:
        """The state that was kept."""
        found: dict[str, Any] = orjson.loads(content)
        parts = {
            point: Parts(
                np.array(starts, dtype=np.int64), np.array(lasts, dtype=np.int64), np.array(mean, dtype=np.float64)
            )
            for point, (starts, lasts, mean) in found["parts"].items()
        }
        courses = {
            point: Course(highest, Changes(tuple(times), tuple(words)))
            for point, (highest, times, words) in found["courses"].items()
        }
        return cls(found["done_ms"], found["heads"], parts, courses, found["slow"])


def begun(watched: Watched, heard_ms: int, words: Mapping[str, tuple[int, str]]) -> ModelState:
    """The state of a model that becomes active: it looks at windows that begin after all that was heard.

    `heard_ms` is the newest time of its points (NEVER: none); `words` are the newest of its states with their times.
    """
    period = watched.model.period_ms
    done = NEVER if heard_ms == NEVER else (heard_ms // period + 1) * period
    courses = {
        point: Course(time_ms, Changes((time_ms,), (word,)))
        for point, (time_ms, word) in words.items()
        if point in watched.states
    }
    return ModelState(done, courses=courses)


def taken_over(watched: Watched, before: Watched, state: ModelState) -> ModelState | None:
    """The state of the version before, of which the windows that wait go on; None where the two look otherwise."""
    ours, theirs = watched.model, before.model
    if (ours.target, ours.period_ms, set(ours.points)) != (theirs.target, theirs.period_ms, set(theirs.points)):
        return None
    return replace(state, slow=0.0)


def hear(watched: Watched, state: ModelState, point: str, time_ms: Sequence[int], words: Sequence[str]) -> ModelState:
    """Take words of a state in order of arrival; of two of one time the last one in order of the alphabet counts."""
    course, mark = state.courses.get(point, Course()), NEVER
    highest, known = course.highest_ms, dict(zip(course.changes.time_ms, course.changes.words, strict=True))
    for at_ms, word in zip(time_ms, words, strict=True):
        mark = _mark(watched, point, highest)
        if at_ms >= mark:
            known[at_ms] = max(word, known.get(at_ms, word))
            highest = max(highest, at_ms)
    times = sorted(known)
    made = _thinned(Changes(tuple(times), tuple(known[each] for each in times)), mark)
    return replace(state, courses={**state.courses, point: Course(highest, made)})


def close(watched: Watched, state: ModelState, rows: Closed) -> ModelState:
    """Take newly closed intervals of points, each point's in order of time; what closed once is not told again."""
    heads, parts = dict(state.heads), dict(state.parts)
    for point, place in watched.places.items():
        mine = rows.take(np.flatnonzero(rows.place == place))
        mine = mine.take(mine.ends_ms > heads.get(point, NEVER))
        if not len(mine):
            continue
        heads[point] = int(mine.ends_ms[-1])
        mean = np.where(mine.is_estimated, np.nan, mine.mean)
        fresh = Parts(mine.starts_ms, mine.ends_ms - mine.starts_ms, mean)
        fresh = fresh.take(np.isfinite(mean) & (mine.starts_ms >= state.done_ms))
        if len(fresh):
            parts[point] = parts[point].then(fresh) if point in parts else fresh
    return replace(state, heads=heads, parts=parts)


def reach(watched: Watched, state: ModelState) -> int:
    """Up to where all points have come, to a whole window."""
    heads = [state.heads.get(point, NEVER) for point in watched.places]
    heads += [_mark(watched, point, state.courses.get(point, Course()).highest_ms) for point in watched.states]
    return min(heads) // watched.model.period_ms * watched.model.period_ms


def reach_at(watched: Watched, state: ModelState, tick_ms: int) -> int:
    """Up to where a tick gives up what has not come; no further than the target has."""
    period = watched.model.period_ms
    given_up = min(tick_ms - watched.slack_ms, _head(watched, state)) // period * period
    return max(given_up, reach(watched, state))


def reach_of_end(watched: Watched, state: ModelState) -> int:
    """Up to where the end of a stream completes windows: as far as the target has come."""
    return max(_head(watched, state) // watched.model.period_ms * watched.model.period_ms, reach(watched, state))


def is_ready(watched: Watched, state: ModelState, until_ms: int) -> bool:
    """Whether there are windows of which the target is known, up to a time."""
    mine = state.parts.get(watched.model.target)
    return mine is not None and until_ms > state.done_ms and bool((mine.starts_ms < until_ms).any())


def tell(watched: Watched, state: ModelState, until_ms: int) -> tuple[ModelState, pl.DataFrame]:
    """Score the windows up to a time of which the target is known, and forget what they needed (MODEL_SCORES)."""
    if not is_ready(watched, state, until_ms):
        return state, NOTHING
    model = watched.model
    target = state.parts[model.target]
    starts = np.unique(target.starts_ms[target.starts_ms < until_ms] // model.period_ms) * model.period_ms
    found = []
    slow = state.slow
    for begin in range(0, len(starts), AT_ONCE):
        slow, rows = _told(watched, state, starts[begin : begin + AT_ONCE], slow)
        found.append(rows)
    parts = {point: each.take(each.starts_ms >= until_ms) for point, each in state.parts.items()}
    courses = {point: _shortened(each, until_ms) for point, each in state.courses.items()}
    kept = {point: each for point, each in parts.items() if len(each)}
    return replace(state, done_ms=until_ms, parts=kept, courses=courses, slow=slow), pl.concat(found)


def _told(watched: Watched, state: ModelState, starts: Integers, slow: float) -> tuple[float, pl.DataFrame]:
    model, period = watched.model, watched.model.period_ms
    parts = {point: state.parts.get(point, Parts.none()) for point in watched.places}
    changes = {point: state.courses.get(point, Course()).changes for point in watched.states}
    made, is_other = features(replace(model, inputs=(model.target, *model.inputs)), parts, changes, starts)
    value = made[:, 0]
    scored = scoring.score(model, slow, value, made[:, 1:], is_other)
    rows = pl.DataFrame(
        {
            "place": np.full(len(starts), watched.places[model.target], dtype=np.int64),
            "starts_ms": starts,
            "ends_ms": starts + period,
            "version": np.full(len(starts), watched.version, dtype=np.int64),
            "value": value,
            "score": scored.score,
            "expected": scored.expected,
            "lower": scored.lower,
            "upper": scored.upper,
            "cause": scored.cause,
        },
    ).cast(MODEL_SCORES)  # type: ignore[arg-type]  # names and types
    known = rows.filter(pl.col("value").is_not_nan())
    return float(scored.followed[-1]), known.with_columns(pl.col(pl.Float64).fill_nan(None))


def _head(watched: Watched, state: ModelState) -> int:
    return state.heads.get(watched.model.target, NEVER)


def _mark(watched: Watched, point: str, highest_ms: int) -> int:
    """Before this a word of a state is late: the window in which the newest, less the allowed lateness, stands."""
    period = watched.model.period_ms
    return NEVER if highest_ms == NEVER else (highest_ms - watched.lateness_ms[point]) // period * period


def _thinned(changes: Changes, mark_ms: int) -> Changes:
    """Without a word that is repeated before and after, where no other can come between any more."""
    times, words = changes.time_ms, changes.words
    kept = list[int]()
    for nth in range(len(times)):
        is_within = kept and nth + 1 < len(times) and words[kept[-1]] == words[nth] == words[nth + 1]
        if not (is_within and times[nth + 1] < min(mark_ms, times[kept[-1]] + STALE_MS)):
            kept.append(nth)
    return Changes(tuple(times[nth] for nth in kept), tuple(words[nth] for nth in kept))


def _shortened(course: Course, until_ms: int) -> Course:
    """Without the changes that no later window needs: all before the last one at or before a time."""
    times, words = course.changes.time_ms, course.changes.words
    first = max(sum(each <= until_ms for each in times) - 1, 0)
    return Course(course.highest_ms, Changes(times[first:], words[first:]))
