"""Intervals as people think of them: what a point was like from one time to another, in its own unit.

They are those of the first time an interval is known, in order: what is revised later is a fact, and no news (law 5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from streams.domain.site import PointKind
from streams.operators.energy import EnergyOutputs
from streams.operators.levels import Levels
from streams.operators.points import PointTable

Int = NDArray[np.int64]
Float = NDArray[np.float64]
HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Closed:
    """Intervals of points, each point's in order of time; one entry an interval.

    `mean` is in the point's unit, of what is counted in its unit an hour (kW for kWh, L/h for L); `low`, `high` and
    `last` are those of a level's readings, else the mean. `amount` is that of the interval in the point's unit (kWh,
    L; of a level its mean). All are NaN where more than half of the interval is unknown. `readings` counts those of a
    level, and is 1 or 0 of what is counted; `is_estimated` says that more than half spans a gap.
    """

    place: Int
    starts_ms: Int
    ends_ms: Int
    mean: Float
    low: Float
    high: Float
    last: Float
    amount: Float
    readings: Int
    is_estimated: NDArray[np.bool_]

    def __len__(self) -> int:
        """Count the intervals."""
        return len(self.place)

    def take(self, which: NDArray[np.bool_] | Int) -> Closed:
        """Select intervals by a mask or by indices."""
        return Closed(*(getattr(self, each.name)[which] for each in fields(Closed)))


def closed(table: PointTable, out: EnergyOutputs) -> Closed:
    """The intervals that a step has closed; events (fills), which are no course, and tallies are left out."""
    parts = [_counted(table, each.facts) for each in out.fact_sets if not each.again]
    parts += [_levels(table, each) for each in out.levels]
    return _together(parts)


def _counted(table: PointTable, facts: dict[str, Int]) -> Closed:
    is_course = ~(table.of_kind(PointKind.AMOUNT) | table.of_kind(PointKind.DERIVED))
    course = is_course[facts["place"]]
    place, starts, ends, amount, _, estimated, missing = (column[course] for column in facts.values())
    resolution = ends - starts
    known = resolution - missing
    is_known = 2 * known >= resolution
    in_unit = np.where(is_known, amount / table.base_per_unit[place], np.nan)
    mean = in_unit * HOUR_MS / np.where(is_known, known, 1)
    return Closed(
        place, starts, ends, mean, mean, mean, mean, in_unit, is_known.astype(np.int64), 2 * estimated > resolution
    )


def _levels(table: PointTable, rows: Levels) -> Closed:
    scale = np.where(rows.count > 0, table.ticks_per_unit[rows.place], np.nan)
    mean = rows.total / (np.maximum(rows.count, 1) * scale)
    low, high, last = rows.low / scale, rows.high / scale, rows.last / scale
    is_estimated = np.zeros(len(rows), dtype=np.bool_)
    return Closed(rows.place, rows.starts_ms, rows.ends_ms, mean, low, high, last, mean, rows.count, is_estimated)


def _together(parts: Sequence[Closed]) -> Closed:
    if len(parts) == 1:
        return parts[0]
    columns = []
    for each in fields(Closed):
        kind = {"place": np.int64, "starts_ms": np.int64, "ends_ms": np.int64, "readings": np.int64}.get(each.name)
        empty = np.zeros(0, dtype=kind or (np.bool_ if each.name == "is_estimated" else np.float64))
        columns.append(np.concatenate([getattr(part, each.name) for part in parts] or [empty]))
    return Closed(*columns)
