"""Partitions of ours that stand still although their log goes on.

Between Kafka and an agent, messages can be let fall without a word: by a fetch that a rebalance overtook, or a resume
that it forgot. Where more comes, the gap is seen; where nothing does, only the clock can tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

STILL_S: Final = 10.0
BUSY_S: Final = 300.0
"""So long the store's position may stay where it is while a worker has nothing in hand, and while it has.

A rebalance counts as something in hand: it waits for members that are dead."""
MOST_SEEKS: Final = 2


class Remedy(Enum):
    """What helps: to read on from the position again, or a process begun anew."""

    SEEK = "seek"
    RESTART = "restart"


@dataclass(slots=True)
class Still:
    """A partition behind its log: the stored position, since when it stands there, and how often it was sought."""

    stored: int
    since: float
    sought: int = 0


@dataclass(slots=True)
class Standstill:
    """The partitions that were behind their log at the last look."""

    still: dict[int, Still] = field(default_factory=dict)

    def look(
        self, stored: Mapping[int, int], ends: Mapping[int, int], now: float, *, is_busy: bool
    ) -> dict[int, Remedy]:
        """What partitions need, given their positions and ends in messages and the monotonic time in seconds."""
        needed = {}
        self.still = {part: each for part, each in self.still.items() if part in ends}
        for part, end in ends.items():
            known = self.still.get(part)
            if end <= stored[part]:
                self.still.pop(part, None)
            elif known is None or known.stored != stored[part]:
                self.still[part] = Still(stored[part], now)
            elif now - known.since >= (BUSY_S if is_busy else STILL_S):
                needed[part] = Remedy.RESTART if is_busy or known.sought >= MOST_SEEKS else Remedy.SEEK
                known.since, known.sought = now, known.sought + 1
        return needed

    def clear(self) -> None:
        """Begin to wait anew: partitions are assigned, or the store was away."""
        self.still.clear()
