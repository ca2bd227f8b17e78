"""What people do about alerts: look at them, acknowledge, silence, see what was delivered, send dead letters again.

Answers are rows as JSON can hold them, the same from a store and from a process that holds one. Times in them are UTC.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from streams.catalog.source import nearest
from streams.domain.findings import StoreError
from streams.stores.dead_letters import NEWEST, Choice, settle
from streams.stores.dispatch import Status
from streams.stores.outbox import Outbox
from streams.stores.standing import standing
from streams.stores.store import Store, aware, naive

MOST_ROWS: Final = 1_000
Answer = list[dict[str, Any]]
EPISODES: Final = (
    "episode_id, site, severity, rule, subject, opened_at, closed_at, value, limit_value, unit, acknowledged_by, "
    "said_zh, said_en"
)
DELIVERIES: Final = "attempted_at, site, kind, channel, status, attempt, code, reason, next_at, message_id"
VERBS: Final = (
    *("episodes", "acknowledge", "silence", "unsilence", "silences", "deliveries", "resend", "discard", "standing"),
)


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
            known, moment = self._episode(episode_id), naive(self.clock())
            self.store.execute(
                "insert into fact.alert_acknowledgement values ($1, $2, $3, $4)", [known, moment, by, note]
            )
        self.told()
        return [{"episode_id": known, "acknowledged_at": _plain(moment), "by": by}]

    def _episode(self, text: str) -> str:
        """The id of an episode, of which people may give the beginning."""
        found = self.store.rows(
            "select episode_id from fact.alert_episode where starts_with(episode_id, $1) "
            "order by episode_id <> $1, episode_id limit 2",
            [text],
        )
        ids = [str(row[0]) for row in found] if text else []
        if not ids:
            raise StoreError(
                f"alerts: expected an episode of this store; found none with id {text!r} (see alerts list --all)"
            )
        if len(ids) > 1 and ids[0] != text:
            raise StoreError(
                f"alerts: expected one episode; found several whose ids begin with {text!r} (see alerts list --all)"
            )
        return ids[0]

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
        self._need("site of this store", site, self._sites())
        if rule is not None:
            self._need(f"rule of {site}", rule, self._rules(site))
        if subject is not None:
            subjects = self._subjects(site)
            subject = f"{site}/{subject}" if f"{site}/{subject}" in subjects else subject
            self._need(f"subject of {site}", subject, subjects)
        now = self.clock()
        begins_at, ends_at = moment_of(begins) if begins else now, moment_of(until)
        if ends_at <= begins_at:
            raise StoreError(
                f"alerts: expected a silence that ends after it begins ({_plain(begins_at)}); found {_plain(ends_at)}"
            )
        if ends_at <= now:
            raise StoreError(f"alerts: expected a silence that ends after now; found {_plain(ends_at)}")
        silence_id = uuid.uuid4().hex[:12]
        with self.store.transaction():
            self.store.execute(
                "insert into fact.alert_silence values ($1, $2, $3, $4, $5, $6, $7, $8)",
                [silence_id, site, rule, subject, naive(begins_at), naive(ends_at), by, note],
            )
        self.told()
        return [{"silence_id": silence_id, "begins_at": _plain(begins_at), "ends_at": _plain(ends_at)}]

    def _need(self, what: str, name: str, known: Collection[str]) -> None:
        if name not in known:
            hint = nearest(name, known)
            more = f" (did you mean {hint!r}?)" if hint else ""
            raise StoreError(f"alerts: expected a {what}; found {name!r}{more}")

    def _sites(self) -> set[str]:
        rows = self.store.rows("select site from op.catalog union select site from fact.alert_episode")
        return {str(row[0]) for row in rows}

    def _rules(self, site: str) -> set[str]:
        """Rules of a site's newest file, and those that have had an episode."""
        return self._named(site, "rules") | self._seen(site, "rule")

    def _subjects(self, site: str) -> set[str]:
        """What rules of a site can be about: the site, and its points."""
        return {site} | {f"{site}/{point}" for point in self._named(site, "points")} | self._seen(site, "subject")

    def _named(self, site: str, key: str) -> set[str]:
        rows = Outbox(self.store).site_file(site, naive(self.clock())).get(key)
        return {str(row.get("name")) for row in rows or () if isinstance(row, dict)}

    def _seen(self, site: str, column: str) -> set[str]:
        rows = self.store.rows(f"select distinct {column} from fact.alert_episode where site = $1", [site])  # noqa: S608 - a name of our own
        return {str(row[0]) for row in rows}

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
        """The newest attempts first; with `dead` the last attempt of each dead letter alone."""
        known = self._episode(episode_id) if episode_id else None
        return self._rows(
            DELIVERIES,
            f"from {NEWEST if dead else 'mart.alert_delivery'} as d where episode_id = $1 or $1 is null "
            f"order by attempted_at desc, message_id, channel, attempt desc limit {MOST_ROWS}",
            [known],
        )

    def resend(
        self,
        *,
        by: str,
        messages: Sequence[str] = (),
        channel: str | None = None,
        episode_id: str | None = None,
        note: str = "",
    ) -> Answer:
        """Send dead letters again, under the ids that they have; see `Choice`."""
        choice = Choice(messages, channel, self._episode(episode_id) if episode_id else None)
        return self._settled(choice, Status.RESENT, by, note)

    def discard(
        self,
        *,
        by: str,
        messages: Sequence[str] = (),
        channel: str | None = None,
        episode_id: str | None = None,
        note: str = "",
    ) -> Answer:
        """Give dead letters up for good; see `Choice`."""
        choice = Choice(messages, channel, self._episode(episode_id) if episode_id else None)
        return self._settled(choice, Status.DISCARDED, by, note)

    def _settled(self, choice: Choice, status: Status, by: str, note: str) -> Answer:
        reason = f"{status.value} by {by}" + (f": {note}" if note else "")
        letters = settle(self.store, choice, status, reason, naive(self.clock()))
        self.told()
        return [{"message_id": each.message_id, "channel": each.channel, "status": status.value} for each in letters]

    def standing(self) -> Answer:
        """How delivery stands: see `streams.stores.standing`."""
        rows = standing(self.store, naive(self.clock()))
        return [{name: _plain(value) for name, value in row.items()} for row in rows]


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        moment = value if value.tzinfo else aware(value)
        return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return value


def moment_of(text: str) -> datetime:
    """A moment as people write it, in UTC; StoreError where it has no offset or is none."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass  # told in the next line
    raise StoreError(f"alerts: expected a time with its offset such as 2026-01-31T10:15+08:00; found {text!r}")
