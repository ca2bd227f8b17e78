"""Dead letters: messages that a channel gave up. They stay so until a person sends them again or discards them.

A message that is sent again keeps its id, and its tries begin anew. Times are UTC without a zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import polars as pl

from streams.domain.findings import StoreError
from streams.stores.dispatch import Status
from streams.stores.store import Store

SEE: Final = "(see alerts deliveries --dead)"
NEWEST: Final = (
    "(select l.* from (select v.*, row_number() over ("
    "partition by v.message_id, v.channel order by v.attempted_at desc, v.attempt desc) as nth "
    "from mart.alert_delivery as v inner join op.alert_dispatch as s "
    "on v.message_id = s.message_id and v.channel = s.channel and s.status = 'dead' "
    "where v.status = 'dead') as l where l.nth = 1)"
)
"""The last attempt of each dead letter, as rows of mart.alert_delivery."""
RECEIPT: Final[dict[str, Any]] = {
    "message_id": pl.String,
    "episode_id": pl.String,
    "channel": pl.String,
    "attempt": pl.Int32,
    "attempted_at": pl.Datetime("us"),
    "status": pl.String,
    "reason": pl.String,
}


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that a channel gave up after so many attempts."""

    message_id: str
    episode_id: str
    channel: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Choice:
    """Which dead letters are meant: by ids or beginnings of them, of a channel, of an episode; with nothing, all."""

    messages: Sequence[str] = ()
    channel: str | None = None
    episode_id: str | None = None


def settle(store: Store, choice: Choice, status: Status, reason: str, now: datetime) -> list[DeadLetter]:
    """Send dead letters again (RESENT) or give them up for good (DISCARDED), and note it; return them.

    StoreError where one that is named is not there, and nothing is changed then.
    """
    with store.transaction():
        store.alone("alerts letters")
        letters = chosen(store, choice)
        for channel in sorted({letter.channel for letter in letters}):
            ids = [letter.message_id for letter in letters if letter.channel == channel]
            store.execute(
                "update op.alert_dispatch set status = $1, next_at = $2 where channel = $3 and message_id = any($4)",
                [
                    Status.WAITING.value if status is Status.RESENT else status.value,
                    now if status is Status.RESENT else None,
                    *(channel, ids),
                ],
            )
        rows = [
            (each.message_id, each.episode_id, each.channel, each.attempts, now, status.value, reason)
            for each in letters
        ]
        if rows:
            store.append("fact.alert_delivery", pl.DataFrame(rows, schema=RECEIPT, orient="row"))
    return letters


def chosen(store: Store, choice: Choice) -> list[DeadLetter]:
    """The dead letters that are meant, in the order in which they are sent."""
    rows = store.rows(
        "select d.message_id, d.episode_id, d.channel, d.attempts from op.alert_dispatch as d where d.status = 'dead' "
        "and (d.channel = $1 or $1 is null) and (d.episode_id = $2 or $2 is null) "
        "order by d.episode_id, d.number, d.channel",
        [choice.channel, choice.episode_id],
    )
    letters = [DeadLetter(str(row[0]), str(row[1]), str(row[2]), int(row[3])) for row in rows]
    if not choice.messages:
        if not letters and (choice.channel or choice.episode_id):
            named = [("channel", choice.channel), ("episode", choice.episode_id)]
            which = " and ".join(f"{what} {name!r}" for what, name in named if name)
            raise StoreError(f"alerts: expected dead letters of {which}; found none {SEE}")
        return letters
    ids = {_meant(text, {letter.message_id for letter in letters}) for text in choice.messages}
    return [letter for letter in letters if letter.message_id in ids]


def _meant(text: str, ids: set[str]) -> str:
    found = [text] if text in ids else sorted(each for each in ids if text and each.startswith(text))
    if not found:
        raise StoreError(f"alerts: expected a dead letter; found none with id {text!r} {SEE}")
    if len(found) > 1:
        raise StoreError(f"alerts: expected one dead letter; found {len(found)} whose ids begin with {text!r} {SEE}")
    return found[0]
