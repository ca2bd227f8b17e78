"""Records between Kafka and the pipeline: so many bytes may wait, and whoever brings more waits too."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from streams.ingest.records import Record

ROOM_BYTES: Final = 16 * 1024 * 1024
SMALL_BYTES: Final = 256 * 1024
"""With less than this it is worth waiting a moment for more."""
OVERHEAD_BYTES: Final = 500
"""What a record takes beside its value."""


@dataclass(slots=True)
class Inbox:
    """Records of the partitions, each with the number of its own, in the order in which they came."""

    waiting: deque[tuple[int, Record]] = field(default_factory=deque)
    size: int = 0
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    is_closed: bool = False

    async def put(self, records: Sequence[tuple[int, Record]]) -> None:
        """Add records, once there is room for the first of them."""
        async with self.changed:
            await self.changed.wait_for(lambda: self.size < ROOM_BYTES or self.is_closed)
            self.waiting.extend(records)
            self.size += sum(_size(record) for _, record in records)
            self.changed.notify_all()

    async def take(self, most: int, within_s: float) -> dict[int, list[Record]]:
        """Up to so many records by partition, after a moment if they are few; none once it is closed."""
        async with self.changed:
            await self.changed.wait_for(lambda: self.waiting or self.is_closed)
        if self.size < SMALL_BYTES and len(self.waiting) < most and not self.is_closed:
            await asyncio.sleep(within_s)
        taken: dict[int, list[Record]] = {}
        async with self.changed:
            for _ in range(min(most, len(self.waiting))):
                part, record = self.waiting.popleft()
                self.size -= _size(record)
                taken.setdefault(part, []).append(record)
            self.changed.notify_all()
        return taken

    async def drop(self, parts: set[int]) -> None:
        """Forget the records of partitions that others have now."""
        async with self.changed:
            self.waiting = deque(each for each in self.waiting if each[0] not in parts)
            self.size = sum(_size(record) for _, record in self.waiting)
            self.changed.notify_all()

    async def close(self) -> None:
        """Let nobody wait any more."""
        async with self.changed:
            self.is_closed = True
            self.changed.notify_all()


def _size(record: Record) -> int:
    return len(record.value) + OVERHEAD_BYTES
