"""A site of two cold rooms, a forge, a machine tool, a yard crane, offices and a solar roof, with its rules."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from zoneinfo import ZoneInfo

import numpy as np

from jobs.simulation.clock import Clock, Real, Truth, chance
from jobs.simulation.operations.hours import Hours
from jobs.simulation.operations.machines import Courses, Scene, cold_room, crane, forge, machine_tool, premises
from jobs.simulation.operations.planning import KINDS, Fault, plan
from streams.domain.alerts import Rule
from streams.domain.site import Site, SiteKind

ZONE = ZoneInfo("Asia/Taipei")
NAME = "made_up_works"
LEARNING_DAYS = 50
LOSSES = 0.02
TANGENT = 0.42
OUTAGES_A_WEEK = 0.7


class Measure(StrEnum):
    """How a point is measured: a level, a rate that is integrated, or a register."""

    GAUGE = "gauge"
    RATE = "rate"
    REGISTER = "register"


@dataclass(frozen=True)
class Metered:
    """A point: its course (a level, a rate an hour, or what is counted a minute), and minutes that are missing."""

    name: str
    unit: str
    measure: Measure
    course: Real
    missing: Truth


RATES = {"kw": "kW"}
GAUGES = {"temp": "Cel", "door": "1", "spindle-percent": "%", "level-l": "L"}
REGISTERS = {"parts": ("pcs", 1.0), "moves": ("pcs", 1.0), "fuel-l": ("L", 0.1), "engine-h": ("h", 0.1)}
ENERGY = {"main": ("kWh", 0.1), "reactive": ("kvarh", 0.1), "cnc/kwh": ("kWh", 0.01)}


@dataclass(frozen=True)
class Operated:
    """A simulated site: its clock and hours, its points by name, and the faults that took place."""

    hours: Hours
    points: Mapping[str, Metered]
    faults: tuple[Fault, ...]

    def answers(self) -> list[dict[str, object]]:
        """The answer key: kind, machine, points, begin and end in UTC, size."""
        return [fault.row(self.hours.clock) for fault in self.faults]


def operate(
    begins: date, days: int, seed: int, kinds: Collection[str] = KINDS, repeats: int = 2, *, outages: bool = True
) -> Operated:
    """Simulate the site from a local day on; the same arguments give the same course.

    Faults of `kinds` (none: a healthy site) begin after LEARNING_DAYS. With `outages`, gateways fall silent now and
    then, healthy or not. ValueError where the days are too few for the faults.
    """
    first = datetime(begins.year, begins.month, begins.day, tzinfo=ZONE)
    site = Site(NAME, SiteKind.MACHINING, ZONE, "", "", begins - timedelta(1), (), (), (), (), (), (), "AR5", (), "")
    hours = Hours(Clock(site, int(first.timestamp()) * 1000, days, seed))
    faults = plan(hours, kinds, LEARNING_DAYS, repeats) if kinds else ()
    scene = Scene(hours, faults)
    courses: Courses = {
        **cold_room(scene, "frozen-room", -20.0, 24.0),
        **cold_room(scene, "chilled-room", 3.0, 18.0),
        **forge(scene),
        **machine_tool(scene),
        **crane(scene),
        **premises(scene),
    }
    courses |= _supply(scene, courses)
    gone = _outages(scene) if outages else {}
    present = np.zeros(hours.clock.steps, dtype=np.bool_)
    points = {name: _metered(name, course, gone.get(_gateway(name), present)) for name, course in courses.items()}
    return Operated(hours, MappingProxyType(points), faults)


def _supply(scene: Scene, courses: Courses) -> Courses:
    """What the meters of the supply and of the machine tool count, kWh and kvarh a minute."""
    used = [course for name, course in courses.items() if name.endswith("kw") and name != "pv/kw"]
    consumed = (1 + LOSSES) * sum(used, np.zeros(scene.clock.steps))
    tangent = np.full(scene.clock.steps, TANGENT) * (1 + 0.08 * np.tanh(scene.clock.drift("tangent", 1.0, 60)))
    for span, fault in scene.of("power_factor_low"):
        tangent[span] = fault.size
    counted = {
        "main": np.clip(consumed - courses["pv/kw"], 0, None) / 60,
        "reactive": tangent * consumed / 60,
        "cnc/kwh": courses["cnc/kw"] / 60,
    }
    for name in ("main", "cnc/kwh"):
        for span, _ in scene.of("standing_register", name):
            counted[name][span] = 0
    return counted


def _gateway(point: str) -> str:
    return point.partition("/")[0]


def _outages(scene: Scene) -> dict[str, Truth]:
    """Minutes in which each gateway is silent: most outages are short, some last most of a day."""
    clock = scene.clock
    gone = {}
    for gateway in ("frozen-room", "chilled-room", "furnace", "press", "cnc", "crane", "office", "pv", "main"):
        luck = chance(clock.seed, clock.site.name, gateway, "outage")
        silent = np.zeros(clock.steps, dtype=np.bool_)
        for begin in luck.integers(0, clock.steps, size=round(OUTAGES_A_WEEK * clock.days / 7)).tolist():
            long = luck.random() < 0.08
            silent[begin : begin + int(luck.integers(*((300, 1200) if long else (5, 90))))] = True
        gone[gateway] = silent
    return gone


def _metered(name: str, course: Real, missing: Truth) -> Metered:
    end = name.rsplit("/", 1)[-1].removeprefix("compressor-").removeprefix("defrost-")
    if end in GAUGES:
        return Metered(name, GAUGES[end], Measure.GAUGE, course, missing)
    if end in RATES:
        return Metered(name, RATES[end], Measure.RATE, course, missing)
    unit, step = ENERGY.get(name) or REGISTERS[end]
    shown = np.floor(np.cumsum(course) / step + 1e-6)
    return Metered(name, unit, Measure.REGISTER, np.diff(shown, prepend=0.0) * step, missing)


@dataclass(frozen=True)
class Watch:
    """A rule over some points, looked at in intervals of so many minutes."""

    rule: Rule
    minutes: int = 5


def _watch(kind: str, *points: str, minutes: int = 5, roles: dict[str, str] | None = None, **numbers: float) -> Watch:
    of = points[0] if points else next(iter((roles or {}).values()))
    name = f"{kind}-{of.replace('/', '-')}"
    return Watch(Rule(name, kind, points, MappingProxyType(roles or {}), MappingProxyType(numbers)), minutes)


def _room(name: str, above_c: float) -> tuple[Watch, ...]:
    temperature, power = f"{name}/temp", f"{name}/compressor-kw"
    return (
        _watch("stuck_value", temperature),
        _watch("temperature_excursion", temperature, above_c=above_c),
        _watch("short_cycling", roles={"power": power}, minutes=1),
        _watch("defrost_overrun", roles={"power": f"{name}/defrost-kw"}),
        _watch(
            "compressor_drift",
            roles={"power": power, "room": temperature, "ambient": "outdoor/temp"},
            minutes=15,
        ),
    )


WATCHES: tuple[Watch, ...] = (
    *_room("frozen-room", -15.0),
    *_room("chilled-room", 7.0),
    _watch("stuck_value", "outdoor/temp"),
    _watch("stuck_value", "office/kw"),
    _watch("stuck_value", "pv/kw"),
    _watch("waiting_hot", roles={"furnace": "furnace/temp", "parts": "press/parts", "press": "press/kw"}, hot_c=1000.0),
    _watch("setup_overrun", roles={"power": "cnc/kw", "parts": "cnc/parts"}, idle_kw=4.7, cutting_kw=8.0),
    _watch("idle_at_power", roles={"power": "cnc/kw", "parts": "cnc/parts"}, idle_kw=2.0, busy_kw=4.7),
    _watch("spindle_without_parts", roles={"load": "cnc/spindle-percent", "parts": "cnc/parts"}),
    _watch("standing_register", "cnc/kwh", roles={"running": "cnc/spindle-percent"}, running_above=20.0),
    _watch("standing_register", "main", minutes=15),
    _watch("standing_register", "reactive", minutes=15),
    _watch("standing_register", "press/parts", minutes=15),
    _watch(
        "fuel_without_moves",
        roles={"fuel": "crane/fuel-l", "moves": "crane/moves", "engine_hours": "crane/engine-h"},
    ),
    _watch("tank_drop_engine_off", roles={"level": "crane/level-l", "engine_hours": "crane/engine-h"}),
    _watch("night_base_load", "office/kw", minutes=15),
    _watch("night_base_load", "main", minutes=15),
    _watch("holiday_base_load", "office/kw", minutes=15),
    _watch("power_factor_low", roles={"active": "main", "reactive": "reactive"}, minutes=15),
    _watch("pv_below_envelope", "pv/kw", minutes=15),
)
"""Every detector at its default numbers; given are only those that have none, and what `running` and `busy` mean."""
