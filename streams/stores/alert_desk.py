"""What people do about alerts: look at them, acknowledge, silence, and see what was delivered.

Answers are rows as JSON can hold them, the same from a store and from a process that holds one. Times in them are UTC.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from streams.catalog.source import nearest
from streams.domain.findings import StoreError
from streams.stores.store import Store, aware, naive

MOST_ROWS: Final = 1_000
Answer = list[dict[str, Any]]
EPISODES: Final = (
    "episode_id, site, severity, rule, subject, opened_at, closed_at, value, limit_value, unit, acknowledged_by, "
    "said_zh, said_en"
)
DELIVERIES: Final = "attempted_at, site, kind, channel, status, attempt, code, reason, next_at, message_id"
VERBS: Final = ("episodes", "acknowledge", "silence", "unsilence", "silences", "deliveries")


class Desk(Protocol):
    """Does what is asked by one of its verbs; StoreError says what is wrong with it."""

    def ask(self, verb: str, asked: dict[str, Any]) -> Answer:
        """Answer with rows."""


class StoreDesk:
    """The desk of a store; `told` is called after a change that senders should know of."""

    def __init__(self, store: Store, clock: Callable[[], datetime], told: Callable[[], None] = lambda: None) -> None:
        """Look at nothing yet."""
        self.store, self.clock, self.told = store, clock, told

    def ask(self, verb: str, asked: dict[str, Any]) -> Answer:
        """See `Desk`."""
        if verb not in VERBS:
            raise StoreError(f"alerts: expected one of {', '.join(VERBS)}; found {verb!r}")
        answer: Answer = getattr(self, verb)(**asked)
        return answer

    def _rows(self, columns: str, rest: str, values: Sequence[object] = ()) -> Answer:
        names = [name.strip() for name in columns.split(",")]
        rows = self.store.rows(f"select {columns} {rest}", values)
        return [dict(zip(names, map(_plain, row), strict=True)) for row in rows]

    def episodes(self, *, every: bool = False) -> Answer:
        """Episodes that last, or all, the newest first."""
        which = "" if every else "where closed_at is null "
        return self._rows(
            EPISODES, f"from mart.alert_episode {which}order by opened_at desc, episode_id limit {MOST_ROWS}"
        )

    def acknowledge(self, *, episode_id: str, by: str, note: str = "") -> Answer:
        """Note that somebody looks after an episode: it is neither reminded of nor escalated any more."""
        with self.store.transaction():
            if not self.store.rows("select 1 from fact.alert_episode where episode_id = $1", [episode_id]):
                raise StoreError(
                    f"alerts: expected an episode of this store; found none with id {episode_id!r} "
                    "(see alerts list --all)"
                )
            moment = naive(self.clock())
            self.store.execute(
                "insert into fact.alert_acknowledgement values ($1, $2, $3, $4)", [episode_id, moment, by, note]
            )
        self.told()
        return [{"episode_id": episode_id, "acknowledged_at": _plain(moment), "by": by}]

    def silence(
        self,
        *,
        site: str,
        until: str,
        by: str,
        begins: str | None = None,
        rule: str | None = None,
        subject: str | None = None,
        note: str = "",
    ) -> Answer:
        """Tell nothing of a site, or of one rule or subject of it, for a time; `begins` and `until` are RFC 3339."""
        self._need_site(site)
        now = self.clock()
        begins_at, ends_at = _moment(begins) if begins else now, _moment(until)
        if ends_at <= max(begins_at, now):
            raise StoreError(f"alerts: expected a silence that ends after it begins, and after now; found {until}")
        silence_id = uuid.uuid4().hex[:12]
        with self.store.transaction():
            self.store.execute(
                "insert into fact.alert_silence values ($1, $2, $3, $4, $5, $6, $7, $8)",
                [silence_id, site, rule, subject, naive(begins_at), naive(ends_at), by, note],
            )
        self.told()
        return [{"silence_id": silence_id, "begins_at": _plain(begins_at), "ends_at": _plain(ends_at)}]

    def _need_site(self, site: str) -> None:
        known = {
            row[0] for row in self.store.rows("select site from op.catalog union select site from fact.alert_episode")
        }
        if site not in known:
            hint = nearest(site, known)
            raise StoreError(
                f"alerts: expected a site of this store; found {site!r}"
                + (f" (did you mean {hint!r}?)" if hint else "")
            )

    def unsilence(self, *, silence_id: str) -> Answer:
        """End a silence now; what it kept is looked at again."""
        now = naive(self.clock())
        with self.store.transaction():
            changed = self.store.execute(
                "update fact.alert_silence set ends_at = $1 where silence_id = $2 and ends_at > $1", [now, silence_id]
            )
            if not changed:
                raise StoreError(
                    f"alerts: expected a silence that lasts; found none with id {silence_id!r} (see alerts silences)"
                )
            self.store.execute(
                "update op.alert_dispatch set next_at = $1 where status = 'silenced' and next_at is not null", [now]
            )
        self.told()
        return [{"silence_id": silence_id, "ends_at": _plain(now)}]

    def silences(self) -> Answer:
        """Silences that last or are to come."""
        columns = "silence_id, site, rule, subject, begins_at, ends_at, by_whom, note"
        return self._rows(columns, "from fact.alert_silence where ends_at > $1 order by 5, 1", [naive(self.clock())])

    def deliveries(self, *, dead: bool = False, episode_id: str | None = None) -> Answer:
        """The newest attempts first; `dead` are dead letters alone."""
        return self._rows(
            DELIVERIES,
            "from mart.alert_delivery where (status = 'dead' or not $1) and (episode_id = $2 or $2 is null) "
            f"order by attempted_at desc, message_id, channel, attempt desc limit {MOST_ROWS}",
            [dead, episode_id],
        )


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        moment = value if value.tzinfo else aware(value)
        return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return value


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise StoreError(f"alerts: expected a time with its offset such as 2026-01-31T10:15+08:00; found {text!r}")
    return moment
