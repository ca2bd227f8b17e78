"""Faust's consumer, told by the store where to read: its own offsets are a hint, and often a wrong one."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from typing import Any, Final

import faust
from faust.transport.drivers.aiokafka import Consumer, Transport
from faust.types import TP

Positions = Callable[[Set[TP]], Awaitable[dict[TP, int]]]
"""Where to read on, of partitions that a store knows."""
ROOM_BYTES: Final = 32 * 1024 * 1024
FEW_RECORDS: Final = 16
PAUSE_S: Final = 0.02
FORGOTTEN_S: Final = 2.0


class ReadOffsets(defaultdict[TP, int | None]):
    """The last offset read of each partition, below which Faust drops what comes.

    Messages that were on their way when somebody sought back would raise it again, and all that follows were dropped.
    """

    def __init__(self) -> None:
        """Begin with none."""
        super().__init__(lambda: None)
        self.sought: dict[TP, int] = {}

    def rewind(self, partition: TP, offset: int) -> None:
        """Expect this offset next, whatever else is on its way."""
        self.sought[partition] = offset
        super().__setitem__(partition, offset or None)

    def __setitem__(self, partition: TP, offset: int | None) -> None:
        """Note what was read, unless it was on its way when another offset was sought."""
        expected = self.sought.get(partition)
        if expected is not None and offset is not None:
            if offset > expected:
                return
            del self.sought[partition]
        super().__setitem__(partition, offset)


class Intake:
    """How much may be read: Faust bounds what waits by messages alone, and a message may be four megabytes.

    What was read counts until it was worked off (`passed`). A poll brings at most twice as many messages as the last,
    so that the size of the next ones is known before there are many.
    """

    def __init__(self, most_records: int) -> None:
        """Begin with few."""
        self.most_records, self.bytes = most_records, 0
        self.sizes: defaultdict[TP, deque[tuple[int, int]]] = defaultdict(deque)
        self.last_records, self.usual_bytes = FEW_RECORDS, 1
        self.full_since: float | None = None

    def room(self, *, is_busy: bool) -> int:
        """How many records may be read now; what waits for nobody, since Faust has dropped it, is forgotten."""
        left = ROOM_BYTES - self.bytes
        if left > 0:
            self.full_since = None
            return max(1, min(self.most_records, max(FEW_RECORDS, 2 * self.last_records), left // self.usual_bytes))
        now = time.monotonic()
        if is_busy or self.full_since is None:
            self.full_since = now
        elif now - self.full_since > FORGOTTEN_S:
            self.clear()
        return 0

    def came(self, records: Mapping[TP, Sequence[Any]], read: Mapping[TP, int | None]) -> None:
        """Count what a poll brought; what Faust will drop, since it was read before, does not count."""
        count = size = 0
        for partition, messages in records.items():
            after = read.get(partition) or 0
            for message in messages:
                mine = len(message.value or b"")
                count, size = count + 1, size + mine
                if message.offset >= after:
                    self.sizes[partition].append((message.offset, mine))
                    self.bytes += mine
        if count:
            self.last_records, self.usual_bytes = count, max(1, size // count)

    def passed(self, partition: TP, offset: int) -> None:
        """Note that everything up to an offset was worked off, or will be read again."""
        sizes = self.sizes[partition]
        while sizes and sizes[0][0] <= offset:
            self.bytes -= sizes.popleft()[1]

    def clear(self) -> None:
        """Forget everything: partitions are assigned anew, and Faust has let go of what waited."""
        self.sizes.clear()
        self.bytes, self.full_since = 0, None


def transport(app: faust.App, positions: Positions, intake: Intake, is_busy: Callable[[], bool]) -> Transport:
    """A transport whose consumer begins, after every assignment, where the store stands, and reads what has room."""

    class StoredConsumer(Consumer):
        """Reads on from the store's positions."""

        def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 - Faust's own
            super().__init__(*given, **named)
            self._reads = self._read_offset = ReadOffsets()

        async def perform_seek(self) -> None:
            """Go to the offsets that Faust committed, then to those of the store."""
            await super().perform_seek()
            intake.clear()
            for partition, offset in (await positions(self.assignment())).items():
                await self.seek(partition, offset)

        async def seek(self, partition: TP, offset: int) -> None:
            """Read on from an offset, and drop nothing that comes from there."""
            await self._seek(partition, offset)
            self._reads.rewind(partition, offset)

        async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ANN401 - Faust's own
            most = intake.room(is_busy=is_busy())
            if not most:
                await self.sleep(PAUSE_S)
                return {}
            self._thread._ensure_consumer()._max_poll_records = most
            records = await super()._getmany(active_partitions, timeout)
            intake.came(records, self._read_offset)
            return records

    class StoredTransport(Transport):
        """Makes such consumers."""

    StoredTransport.Consumer = StoredConsumer
    return StoredTransport(app.conf.broker, app, loop=app.loop)
