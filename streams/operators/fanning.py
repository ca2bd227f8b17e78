"""Readings of points as readings of the tallies that are made of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.operators.models.windows import word_of
from streams.operators.points import WORD_TICKS, PointTable
from streams.operators.readings import Readings

Int = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Fanning:
    """Which tallies each place has: `count[place]` of them, in `places` from `first[place]` on."""

    count: Int
    first: Int
    places: Int
    words: dict[int, frozenset[str]]

    @classmethod
    def of(cls, table: PointTable) -> Fanning:
        """The tallies of a site."""
        fans = [table.fan(place) for place in range(table.measured)]
        count = np.array([len(each) for each in fans], dtype=np.int64)
        places = np.array([place for each in fans for place in each], dtype=np.int64)
        return cls(count, np.cumsum(count) - count, places, table.words)

    def __bool__(self) -> bool:
        """Whether there is any."""
        return len(self.places) > 0

    def fanned(self, readings: Readings, text: pl.Series, value: pl.Series) -> tuple[Readings, Int]:
        """Readings of the tallies, and which of the readings each was made from; `text` and `value` as they came.

        A word is WORD_TICKS where it is one of those wanted, else 0.
        """
        counts = self.count[readings.place]
        row = np.repeat(np.arange(len(readings)), counts)
        nth = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
        place = self.places[self.first[readings.place[row]] + nth]
        ticks = readings.ticks[row]
        for at, words in self.words.items():
            mine = np.flatnonzero(place == at)
            if len(mine):
                pairs = zip(text.gather(row[mine]).to_list(), value.gather(row[mine]).to_list(), strict=True)
                ticks[mine] = [WORD_TICKS if word_of(*each) in words else 0 for each in pairs]
        return Readings(place, readings.time_ms[row], ticks, readings.seq[row], readings.tag[row]), row
