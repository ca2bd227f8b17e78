"""Two workers over one store and archive: who has lost a partition without knowing it changes nothing any more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from streams.catalog.folder import SiteFolder
from streams.domain.findings import FencedError
from streams.ingest.records import Record
from streams.runners.keeping import Keeping
from streams.runners.live import Lane
from streams.stores.archive import Archive
from streams.stores.postgres import PostgresStore
from streams.stores.schema import migrate

SITES = Path(__file__).parents[2] / "deploy" / "sites"
SITE = "worm_gear_shop"
NOW = datetime(2026, 2, 1, tzinfo=UTC)
START_S = 1_767_225_600


class Holder:
    """A worker's hold on a partition, with a connection of its own."""

    def __init__(self, dsn: str, archive: Path) -> None:
        self.store, self.archive, self.keeping = PostgresStore(dsn), Archive(archive), Keeping(Archive(archive))
        self.lane = Lane("telemetry", 0, self.store, SiteFolder.of(SITES), lambda: NOW, archive=self.archive)
        self.keeping.begin(self.lane)

    def take(self, readings: int) -> None:
        """Take the next readings, one a minute, and commit them."""
        begin = self.lane.next_offset
        records = [
            Record(offset, SITE, "gw", reading(offset), int(NOW.timestamp() * 1000))
            for offset in range(begin, begin + readings)
        ]
        self.lane.commit(self.lane.prepare(records))

    def numbers(self) -> list[int]:
        """The readings in the listed files, by their numbers."""
        listed = self.lane.sites[SITE].store.listed()
        return [seq for stretch in self.archive.read(listed) for seq in stretch["seq"].to_list()]


def reading(number: int) -> bytes:
    return b'{"point":"worm_gear_shop/main","time":%d,"value":%d}' % (START_S + 60 * number, number)


@pytest.fixture
def holders(database: str, tmp_path: Path) -> Iterator[tuple[Holder, Holder]]:
    """One that holds a partition with a hundred readings, and one that takes it over with fifty more."""
    with closing(PostgresStore(database)) as store:
        migrate(store, {})
    stale = Holder(database, tmp_path / "archive")
    stale.take(100)
    fresh = Holder(database, tmp_path / "archive")
    yield stale, fresh
    for each in (stale, fresh):
        each.store.close()


def test_a_stale_worker_lists_no_file_of_what_another_has_archived(holders: tuple[Holder, Holder]) -> None:
    stale, fresh = holders
    site = stale.lane.sites[SITE]
    rows = site.store.unarchived()
    fresh.take(50)
    fresh.keeping.write(fresh.lane)
    written = stale.archive.write(SITE, site.table.site.time_zone.key, rows)
    with pytest.raises(FencedError):
        site.store.list_files(written, rows)
    assert fresh.numbers() == list(range(150))
    fresh.take(10)
    fresh.keeping.write(fresh.lane)
    assert fresh.numbers() == list(range(160))


def test_who_takes_over_leaves_the_files_that_are_about_to_be_listed(
    holders: tuple[Holder, Holder], database: str, tmp_path: Path
) -> None:
    stale, _ = holders
    site = stale.lane.sites[SITE]
    rows = site.store.unarchived()
    written = stale.archive.write(SITE, site.table.site.time_zone.key, rows)
    with closing(Holder(database, tmp_path / "archive").store):
        site.store.list_files(written, rows)
        assert stale.numbers() == list(range(100))


def test_a_stale_worker_does_not_move_the_position(holders: tuple[Holder, Holder]) -> None:
    stale, fresh = holders
    fresh.take(50)
    with pytest.raises(FencedError):
        stale.lane.skip(120, 0)
    fresh.take(10)
    fresh.lane.skip(170, 10)
    fresh.take(1)
    assert fresh.store.rows("select next_offset from op.log_position") == [(171,)]
    assert [reason for (reason,) in fresh.store.rows("select reason from fact.quarantine")] == [
        "telemetry[0]: offsets 160 to 169 are no longer in the log"
    ]
