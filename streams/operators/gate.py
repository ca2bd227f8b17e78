"""What readings must be to be believed: the points of one site, or of several one behind the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.domain.site import Point, PointKind, Site

Int = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Gate:
    """The measured points by their places; all arrays have one entry a point.

    `ticks_per_unit` turns a value as sent into integer ticks. A usable value lies between `lowest` and `highest`
    (ticks, both included) and is no earlier than `starts_ms`; words, of states (`wordy`), have no such bounds.
    `first` has the place of each site's first point, and in the end how many points there are.
    """

    points: tuple[Point, ...]
    index: dict[str, int]
    names: pl.Enum
    ticks_per_unit: NDArray[np.float64]
    lowest: NDArray[np.float64]
    highest: NDArray[np.float64]
    starts_ms: Int
    wordy: NDArray[np.bool_]
    first: Int

    @classmethod
    def of(
        cls,
        site: Site,
        points: tuple[Point, ...],
        ticks_per_unit: NDArray[np.float64],
        lowest: NDArray[np.float64],
        highest: NDArray[np.float64],
    ) -> Gate:
        """The gate of one site."""
        begins = datetime.combine(site.starts_on, time.min, tzinfo=site.time_zone)
        return cls(
            points=points,
            index={point.name: place for place, point in enumerate(points)},
            names=pl.Enum([point.name for point in points]),
            ticks_per_unit=ticks_per_unit,
            lowest=lowest,
            highest=highest,
            starts_ms=np.full(len(points), int(begins.timestamp() * 1000)),
            wordy=np.array([point.kind is PointKind.STATE for point in points], dtype=np.bool_),
            first=np.array([0, len(points)]),
        )

    @classmethod
    def together(cls, gates: Sequence[Gate]) -> Gate:
        """One gate for several sites, in this order."""
        if len(gates) == 1:
            return gates[0]
        points = tuple(point for gate in gates for point in gate.points)
        return cls(
            points=points,
            index={point.name: place for place, point in enumerate(points)},
            names=pl.Enum([point.name for point in points]),
            ticks_per_unit=np.concatenate([gate.ticks_per_unit for gate in gates]),
            lowest=np.concatenate([gate.lowest for gate in gates]),
            highest=np.concatenate([gate.highest for gate in gates]),
            starts_ms=np.concatenate([gate.starts_ms for gate in gates]),
            wordy=np.concatenate([gate.wordy for gate in gates]),
            first=np.cumsum([0, *(len(gate.points) for gate in gates)]),
        )

    def site_of(self, place: Int) -> Int:
        """Which site, in the order of the gate, a place belongs to."""
        found: Int = np.searchsorted(self.first, place, side="right") - 1
        return found
