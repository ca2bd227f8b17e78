"""Whether a message is sent now, kept for later, or not sent at all; and what an attempt leaves.

A silence and an episode of a parent asset keep the opening of an episode until they are over: who was not told then is
told if it still lasts. What comes later of the episode meanwhile is not sent, but its end is, where it was told.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Final

from streams.domain.alerts import NoticeKind, Severity
from streams.runners.delivery.outcome import Outcome, Result, next_attempt
from streams.stores.dispatch import WITHHELD, Circumstances, Dispatch, Record, Silence, Status

LOOK_AGAIN: Final = timedelta(seconds=60)
"""Between two looks at whether a silence, or the episode of a parent, is over."""
RANK: Final = {severity: rank for rank, severity in enumerate(Severity)}


def withheld(dispatch: Dispatch, found: Circumstances, now: datetime) -> Record | None:
    """Why a message is not sent at `now` (UTC, without a zone), and until when; None where it is sent."""
    kind = dispatch.message.kind
    if found.channel_reason is not None:
        return Record(Status.DEAD, f"the channel is closed until it is configured anew: {found.channel_reason}")
    if dispatch.status in WITHHELD and kind is NoticeKind.OPENED and (found.is_closed or found.is_later):
        return Record(dispatch.status, "it is over" if found.is_closed else "a later message was sent")
    if kind is NoticeKind.CLOSED and found.earlier and found.earlier == found.withheld:
        return Record(Status.UNTOLD, "nothing of the episode was sent")
    if kind in (NoticeKind.REMINDED, NoticeKind.ESCALATED) and found.is_acknowledged:
        return Record(Status.ACKNOWLEDGED, "somebody has acknowledged the episode")
    return _silenced(dispatch, found, now) or _grouped(dispatch, found, now)


def _silenced(dispatch: Dispatch, found: Circumstances, now: datetime) -> Record | None:
    kind, active = dispatch.message.kind, [each for each in found.silences if each.begins_at <= now < each.ends_at]
    if active and kind in (NoticeKind.OPENED, NoticeKind.CLOSED):
        is_over = kind is NoticeKind.OPENED and found.is_closed
        return Record(Status.SILENCED, _words(active[0]), None if is_over else min(active[0].ends_at, now + LOOK_AGAIN))
    if found.silences and (kind in (NoticeKind.REMINDED, NoticeKind.ESCALATED) or active):
        return Record(Status.SILENCED, _words(found.silences[0]))
    if found.silences and kind is NoticeKind.OPENED and found.is_closed:
        return Record(Status.SILENCED, _words(found.silences[0]))
    return None


def _words(silence: Silence) -> str:
    return f"silence {silence.silence_id} of {silence.by_whom} until {silence.ends_at:%Y-%m-%dT%H:%M:%SZ}"


def _grouped(dispatch: Dispatch, found: Circumstances, now: datetime) -> Record | None:
    kind, severity = dispatch.message.kind, Severity(dispatch.message.data["severity"])
    parents = [episode for episode, theirs in found.parents if RANK[theirs] >= RANK[severity]]
    if not parents or kind is NoticeKind.CLOSED:
        return None
    is_kept = kind is NoticeKind.OPENED and not found.is_closed
    return Record(
        Status.GROUPED,
        f"stands under episode {parents[0]} of a parent asset",
        now + LOOK_AGAIN if is_kept else None,
        parent_episode_id=parents[0],
    )


def settled(dispatch: Dispatch, outcome: Outcome, now: datetime, chance: random.Random) -> Record:
    """What an attempt leaves: delivered, to be tried again, or a dead letter."""
    if outcome.result is Result.SENT:
        return Record(Status.SENT, outcome.reason, code=outcome.code, is_attempt=True)
    if outcome.result is Result.FAILED:
        failures = dispatch.attempts - dispatch.resent_after + 1
        again = next_attempt(failures, outcome, now, chance)
        status = Status.FAILED if again else Status.DEAD
        return Record(status, outcome.reason, again, outcome.code, is_attempt=True)
    return Record(Status.DEAD, outcome.reason, code=outcome.code, is_attempt=True)
