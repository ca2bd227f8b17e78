"""The outbox: messages given to channels, looked at when they are due, and what became of each attempt.

Of one episode and channel a message waits until those before it are done with. Times are UTC without a zone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import polars as pl

from streams.catalog.lines import plain
from streams.catalog.runs import is_run
from streams.domain.alerts import NoticeKind, Severity
from streams.stores.dispatch import MESSAGE, WITHHELD, Circumstances, Dispatch, Message, Record, Silence, Status
from streams.stores.store import Store

MOST_PLANNED: Final = 500
UNROUTED: Final = Record(Status.UNROUTED, "no route takes it")
LATE: Final = Record(Status.UNTOLD, "no sender looked at it for 30 h")
RESENT_AFTER: Final = (
    "coalesce((select max(r.attempt) from fact.alert_delivery as r where r.message_id = d.message_id "
    "and r.channel = d.channel and r.status = 'resent'), 0)"
)
FRESH: Final = timedelta(seconds=10)
"""Between two looks at whether a site has another file."""
GIVEN_UP: Final = timedelta(hours=30)
"""A message of a channel that nobody configures any more is a dead letter then; one that no sender saw is too late."""


class Outbox:
    """The outbox of a store. What a method writes is a transaction of its own."""

    def __init__(self, store: Store) -> None:
        """Look at nothing yet."""
        self.store = store
        self._files: dict[str, tuple[datetime, int, dict[str, Any]]] = {}

    def state(self) -> tuple[bool, datetime | None]:
        """Whether there are messages that no channel has been given, and when the next dispatch is due."""
        rows = self.store.rows(
            "select exists (select 1 from op.alert_outbox where planned_at is null), "
            "(select min(next_at) from op.alert_dispatch where next_at is not null)"
        )
        return bool(rows[0][0]), rows[0][1]

    def plan(self, route: Callable[[Message, Collection[str]], Sequence[str]], now: datetime) -> tuple[int, int]:
        """Give new messages to channels; return how many there were, and how many of them no route takes.

        `route` is told the channels that have had messages of the episode before. What no sender looked at for long is
        not sent, but for the opening of an episode that lasts, and the end of one that was told.
        """
        with self.store.transaction():
            self.store.alone("alerts plan")
            rows = self.store.rows(
                f"select {MESSAGE} from op.alert_outbox as o where o.planned_at is null "  # noqa: S608 - columns of our own
                f"order by o.created_at, o.happened_at, o.number limit {MOST_PLANNED}"
            )
            messages = [Message.of(row) for row in rows]
            if not messages:
                return 0, 0
            known = self._channels({message.episode_id for message in messages})
            late = self._late(messages, known, now)
            given, told = list[tuple[Any, ...]](), list[tuple[Message, str, int, Record]]()
            for message in messages:
                channels = known.setdefault(message.episode_id, set())
                chosen = [] if message.message_id in late else route(message, channels)
                channels.update(chosen)
                given += [
                    (message.message_id, message.episode_id, message.number, name, 0, now, Status.WAITING.value)
                    for name in chosen
                ]
                told += [] if chosen else [(message, "", 0, LATE if message.message_id in late else UNROUTED)]
            if given:
                self.store.append("op.alert_dispatch", pl.DataFrame(given, schema=DISPATCH, orient="row"))
            self._tell(told, now)
            self.store.execute(
                "update op.alert_outbox set planned_at = $1 where message_id = any($2)",
                [now, [message.message_id for message in messages]],
            )
        return len(messages), sum(each[3] is UNROUTED for each in told)

    def _late(self, messages: Sequence[Message], known: Mapping[str, Collection[str]], now: datetime) -> set[str]:
        """Ids of messages that come too late to be of use."""
        old = [message for message in messages if now - message.created_at > GIVEN_UP]
        lasting = self._lasting({message.episode_id for message in old}) if old else set()
        useful = {NoticeKind.OPENED: lasting, NoticeKind.CLOSED: known}
        return {each.message_id for each in old if each.episode_id not in useful.get(each.kind, ())}

    def _lasting(self, episodes: Iterable[str]) -> set[str]:
        rows = self.store.rows(
            "select episode_id from fact.alert_episode where closed_at is null and episode_id = any($1)",
            [list(episodes)],
        )
        return {str(row[0]) for row in rows}

    def _channels(self, episodes: Iterable[str]) -> dict[str, set[str]]:
        known: dict[str, set[str]] = {}
        for episode, channel in self.store.rows(
            "select distinct episode_id, channel from op.alert_dispatch where episode_id = any($1)", [list(episodes)]
        ):
            known.setdefault(episode, set()).add(channel)
        return known

    def due(self, channels: Sequence[str], now: datetime, most: int) -> list[Dispatch]:
        """What can be sent now by these channels, so much of each at most, in order of time."""
        rows = self.store.rows(
            f"select {MESSAGE}, d.channel, d.attempts, d.status, {RESENT_AFTER} from ("  # noqa: S608 - columns of our own
            "select w.*, row_number() over (partition by w.channel order by w.next_at, w.number) as nth "
            "from op.alert_dispatch as w where w.next_at <= $1 and w.channel = any($2) and not exists ("
            "select 1 from op.alert_dispatch as b where b.episode_id = w.episode_id and b.channel = w.channel "
            "and b.number < w.number and b.next_at is not null and b.status = 'waiting')"
            ") as d inner join op.alert_outbox as o on d.message_id = o.message_id "
            f"where d.nth <= {most} order by d.next_at, d.number",
            [now, list(channels)],
        )
        return [Dispatch(Message.of(row[:-4]), row[-4], int(row[-3]), Status(row[-2]), int(row[-1])) for row in rows]

    def circumstances(self, dispatch: Dispatch, sha256: str, now: datetime) -> Circumstances:
        """See `Circumstances`; `sha256` names the configuration of the channel."""
        message, data = dispatch.message, dispatch.message.data
        withheld = ", ".join(f"'{status}'" for status in WITHHELD)
        of_episode = "from op.alert_dispatch where episode_id = $1 and channel = $2 and number"
        found = self.store.rows(
            "select exists (select 1 from fact.alert_acknowledgement where episode_id = $1), "  # noqa: S608 - words of our own
            "exists (select 1 from fact.alert_episode where episode_id = $1 and closed_at is not null), "
            f"(select count(*) {of_episode} < $3), "
            f"(select count(*) {of_episode} < $3 and status in ({withheld}) and attempts = 0), "
            f"exists (select 1 {of_episode} > $3 and status = 'sent'), "
            "(select max(reason) from op.alert_channel where channel = $2 and sha256 = $4)",
            [message.episode_id, dispatch.channel, message.number, sha256],
        )[0]
        silences = self.store.rows(
            "select silence_id, begins_at, ends_at, by_whom from fact.alert_silence where site = $1 "
            "and (rule is null or rule = $2) and (subject is null or subject = $3) "
            "and begins_at <= $4 and ends_at > $5 order by ends_at desc, silence_id",
            [message.site, data["rule"], data["subject"], max(message.happened_at, now), min(message.happened_at, now)],
        )
        file = self.site_file(message.site, now)
        return Circumstances(
            channel_reason=found[5],
            is_acknowledged=bool(found[0]),
            is_closed=bool(found[1]),
            earlier=int(found[2]),
            withheld=int(found[3]),
            is_later=bool(found[4]),
            silences=[Silence(*row) for row in silences],
            parents=self._parents(message, dispatch.channel, file),
            time_zone=str(file.get("time_zone", "UTC")),
        )

    def _parents(self, message: Message, channel: str, file: dict[str, Any]) -> list[tuple[str, Severity]]:
        above = ancestors(file, str(message.data["asset"]))
        if not above:
            return []
        rows = self.store.rows(
            "select e.episode_id, e.severity from fact.alert_episode as e where e.site = $1 and e.closed_at is null "
            "and e.asset = any($2) and exists (select 1 from op.alert_dispatch as d "
            "where d.episode_id = e.episode_id and d.channel = $3) order by e.opened_at, e.episode_id",
            [message.site, above, channel],
        )
        return [(str(episode), Severity(severity)) for episode, severity in rows]

    def site_file(self, site: str, now: datetime) -> dict[str, Any]:
        """What the newest file of a site says, as YAML has it; empty where there is none."""
        known = self._files.get(site)
        if known is not None and abs(now - known[0]) < FRESH:
            return known[2]
        rows = self.store.rows(
            "select catalog_id, content from op.catalog where site = $1 order by catalog_id desc limit 1", [site]
        )
        number, content = rows[0] if rows else (-1, "")
        file = known[2] if known is not None and known[1] == number else plain(content) or {}
        self._files[site] = now, number, file
        return file

    def read_files(self, now: datetime) -> None:
        """Read the files of all sites, so that no message waits for that."""
        for (site,) in self.store.rows("select distinct site from op.catalog"):
            if not is_run(site):
                self.site_file(site, now)

    def record(self, dispatch: Dispatch, record: Record, now: datetime) -> bool:
        """Note what became of a dispatch; False where somebody else noted something meanwhile."""
        after = dispatch.attempts + record.is_attempt
        status = Status.WAITING if record.status is Status.FAILED else record.status
        with self.store.transaction():
            changed = self.store.execute(
                "update op.alert_dispatch set attempts = $1, next_at = $2, status = $3 "
                "where message_id = $4 and channel = $5 and attempts = $6 and status = $7",
                [
                    *(after, record.next_at, status.value),
                    *(dispatch.message.message_id, dispatch.channel, dispatch.attempts, dispatch.status.value),
                ],
            )
            if changed and (record.is_attempt or status is not dispatch.status):
                self._tell([(dispatch.message, dispatch.channel, after, record)], now)
        return bool(changed)

    def close_channel(self, channel: str, sha256: str, reason: str, now: datetime) -> None:
        """Note that a receiver wants nothing more by this configuration of a channel."""
        with self.store.transaction():
            self.store.alone("alerts channel")
            if not self.store.rows(
                "select 1 from op.alert_channel where channel = $1 and sha256 = $2", [channel, sha256]
            ):
                self.store.execute(
                    "insert into op.alert_channel values ($1, $2, $3, $4)", [channel, sha256, now, reason]
                )

    def give_up(self, channels: Sequence[str], now: datetime) -> int:
        """Make dead letters of what has waited for long for channels that are no longer configured; return how many."""
        with self.store.transaction():
            self.store.alone("alerts plan")
            rows = self.store.rows(
                f"select {MESSAGE}, d.channel, d.attempts, d.status from op.alert_dispatch as d "  # noqa: S608 - columns of our own
                "inner join op.alert_outbox as o on d.message_id = o.message_id "
                "where d.next_at is not null and not (d.channel = any($1)) and o.planned_at < $2",
                [list(channels), now - GIVEN_UP],
            )
            dead = Record(Status.DEAD, "the channel is not configured any more")
            for row in rows:
                self.store.execute(
                    "update op.alert_dispatch set next_at = null, status = 'dead' "
                    "where message_id = $1 and channel = $2",
                    [row[0], row[-3]],
                )
            self._tell([(Message.of(row[:-3]), row[-3], int(row[-2]), dead) for row in rows], now)
        return len(rows)

    def waiting(self) -> dict[str, int]:
        """Messages that wait, by channel."""
        return self._counted("next_at is not null")

    def dead(self) -> dict[str, int]:
        """Dead letters that nobody has sent again or discarded, by channel."""
        return self._counted("status = 'dead'")

    def _counted(self, which: str) -> dict[str, int]:
        rows = self.store.rows(f"select channel, count(*) from op.alert_dispatch where {which} group by channel")  # noqa: S608 - words of our own
        return {str(channel): int(count) for channel, count in rows}

    def _tell(self, told: Sequence[tuple[Message, str, int, Record]], now: datetime) -> None:
        for message, channel, attempt, record in told:
            self.store.execute(
                "insert into fact.alert_delivery values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                [
                    *(message.message_id, message.episode_id, channel, attempt, now),
                    *(record.status.value, record.code, record.reason, record.parent_episode_id),
                ],
            )


DISPATCH: Final[dict[str, Any]] = {
    "message_id": pl.String,
    "episode_id": pl.String,
    "number": pl.Int32,
    "channel": pl.String,
    "attempts": pl.Int32,
    "next_at": pl.Datetime("us"),
    "status": pl.String,
}


def ancestors(file: dict[str, Any], asset: str) -> list[str]:
    """The assets above one in a site's file, the nearest first."""
    parents = {str(row.get("name")): row.get("parent") for row in file.get("assets", ()) if isinstance(row, dict)}
    found = list[str]()
    while (asset := str(parents.get(asset) or "")) and asset not in found:
        found.append(asset)
    return found
