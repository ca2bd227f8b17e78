"""The inbox keeps the order of each partition, and gives at once what is much."""

from __future__ import annotations

import asyncio
import time

from streams.ingest.records import Record
from streams.runners.inbox import SMALL_BYTES, Inbox


def record(offset: int, size: int = 10) -> Record:
    return Record(offset, "site", "gw", bytes(size), 0)


def test_records_come_out_by_partition_in_their_order_and_no_more_than_asked_for() -> None:
    async def run() -> None:
        inbox = Inbox()
        inbox.put([(offset % 2, record(offset)) for offset in range(10)])
        first, rest = await inbox.take(6, 0.0), await inbox.take(6, 0.0)
        assert [each.offset for each in first[0] + rest[0]] == [0, 2, 4, 6, 8]
        assert [each.offset for each in first[1] + rest[1]] == [1, 3, 5, 7, 9]
        assert sum(map(len, first.values())) == 6

    asyncio.run(run())


def test_few_bytes_wait_a_moment_for_more_and_many_do_not() -> None:
    async def run() -> None:
        inbox = Inbox()
        inbox.put([(0, record(0, SMALL_BYTES))])
        begun = time.monotonic()
        await inbox.take(100, 5.0)
        assert time.monotonic() - begun < 2
        inbox.put([(0, record(1))])
        taking = asyncio.ensure_future(inbox.take(100, 0.2))
        await asyncio.sleep(0.05)
        inbox.put([(0, record(2))])
        assert [each.offset for each in (await taking)[0]] == [1, 2]

    asyncio.run(run())


def test_partitions_that_are_gone_are_forgotten_and_the_end_wakes_who_waits() -> None:
    async def run() -> None:
        inbox = Inbox()
        inbox.put([(0, record(0)), (1, record(5))])
        inbox.drop({0})
        assert await inbox.take(10, 0.0) == {1: [record(5)]}
        waiting = asyncio.ensure_future(inbox.take(10, 0.0))
        await asyncio.sleep(0)
        inbox.close()
        assert await waiting == {}

    asyncio.run(run())
