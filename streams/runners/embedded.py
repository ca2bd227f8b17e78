"""The embedded runner: files through the pipeline into a store, in this process.

Killed at any moment and started again with the same files it goes on where the last commit stood.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from pathlib import Path

import numpy as np
import polars as pl

from streams.domain.findings import StoreError
from streams.domain.site import Site
from streams.ingest.files import Block
from streams.operators.points import PointTable
from streams.pipeline import Outputs
from streams.stores import models
from streams.stores.archive import ABANDONED_S, COLUMNS, Archive, ArchiveFile
from streams.stores.duckdb import DuckDBStore
from streams.stores.site import SiteStore
from streams.stores.store import Store

ARCHIVE_READINGS = 500_000
"""So many readings may be in the store alone before the archive is brought up to it."""


@dataclass(frozen=True, slots=True)
class Source:
    """Something to read: an identity by content, a name for messages, and how to read on from a record."""

    identity: str
    name: str
    blocks: Callable[[int], Iterator[Block]]


@dataclass(slots=True)
class Report:
    """What an ingest did, in readings and rows."""

    readings: int = 0
    rejected: int = 0
    facts: int = 0
    revisions: int = 0
    skipped: int = 0

    def count(self, outputs: Outputs) -> None:
        """Add what a step left."""
        self.readings += len(outputs.raw)
        self.rejected += len(outputs.rejects)
        self.facts += len(outputs.facts)
        self.revisions += int((outputs.facts["revision"] > 0).sum()) if len(outputs.facts) else 0


class EmbeddedRunner:
    """The pipeline of one site over one store and its archive.

    While a block is computed the next one is decoded and the one before committed, each in a thread of its own; what
    the pipeline looks up in the store waits for the commit.
    """

    def __init__(self, site: Site, store: Store, clock: Callable[[], datetime], archive: Path | None = None) -> None:
        """Continue where the store stands; `clock` gives the time of arrival (aware).

        `archive` is the folder of the raw archive, by default the one beside a store's file.
        """
        self.clock = clock
        self.table = PointTable.of(site)
        self.site = SiteStore(store, self.table)
        self.archive = Archive(archive or archive_of(store))
        before_s = inf if isinstance(store, DuckDBStore) else time.time() - ABANDONED_S  # others write too
        self.archive.sweep(site.name, {each.file for each in self.site.listed()}, before_s)
        self.pipeline = self.site.pipeline(self)
        self.report = Report()
        self.committing: Future[None] | None = None
        self.archiving: tuple[Future[list[ArchiveFile]], pl.DataFrame] | None = None

    def readings(self, places: list[int], since_ms: int) -> pl.DataFrame:
        """See `streams.pipeline.Memory`."""
        self._settle()
        return self.site.readings(places, since_ms)

    def facts(self, places: list[int], from_ms: int, to_ms: int) -> pl.DataFrame:
        """See `streams.pipeline.Memory`."""
        self._settle()
        return self.site.facts(places, from_ms, to_ms)

    def scored(self) -> dict[int, bytes]:
        """See `streams.pipeline.Memory`."""
        self._settle()
        return self.site.scored()

    def words(self, places: list[int], since_ms: int) -> dict[int, tuple[int, str]]:
        """See `streams.pipeline.Memory`."""
        self._settle()
        return self.site.words(places, since_ms)

    def activate_models(self) -> None:
        """Put versions of models into use that were trained meanwhile."""
        for each in models.wanted(self.site.store, self.table.site.name):
            outputs = self.pipeline.activate(each.asset, each.version, each.model)
            self.site.commit(outputs, self.clock(), activated=each)
            self.report.count(outputs)

    def ingest(self, source: Source, progress: Callable[[int], None]) -> bool:
        """Read a source from where it stands; return False where it was in the store already, whole."""
        number, done, received_at, complete = self.site.source(source.identity, source.name, self.clock())
        if complete:
            self.report.skipped += 1
            return False
        self.write_archive()
        self.activate_models()
        threads = [ThreadPoolExecutor(1, name) for name in ("decode", "commit", "archive")]
        decoder, committer, archiver = threads
        waiting: list[pl.DataFrame] = []
        try:
            for block in _ahead(source.blocks(done), decoder):
                outputs = self.pipeline.step(block.readings, int(received_at.timestamp() * 1000))
                outputs.rejects = pl.concat([block.rejects, outputs.rejects])
                self._settle()
                position = (number, source.name, done, block.position)
                self.committing = committer.submit(
                    self.site.commit, outputs, self.clock(), source=position, received_at=received_at
                )
                waiting.append(outputs.raw)
                if sum(map(len, waiting)) >= ARCHIVE_READINGS:
                    self._list_archived()
                    rows = archived(waiting, received_at, source.identity)
                    self.archiving = archiver.submit(self._write_files, rows), rows
                    waiting = []
                done = block.position
                self.report.count(outputs)
                progress(len(block.readings))
        finally:
            self._settle()
            self._list_archived()
            for thread in threads:
                thread.shutdown()
        self.site.complete(number)
        return True

    def finish(self) -> None:
        """Record the end of the stream: open intervals are emitted as far as they are known; complete the archive."""
        self.write_archive()
        flushes = [each.seq for each in self.site.controls() if each.kind == "flush"]
        if self.pipeline.next_seq in (0, *flushes[-1:]):
            return
        outputs = self.pipeline.flush()
        now = self.clock()
        self.site.commit(outputs, now, control=("flush", now))
        self.report.count(outputs)

    def write_archive(self) -> None:
        """Bring the raw archive up to what the store has committed."""
        rows = self.site.unarchived()
        if len(rows):
            self.site.list_files(self._write_files(rows), rows)

    def _write_files(self, rows: pl.DataFrame) -> list[ArchiveFile]:
        return self.archive.write(self.table.site.name, self.table.site.time_zone.key, rows)

    def _list_archived(self) -> None:
        """Wait for the files under way and list them; their readings are committed by then."""
        if self.archiving:
            (files, rows), self.archiving = self.archiving, None
            written = files.result()
            self._settle()
            self.site.list_files(written, rows)

    def _settle(self) -> None:
        """Wait for the commit under way; what went wrong in it goes wrong here."""
        if self.committing:
            waited, self.committing = self.committing, None
            waited.result()


def _ahead(blocks: Iterator[Block], decoder: ThreadPoolExecutor) -> Iterator[Block]:
    """Decode one block ahead of the one in use."""
    coming = decoder.submit(next, blocks, None)
    while (block := coming.result()) is not None:
        coming = decoder.submit(next, blocks, None)
        yield block


def archived(parts: list[pl.DataFrame], received_at: datetime, source: str) -> pl.DataFrame:
    """Raw rows of a source as the archive keeps them."""
    rows = pl.concat(parts)
    received_ms = np.full(len(rows), int(received_at.timestamp() * 1000))
    named = rows.hstack(
        [pl.Series("received_ms", received_ms), pl.Series("source", [source]).new_from_index(0, len(rows))]
    )
    return named.select(COLUMNS)


def archive_of(store: Store) -> Path:
    """The folder of a store's raw archive, beside the file; StoreError for a server, which has no file."""
    if not isinstance(store, DuckDBStore):
        raise StoreError(f"store {store.where}: a server has no folder of its own; name the archive with --archive")
    return store.path.with_name(store.path.name + ".archive")


def utc_now() -> datetime:
    """The clock of this machine."""
    return datetime.now(UTC)
