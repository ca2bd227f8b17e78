"""What keeps a store well for years: its archive, compacted; its raw rows, trimmed; a copy of it each day."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from math import inf
from pathlib import Path
from typing import Final

import polars as pl

from streams.catalog.runs import is_run
from streams.runners.batch import Batch
from streams.runners.live import Lane
from streams.runners.live_site import LiveSite
from streams.stores.archive import ABANDONED_S, Archive

ARCHIVE_READINGS: Final = 250_000
ARCHIVE_S: Final = 900.0
COPY_S: Final = 86_400.0
COMPACT_AFTER: Final = timedelta(days=2)
FEW_FILES: Final = 4


@dataclass(slots=True)
class Care:
    """What a lane waits for: readings for the archive (some may be left from before), and sites to look after."""

    began_at: float
    written_at: float
    looked_at: float = float("-inf")
    is_left: bool = True
    readings: list[pl.DataFrame] = field(default_factory=list)
    sites: list[LiveSite] = field(default_factory=list)


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
    cares: dict[int, Care] = field(default_factory=dict)

    def begin(self, lane: Lane) -> None:
        """Remove files of the archive that belong to commits which never happened."""
        now = time.monotonic()
        self.cares[lane.part] = Care(now, now)
        if self.archive:
            before_s = inf if self.is_alone else time.time() - ABANDONED_S
            for site in lane.sites.values():
                self.archive.sweep(site.name, {each.file for each in site.store.listed()}, before_s)

    def end(self, lane: Lane) -> None:
        """Let go of a lane that another worker has now."""
        self.cares.pop(lane.part, None)

    def after(self, lane: Lane, batch: Batch) -> None:
        """Take what a commit has stored, and bring the archive up to it where it is due."""
        care = self.cares.get(lane.part)
        if care is None:  # let go of meanwhile
            return
        if self.archive and batch.raw:
            care.readings.append(batch.raw["raw"])
        if self._is_due(care):
            self.write(lane)

    def _is_due(self, care: Care) -> bool:
        """Whether readings wait for the archive, many or long."""
        if sum(map(len, care.readings)) >= ARCHIVE_READINGS // len(self.cares):
            return True
        return bool(care.readings or care.is_left) and time.monotonic() - care.written_at >= self.every_s

    def write(self, lane: Lane) -> None:
        """Bring the archive of the lane's sites up to what the store has.

        What is in memory is written where it is all that the archive lacks; else the store is asked.
        """
        care = self.cares[lane.part]
        parts, care.readings, care.is_left, care.written_at = care.readings, [], False, time.monotonic()
        if self.archive is None:
            return
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

    def is_overdue(self, lane: Lane) -> bool:
        """Whether what can wait until nothing else waits has waited for so long that it must be done now."""
        care = self.cares[lane.part]
        return bool(care.sites) or time.monotonic() - max(care.began_at, care.looked_at) >= 2 * self.every_s

    def rest(self, lane: Lane) -> None:
        """A piece of what can wait until nothing else waits: one site after the other, then the copy."""
        care, now = self.cares.get(lane.part), time.monotonic()
        if care is None:
            return
        if self._is_due(care):
            self.write(lane)
        if not care.sites and now - care.looked_at >= self.every_s:
            care.sites, care.looked_at = list(lane.sites.values()), now
        if care.sites:
            site = care.sites.pop()
            self._compact(lane, site)
            self._trim(lane, site)
            if not care.sites:
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
        """A copy that another process can open, made anew each day; none of a store that holds nothing yet."""
        if self.copy is None or self.copy_to is None:
            return
        if not self.copy.exists() or time.time() - self.copy.stat().st_mtime >= COPY_S:
            self.copy_to(self.copy)
