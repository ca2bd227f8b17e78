"""How a detector is put together: one function moves its memory on, another says what the memory means.

A gap leaves the memory as it was, and so what is seen: it neither opens nor closes anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from streams.domain.alerts import Rule, Sign, Words
from streams.operators.detectors.looking import Detector, Memory, Row, Values

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
NOTHING = Words()


@dataclass(frozen=True, slots=True)
class Number:
    """A limit: its default (None: must be given), and its unit and meaning."""

    default: float | None
    text: str


@dataclass(frozen=True, slots=True)
class View:
    """What the memory means: seen or not, value and limit in `unit` (NaN where not known yet), the sentence."""

    is_seen: bool
    value: float
    limit: float
    unit: str
    said: Words = NOTHING


@dataclass(frozen=True, slots=True)
class Case:
    """What is looked at in one interval: the rule, its numbers with the defaults filled in, and the values."""

    rule: Rule
    limits: Mapping[str, float]
    row: Row

    @property
    def span_ms(self) -> int:
        """Length of the interval."""
        return self.row.ends_ms - self.row.starts_ms

    @property
    def ends_hour(self) -> bool:
        """Whether the interval is the last of a local hour."""
        return self.row.local.minute * MINUTE_MS + self.span_ms >= HOUR_MS

    def known(self, role: str = "") -> Values | None:
        """A role's values where they were measured; None where they are missing or spread over a gap."""
        values = self.row.by_role.get(role)
        if values is None or values.readings < 1 or values.is_estimated or values.mean != values.mean:
            return None
        return values

    def counted(self, role: str = "") -> Values | None:
        """As `known`, of a role that must be counted: None too where it has no amount."""
        values = self.known(role)
        return None if values is None or values.amount != values.amount else values

    def has(self, role: str) -> bool:
        """Whether the rule names a point for a role."""
        return role in self.rule.roles or role in self.row.by_role

    def at(self, ms: int) -> str:
        """Month, day and time on the site's clock."""
        return f"{datetime.fromtimestamp(ms / 1000, tz=self.row.local.tzinfo):%m-%d %H:%M}"


def detector(
    kind: str,
    advance: Callable[[Case, Memory], Memory],
    tell: Callable[[Case, Memory], View],
    *,
    what: Words,
    check: Words,
    numbers: Mapping[str, Number],
    roles: tuple[str, ...] = (),
    optional: tuple[str, ...] = (),
) -> Detector:
    """A detector of two functions: `advance` returns the next memory, `tell` what it means.

    What is seen is told with `check` behind it. The sign's subject is the point of the first role, or the rule's only
    point; it is empty where a rule looks at several points one by one.
    """
    defaults = {name: number.default for name, number in numbers.items() if number.default is not None}

    def look(rule: Rule, memory: Memory, row: Row) -> tuple[Memory, Sign]:
        case = Case(rule, {**defaults, **rule.numbers}, row)
        after = advance(case, memory)
        view = tell(case, after)
        said = view.said
        if view.is_seen:
            said = Words(said.zh + check.zh, f"{said.en} {check.en}")
        subject = rule.roles.get(roles[0], "") if roles else rule.points[0] if len(rule.points) == 1 else ""
        return after, Sign(rule.name, subject, row.ends_ms, view.is_seen, view.value, view.limit, view.unit, said)

    return Detector(
        kind,
        look,
        roles,
        optional,
        {name: number.default for name, number in numbers.items()},
        {name: number.text for name, number in numbers.items()},
        what.zh,
        what.en,
        check.zh,
        check.en,
    )


def lasting(case: Case, memory: Memory, holds: bool | None, needed_ms: float, tolerance_ms: float = 0) -> Memory:
    """How long something holds: `held_ms` of known time since `since_ms`; None is unknown and changes nothing.

    Breaks shorter than `tolerance_ms` do not end it. What has not lasted `needed_ms` yet begins anew after a gap of
    more than an hour: two halves around a gap are no whole.
    """
    if holds is None:
        return memory
    row, held = case.row, memory.get("held_ms", 0)
    if held and held < needed_ms and row.starts_ms - memory["until_ms"] > HOUR_MS:
        held = 0
    broken = 0
    since = memory["since_ms"] if held else row.starts_ms
    if holds:
        held += case.span_ms
    else:
        broken = memory.get("broken_ms", 0) + case.span_ms
        if broken >= tolerance_ms:
            held = 0
    return {**memory, "since_ms": since, "until_ms": row.ends_ms, "held_ms": held, "broken_ms": broken}


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which a share (0 to 1) of the values lies, between two by straight line; ValueError if none."""
    if not values:
        raise ValueError("quantile: expected at least one value; got none")
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
