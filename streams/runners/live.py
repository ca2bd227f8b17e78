"""The live core: records of a log through the pipelines of their sites, committed with the log's position (law 7).

A lane is one part of a log (a partition of a Kafka topic, or the spool of one box) and the sites whose readings come by
it. The store's position is the truth: records before it are skipped, a gap after it is told to whoever feeds the lane,
and a commit succeeds only where the position is the one that its batch began at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby

import numpy as np
import polars as pl

from streams.catalog.folder import SiteFolder
from streams.domain.findings import FencedError
from streams.domain.site import Site
from streams.ingest.codec import PAYLOAD_CHARS
from streams.ingest.messages import decode_messages
from streams.ingest.records import Record
from streams.operators.points import PointTable
from streams.pipeline import Outputs
from streams.stores.archive import Archive
from streams.stores.rows import Tables, quarantined, together
from streams.stores.site import Move, SiteStore
from streams.stores.store import Store, naive
from streams.stores.writer import write

UNKNOWN_SITE = "unknown site"
MOST_RECORDS = 2_000
MOST_BYTES = 4 * 1024 * 1024
"""What one commit holds at most: about a hundred thousand readings."""
DAY_MS = 86_400_000
"""So far a tick moves a site's watermark in one commit."""


class LostError(Exception):
    """The log goes on beyond the expected offset: `expected` must be sought, or is no longer there."""

    def __init__(self, expected: int, found: int) -> None:
        """Name both offsets."""
        super().__init__(f"expected offset {expected}; found {found}")
        self.expected, self.found = expected, found


@dataclass(slots=True)
class Counts:
    """What a batch held and left."""

    records: int = 0
    readings: int = 0
    late: int = 0
    rejected: int = 0
    facts: int = 0
    revisions: int = 0
    ticks: int = 0


@dataclass(slots=True)
class Batch:
    """Everything that one commit stores: rows, moves of positions, recorded ticks; and what others are told.

    It is not whole where a tick passes over days of silence: then the same record is prepared again, and each commit
    holds one. `undecodable` are records of which nothing or not everything could be read, with the reason; `outputs`
    are the results of each site.
    """

    before: int
    after: int
    moment: datetime
    counts: Counts
    is_whole: bool = True
    tables: list[Tables] = field(default_factory=list)
    moves: list[tuple[LiveSite, Move]] = field(default_factory=list)
    controls: list[tuple[LiveSite, int, int]] = field(default_factory=list)
    outputs: list[tuple[LiveSite, Outputs]] = field(default_factory=list)
    undecodable: list[tuple[Record, str]] = field(default_factory=list)


def _pieces(records: Iterable[Record]) -> Iterator[list[Record]]:
    piece, size = list[Record](), 0
    for record in records:
        if piece and size + len(record.value) > MOST_BYTES:
            yield piece
            piece, size = [], 0
        piece.append(record)
        size += len(record.value)
    if piece:
        yield piece


class LiveSite:
    """One site of a lane: its pipeline where the last commit left it, and the numbers of its gateways.

    `settle` waits for the commit under way: whatever is looked up must be in the store by then.
    """

    def __init__(self, site: Site, store: Store, settle: Callable[[], None], archive: Archive | None) -> None:
        """Load the state."""
        settle()
        self.settle = settle
        self.name = site.name
        self.sha256 = site.sha256
        self.table = PointTable.of(site)
        self.store = SiteStore(store, self.table, archive)
        self.pipeline = self.store.pipeline(self)
        self.points = [point.name for point in self.table.every]
        self.sources: dict[str, int] = {}
        self.slack_ms = int((self.table.lateness_ms + self.table.resolution_ms).max(initial=0))

    def readings(self, places: list[int], since_ms: int) -> pl.DataFrame:
        """See `streams.pipeline.Memory`."""
        self.settle()
        return self.store.readings(places, since_ms)

    def facts(self, places: list[int], from_ms: int, to_ms: int) -> pl.DataFrame:
        """See `streams.pipeline.Memory`."""
        self.settle()
        return self.store.facts(places, from_ms, to_ms)

    def source(self, gateway: str, moment: datetime) -> int:
        """The number of a gateway, which is registered when it is first heard."""
        if gateway not in self.sources:
            self.settle()
            self.sources[gateway] = self.store.source(gateway, gateway, moment)[0]
        return self.sources[gateway]


