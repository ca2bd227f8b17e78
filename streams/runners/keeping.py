"""What keeps a store well for years: its archive, compacted; its raw rows, trimmed; a copy of it each day."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

import polars as pl

from streams.catalog.runs import is_run
from streams.runners.batch import Batch
from streams.runners.live import Lane
from streams.runners.live_site import LiveSite
from streams.stores.archive import Archive

ARCHIVE_READINGS: Final = 250_000
ARCHIVE_S: Final = 900.0
COPY_S: Final = 86_400.0
COMPACT_AFTER: Final = timedelta(days=2)
FEW_FILES: Final = 4


@dataclass(slots=True)
class Keeping:
    """Housekeeping of the sites of a lane. `archive` is None where the store alone keeps the readings.

    `copy` is where a daily copy of the store goes, and `copy_to` makes it; `raw_days` is how long raw rows stay in the
    store after the archive has them, None for ever.
    """

    archive: Archive | None
    copy: Path | None = None
    copy_to: Callable[[Path], None] | None = None
    raw_days: int | None = None
    waiting: dict[int, list[pl.DataFrame]] = field(default_factory=dict)
    written_at: dict[int, float] = field(default_factory=dict)
    kept_at: dict[int, float] = field(default_factory=dict)
    to_keep: dict[int, list[LiveSite]] = field(default_factory=dict)

    def begin(self, lane: Lane) -> None:
        """Remove files of the archive that belong to commits which never happened."""
        self.waiting[lane.part], self.written_at[lane.part] = [], time.monotonic()
        if self.archive:
            for site in lane.sites.values():
                self.archive.sweep(site.name, {each.file for each in site.store.listed()})

    def end(self, lane: Lane) -> None:
        """Let go of a lane that another worker has now."""
        for kept in (self.waiting, self.written_at, self.kept_at, self.to_keep):
            kept.pop(lane.part, None)

    def after(self, lane: Lane, batch: Batch) -> None:
        """Take what a commit has stored, and bring the archive up to it where it is due."""
        if lane.part not in self.waiting:  # let go of meanwhile
            return
        if self.archive and batch.raw:
            self.waiting[lane.part].append(batch.raw["raw"])
        if self._is_due(lane):
            self.write(lane)

    def _is_due(self, lane: Lane) -> bool:
        """Whether readings wait for the archive, many or long."""
        count = sum(map(len, self.waiting[lane.part]))
        overdue = time.monotonic() - self.written_at[lane.part] >= ARCHIVE_S
        return count > 0 and (count >= ARCHIVE_READINGS // len(self.waiting) or overdue)

    def write(self, lane: Lane) -> None:
        """Bring the archive of the lane's sites up to what the store has.

        What is in memory is written where it is all that the archive lacks; else the store is asked.
        """
        self.written_at[lane.part] = time.monotonic()
        if self.archive is None:
            return
        parts, self.waiting[lane.part] = self.waiting[lane.part], []
        waiting = pl.concat(parts) if parts else None
        for site in [each for each in lane.sites.values() if not is_run(each.name)]:
            first = site.store.archived_to
            if first == site.store.next_seq:
                continue
            rows = None if waiting is None else waiting.filter(pl.col("point_id").is_in(site.store.ids)).sort("seq")
            if rows is not None and len(rows) and rows["seq"][0] == first and rows["seq"][-1] == first + len(rows) - 1:
                chosen = site.store.archivable(rows)
            else:
                chosen = site.store.unarchived()
            if len(chosen):
                written = self.archive.write(site.name, site.table.site.time_zone.key, chosen)
                site.store.list_files(written, chosen)

    def rest(self, lane: Lane) -> None:
        """A piece of what can wait: each quarter-hour one site after the other, then the daily copy."""
        if self._is_due(lane):
            self.write(lane)
        now = time.monotonic()
        if now - self.kept_at.get(lane.part, float("-inf")) >= ARCHIVE_S:
            self.kept_at[lane.part] = now
            self.to_keep[lane.part] = list(lane.sites.values())
        if sites := self.to_keep.get(lane.part):
            site = sites.pop()
            self._compact(lane, site)
            self._trim(lane, site)
            if not sites:
                self._copy()

    def close(self, lane: Lane) -> None:
        """Leave nothing that only the store has."""
        self.write(lane)

    def _compact(self, lane: Lane, site: LiveSite) -> None:
        """One file in the place of a past day's many."""
        if self.archive is None:
            return
        today = lane.clock().astimezone(site.table.site.time_zone).date()
        by_day: dict[str, list[str]] = {}
        listed = {each.file: each for each in site.store.listed()}
        for name in listed:
            by_day.setdefault(name.split("/day=")[1].split("/")[0], []).append(name)
        for day, names in by_day.items():
            if len(names) > FEW_FILES and day < str(today - COMPACT_AFTER):
                old = [listed[name] for name in names]
                site.store.replace_files(old, self.archive.merge(site.name, day, old))
                self.archive.remove(old)

    def _trim(self, lane: Lane, site: LiveSite) -> None:
        if self.raw_days is not None and self.archive is not None:
            site.store.trim(lane.clock() - timedelta(days=self.raw_days), site.pipeline.state)

    def _copy(self) -> None:
        """A copy that another process can open, made anew each day."""
        if self.copy is None or self.copy_to is None:
            return
        if not self.copy.exists() or time.time() - self.copy.stat().st_mtime >= COPY_S:
            self.copy_to(self.copy)
