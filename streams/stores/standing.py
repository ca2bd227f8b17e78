"""How the delivery of alerts stands: what is stuck, where, since when, and why."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from streams.stores.dead_letters import NEWEST
from streams.stores.store import Store

OVERDUE: Final = timedelta(minutes=10)
"""What was due so long ago has no sender, or none with its channel."""
DAY: Final = timedelta(days=1)


def standing(store: Store, now: datetime) -> list[dict[str, Any]]:
    """Rows with `what`, `channel`, `messages`, `since` (UTC) and `reason`.

    `what` is `dead` (a row a channel; `since` and `reason` are of its newest dead letter), `overdue` (a row a channel),
    `unseen` (messages that no sender has given to channels), `unrouted` (in the last day), and `lasting` (episodes).
    """
    found = [
        *store.rows(DEAD),
        *store.rows(OVERDUE_ROWS, [now - OVERDUE]),
        *store.rows(UNSEEN, [now - OVERDUE]),
        *store.rows(UNROUTED, [now - DAY]),
        *store.rows(LASTING),
    ]
    names = ("what", "channel", "messages", "since", "reason")
    return [dict(zip(names, row, strict=True)) for row in found]


DEAD: Final = (
    "select 'dead', c.channel, c.messages, c.attempted_at, c.reason from (select d.channel, d.attempted_at, d.reason, "  # noqa: S608 - words of our own
    "count(*) over (partition by d.channel) as messages, "
    "row_number() over (partition by d.channel order by d.attempted_at desc, d.message_id) as newest "
    f"from {NEWEST} as d) as c where c.newest = 1 order by c.channel"
)
OVERDUE_ROWS: Final = (
    "select 'overdue', d.channel, count(*), min(d.next_at), '' from op.alert_dispatch as d where d.next_at < $1 "
    "and not exists (select 1 from op.alert_dispatch as b where b.episode_id = d.episode_id and b.channel = d.channel "
    "and b.number < d.number and b.next_at is not null and b.status = 'waiting') group by d.channel order by d.channel"
)
UNSEEN: Final = (
    "select 'unseen', '', count(*), min(created_at), '' from op.alert_outbox "
    "where planned_at is null and created_at < $1 having count(*) > 0"
)
UNROUTED: Final = (
    "select 'unrouted', '', count(*), min(attempted_at), '' from mart.alert_delivery "
    "where status = 'unrouted' and attempted_at > $1 having count(*) > 0"
)
LASTING: Final = (
    "select 'lasting', '', count(*), min(opened_at), '' from mart.alert_episode where closed_at is null "
    "having count(*) > 0"
)
