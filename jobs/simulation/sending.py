"""What a point sends and when it arrives, and what was done to it on the way."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from jobs.simulation.clock import Clock, Int, Real, Truth, chance
from jobs.simulation.readings import Series, local_boundaries
from streams.domain.site import Point, PointKind


@dataclass(frozen=True)
class Return:
    """A register shows `opening` ticks from `at_ms` on: an exchange, or a reset to zero; declared or not."""

    at_ms: int
    opening: int
    exchange: bool
    declared: bool


@dataclass
class Sending:
    """A point's readings and their fate; all arrays have one entry a reading, in order of time.

    `kept`: what was sent is right, under its right time. `sent`: it arrives at all. `stamp_ms`: the time it claims.
    `off`: added to a register's ticks (or put in place of a value, by `instead`, where not nan). `copies`: readings
    that arrive once more, with the time of that. `stretches`: (begin, end, lossy) between which boundaries cannot be
    known; lossy ones spoil every quarter-hour that they touch.
    """

    point: Point
    time_ms: Int
    ticks: Int
    value: Real
    text: list[str] | None
    stamp_ms: Int
    arrives_ms: Int
    kept: Truth
    sent: Truth
    touched: Truth
    instead: Real
    begins_with: int = 0
    returns: list[Return] = field(default_factory=list)
    copies: list[tuple[int, int]] = field(default_factory=list)
    stretches: list[tuple[int, int, bool]] = field(default_factory=list)

    @classmethod
    def of(cls, series: Series, clock: Clock) -> Sending:
        """All in order: a register begins somewhere in its lower half, declared exchanges and resets take place."""
        point, count = series.point, len(series.time_ms)
        late_by = (point.interval_ms or 0) if point.stamp_at_start else 0
        yes, no = np.ones(count, dtype=np.bool_), np.zeros(count, dtype=np.bool_)
        sending = cls(
            point, series.time_ms, series.ticks, series.value, series.text, series.time_ms.copy(),
            series.time_ms + late_by, yes, yes.copy(), no, np.full(count, np.nan),
        )  # fmt: skip
        if point.kind is PointKind.REGISTER:
            sending._open(clock)
        return sending

    def _open(self, clock: Clock) -> None:
        self.begins_with = int(chance(clock.seed, self.point.name, "opening").uniform(0.2, 0.45) * self.width)
        within = [each for each in self.point.exchanges if clock.begins_ms < each.at_ms < clock.ends_ms]
        if within:  # the first closing value is the declared one; later ones follow from what is used
            closing = self.count(within[0].closing)
            self.begins_with = (closing - self.ticks_at(within[0].at_ms)) % self.width
        self.returns += [Return(each.at_ms, self.count(each.opening), True, True) for each in within]
        for at_ms in local_boundaries(self.point, clock):
            self.returns.append(Return(at_ms, 0, False, True))
            before = int(np.searchsorted(self.time_ms, at_ms)) - 1
            if self.ticks[before] != self.ticks_at(at_ms):
                self.stretches.append((int(self.time_ms[before]), at_ms, True))
        for each in self.returns:
            self.touch(int(np.searchsorted(self.time_ms, each.at_ms)))

    @property
    def width(self) -> int:
        """Where a register wraps, in ticks; a million units where none is declared."""
        return round((self.point.modulus or 1_000_000) * float(10**self.point.decimals))

    def count(self, value: float) -> int:
        """A register's value in ticks."""
        return round(value * float(10**self.point.decimals))

    def ticks_at(self, at_ms: int) -> int:
        """The count at a moment, evenly between the readings around it."""
        after = min(max(int(np.searchsorted(self.time_ms, at_ms)), 1), len(self.time_ms) - 1)
        before_ms, after_ms = int(self.time_ms[after - 1]), int(self.time_ms[after])
        before, grown = int(self.ticks[after - 1]), int(self.ticks[after] - self.ticks[after - 1])
        return before + grown * (at_ms - before_ms) // (after_ms - before_ms)

    def shown(self) -> Int:
        """What a register shows at each reading, in ticks, without faults of the sending."""
        result = self.ticks + self.begins_with
        for each in sorted(self.returns, key=lambda each: each.at_ms):
            since = self.time_ms >= each.at_ms
            result[since] = self.ticks[since] - self.ticks_at(each.at_ms) + each.opening
        if self.point.modulus is not None:
            result %= self.width
        return result

    def shown_at(self, at_ms: int) -> int:
        """What a register shows just before a moment, in ticks."""
        before = int(np.searchsorted(self.time_ms, at_ms)) - 1
        earlier = [each for each in self.returns if self.time_ms[before] < each.at_ms < at_ms]
        if earlier:
            last = max(earlier, key=lambda each: each.at_ms)
            return last.opening + self.ticks_at(at_ms) - self.ticks_at(last.at_ms)
        return int(self.shown()[before]) + self.ticks_at(at_ms) - int(self.ticks[before])

    def values(self) -> Real:
        """What is sent, in the point's unit."""
        clean = self.value
        if self.point.kind is PointKind.REGISTER:
            clean = self.shown() / 10**self.point.decimals
        return np.where(np.isnan(self.instead), clean, self.instead)

    def touch(self, first: int, last: int | None = None) -> None:
        """Keep other faults away from some readings."""
        self.touched[max(first - 12, 0) : (first if last is None else last) + 13] = True
