"""Readings that wait, or are kept for a while, in a tenth of their room.

Sorted by point and time, readings differ little from row to row; the differences are kept in the narrowest integers
that hold them, compressed (Zstandard, RFC 8878). A register at one reading a second takes less than a byte a reading.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import zstandard
from numpy.typing import NDArray

from streams.operators.groups import group_starts
from streams.operators.readings import Readings

Int = NDArray[np.int64]

PACK_AT: Final = 4_096
"""Fewer readings wait as they came: packing them would cost more than it saves."""
MERGED: Final = 8
"""So many small packs become one, which takes less room than they do."""
WIDTHS: Final[tuple[type[np.signedinteger[Any]], ...]] = (np.int8, np.int16, np.int32, np.int64)
TIME_BITS: Final = 42


@dataclass(frozen=True, slots=True)
class Column:
    """Integers of groups: the first of each, and the compressed differences of the others in `width`."""

    first: Int
    width: type[np.signedinteger[Any]]
    data: bytes

    @classmethod
    def of(cls, values: Int, starts: Int) -> Column:
        """Pack values whose groups begin at `starts`."""
        change = np.empty_like(values)
        change[1:] = values[1:] - values[:-1]
        change[starts] = 0
        low, high = int(change.min()), int(change.max())
        width = next(each for each in WIDTHS if np.iinfo(each).min <= low and high <= np.iinfo(each).max)
        data = zstandard.ZstdCompressor(level=1).compress(change.astype(width).tobytes())
        return cls(values[starts], width, data)

    def values(self, starts: Int, counts: Int) -> Int:
        """The values again."""
        change = np.frombuffer(zstandard.ZstdDecompressor().decompress(self.data), dtype=self.width)
        total = np.cumsum(change, dtype=np.int64)
        total += np.repeat(self.first - total[starts], counts)
        return total


@dataclass(frozen=True, slots=True)
class Packed:
    """Readings that were on time, sorted by point and time; their numbers (`seq`) are let go, nobody asks for them."""

    count: int
    place: Int
    counts: Int
    time_ms: Column
    ticks: Column

    @classmethod
    def of(cls, readings: Readings) -> Packed:
        """Pack some readings, at least one."""
        order = np.argsort((readings.place << TIME_BITS) + readings.time_ms, kind="stable")
        place = readings.place[order]
        starts = group_starts(place)
        counts = np.diff(np.append(starts, len(place)))
        columns = (Column.of(each[order], starts) for each in (readings.time_ms, readings.ticks))
        return cls(len(place), place[starts], counts, *columns)

    def __len__(self) -> int:
        """Count the readings."""
        return self.count

    @property
    def size(self) -> int:
        """Bytes that it takes, nearly."""
        return len(self.time_ms.data) + len(self.ticks.data) + 4 * self.place.nbytes

    def readings(self) -> Readings:
        """All of them again."""
        starts = np.cumsum(self.counts) - self.counts
        time_ms, ticks = (column.values(starts, self.counts) for column in (self.time_ms, self.ticks))
        return Readings.on_time(np.repeat(self.place, self.counts), time_ms, ticks)


@dataclass(slots=True)
class Waiting:
    """Readings on time that wait for their watermark, in any order."""

    packed: tuple[Packed, ...] = ()
    loose: tuple[Readings, ...] = ()
    count: int = 0

    @classmethod
    def of(cls, readings: Readings) -> Waiting:
        """These alone."""
        made = cls()
        made.add(readings)
        return made

    def add(self, readings: Readings) -> None:
        """Let more wait."""
        if len(readings):
            self.loose, self.count = (*self.loose, readings), self.count + len(readings)

    def pack(self) -> None:
        """Put them close together, where they are many."""
        if self.count < PACK_AT:
            return
        self.packed = (*self.packed, Packed.of(Readings.concat(self.loose)))
        self.loose, self.count = (), 0
        small = [each for each in self.packed if len(each) < MERGED * PACK_AT]
        if len(small) >= MERGED:
            merged = Packed.of(Readings.concat([each.readings() for each in small]))
            self.packed = (*(each for each in self.packed if len(each) >= MERGED * PACK_AT), merged)

    def copy(self) -> Waiting:
        """A copy; what it holds never changes."""
        return Waiting(self.packed, self.loose, self.count)

    def readings(self) -> Readings:
        """All that wait."""
        return Readings.concat([*(each.readings() for each in self.packed), *self.loose])
