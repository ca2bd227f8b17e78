"""What rules remember, and the bytes it is kept as: JSON, whose numbers come back exactly; NaN is null."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import nan
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from streams.domain.alerts import Severity, Words
from streams.operators.aligning import Gathered
from streams.operators.demand_watch import Metered
from streams.operators.detectors.looking import Memory, Values
from streams.operators.episodes import Track
from streams.operators.metering import Count
from streams.operators.readings import NEVER

Int = NDArray[np.int64]
Key = tuple[str, str]
"""A rule and a subject."""


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest time of each of some points."""

    points: tuple[str, ...]
    time_ms: Int

    @classmethod
    def of(cls, points: tuple[str, ...], known: Mapping[str, int] | None = None) -> Newest:
        """Of points in this order, NEVER where it is not known."""
        times = [(known or {}).get(point, NEVER) for point in points]
        return cls(points, np.array(times, dtype=np.int64))


@dataclass(slots=True)
class WatchState:
    """What rules remember between steps.

    `heard` are the points watched reading by reading, `closed` those by interval (up to the end of the last one);
    `memories` are those of detectors, with their kinds; `held_ms` says since which tick a rule's schedule holds;
    `orphans` are open episodes whose rule is not there any more.
    """

    heard: Newest
    closed: Newest
    tracks: dict[Key, Track] = field(default_factory=dict)
    memories: dict[Key, tuple[str, Memory]] = field(default_factory=dict)
    gathered: dict[Key, Gathered] = field(default_factory=dict)
    metered: Metered = field(default_factory=Metered)
    held_ms: dict[str, int] = field(default_factory=dict)
    first_tick_ms: int | None = None
    orphans: list[tuple[str, str, Track]] = field(default_factory=list)

    def copy(self) -> WatchState:
        """A copy that shares nothing that changes."""
        return WatchState(
            self.heard,
            self.closed,
            dict(self.tracks),
            dict(self.memories),
            dict(self.gathered),
            self.metered,
            dict(self.held_ms),
            self.first_tick_ms,
            list(self.orphans),
        )

    def to_bytes(self) -> bytes:
        """The state as JSON."""
        content = {
            "heard": [self.heard.points, self.heard.time_ms.tolist()],
            "closed": [self.closed.points, self.closed.time_ms.tolist()],
            "tracks": [[*key, track] for key, track in sorted(self.tracks.items(), key=_key)],
            "memories": [
                [*key, kind, orjson.Fragment(orjson.dumps(memory))]
                for key, (kind, memory) in sorted(self.memories.items(), key=_key)
            ],
            "gathered": [[*key, each] for key, each in sorted(self.gathered.items(), key=_key)],
            "counts": self.metered.counts,
            "peaks": [[*peak, kw] for peak, kw in self.metered.peaks.items()],
            "held_ms": self.held_ms,
            "first_tick_ms": self.first_tick_ms,
            "orphans": self.orphans,
        }
        return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)  # but a detector's memory stays as it made it


def stored(content: bytes) -> WatchState:
    """The state that `to_bytes` kept."""
    found: dict[str, Any] = orjson.loads(content)
    return WatchState(
        heard=Newest.of(tuple(found["heard"][0]), dict(zip(*found["heard"], strict=True))),
        closed=Newest.of(tuple(found["closed"][0]), dict(zip(*found["closed"], strict=True))),
        tracks={(rule, subject): _track(track) for rule, subject, track in found["tracks"]},
        memories={(rule, subject): (kind, memory) for rule, subject, kind, memory in found["memories"]},
        gathered={(rule, subject): _gathered(each) for rule, subject, each in found["gathered"]},
        metered=Metered(
            {point: _count(count) for point, count in found["counts"].items()},
            {(month, season, band): kw for month, season, band, kw in found["peaks"]},
        ),
        held_ms=found["held_ms"],
        first_tick_ms=found["first_tick_ms"],
        orphans=[(rule, subject, _track(track)) for rule, subject, track in found["orphans"]],
    )


def _key(item: tuple[Key, object]) -> Key:
    return item[0]


def _number(value: float | None) -> float:
    return nan if value is None else float(value)


def _track(found: dict[str, Any]) -> Track:
    numbers = {name: _number(found[name]) for name in ("value", "limit", "worst", "excess")}
    words = {name: Words(**found[name]) for name in ("said", "advice")}
    return Track(**{**found, **numbers, **words, "severity": Severity(found["severity"])})


def _count(found: dict[str, Any]) -> Count:
    return Count(**{**found, "minutes": tuple(map(tuple, found["minutes"]))})


def _gathered(found: dict[str, Any]) -> Gathered:
    parts = {
        role: tuple((start, end, _values(values)) for start, end, values in each)
        for role, each in found["parts"].items()
    }
    return Gathered(found["done_ms"], found["heads"], parts)


def _values(found: dict[str, Any]) -> Values:
    numbers = {name: _number(found[name]) for name in ("mean", "low", "high", "last", "amount")}
    return Values(**{**found, **numbers})
