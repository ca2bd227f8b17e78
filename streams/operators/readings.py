"""Clean readings as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Int = NDArray[np.int64]

NEVER = -(1 << 60)
ON_TIME = NEVER
LATEST = 1 << 60


@dataclass(frozen=True, slots=True)
class Readings:
    """Clean readings in order of arrival, five Int64 arrays of one length.

    `place` in the point table, `time_ms` of the event (for an interval its end), `ticks`, `seq` (number of the raw
    row) and `tag`: ON_TIME, or for a late reading the end of the quarter-hour its watermark stood in at arrival.
    """

    place: Int
    time_ms: Int
    ticks: Int
    seq: Int
    tag: Int

    def __len__(self) -> int:
        """Count the readings."""
        return len(self.place)

    @property
    def size(self) -> int:
        """Bytes that they take."""
        return 5 * self.place.nbytes

    def take(self, which: NDArray[np.bool_] | Int) -> Readings:
        """Select rows by a mask or by indices."""
        at = np.flatnonzero(which) if which.dtype == np.bool_ else which
        return Readings(*(each.take(at) for each in (self.place, self.time_ms, self.ticks, self.seq, self.tag)))

    @classmethod
    def on_time(cls, place: Int, time_ms: Int, ticks: Int) -> Readings:
        """Readings of which nobody asks the number."""
        count = len(place)
        return cls(place, time_ms, ticks, np.broadcast_to(np.int64(NEVER), count), np.broadcast_to(ON_TIME, count))

    @classmethod
    def concat(cls, parts: Sequence[Readings]) -> Readings:
        """Put parts one behind the other."""
        if len(parts) == 1:
            return parts[0]
        none = [np.zeros(0, dtype=np.int64)]
        return cls(
            *(
                np.concatenate([getattr(part, name) for part in parts] or none)
                for name in ("place", "time_ms", "ticks", "seq", "tag")
            )
        )
