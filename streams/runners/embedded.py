"""The embedded runner: files through the pipeline into a store, in this process.

Killed at any moment and started again with the same files it goes on where the last commit stood.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from streams.domain.site import Site
from streams.ingest.files import Block
from streams.operators.points import PointTable
from streams.pipeline import Outputs
from streams.stores.archive import Archive
from streams.stores.duckdb import DuckDBStore, SiteStore

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
    """The pipeline of one site over one store and its archive."""

    def __init__(self, site: Site, store: DuckDBStore, clock: Callable[[], datetime]) -> None:
        """Continue where the store stands; `clock` gives the time of arrival (aware)."""
        self.clock = clock
        self.table = PointTable.of(site)
        self.site = SiteStore(store, self.table)
        self.archive = Archive(archive_of(store))
        self.archive.sweep(site.name, {each.file for each in self.site.listed()})
        self.pipeline = self.site.pipeline()
        self.report = Report()

    def ingest(self, source: Source, progress: Callable[[int], None]) -> bool:
        """Read a source from where it stands; return False where it was in the store already, whole."""
        number, done, received_at, complete = self.site.source(source.identity, source.name, self.clock())
        if complete:
            self.report.skipped += 1
            return False
        for block in source.blocks(done):
            outputs = self.pipeline.step(block.readings, int(received_at.timestamp() * 1000))
            outputs.rejects = pl.concat([block.rejects, outputs.rejects])
            self.site.commit(
                self.pipeline,
                outputs,
                self.clock(),
                source=(number, source.name, done, block.position),
            )
            done = block.position
            self.report.count(outputs)
            progress(len(block.readings))
            if self.site.next_seq - self.site.archived_to >= ARCHIVE_READINGS:
                self.write_archive()
        self.site.complete(number)
        return True

    def finish(self) -> None:
        """Record the end of the stream: open intervals are emitted as far as they are known; complete the archive."""
        self.write_archive()
        flushes = [seq for seq, kind, _ in self.site.controls() if kind == "flush"]
        if self.pipeline.next_seq in (0, *flushes[-1:]):
            return
        outputs = self.pipeline.flush()
        now = self.clock()
        self.site.commit(self.pipeline, outputs, now, control=("flush", now))
        self.report.count(outputs)

    def write_archive(self) -> None:
        """Bring the raw archive up to what the store has committed."""
        rows = self.site.unarchived()
        if len(rows):
            self.site.list_files(self.archive.write(self.table.site.name, self.table.site.time_zone.key, rows))


def archive_of(store: DuckDBStore) -> Path:
    """The folder of a store's raw archive, beside the file."""
    return store.path.with_name(store.path.name + ".archive")


def utc_now() -> datetime:
    """The clock of this machine."""
    return datetime.now(UTC)
