"""What keeps a store well for years: its archive, compacted; its raw rows, trimmed; a copy of it each day."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from math import inf
from pathlib import Path
from typing import Final

from streams.catalog.runs import is_run
from streams.runners.batch import Batch
from streams.runners.live import Lane
from streams.runners.live_site import LiveSite
from streams.stores.archive import ABANDONED_S, Archive

ARCHIVE_READINGS: Final = 200_000
ARCHIVE_S: Final = 900.0
COPY_S: Final = 86_400.0
COMPACT_AFTER: Final = timedelta(days=2)
FEW_FILES: Final = 4


@dataclass(slots=True)
class Waits:
    """How many readings of a lane wait for the archive, and when it was last brought up to the store."""

    readings: int
    written_at: float


@dataclass(slots=True)
class Keeping:
    """Housekeeping of the sites of lanes, each by its own measure.

    `archive` is None where the store alone keeps the readings. `copy` is where a daily copy of the store goes, and
    `copy_to` makes it; `raw_days` is how long raw rows stay in the store after the archive has them, None for ever.
    `every_s` is how long the archive and what else there is to do may wait. `is_alone`: no other process writes to the
    archive.
    """

    archive: Archive | None
    copy: Path | None = None
    copy_to: Callable[[Path], bool] | None = None
    raw_days: int | None = None
    every_s: float = ARCHIVE_S
    is_alone: bool = False
    waiting: dict[int, Waits] = field(default_factory=dict)
    begun_at: float = field(default_factory=time.monotonic)
    kept_at: float = float("-inf")

    def begin(self, lane: Lane) -> None:
        """Remove files of the archive that belong to commits which never happened; readings may wait from before."""
        self.waiting[lane.part] = Waits(1, time.monotonic())
        if self.archive:
            before_s = inf if self.is_alone else time.time() - ABANDONED_S
            for site in lane.sites.values():
                self.archive.sweep(site.name, {each.file for each in site.store.listed()}, before_s)

    def is_due(self, lane: Lane) -> bool:
        """Whether readings of a lane wait for the archive, many or long."""
        waits = self.waiting[lane.part]
        return waits.readings >= ARCHIVE_READINGS or (
            waits.readings > 0 and time.monotonic() - waits.written_at >= self.every_s
        )

    def after(self, lane: Lane, batch: Batch) -> None:
        """Count a commit, and bring the archive up to it where it is due."""
        self.waiting[lane.part].readings += batch.counts.readings
        if self.is_due(lane):
            self.write(lane)

    def write(self, lane: Lane) -> None:
        """Bring the archive of every site of the lane up to what the store has."""
        self.waiting[lane.part] = Waits(0, time.monotonic())
        if self.archive is None:
            return
        for site in [each for each in lane.sites.values() if not is_run(each.name)]:
            rows = site.store.unarchived()
            if len(rows):
                written = self.archive.write(site.name, site.table.site.time_zone.key, rows)
                site.store.list_files(written, rows)

    def is_overdue(self) -> bool:
        """Whether what can wait until nothing else waits has waited for so long that it must be done now."""
        return time.monotonic() - max(self.begun_at, self.kept_at) >= 2 * self.every_s

    def rest(self, lane: Lane) -> None:
        """What can wait until nothing else waits."""
        if self.is_due(lane):
            self.write(lane)
        now = time.monotonic()
        if now - self.kept_at < self.every_s:
            return
        self.kept_at = now
        for site in list(lane.sites.values()):
            self._compact(lane, site)
            self._trim(lane, site)
        self._copy(lane)

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

    def _copy(self, lane: Lane) -> None:
        """A copy that another process can open, made anew each day; none of a store that holds nothing yet."""
        if self.copy is None or self.copy_to is None or not lane.sites:
            return
        if not self.copy.exists() or time.time() - self.copy.stat().st_mtime >= COPY_S:
            self.copy_to(self.copy)
