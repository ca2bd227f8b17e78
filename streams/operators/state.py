"""The state of the energy operator: one row of integers a point, and the readings in doubt."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Int = NDArray[np.int64]

COLUMNS = (
    "started",  # 0 before the first reading
    "highest_ms",  # highest event time seen, in order of arrival
    "read_ms",  # last accepted reading
    "value",  # its effective value, ticks
    "shown",  # the last accepted reading as it came, ticks
    "since_ms",  # when the register began to show that value
    "growth",  # cumulative ticks since the first reading
    "ratio_growth",  # cumulative ticks when the present ratio began
    "ratio_amount",  # cumulative base units then
    "num",  # the present ratio: base units per tick
    "den",
    "amount",  # cumulative base units
    "remainder",  # of an integrated rate, in half unit-milliseconds
    "estimated",  # cumulative base units that are estimated
    "estimated_ms",
    "missing_ms",
    "edge_ms",  # last boundary whose counters are known
    "edge_amount",
    "edge_estimated",
    "edge_estimated_ms",
    "edge_missing_ms",
    "emitted_ms",  # facts exist up to here, provisional ones included
    "wrapped",  # cumulative corrections, ticks
    "reset",
    "exchanged",
    "quarantined",
    "day_ms",  # last local midnight passed, and the counters there
    "day_register",
    "day_wrapped",
    "day_reset",
    "day_exchanged",
    "day_quarantined",
)
PLACE = {name: place for place, name in enumerate(COLUMNS)}
NEVER = -(1 << 60)


@dataclass(slots=True)
class EnergyState:
    """`table[point, column]` (Int64) and `pending[point]`, a list of (time in ms, ticks)."""

    table: Int
    pending: dict[int, list[tuple[int, int]]] = field(default_factory=dict)

    @classmethod
    def empty(cls, points: int) -> EnergyState:
        """State before any reading."""
        table = np.zeros((points, len(COLUMNS)), dtype=np.int64)
        table[:, PLACE["highest_ms"]] = NEVER
        table[:, PLACE["emitted_ms"]] = NEVER
        return cls(table)

    def column(self, name: str) -> Int:
        """View one column; writing to it writes the state."""
        return self.table[:, PLACE[name]]

    def copy(self) -> EnergyState:
        """A copy that shares nothing."""
        return EnergyState(self.table.copy(), {point: list(rows) for point, rows in self.pending.items()})
