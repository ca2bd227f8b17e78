"""The register state machine (design section 4): what a drop or a leap of a cumulative register means.

Array kernels accept the plain steps; only around a step that is not plain does this scalar scan run, from the
first odd reading to the one where the register is back on a course that both agree on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntFlag
from fractions import Fraction
from typing import NamedTuple

from streams.domain.site import Exchange

HOUR_MS = 3_600_000
QUANTUM = 2  # ticks by which two honest readings may exceed the largest rate


class Flag(IntFlag):
    """What is special about the stretch that ends at an accepted row."""

    PLAIN = 0
    UNKNOWN = 1  # no energy can be told for it: missing
    DOUBTFUL = 2  # energy is a lower bound: estimated
    RATIO = 4  # the CT ratio changes here


class Row(NamedTuple):
    """An accepted reading: time, effective value, growth since the one before, and the totals with it, in ticks."""

    time_ms: int
    value: int
    growth: int
    flag: int
    wrapped: int
    reset: int
    exchanged: int
    quarantined: int


class Event(NamedTuple):
    """A decision about a register: when it was made, when it happened, what it was, with which values in ticks."""

    decided_ms: int
    happened_ms: int
    kind: str
    before: int
    after: int
    energy_ticks: int
    reason: str


@dataclass(slots=True)
class Totals:
    """Cumulative corrections, in ticks: last − first + wraps + resets + exchanges = growth + quarantined."""

    wrapped: int = 0
    reset: int = 0
    exchanged: int = 0
    quarantined: int = 0


@dataclass(frozen=True, slots=True)
class Rules:
    """What is known of one register; ticks and milliseconds."""

    modulus: int
    cap: int
    noise: int
    confirm: int
    max_gap_ms: int
    exchanges: tuple[tuple[Exchange, int, int], ...] = ()  # with closing and opening in ticks
    ratios_ms: tuple[int, ...] = ()
    last_reset: Callable[[int], int] | None = None

    def follows(self, elapsed_ms: int, growth: int) -> bool:
        """Tell whether a growth is plausible over the time."""
        return growth >= 0 and (self.cap == 0 or growth <= self.cap * elapsed_ms // HOUR_MS + QUANTUM)


@dataclass(slots=True)
class Course:
    """Where a register stands: last accepted reading, since when it shows that value, and the readings in doubt."""

    time_ms: int
    value: int
    since_ms: int
    shown: int  # the last reading as it came; below `value` after a small back-step
    pending: list[tuple[int, int]]
    totals: Totals
    rows: list[Row] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    rejected: list[tuple[int, int, str]] = field(default_factory=list)

    def accept(self, time_ms: int, value: int, growth: int, flag: Flag = Flag.PLAIN) -> None:
        """Move on to a reading."""
        if value != self.value:
            self.since_ms = time_ms
        self.time_ms, self.value, self.shown = time_ms, value, value
        now = self.totals
        self.rows.append(Row(time_ms, value, growth, int(flag), now.wrapped, now.reset, now.exchanged, now.quarantined))


def scan(course: Course, readings: list[tuple[int, int]], rules: Rules) -> int:
    """Feed readings in order of time until the register is on a plain course; return how many were used."""
    for used, (time_ms, value) in enumerate(readings, start=1):
        _declared(course, time_ms, value, rules)
        growth = value - course.value
        if rules.follows(time_ms - course.since_ms, growth):
            _clear_glitch(course, time_ms)
            course.accept(time_ms, value, growth, _caught_up(course, time_ms, value, rules))
            return_to_plain = True
        elif -rules.noise <= growth < 0:
            _clear_glitch(course, time_ms)
            if course.shown == course.value:
                course.events.append(
                    Event(time_ms, time_ms, "back_step", course.value, value, 0, "drop within the register's noise")
                )
            course.accept(time_ms, course.value, 0)
            course.shown = value
            return_to_plain = False
        else:
            course.pending.append((time_ms, value))
            return_to_plain = _decide(course, rules)
        if return_to_plain and not course.pending:
            return used
    return len(readings)


def _caught_up(course: Course, time_ms: int, value: int, rules: Rules) -> Flag:
    """A growth that only the time at a standstill explains is energy, but of which hour nobody can tell."""
    growth = value - course.value
    if rules.follows(time_ms - course.time_ms, growth):
        return Flag.PLAIN
    minutes = (time_ms - course.since_ms) // 60_000
    reason = f"caught up after {minutes} minutes at a standstill"
    course.events.append(Event(time_ms, course.since_ms, "catch_up", course.value, value, growth, reason))
    return Flag.DOUBTFUL


def _declared(course: Course, time_ms: int, value: int, rules: Rules) -> None:
    """Apply what the catalog declares between the last accepted reading and this one."""
    for exchange, closing, opening in rules.exchanges:
        if course.time_ms < exchange.at_ms <= time_ms:
            _clear_glitch(course, time_ms)
            growth = max(closing - course.value, 0)
            course.totals.exchanged += course.value + growth - opening
            course.events.append(
                Event(time_ms, exchange.at_ms, "exchange", closing, opening, growth, "declared in the catalog")
            )
            course.accept(exchange.at_ms, opening, growth)
    if rules.last_reset is not None and value < course.value:
        boundary = rules.last_reset(time_ms)
        if course.time_ms < boundary and rules.follows(time_ms - boundary, value):
            _clear_glitch(course, time_ms)
            course.totals.reset += course.value
            course.events.append(
                Event(time_ms, boundary, "reset", course.value, value, value, "drop at a declared boundary")
            )
            course.accept(boundary, 0, 0, Flag.DOUBTFUL)
    for at_ms in rules.ratios_ms:
        if course.time_ms < at_ms <= time_ms and not course.pending and value >= course.value:
            growth = value - course.value
            part = int(Fraction(growth * (at_ms - course.time_ms), time_ms - course.time_ms))
            course.accept(at_ms, course.value + part, part, Flag.RATIO)


def _clear_glitch(course: Course, decided_ms: int) -> None:
    """The register is back on its old course: what came between was a glitch."""
    if not course.pending:
        return
    first = course.pending[0]
    course.events.append(
        Event(decided_ms, first[0], "glitch", course.value, first[1], 0, f"{len(course.pending)} off the course")
    )
    course.rejected.extend((time_ms, value, "glitch") for time_ms, value in course.pending)
    course.pending.clear()


def _decide(course: Course, rules: Rules) -> bool:
    """Decide on the readings in doubt once enough of them agree with each other."""
    pending = course.pending
    start = len(pending) - 1
    while start > 0:
        (before_ms, before), (time_ms, value) = pending[start - 1 : start + 1]
        if not rules.follows(time_ms - before_ms, value - before):
            break
        start -= 1
    tail = pending[start:]
    first_ms, first = tail[0]
    elapsed = first_ms - course.since_ms
    wrapped = rules.modulus - course.value + first
    if (
        rules.modulus
        and course.value > rules.modulus * 9 // 10
        and first < rules.modulus // 10
        and rules.follows(elapsed, wrapped)
    ):
        if len(tail) < min(2, rules.confirm):
            return False
        kind, growth, flag, reason = "rollover", wrapped, Flag.PLAIN, "wrapped at the declared width"
        course.totals.wrapped += rules.modulus
    elif len(tail) < rules.confirm:
        return False
    elif first < course.value and first * 10 < course.value and (rules.cap == 0 or rules.follows(elapsed, first)):
        kind, growth, flag, reason = "reset", first, Flag.DOUBTFUL, f"{len(tail)} readings stay low"
        course.totals.reset += course.value
    else:
        kind = "unclear_drop" if first < course.value else "jump"
        growth, flag, reason = 0, Flag.UNKNOWN, f"{len(tail)} readings stay on a new course; the step is not energy"
        course.totals.quarantined += first - course.value
    stray = pending[:start]
    course.rejected.extend((time_ms, value, "glitch") for time_ms, value in stray)
    course.events.append(Event(tail[-1][0], first_ms, kind, course.value, first, growth, reason))
    course.accept(first_ms, first, growth, flag)
    for time_ms, value in tail[1:]:
        course.accept(time_ms, value, value - course.value)
    pending.clear()
    return True
