"""Electric loads of assets by what they are: one course of shares of the rated power for each, a value a minute.

An asset is recognised by the words of its name (`chiller-1`, `furnace-2`, `yard-lights`); one that nobody knows is a
machine in a machining site and a steady small load elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from jobs.simulation.clock import Clock, Int, Real, Truth, chance, follow
from streams.domain.site import SiteKind

OFF, IDLE, SET_UP, CUTTING = range(4)
EXECUTION = ("OFF", "READY", "SETUP", "ACTIVE")
"""Words of a machine's state; the first three of MTConnect's spirit, set-up kept apart as the shop does."""


@dataclass(frozen=True)
class Load:
    """Words that name it, its usual rating in kW, and its course in shares of the rating."""

    words: tuple[str, ...]
    rated_kw: float
    course: Callable[[Clock, str], Real]


def cycling(clock: Clock, name: str, duty: Real, minutes: float) -> Truth:
    """On and off, like a thermostat: on for the share `duty` of each cycle of about so many minutes."""
    pace = 1 / minutes * (1 + 0.15 * np.tanh(clock.drift(name + "/pace", 1.0, 90)))
    phase = np.cumsum(pace) + chance(clock.seed, clock.site.name, name, "phase").random()
    result: Truth = phase % 1 < duty
    return result


def defrosting(clock: Clock, name: str) -> Truth:
    """Four defrosts of 22 minutes a day, each chiller and evaporator group at its own hours."""
    shift = chance(clock.seed, clock.site.name, name, "defrost").uniform(0, 6)
    result: Truth = (clock.hour - shift) % 6 < 22 / 60
    return result


def door_minutes(clock: Clock, name: str) -> Real:
    """Share of each minute that a cold room's door stands open: often while goods move (5 to 20 h), seldom at night."""
    often = np.where((clock.hour >= 5) & (clock.hour < 20), 0.06, 0.004) * np.where(clock.weekday == 6, 0.3, 1.0)
    luck = chance(clock.seed, clock.site.name, name, "door")
    opened = luck.random(clock.steps) < often
    share = np.zeros(clock.steps)
    at = np.flatnonzero(opened)
    whole = luck.integers(0, 4, size=len(at))
    for more in range(4):
        share[np.minimum(at[whole >= more] + more, clock.steps - 1)] = 1.0
    return share


def chiller(clock: Clock, name: str) -> Real:
    """A compressor that cycles: longer in heat, after doors and after defrosts, not at all during one."""
    defrost = defrosting(clock, name)
    doors = follow(door_minutes(clock, "doors"), 45)
    duty = 0.42 + 0.018 * (clock.outdoor - 22) + 0.5 * doors + 0.35 * follow(defrost.astype(float), 60)
    on = cycling(clock, name, np.clip(duty, 0.12, 0.97), 14) & ~defrost
    result: Real = 0.015 + on * (0.62 + 0.008 * (clock.outdoor - 22) + 0.02 * clock.drift(name, 1.0, 20)).clip(
        0.4, 0.95
    )
    return result


def evaporators(clock: Clock, name: str) -> Real:
    """Fans all day, electric heaters during defrosts."""
    return 0.22 + 0.01 * np.tanh(clock.drift(name, 1.0, 30)) + 0.55 * defrosting(clock, name)


def states(clock: Clock, name: str) -> Int:
    """What a machine does each minute: off, idle, set-up, or cutting part after part between short idle times."""
    luck = chance(clock.seed, clock.site.name, name, "states")
    state = np.full(clock.steps, OFF, dtype=np.int64)
    work = clock.working
    starts = np.flatnonzero(work & ~np.concatenate(([False], work[:-1])))
    for begin in starts.tolist():
        length = int(np.argmin(np.append(work[begin:], False)))
        setup = int(luck.integers(12, 45))
        cycles = length // 4 + 1
        cut, rest = luck.integers(4, 19, size=cycles), luck.integers(1, 6, size=cycles)
        pattern = np.repeat(np.tile([CUTTING, IDLE], cycles), np.column_stack((cut, rest)).ravel())
        block = np.concatenate((np.full(8, IDLE), np.full(setup, SET_UP), pattern))[:length]
        state[begin : begin + len(block)] = block
    return state


def machine(clock: Clock, name: str) -> Real:
    """A machine tool: standby off shift, a base load while idle, more in set-up, most while it cuts."""
    share = np.array([0.01, 0.22, 0.30, 0.62])[states(clock, name)]
    swing = chance(clock.seed, clock.site.name, name, "swing").normal(scale=0.05, size=clock.steps)
    return share * (1 + np.clip(swing, -0.15, 0.15))


