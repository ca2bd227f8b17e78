"""The live core: records of a log through the pipelines of their sites, committed with the log's position (law 7).

A lane is one part of a log (a partition of a Kafka topic, or the spool of one box) and the sites whose readings come by
it. The store's position is the truth: records before it are skipped, a gap after it is told to whoever feeds the lane,
and a commit succeeds only where the position is the one that its batch began at.

Readings are decoded, looked at and stored for all sites together, in the batch that brings them. What follows from them
at the end of an interval is worked off site by site, in this batch or a later one, so that many sites whose intervals
end at once hold no reading up; nothing that comes out depends on it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

import numpy as np
import polars as pl

from streams.catalog.folder import SiteFolder
from streams.catalog.runs import MARK, RUN, is_run, renamed, site_of
from streams.domain.findings import FencedError
from streams.domain.site import Site
from streams.ingest.codec import PAYLOAD_CHARS
from streams.ingest.messages import decode_messages
from streams.ingest.records import Record
from streams.operators.clean import clean
from streams.operators.readings import Readings
from streams.pipeline import Arrived, Outputs, Told
from streams.runners.batch import Batch, Counts, cut
from streams.runners.live_site import Entrance, LiveSite
from streams.stores.alerts import outbox_rows
from streams.stores.archive import Archive
from streams.stores.models import Wanted, wanted
from streams.stores.rows import quarantined, raw_rows, together
from streams.stores.site import Move, move
from streams.stores.store import Store, naive
from streams.stores.writer import write

log = logging.getLogger("kilowatch.live")

UNKNOWN_SITE = "unknown site"
DAY_MS = 86_400_000
MOST_DAYS: Final = 30
TICK_ROWS: Final = 200_000
"""So far, and for about so many rows of facts at most, a tick moves a site's watermark in one commit."""
WORK_S: Final = 0.2
"""So long intervals are closed in one commit, where others can be left to the next."""
TICK_S: Final = 1.0
LEFT_MS: Final = 1_800_000
"""A site that has this much event time to work off is not left for later."""
ROOM: Final = 16 * 1024 * 1024
"""Memory for what all sites together keep of readings that were worked off."""
MOST_SCORED: Final = 3_000
"""Of more points than this the store alone remembers what their scores need, and is asked when an interval closes."""
NOTHING: Final = Readings.concat([])


class LostError(Exception):
    """The log goes on beyond the expected offset: `expected` must be sought, or is no longer there."""

    def __init__(self, expected: int, found: int) -> None:
        """Name both offsets."""
        super().__init__(f"expected offset {expected}; found {found}")
        self.expected, self.found = expected, found


