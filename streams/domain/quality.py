"""Quality of readings and of facts."""

from __future__ import annotations

from enum import IntEnum


class ReadingQuality(IntEnum):
    """What the sender says of a reading (OPC UA and Sparkplug statuses map onto these)."""

    GOOD = 0
    UNCERTAIN = 1
    BAD = 2


class FactQuality(IntEnum):
    """What a fact rests on.

    MEASURED: readings no further apart than the point's largest gap.
    ESTIMATED: some of it is energy of a gap that registers bracket (law 2).
    PARTIAL: for some of the interval nothing is known; the amount is what is known.
    MISSING: nothing is known; the amount is null, never zero.
    """

    MEASURED = 0
    ESTIMATED = 1
    PARTIAL = 2
    MISSING = 3
