"""Rules, what they see, and what is told of it.

A rule looks at some points of a site. What it sees is a row of signs, one an evaluation; signs make episodes, and an
episode makes notices: the messages that people and systems get. Times are UTC milliseconds since 1970 (`*_ms`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class Severity(StrEnum):
    """How soon somebody must look: when there is time, today, now."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class NoticeKind(StrEnum):
    """Why a message is sent about an episode."""

    OPENED = "opened"
    REMINDED = "reminded"
    ESCALATED = "escalated"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Words:
    """A sentence for people, in Chinese and in English."""

    zh: str = ""
    en: str = ""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a rule holds: local weekdays (0 is Monday), and local minutes of the day from `begin` up to `end`.

    Where `end` is not after `begin` it runs over midnight. `off_peak_days` says what the tariff's off-peak days are:
    True holds only on them, False never on them, None makes no difference.
    """

    weekdays: frozenset[int] = frozenset(range(7))
    begin_minute: int = 0
    end_minute: int = 1440
    off_peak_days: bool | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a site.

    `kind` names what looks: `threshold` and `score`, or a detector. `points` are the points it looks at one by one;
    `roles` (role to point) are those that it looks at together. `numbers` are its limits, in the units that the kind
    says. An episode opens after `for_ms` of being seen, closes after `clear_ms` of not being seen, is told again every
    `remind_ms` (0: never) until somebody acknowledges it, and is told to more people after `escalate_ms` (0: never).
    """

    name: str
    kind: str
    points: tuple[str, ...] = ()
    roles: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    numbers: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    for_ms: int = 0
    clear_ms: int = 600_000
    schedule: Schedule | None = None
    severity: Severity = Severity.WARNING
    title: Words = Words()
    advice: Words = Words()
    remind_ms: int = 0
    escalate_ms: int = 0


@dataclass(frozen=True, slots=True)
class Sign:
    """What a rule sees of a subject (a point, or the rule's asset) at a moment of event time.

    `value` and `limit` are in `unit`; `said` is the sentence about it.
    """

    rule: str
    subject: str
    at_ms: int
    is_seen: bool
    value: float
    limit: float
    unit: str
    said: Words = Words()


@dataclass(frozen=True, slots=True)
class Episode:
    """One stretch of trouble. `episode_id` follows from site, rule, subject and `opened_ms` alone.

    `worst` is the value furthest beyond the limit; `flaps` counts how often it seemed over and was not.
    """

    episode_id: str
    site: str
    rule: str
    subject: str
    asset: str
    severity: Severity
    opened_ms: int
    updated_ms: int
    closed_ms: int | None
    value: float
    worst: float
    limit: float
    unit: str
    flaps: int
    said: Words
    advice: Words


@dataclass(frozen=True, slots=True)
class Notice:
    """A message about an episode: its `number` counts those of one episode from 0. Both name it for ever."""

    episode: Episode
    number: int
    kind: NoticeKind
    at_ms: int

    @property
    def message_id(self) -> str:
        """The idempotency key of the message."""
        return f"{self.episode.episode_id}.{self.number}"
