"""Intervals for detectors: those of a lone point as they come, those of several points side by side.

Points that a rule looks at together are aligned to the coarsest resolution among them; a finer one is added up. A
window is looked at once all of them have come past it. What has not come when a tick is past the window by the points'
lateness, or when another point is two days ahead after a step, is unknown there for good.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import nan

import polars as pl

from streams.domain.site import Point, PointKind
from streams.operators.demand import QUARTER_MS
from streams.operators.detectors.looking import Values
from streams.operators.readings import NEVER

INTERVALS = {
    "place": pl.Int64,
    "starts_ms": pl.Int64,
    "ends_ms": pl.Int64,
    "mean": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "last": pl.Float64,
    "amount": pl.Float64,
    "readings": pl.Int64,
    "estimated": pl.Boolean,
    "score": pl.Float64,
}
"""Closed intervals of points: see `detectors.looking.Values` for the values; `score` is the anomaly score. Null or NaN
where nothing is known."""

NOTHING = Values(nan, nan, nan, nan, nan, 0)
STALL_MS = 2 * 86_400_000
GRACE_MS = 60_000
COUNTED = (PointKind.REGISTER, PointKind.POWER, PointKind.INTERVAL, PointKind.AMOUNT, PointKind.VIRTUAL)

Part = tuple[int, int, Values]
"""Start, end, values."""


@dataclass(frozen=True, slots=True)
class Roles:
    """The points of a rule by role, in windows of `period_ms`; a tick is past a window `slack_ms` after its end."""

    points: Mapping[str, Point]
    period_ms: int
    slack_ms: int

    @classmethod
    def of(cls, points: Mapping[str, Point]) -> Roles:
        """The coarsest resolution, or a quarter-hour where another one does not divide it."""
        every = [point.resolution_ms for point in points.values()]
        period = max(every)
        slack = max(point.allowed_lateness_ms for point in points.values()) + period + GRACE_MS
        return cls(points, QUARTER_MS if any(period % each for each in every) else period, slack)


@dataclass(frozen=True, slots=True)
class Gathered:
    """Intervals of a rule's roles that wait for others: up to where windows are done, how far each role has come."""

    done_ms: int = NEVER
    heads: Mapping[str, int] = field(default_factory=dict)
    parts: Mapping[str, tuple[Part, ...]] = field(default_factory=dict)


Window = tuple[int, dict[str, Values]]
"""Start, and the values of each role."""


def gather(gathered: Gathered, role: str, parts: Sequence[Part]) -> Gathered:
    """Take intervals of a role, in order; those of windows that are done are ignored."""
    kept = tuple(part for part in parts if part[0] >= gathered.done_ms)
    head = max(gathered.heads.get(role, NEVER), parts[-1][1])
    return replace(
        gathered,
        heads={**gathered.heads, role: head},
        parts={**gathered.parts, role: (*gathered.parts.get(role, ()), *kept)},
    )


def windows(roles: Roles, gathered: Gathered, tick_ms: int | None = None) -> tuple[Gathered, list[Window]]:
    """The windows that are complete, or given up, in order; without those of which nobody knows anything."""
    heads = [gathered.heads.get(role, NEVER) for role in roles.points]
    reach = max(min(heads), max(heads) - STALL_MS)
    if tick_ms is not None:
        reach = max(reach, tick_ms - roles.slack_ms)
    until = reach // roles.period_ms * roles.period_ms
    if until <= gathered.done_ms or max(heads) == NEVER:
        return gathered, []
    ready: dict[int, dict[str, list[Part]]] = {}
    waiting: dict[str, tuple[Part, ...]] = {}
    for role, parts in gathered.parts.items():
        for part in parts:
            if part[0] < until:
                ready.setdefault(part[0] // roles.period_ms * roles.period_ms, {}).setdefault(role, []).append(part)
        waiting[role] = tuple(part for part in parts if part[0] >= until)
    found = [
        (
            start,
            {
                role: together(point, ready[start].get(role, []), roles.period_ms)
                for role, point in roles.points.items()
            },
        )
        for start in sorted(ready)
    ]
    return Gathered(until, gathered.heads, waiting), found


def together(point: Point, parts: Sequence[Part], period_ms: int) -> Values:
    """The intervals of a point within a window as one.

    What is counted is unknown where a part of it is; of a gauge the mean is weighted by readings, without the unknown.
    """
    values = [each for _, _, each in parts]
    if len(values) == 1 and parts[0][1] - parts[0][0] == period_ms:
        return values[0]
    is_estimated = any(each.is_estimated for each in values)
    if point.kind in COUNTED:
        whole = sum(end - start for start, end, _ in parts) == period_ms and all(each.readings for each in values)
        if not whole:
            return replace(NOTHING, is_estimated=is_estimated)
        amount = sum(each.amount for each in values)
        mean = amount / (period_ms / 3_600_000)
        return Values(mean, mean, mean, mean, amount, 1, is_estimated)
    known = [each for each in values if each.readings]
    readings = sum(each.readings for each in known)
    if not readings:
        return NOTHING
    return Values(
        mean=sum(each.mean * each.readings for each in known) / readings,
        low=min(each.low for each in known),
        high=max(each.high for each in known),
        last=known[-1].last,
        amount=nan,
        readings=readings,
        is_estimated=is_estimated,
    )