class Lane:
    """The sites of one part of a log, over a store.

    `next_offset` is where its memory stands; the store may be one batch behind, whose commit is under way.
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
        self.store, self.folder, self.clock, self.settle = store, folder, clock, settle
        self.sites: dict[str, LiveSite] = {}
        self.reload()

    def reload(self) -> None:
        """Forget what is in memory and go on from the store."""
        self.settle()
        with self.store.transaction():
            self.store.alone(f"lane {self.log} {self.part}")
            if not self._position():
                self.store.execute("insert into op.log_position values ($1, $2, 0)", [self.position, self.part])
        self.next_offset = int(self._position()[0][0])
        self.sites.clear()
        for (name,) in self.store.rows(
            "select site from op.position where log = $1 and part = $2", [self.log, self.part]
        ):
            if name in self.folder.sites:
                self.sites[name] = LiveSite(self.folder.sites[name], self.store, self.settle, self.archive)

    def _position(self) -> list[tuple[int]]:
        return self.store.rows(
            "select next_offset from op.log_position where log = $1 and part = $2", [self.position, self.part]
        )

    def batches(self, records: Sequence[Record], *, is_whole: bool = False) -> list[list[Record]]:
        """Cut records that are not worked off yet so that a tick stands alone, and that no commit holds too much.

        LostError where the first of them is not the one expected, unless `is_whole`: the log has no others.
        """
        fresh = [record for record in records if record.offset >= self.next_offset]
        if fresh and fresh[0].offset > self.next_offset and not is_whole:
            raise LostError(self.next_offset, fresh[0].offset)
        return [piece for _, group in groupby(fresh, key=lambda record: record.tick_ms) for piece in _pieces(group)]

    def prepare(self, records: Sequence[Record]) -> Batch:
        """Compute what records leave; the lane's memory moves on with it, the store does not yet."""
        batch = Batch(self.next_offset, records[-1].offset + 1, self.clock(), Counts(records=len(records)))
        if records[0].tick_ms is not None:
            self._tick(batch, records[0].tick_ms)
            batch.after = batch.after if batch.is_whole else batch.before
            self.next_offset = batch.after
            return batch
        self.next_offset = batch.after
        by_site: dict[str, list[Record]] = {}
        for record in records:
            by_site.setdefault(record.site, []).append(record)
        for name, mine in by_site.items():
            site = self._site(name)
            if site is None:
                self._refuse(batch, mine)
            else:
                self._step(batch, site, mine)
        return batch

    def _site(self, name: str) -> LiveSite | None:
        """A site of the catalog as it stands now; a changed one is loaded anew from the last commit."""
        known = self.folder.sites.get(name)
        if known is None:
            return self.sites.get(name)
        live = self.sites.get(name)
        if live is None or live.sha256 != known.sha256:
            live = self.sites[name] = LiveSite(known, self.store, self.settle, self.archive)
            with self.store.transaction():
                self.store.execute(
                    "update op.position set log = $1, part = $2 where site = $3", [self.log, self.part, name]
                )
        return live

    def _tick(self, batch: Batch, now_ms: int) -> None:
        batch.counts.ticks += 1
        for name in list(self.sites):
            site = self._site(name)
            if site is None or not site.pipeline.is_due(now_ms):
                continue
            until_ms = min(now_ms, site.pipeline.watermark_ms + DAY_MS + site.slack_ms)
            outputs = site.pipeline.tick(until_ms)
            batch.controls.append((site, outputs.next_seq, until_ms))
            batch.is_whole &= until_ms == now_ms
            self._keep(batch, site, outputs)

    def _step(self, batch: Batch, site: LiveSite, records: list[Record]) -> None:
        decoded = decode_messages([record.value for record in records])
        received = np.array([record.received_ms for record in records], dtype=np.int64)
        of_reading = decoded.readings["message"].to_numpy()
        outputs = site.pipeline.step(decoded.readings, received[of_reading])
        moment = naive(batch.moment)
        numbers = np.array([site.source(record.gateway, batch.moment) for record in records], dtype=np.int32)
        message = outputs.raw["message"].to_numpy()
        arrived = pl.Series(received[message]).cast(pl.Datetime("ms"))
        batch.tables.append(site.store.maker.raw(outputs, pl.Series(numbers[message]), arrived))
        for rejects in (decoded.rejects, outputs.rejects):
            for number in rejects["message"].unique(maintain_order=True).to_list() if len(rejects) else ():
                mine = rejects.filter(pl.col("message") == number)
                batch.tables.append(quarantined(mine, records[number].gateway, moment))
                batch.counts.rejected += len(mine)
                if rejects is decoded.rejects:
                    batch.undecodable.append((records[number], "; ".join(mine["reason"].unique().sort())))
        batch.counts.readings += len(outputs.raw)
        batch.counts.late += len(outputs.raw) - outputs.raw["late_ms"].null_count()
        self._keep(batch, site, outputs)

    def _keep(self, batch: Batch, site: LiveSite, outputs: Outputs) -> None:
        before = site.store.next_seq
        site.store.next_seq = outputs.next_seq
        batch.moves.append((site, Move(before, outputs.next_seq)))
        batch.tables.append(site.store.maker.made(outputs, naive(batch.moment)))
        batch.outputs.append((site, outputs))
        batch.counts.facts += len(outputs.facts)
        batch.counts.revisions += int((outputs.facts["revision"] > 0).sum()) if len(outputs.facts) else 0

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
        tables = together([each for each in batch.tables if each]) if any(batch.tables) else {}
        with self.store.transaction():
            if not self.store.execute(
                "update op.log_position set next_offset = $1 where log = $2 and part = $3 and next_offset = $4",
                [batch.after, self.position, self.part, batch.before],
            ):
                raise FencedError(
                    f"store {self.store.where}: another worker has moved {self.log}[{self.part}] on from {batch.before}"
                )
            for site, move in batch.moves:
                if move.before != move.after:
                    site.store.move(move)
            for site, seq, now_ms in batch.controls:
                site.store.control(seq, "tick", datetime.fromtimestamp(now_ms / 1000, tz=UTC))
            write(self.store, tables, moment)

    def skip(self, first: int) -> None:
        """Go on at an offset though the log no longer has those before it; quarantine says which are lost."""
        moment = naive(self.clock())
        reason = f"{self.log}[{self.part}]: offsets {self.next_offset} to {first - 1} are no longer in the log"
        rows = pl.DataFrame({"reason": [reason], "payload": [""]})
        with self.store.transaction():
            self.store.execute(
                "update op.log_position set next_offset = $1 where log = $2 and part = $3",
                [first, self.position, self.part],
            )
            write(self.store, quarantined(rows, self.log, moment), moment)
        self.next_offset = first

    def settled(self, batch: Batch) -> bool:
        """After a commit whose answer was lost: tell whether it is in the store; FencedError where others went on."""
        found = self._position()
        if found and found[0][0] == batch.after:
            return True
        if not found or found[0][0] != batch.before:
            raise FencedError(
                f"store {self.store.where}: another worker has moved {self.log}[{self.part}] on from {batch.before}"
            )
        return False
