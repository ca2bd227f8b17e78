"""Which operational fault strikes which machine, and when: the answer key."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import numpy as np

from jobs.simulation.clock import STEP_S, Clock, Truth, chance
from jobs.simulation.operations.hours import Hours

When = Callable[[Hours], Truth]


@dataclass(frozen=True)
class Way:
    """How a kind of fault comes about: the points that show it, when it may begin, and for how many minutes it lasts.

    `size` is drawn anew for each: the share or amount that its machine makes of it.
    """

    kind: str
    machine: str
    points: tuple[str, ...]
    begins: When
    minutes: tuple[int, int]
    size: tuple[float, float] = (1.0, 1.0)


@dataclass(frozen=True)
class Fault:
    """A fault that takes place from minute `begin` up to `end` of the simulation."""

    kind: str
    machine: str
    points: tuple[str, ...]
    begin: int
    end: int
    size: float

    def row(self, clock: Clock) -> dict[str, object]:
        """As it stands in an answer key, times in UTC."""
        at = [
            datetime.fromtimestamp(clock.begins_ms / 1000 + minute * STEP_S, tz=UTC).isoformat()
            for minute in (self.begin, self.end)
        ]
        return {**asdict(self), "points": list(self.points), "begin": at[0], "end": at[1]}


def _always(hours: Hours) -> Truth:
    return np.ones(hours.clock.steps, dtype=np.bool_)


def _between(first: float, last: float) -> When:
    def begins(hours: Hours) -> Truth:
        hour = hours.clock.hour
        result: Truth = (hour >= first) & (hour < last) & (hours.clock.weekday < 5) & ~hours.free
        return result

    return begins


def _at_rest(hours: Hours) -> Truth:
    return hours.free & (hours.clock.hour >= 6) & (hours.clock.hour < 7)


DAY = 1440
WAYS: tuple[Way, ...] = (
    Way("stuck_value", "frozen-room", ("frozen-room/temp",), _always, (5 * 60, 24 * 60)),
    Way("short_cycling", "frozen-room", ("frozen-room/compressor-kw",), _always, (4 * 60, 24 * 60), (2.4, 4.5)),
    Way("defrost_overrun", "frozen-room", ("frozen-room/defrost-kw",), _always, (60, 180)),
    Way("defrost_overrun", "frozen-room", ("frozen-room/defrost-kw",), _always, (36 * 60, 48 * 60), (2.5, 4.0)),
    Way("temperature_excursion", "frozen-room", ("frozen-room/temp",), _always, (150, 8 * 60), (7, 16)),
    Way("compressor_drift", "chilled-room", ("chilled-room/compressor-kw",), _always, (80 * DAY, 80 * DAY), (0.2, 0.4)),
    Way("waiting_hot", "forge", ("furnace/temp",), _between(8.3, 9.5), (200, 300)),
    Way("waiting_hot", "forge", ("furnace/temp",), _between(13.2, 14), (140, 200)),
    Way("setup_overrun", "cnc", ("cnc/kw",), _between(8.3, 10), (80, 180)),
    Way("setup_overrun", "cnc", ("cnc/kw",), _between(13.1, 14.5), (80, 160)),
    Way("idle_at_power", "cnc", ("cnc/kw",), _between(8.3, 9.5), (110, 200)),
    Way("idle_at_power", "cnc", ("cnc/kw",), _between(17.4, 17.6), (600, 800)),
    Way("spindle_without_parts", "cnc", ("cnc/spindle-percent",), _between(8.3, 10), (60, 120)),
    Way("spindle_without_parts", "cnc", ("cnc/spindle-percent",), _between(13.1, 14.5), (60, 160)),
    Way("standing_register", "cnc", ("cnc/kwh",), _between(8.5, 13), (DAY, 3 * DAY)),
    Way("fuel_without_moves", "crane", ("crane/fuel-l",), _between(20, 21.8), (130, 360)),
    Way("tank_drop_engine_off", "crane", ("crane/level-l",), _between(23, 24), (10, 60), (25, 150)),
    Way("tank_drop_engine_off", "crane", ("crane/level-l",), _between(1, 3), (10, 60), (25, 100)),
    Way("night_base_load", "office", ("office/kw", "main"), _between(20.5, 21.5), (8 * 60, 9 * 60), (4, 20)),
    Way("holiday_base_load", "office", ("office/kw", "main"), _at_rest, (10 * 60, 14 * 60), (4, 14)),
    Way("standing_register", "supply", ("main",), _always, (24 * 60, 60 * 60)),
    Way("power_factor_low", "supply", ("reactive",), _always, (2 * DAY, 8 * DAY), (0.85, 1.2)),
    Way("pv_below_envelope", "pv", ("pv/kw",), _always, (10 * DAY, 14 * DAY), (0.4, 0.65)),
    Way("pv_below_envelope", "pv", ("pv/kw",), _always, (DAY, 2 * DAY), (0.0, 0.0)),
)
KINDS = tuple(dict.fromkeys(way.kind for way in WAYS))
"""Kinds of operational fault, named as the detectors that should see them."""


def plan(hours: Hours, kinds: Collection[str], first_day: int, repeats: int) -> tuple[Fault, ...]:
    """Faults from `first_day` on, one after another on each machine and `repeats` times each way.

    A fault that lasts to the end of the year, a drift, is there once. ValueError for a kind that nobody knows, or days
    that are too few.
    """
    unknown = set(kinds) - set(KINDS)
    if unknown:
        raise ValueError(f"kinds: expected some of {', '.join(KINDS)}; got {', '.join(sorted(unknown))}")
    chosen = [way for way in WAYS if way.kind in kinds]
    faults = []
    for machine in dict.fromkeys(way.machine for way in chosen):
        here = [way for way in chosen if way.machine == machine]
        faults += _on_machine(hours, machine, here, first_day, repeats)
    return tuple(faults)


def _on_machine(hours: Hours, machine: str, ways: Sequence[Way], first_day: int, repeats: int) -> list[Fault]:
    clock = hours.clock
    luck = chance(clock.seed, clock.site.name, machine, "faults")
    order = [way for way in ways for _ in range(1 if way.kind == "compressor_drift" else repeats)]
    luck.shuffle(order)
    first = first_day * DAY
    slot = (clock.steps - first) // max(len(order), 1)
    faults = []
    for nth, way in enumerate(order):
        begins, ends = first + nth * slot, first + (nth + 1) * slot
        able = np.flatnonzero(way.begins(hours)[begins:ends]) + begins
        minutes = int(luck.integers(way.minutes[0], way.minutes[1] + 1))
        room = able[able + minutes + DAY <= ends]
        if way.kind == "compressor_drift":
            room, minutes = able[able < begins + 10 * DAY], min(minutes, clock.steps - int(able[0]) - 10 * DAY)
        if not len(room):
            raise ValueError(f"{way.kind}: expected room for {minutes} min in each slot of {slot} min; got none")
        begin = int(room[luck.integers(len(room))])
        faults.append(Fault(way.kind, machine, way.points, begin, begin + minutes, float(luck.uniform(*way.size))))
    return faults