def compressor(clock: Clock, name: str) -> Real:
    """Compressed air: loaded and unloaded in turn on shift, a little for the leaks in the night."""
    demand = np.where(clock.working, 0.6 + 0.1 * np.tanh(clock.drift(name, 1.0, 40)), 0.08)
    loaded = cycling(clock, name, demand, 6)
    result: Real = np.where(loaded, 0.82, np.where(clock.working, 0.28, 0.02)).astype(np.float64)
    return result


def heated(clock: Clock) -> Truth:
    """When a furnace is hot: it is lit at six on working days and let go at half past five."""
    week = (clock.weekday < 5) | ((clock.weekday == 5) & (clock.hour < 12))
    result: Truth = week & (clock.hour >= 6) & (clock.hour < 17.5)
    return result


def furnace(clock: Clock, name: str) -> Real:
    """Heating up at full power for an hour, then holding by cycles, more while billets go through."""
    hot = heated(clock)
    rising = hot & (clock.hour < 7)
    hold = np.where(clock.working, 0.62, 0.25) + 0.05 * np.tanh(clock.drift(name, 1.0, 25))
    result: Real = (0.004 + np.where(rising, 0.85, hot * (0.1 + 0.75 * cycling(clock, name, hold, 5)))).astype(
        np.float64
    )
    return result


def lights(clock: Clock, name: str) -> Real:
    """Yard lights from dusk to dawn; lights of a hall while people work."""
    lit = (clock.hour < 5.8) | (clock.hour >= 17.8) if "yard" in name else clock.working
    return np.asarray(0.02 + 0.85 * lit, dtype=np.float64)


def office(clock: Clock, name: str) -> Real:
    """Computers and air conditioning by the outdoor temperature, in office hours."""
    present = (clock.weekday < 6) & (clock.hour >= 7.5) & (clock.hour < 18.5)
    cooling = np.clip((clock.outdoor - 23) / 12, 0, 0.45) * cycling(clock, name, np.full(clock.steps, 0.7), 18)
    use = 0.2 + cooling + 0.03 * np.tanh(clock.drift(name, 1.0, 30))
    return np.asarray(0.07 + present * use, dtype=np.float64)


def dispensers(clock: Clock, name: str) -> Real:
    """Water kept hot by short heating, more often while people draw it."""
    present = (clock.hour >= 7.5) & (clock.hour < 18.5)
    return np.asarray(0.01 + 0.6 * cycling(clock, name, np.where(present, 0.4, 0.08), 25), dtype=np.float64)


def sun(clock: Clock, name: str) -> Real:
    """A roof's generation: the sun's height between six and eighteen, under clouds that come and go."""
    height = np.clip(np.sin(np.pi * (clock.hour - 6) / 12), 0, None) * ((clock.hour >= 6) & (clock.hour < 18))
    clouds = 1 / (1 + np.exp(-1.2 - 1.5 * clock.drift(name + "/day", 1.0, 600) - 0.8 * clock.drift(name, 1.0, 15)))
    return np.asarray(0.85 * height**1.2 * (0.15 + 0.85 * clouds), dtype=np.float64)


def steady(clock: Clock, name: str) -> Real:
    """Something that nobody looked at closely."""
    return 0.3 + 0.05 * np.tanh(clock.drift(name, 1.0, 120)) + 0.1 * clock.working


def nothing(clock: Clock, name: str) -> Real:  # noqa: ARG001
    """Assets that burn fuel or use no electricity of their own: cranes, generator sets, rooms, stores."""
    return np.zeros(clock.steps)


LOADS = (
    Load(("chiller", "refrigerat", "freezer"), 45, chiller),
    Load(("evaporator", "defrost"), 15, evaporators),
    Load(("compressor", "air"), 12, compressor),
    Load(("furnace", "oven", "kiln"), 150, furnace),
    Load(("light", "lighting", "lamp"), 20, lights),
    Load(("office",), 35, office),
    Load(("dispenser",), 4, dispensers),
    Load(("room", "genset", "generator", "carrier", "rtg", "crane", "truck", "forklift", "store"), 0, nothing),
    Load(("worm", "cutter", "hobber", "press", "mill", "lathe", "cnc", "machine", "assembly", "grind"), 15, machine),
)


def load_of(asset: str, kind: SiteKind) -> Load:
    """The load that an asset's name speaks of."""
    for load in LOADS:
        if any(word in asset for word in load.words):
            return load
    return Load((), 10, machine if kind is SiteKind.MACHINING else steady)