class Lane:
    """The sites of one part of a log, over a store.

    `next_offset` and `commits` are where its memory stands; the store may be one batch behind, whose commit is under
    way: it stands at `stored`. `behind` are the sites that have something to work off.
    """

    def __init__(
        self,
        log: str,
        part: int,
        store: Store,
        folder: SiteFolder,
        clock: Callable[[], datetime],
        settle: Callable[[], None] = lambda: None,
        archive: Archive | None = None,
        identity: str = "",
    ) -> None:
        """Load the position and the sites that came by this lane before.

        `identity` tells a log from another of the same name, since a topic that was made anew begins at 0 again.
        """
        self.log, self.part, self.archive = log, part, archive
        self.position = f"{log} {identity}".strip()
        self.purpose = f"lane {log} {part}"
        self.store, self.folder, self.clock, self.settle = store, folder, clock, settle
        self.sites: dict[str, LiveSite] = {}
        self.behind: dict[str, LiveSite] = {}
        self.wanted: list[Wanted] = []
        self.entrance: Entrance | None = None
        self.points = 0
        self.reload()

    def reload(self) -> None:
        """Forget what is in memory and go on from the store."""
        self.settle()
        self.sites.clear()
        self.behind.clear()
        self.wanted.clear()
        self.entrance = None
        with self.store.transaction():
            self.store.alone(self.purpose)
            if not self._position():
                self.store.execute("insert into op.log_position values ($1, $2, 0, 0)", [self.position, self.part])
        self.next_offset, self.commits = self._position()[0]
        self.stored = self.next_offset
        for (name,) in self.store.rows(
            "select site from op.position where log = $1 and part = $2", [self.log, self.part]
        ):
            if site_of(name) in self.folder.sites:
                site = self.folder.sites[site_of(name)]
                self._open(renamed(site, name.partition(MARK)[2]) if is_run(name) else site)

    def _open(self, site: Site) -> LiveSite:
        """Load a site as the last commit left it."""
        live = self.sites[site.name] = LiveSite(site, self.store, self.settle, self.archive)
        self.points = sum(len(each.points) for each in self.sites.values())
        self._note(live)
        return live

    def _note(self, site: LiveSite) -> None:
        """Note whether a site has something to work off."""
        if site.pipeline.is_behind:
            self.behind[site.name] = site
        else:
            self.behind.pop(site.name, None)

    def _position(self) -> list[tuple[int, int]]:
        return self.store.rows(
            "select next_offset, commits from op.log_position where log = $1 and part = $2", [self.position, self.part]
        )

    def is_current(self) -> bool:
        """Whether the store stands where the lane's memory does; asked when no commit is under way."""
        return self._position() == [(self.next_offset, self.commits)]

    def batches(self, records: Sequence[Record], *, is_whole: bool = False) -> list[list[Record]]:
        """Cut records that are not worked off yet so that a tick stands alone, and that no commit holds too much.

        LostError where the first of them is not the one expected, unless `is_whole`: the log has no others.
        """
        fresh = [record for record in records if record.offset >= self.next_offset]
        if fresh and fresh[0].offset > self.next_offset and not is_whole:
            raise LostError(self.next_offset, fresh[0].offset)
        return cut(fresh)

    def prepare(self, records: Sequence[Record]) -> Batch:
        """Compute what records leave; the lane's memory moves on with it, the store does not yet."""
        batch = self._begin(records[-1].offset + 1, len(records))
        if records[0].tick_ms is not None:
            self._tick(batch, records[0].tick_ms, records[0].site)
            batch.after = batch.after if batch.is_whole else batch.before
            self.next_offset = batch.after
            return batch
        self.next_offset = batch.after
        self._arrive(batch, records)
        self._work(batch)
        return batch

    def rest(self) -> Batch | None:
        """A batch without records, of what was left for later and models to put into use; None where nothing was."""
        if not self.behind and not self.wanted:
            return None
        batch = self._begin(self.next_offset, 0)
        self._activate(batch)
        self._work(batch)
        return batch

    def look_for_models(self) -> bool:
        """Ask the store which versions of models the next `rest` is to put into use; tell whether there are any.

        Whoever calls it has no commit under way.
        """
        self.wanted = [each for each in wanted(self.store) if each.site in self.sites]
        return bool(self.wanted)

    def _activate(self, batch: Batch) -> None:
        """Put versions of models into use, each at its place among the readings."""
        for each in self.wanted:
            site = self.sites[each.site]
            outputs = site.pipeline.activate(each.asset, each.version, each.model)
            batch.activated.append((site, outputs.next_seq, each))
            self._keep(batch, site, outputs)
            self._note(site)
        self.wanted = []

    def _begin(self, after: int, records: int) -> Batch:
        for site in self.sites.values():  # what came by the batch before is in the store, or on the way there
            site.pipeline.fresh, site.first = NOTHING, []
        batch = Batch(self.next_offset, after, self.commits, self.clock(), Counts(records=records))
        self.commits += 1
        return batch

    def _site(self, name: str) -> LiveSite | None:
        """A site of the catalog as it stands now; a changed one is loaded anew from the last commit."""
        known = self.folder.sites.get(site_of(name))
        if known is None:
            return self.sites.get(name)
        if is_run(name) and RUN.fullmatch(name.removeprefix(f"{known.name}{MARK}")):
            known = renamed(known, name.partition(MARK)[2])
        elif is_run(name):
            return None
        live = self.sites.get(name)
        if live is None or live.sha256 != known.sha256:
            live = self._open(known)
            with self.store.transaction():
                self.store.execute(
                    "update op.position set log = $1, part = $2 where site = $3", [self.log, self.part, name]
                )
        return live

    def _tick(self, batch: Batch, now_ms: int, of: str) -> None:
        """A tick of every live site, or of one run."""
        batch.counts.ticks += 1
        begun = time.perf_counter()
        for name in [of] if of else [name for name in self.sites if not is_run(name)]:
            site = self._site(name)
            if site is None:
                continue
            if not site.pipeline.is_due(now_ms):
                self._look(batch, site, now_ms)
                continue
            if batch.controls and time.perf_counter() - begun > TICK_S:
                batch.is_whole = False
                break
            until_ms = min(now_ms, site.pipeline.watermark_ms + _stretch_ms(site) + site.slack_ms)
            outputs = site.pipeline.tick(until_ms)
            batch.controls.append((site, "tick", outputs.next_seq, until_ms))
            batch.is_whole &= until_ms == now_ms
            self._keep(batch, site, outputs)
            self._note(site)

    def _look(self, batch: Batch, site: LiveSite, now_ms: int) -> None:
        """A tick that only rules look at; it is recorded where it changes what they remember."""
        if not site.pipeline.looks:
            return
        outputs = site.pipeline.look(now_ms)
        if outputs.saw:
            batch.controls.append((site, "look", outputs.next_seq, now_ms))
        self._keep(batch, site, outputs)
        self._note(site)

    def _arrive(self, batch: Batch, records: Sequence[Record]) -> None:
        """Store the readings of records, and let them wait in the pipelines of their sites."""
        by_site: dict[str, list[Record]] = {}
        for record in records:
            by_site.setdefault(record.site, []).append(record)
        heard: dict[str, LiveSite] = {}
        for name, some in by_site.items():
            site = self._site(name)
            if site is None:
                self._refuse(batch, some)
            else:
                heard[name] = site
        if not heard:
            return
        entrance = self._entrance()
        names = sorted(heard, key=entrance.nth.__getitem__)
        mine = [record for name in names for record in by_site[name]]
        nth = np.repeat([entrance.nth[name] for name in names], [len(by_site[name]) for name in names])
        decoded = decode_messages([record.value for record in mine])
        received = np.array([record.received_ms for record in mine], dtype=np.int64)
        of_reading = decoded.readings["message"].to_numpy()
        usable, rejects = clean(entrance.gate, decoded.readings, received[of_reading], nth[of_reading])
        for each in (decoded.rejects, rejects):
            self._reject(batch, mine, each, is_undecodable=each is decoded.rejects)
        message, place, time_ms, ticks = (usable[name].to_numpy() for name in ("message", "place", "time_ms", "ticks"))
        text, value = usable["text"], usable["value"]
        edges = np.searchsorted(nth[message], np.arange(len(entrance.sites) + 1))
        arrived = []
        for name in names:
            site, at = heard[name], entrance.nth[name]
            span, before = slice(int(edges[at]), int(edges[at + 1])), site.pipeline.next_seq
            mine_of = place[span] - entrance.gate.first[at]
            arrival = site.pipeline.arrive(mine_of, time_ms[span], ticks[span], text[span], value[span])
            arrived.append(arrival)
            self._tell(batch, site, arrival)
            site.first = arrival.first
            self._move(batch, site, before)
            self._note(site)
        raw = usable.hstack(
            [
                pl.Series("seq", np.concatenate([each.seq for each in arrived])),
                pl.concat([each.late_ms for each in arrived]),
            ]
        )
        numbers = [heard[record.site].source(record.gateway, batch.moment) for record in mine]
        sources = pl.Series(np.array(numbers, dtype=np.int32)[message])
        arrived_at = pl.Series(received[message]).cast(pl.Datetime("ms"))
        batch.raw = raw_rows(raw, entrance.point_id[place], sources, arrived_at)
        batch.counts.readings += len(raw)
        batch.counts.late += len(raw) - raw["late_ms"].null_count()

    def _entrance(self) -> Entrance:
        """The entrance for the sites as they are now, who share what memory there is."""
        sites = tuple(self.sites.values())
        if self.entrance is None or self.entrance.sites != sites:
            self.entrance = Entrance.of(sites)
            for site in sites:
                site.pipeline.state.room = ROOM // len(sites)
        return self.entrance

    def _work(self, batch: Batch) -> None:
        """Work off what the watermarks have passed, for some time; and keep what was heard for the first time."""
        begun = time.perf_counter()
        is_late = False
        for site in list(self.behind.values()):
            if is_late and site.pipeline.behind_ms < LEFT_MS:
                continue
            self._keep(batch, site, site.pipeline.work())
            self._note(site)
            is_late = time.perf_counter() - begun > WORK_S
        for site in self.sites.values():
            if site.first:
                batch.tables.append(site.store.maker.states(site.pipeline.state, site.first))

    def _tell(self, batch: Batch, site: LiveSite, arrival: Arrived) -> None:
        """Store what rules and models made of readings as they came."""
        maker = site.store.maker
        if tables := maker.told(arrival.told) | maker.models(arrival.models):
            batch.tables.append(tables)
        self._post(batch, arrival.told)

    def _post(self, batch: Batch, told: Told) -> None:
        """Put notices into the outbox, with which they are committed; a run has none, since a replay never sends."""
        rows = outbox_rows(told.notices, naive(batch.moment))
        if len(rows):
            batch.tables.append({"outbox": rows})
            batch.notices += told.notices

    def _keep(self, batch: Batch, site: LiveSite, outputs: Outputs) -> None:
        self._post(batch, outputs.told)
        if self.points > MOST_SCORED:
            site.pipeline.scoring = None
        outputs.touched = sorted({*outputs.touched, *site.first})
        site.first = []
        batch.tables.append(site.store.maker.made(outputs, naive(batch.moment)))
        batch.outputs.append((site, outputs))
        batch.counts.facts += len(outputs.facts)
        batch.counts.revisions += int((outputs.facts["revision"] > 0).sum()) if len(outputs.facts) else 0

    def _move(self, batch: Batch, site: LiveSite, before: int) -> None:
        after = site.store.next_seq = site.pipeline.next_seq
        if before != after:
            batch.moves.append(Move(site.name, before, after))

    def _reject(self, batch: Batch, records: list[Record], rejects: pl.DataFrame, *, is_undecodable: bool) -> None:
        """Rejects of messages (`message` is the place in `records`) into quarantine."""
        if not len(rejects):
            return
        for (number,), some in rejects.partition_by("message", as_dict=True, maintain_order=True).items():
            record = records[int(number)]
            batch.tables.append(quarantined(some, record.gateway, naive(batch.moment)))
            if is_undecodable:
                batch.undecodable.append((record, "; ".join(some["reason"].unique().sort())))
        batch.counts.rejected += len(rejects)

    def _refuse(self, batch: Batch, records: list[Record]) -> None:
        """A site that no file describes: its messages can be read in quarantine, and sent again when one does."""
        for record in records:
            reason = f"{UNKNOWN_SITE} {record.site!r}" if record.site else f"{UNKNOWN_SITE}: the message has no key"
            payload = record.value[: 4 * PAYLOAD_CHARS].decode("utf-8", "replace")[:PAYLOAD_CHARS]
            rejects = pl.DataFrame({"reason": [reason], "payload": [payload]})
            batch.tables.append(quarantined(rejects, record.gateway, naive(batch.moment)))
        batch.counts.rejected += len(records)

    def commit(self, batch: Batch) -> None:
        """Store a batch whole; FencedError where another worker has moved the lane on."""
        moment = naive(batch.moment)
        parts = [each for each in (batch.raw, *batch.tables) if each]
        tables = together(parts) if parts else {}
        with self.store.transaction():
            self.store.alone(self.purpose)
            if not self.store.execute(
                "update op.log_position set next_offset = $1, commits = $2 "
                "where log = $3 and part = $4 and next_offset = $5 and commits = $6",
                [batch.after, batch.commits + 1, self.position, self.part, batch.before, batch.commits],
            ):
                raise self._fenced(batch.before)
            if batch.moves:
                move(self.store, batch.moves)
            for site, kind, seq, now_ms in batch.controls:
                site.store.control(seq, kind, datetime.fromtimestamp(now_ms / 1000, tz=UTC))
            for site, seq, each in batch.activated:
                site.store.activated(seq, each, batch.moment)
            write(self.store, tables, moment)
        self.stored = batch.after
        for _, seq, each in batch.activated:
            named = {"site": each.site, "asset": each.asset, "version": each.version, "seq": seq}
            log.info("model active", extra={"fields": named})

    def skip(self, first: int, lost: int) -> None:
        """Go on at an offset, since the log has none before it; quarantine says how many of those are lost, if any.

        FencedError where another worker has moved the lane on.
        """
        moment, last = naive(self.clock()), self.next_offset + lost - 1
        reason = f"{self.log}[{self.part}]: offsets {self.next_offset} to {last} are no longer in the log"
        with self.store.transaction():
            self.store.alone(self.purpose)
            if not self.store.execute(
                "update op.log_position set next_offset = $1, commits = $2 "
                "where log = $3 and part = $4 and next_offset = $5 and commits = $6",
                [first, self.commits + 1, self.position, self.part, self.next_offset, self.commits],
            ):
                raise self._fenced(self.next_offset)
            if lost:
                rows = pl.DataFrame({"reason": [reason], "payload": [""]})
                write(self.store, quarantined(rows, self.log, moment), moment)
        self.next_offset, self.commits, self.stored = first, self.commits + 1, first

    def settled(self, batch: Batch) -> bool:
        """After a commit whose answer was lost: tell whether it is in the store; FencedError where others went on."""
        found = self._position()
        if found and found[0] == (batch.after, batch.commits + 1):
            self.stored = batch.after
            return True
        if not found or found[0] != (batch.before, batch.commits):
            raise self._fenced(batch.before)
        return False

    def _fenced(self, before: int) -> FencedError:
        return FencedError(
            f"store {self.store.where}: another worker has moved {self.log}[{self.part}] on from {before}"
        )


def _stretch_ms(site: LiveSite) -> int:
    """How far a tick moves the watermark of a site at once: whole days, fewer the more intervals its points have."""
    of_day = int((DAY_MS // site.table.resolution_ms).sum())
    return min(MOST_DAYS, max(1, TICK_ROWS // max(1, of_day))) * DAY_MS
