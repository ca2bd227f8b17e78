"""Faust's consumer, told by the store where to read: its own offsets are a hint, and often a wrong one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Set
from typing import Any

import faust
from faust.transport.drivers.aiokafka import Consumer, Transport
from faust.types import TP

Positions = Callable[[Set[TP]], Awaitable[dict[TP, int]]]
"""Where to read on, of partitions that a store knows."""


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


def transport(app: faust.App, positions: Positions) -> Transport:
    """A transport whose consumer begins, after every assignment, where the store stands."""

    class StoredConsumer(Consumer):
        """Reads on from the store's positions."""

        def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 - Faust's own
            super().__init__(*given, **named)
            self._reads = self._read_offset = ReadOffsets()

        async def perform_seek(self) -> None:
            """Go to the offsets that Faust committed, then to those of the store where it has any."""
            await super().perform_seek()
            for partition, offset in (await positions(self.assignment())).items():
                await self.seek(partition, offset)

        async def seek(self, partition: TP, offset: int) -> None:
            """Read on from an offset, and drop nothing that comes from there."""
            await self._seek(partition, offset)
            self._reads.rewind(partition, offset)

    class StoredTransport(Transport):
        """Makes such consumers."""

    StoredTransport.Consumer = StoredConsumer
    return StoredTransport(app.conf.broker, app, loop=app.loop)
