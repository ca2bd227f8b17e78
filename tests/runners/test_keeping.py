"""Housekeeping of what runs for years: it is done under load, for every lane, and is left where the end comes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from streams.catalog.folder import SiteFolder
from streams.ingest.records import Message, Record
from streams.ingest.spool import Spool
from streams.runners.box import Box
from streams.runners.keeping import Keeping
from streams.runners.live import Lane
from streams.runners.metrics import LiveMetrics
from streams.stores.archive import Archive
from streams.stores.duckdb import DuckDBStore

SITES = Path(__file__).parents[2] / "deploy" / "sites"
NOW = datetime(2026, 2, 1, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
START_S = 1_767_225_600


def reading(number: int, site: str = "worm_gear_shop") -> bytes:
    return b'{"point":"%s/main","time":%d,"value":%d}' % (site.encode(), START_S + 30 * number, number)


def until(fulfilled: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not fulfilled():
        assert time.monotonic() < deadline, f"not within 30 s: {what}"
        time.sleep(0.01)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DuckDBStore]:
    with closing(DuckDBStore(tmp_path / "a.duckdb")) as opened:
        yield opened


def test_a_box_that_is_never_idle_keeps_its_archive_and_its_copy(store: DuckDBStore, tmp_path: Path) -> None:
    archive, copy = Archive(tmp_path / "archive"), tmp_path / "copy.duckdb"
    with Spool(tmp_path / "spool", 1 << 30) as spool:
        spool.append([Message("worm_gear_shop", "gw", reading(number), NOW_MS) for number in range(60_000)])
        keeping = Keeping(archive, copy, store.copy_to, every_s=0.05, is_alone=True)
        box = Box(spool, store, SiteFolder.of(SITES), LiveMetrics(), lambda: NOW, keeping, 1e6)
        box.start()
        try:
            until(lambda: copy.exists() and any(archive.folder.rglob("*.parquet")), "the archive and a copy")
            assert spool.waiting().records > 0
        finally:
            assert box.stop(10)
    assert box.failure is None


def test_each_lane_has_its_own_turn_at_the_archive(store: DuckDBStore, tmp_path: Path) -> None:
    archive, folder = Archive(tmp_path / "archive"), SiteFolder.of(SITES)
    keeping = Keeping(archive, every_s=0.3)
    lanes = [Lane("topic", part, store, folder, lambda: NOW, archive=archive) for part in range(2)]
    for lane in lanes:
        keeping.begin(lane)

    def take(lane: Lane, site: str) -> None:
        records = [Record(lane.next_offset, site, "gw", reading(lane.next_offset, site), NOW_MS)]
        batch = lane.prepare(records)
        lane.commit(batch)
        keeping.after(lane, batch)

    def archived(site: str) -> bool:
        return any((archive.folder / f"site={site}").rglob("*.parquet"))

    def first() -> bool:
        take(lanes[0], "worm_gear_shop")
        return archived("worm_gear_shop")

    take(lanes[1], "tap_forge")
    until(first, "readings of the first lane in the archive")
    assert not archived("tap_forge")
    take(lanes[1], "tap_forge")
    assert archived("tap_forge")


def test_a_copy_is_left_when_the_end_comes(store: DuckDBStore, tmp_path: Path) -> None:
    store.execute("create table big as select hash(r) as a, hash(r + 1) as b from range(8000000) as t (r)")
    copy, made = tmp_path / "copy.duckdb", list[bool]()
    copier = threading.Thread(target=lambda: made.append(store.copy_to(copy)))
    copier.start()
    until((tmp_path / "copy.duckdb.part").exists, "a copy that has begun")
    while copier.is_alive():
        store.leave_copy()
        copier.join(0.05)
    assert made == [False]
    assert [path.name for path in tmp_path.glob("copy*")] == []
    assert store.rows("select count(*) from big") == [(8_000_000,)]
    store.execute("drop table big")
    store.leave_copy()
    assert store.copy_to(copy)
    with closing(DuckDBStore(copy, read_only=True)) as copied:
        assert copied.rows("select count(*) from op.position") == [(0,)]
