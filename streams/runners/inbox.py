"""Records between Kafka and the pipeline; how many bytes of them there may be is the intake's to say."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from streams.ingest.records import Record

SMALL_BYTES: Final = 256 * 1024
"""With less than this it is worth waiting a moment for more."""


@dataclass(slots=True)
class Inbox:
    """Records with the number of their partition, in the order in which they came."""

    waiting: deque[tuple[int, Record]] = field(default_factory=deque)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    is_closed: bool = False

    def put(self, records: Iterable[tuple[int, Record]]) -> None:
        """Add records."""
        self.waiting.extend(records)
        self.came.set()

    async def take(self, most: int, within_s: float) -> dict[int, list[Record]]:
        """Up to so many records by partition, after a moment if they are few; none once it is closed."""
        while not self.waiting and not self.is_closed:
            self.came.clear()
            await self.came.wait()
        if len(self.waiting) < most and sum(len(record.value) for _, record in self.waiting) < SMALL_BYTES:
            await asyncio.sleep(within_s)
        taken: dict[int, list[Record]] = {}
        for _ in range(0 if self.is_closed else min(most, len(self.waiting))):
            part, record = self.waiting.popleft()
            taken.setdefault(part, []).append(record)
        return taken

    def drop(self, parts: set[int]) -> None:
        """Forget the records of partitions that others have now."""
        self.waiting = deque(each for each in self.waiting if each[0] not in parts)

    def close(self) -> None:
        """Give nothing more, and let nobody wait."""
        self.is_closed = True
        self.came.set()
