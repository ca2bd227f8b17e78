"""A message and a channel: how they stand, what decides whether the one is sent by the other, and what came of it.

Times are UTC without a zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import orjson

from streams.domain.alerts import NoticeKind, Severity


class Status(StrEnum):
    """How a message stands with a channel. All but `waiting` are an end; `failed` and `resent` are of receipts alone.

    A person has sent what is `resent` again, and given up for good what is `discarded`. The last four have not been
    sent: a silence, an episode of a parent asset, or an acknowledgement was in the way; or nobody was told of the
    episode in time.
    """

    WAITING = "waiting"
    FAILED = "failed"
    SENT = "sent"
    DEAD = "dead"
    RESENT = "resent"
    DISCARDED = "discarded"
    UNROUTED = "unrouted"
    SILENCED = "silenced"
    GROUPED = "grouped"
    ACKNOWLEDGED = "acknowledged"
    UNTOLD = "untold"


WITHHELD: Final = (Status.SILENCED, Status.GROUPED, Status.ACKNOWLEDGED, Status.UNTOLD)


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the outbox; `data` is what its payload holds of the episode."""

    message_id: str
    episode_id: str
    site: str
    kind: NoticeKind
    number: int
    happened_at: datetime
    created_at: datetime
    payload: bytes
    data: dict[str, Any]

    @classmethod
    def of(cls, row: Sequence[Any]) -> Message:
        """A message from the columns of MESSAGE."""
        message_id, episode_id, site, kind, number, happened_at, created_at, text = row
        payload = str(text).encode()
        data = orjson.loads(payload)["data"]
        return cls(message_id, episode_id, site, NoticeKind(kind), int(number), happened_at, created_at, payload, data)


MESSAGE: Final = "o.message_id, o.episode_id, o.site, o.kind, o.number, o.happened_at, o.created_at, o.payload"


@dataclass(frozen=True, slots=True)
class Dispatch:
    """A message that is due at a channel, and how it stands.

    `resent_after` is how many attempts there had been when a person sent it again: its tries begin anew after them.
    """

    message: Message
    channel: str
    attempts: int
    status: Status
    resent_after: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """What to note of a dispatch: an attempt, or a reason not to send; `next_at` is None where that is the end."""

    status: Status
    reason: str
    next_at: datetime | None = None
    code: int | None = None
    is_attempt: bool = False
    parent_episode_id: str | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence that concerns a message."""

    silence_id: str
    begins_at: datetime
    ends_at: datetime
    by_whom: str


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What decides whether a message is sent: of its episode, its channel and its site.

    `earlier` and `withheld` count the messages before it, and those of them that were never tried, for a reason;
    `is_later`: one after it has been sent. `parents` are open episodes of assets above that the channel knows of, with
    their severities. `time_zone` is that of the site.
    """

    channel_reason: str | None
    is_acknowledged: bool
    is_closed: bool
    earlier: int
    withheld: int
    is_later: bool
    silences: list[Silence]
    parents: list[tuple[str, Severity]]
    time_zone: str = "UTC"
