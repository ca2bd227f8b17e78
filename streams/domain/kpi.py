"""Key figures of a site: which points they are made from, and what is tallied of the course of a point for them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class KpiKind(StrEnum):
    """What a key figure is about.

    ROOM: a room that is held within a band of temperature. COMPRESSOR: a machine that starts and stops.
    MACHINE: one that is off, idle, set up or cutting. FURNACE: one that is heated. HANDLER: one that moves loads.
    LOAD: a system that uses energy in and outside working hours. SOLAR: a generator of which a part may be exported.
    """

    ROOM = "room"
    COMPRESSOR = "compressor"
    MACHINE = "machine"
    FURNACE = "furnace"
    HANDLER = "handler"
    LOAD = "load"
    SOLAR = "solar"


class Tally(StrEnum):
    """What is tallied of the course of a point, in each of its intervals.

    TIME: how long it was within its bounds. AREA: the area below it while it was (kWh of a power, °C·h of a
    temperature). STARTS: how often it came within them. ABOVE and BELOW: the area between it and a bound that it has
    passed (°C·h). KINETIC: the area below exp(−ΔH/RT), which a mean kinetic temperature is made from (USP <1079.2>).
    """

    TIME = "time"
    AREA = "area"
    STARTS = "starts"
    ABOVE = "above"
    BELOW = "below"
    KINETIC = "kinetic"


@dataclass(frozen=True, slots=True)
class Derived:
    """A tally of the point `source`, itself a point of the name `source#role`.

    A value is within its bounds from `low` on and below `high` (in the unit of the source, None without a bound); a
    word of a state is if it is one of `words`. A value or word holds until the next one comes.
    """

    name: str
    source: str
    tally: Tally
    low: float | None = None
    high: float | None = None
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kpi:
    """One row of a site's `kpis`: points by their roles, numbers by name, and `derived` by the role each plays."""

    kind: KpiKind
    asset: str
    points: tuple[tuple[str, str], ...] = ()
    numbers: tuple[tuple[str, float], ...] = ()
    derived: tuple[tuple[str, Derived], ...] = ()
    system: str = ""
