"""Electric loads of assets by what they are: one course of shares of the rated power for each, a value a minute.

An asset is recognised by the words of its name (`chiller-1`, `furnace-2`, `yard-lights`); one that nobody knows is a
machine in a machining site and a steady small load elsewhere. An asset that a measure of the site names changes its
course on that day; docs/simulation.md says by how much.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from jobs.simulation.clock import Clock, Real, Truth, chance, follow
from jobs.simulation.cycles import cycling
from jobs.simulation.states import DONE_AT, states
from jobs.simulation.yard import hybrid
from streams.domain.site import SiteKind


@dataclass(frozen=True)
class Load:
    """Words that name it, its usual rating in kW, and its course in shares of the rating."""

    words: tuple[str, ...]
    rated_kw: float
    course: Callable[[Clock, str], Real]


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
    """A compressor that cycles: longer in heat, after doors and after defrosts, not at all during one.

    After a measure its speed follows the demand instead: at half load it then draws about seven tenths of what cycling
    takes for the same cold, at full load a little less than all.
    """
    defrost = defrosting(clock, name)
    doors = follow(door_minutes(clock, "doors"), 45)
    duty = 0.42 + 0.018 * (clock.outdoor - 22) + 0.5 * doors + 0.35 * follow(defrost.astype(float), 60)
    on = cycling(clock, name, np.clip(duty, 0.12, 0.97), 14) & ~defrost
    full = 0.62 + 0.008 * (clock.outdoor - 22)
    fixed: Real = 0.015 + on * (full + 0.02 * clock.drift(name, 1.0, 20)).clip(0.4, 0.95)
    since = clock.since(name)
    if not since.any():
        return fixed
    speed = np.clip(follow(duty, 12), 0.3, 0.97)
    variable: Real = 0.02 + ~defrost * full * speed * (0.43 + 0.5 * speed) * (1 + 0.03 * clock.drift(name, 1.0, 20))
    return np.where(since, variable, fixed)


def evaporators(clock: Clock, name: str) -> Real:
    """Fans all day, electric heaters during defrosts; after a measure the fans have EC motors that slow down."""
    fans = 0.22 + 0.01 * np.tanh(clock.drift(name, 1.0, 30))
    slowed = 0.55 * fans * (1 + 0.1 * np.tanh(clock.drift(name + "/speed", 1.0, 60)))
    result: Real = np.where(clock.since(name), slowed, fans) + 0.55 * defrosting(clock, name)
    return result


def machine(clock: Clock, name: str) -> Real:
    """A machine tool: standby off shift, a base load while idle, more in set-up, most while it cuts."""
    share = np.array([0.01, 0.22, 0.30, 0.62])[states(clock, name)]
    swing = chance(clock.seed, clock.site.name, name, "swing").normal(scale=0.05, size=clock.steps)
    return share * (1 + np.clip(swing, -0.15, 0.15))


def compressor(clock: Clock, name: str) -> Real:
    """Compressed air: loaded and unloaded in turn on shift, a little for the leaks in the night.

    Where a measure names it, it has twice the leaks before and is left running on two nights in five; nobody sees it.
    """
    since = clock.since(name)
    is_before = ~since if clock.is_measured(name) else np.zeros(clock.steps, dtype=np.bool_)
    demand = np.where(clock.working, 0.6 + 0.1 * np.tanh(clock.drift(name, 1.0, 40)), 0.08 + 0.08 * is_before)
    loaded = cycling(clock, name, demand, 6)
    nights = chance(clock.seed, clock.site.name, name, "nights").random(int(clock.day[-1]) + 1) < 0.4
    forgotten = is_before & nights[clock.day] & ~clock.free & (clock.hour >= 17.5)
    unloaded = np.where(clock.working | forgotten, 0.28, 0.02)
    return np.where(loaded, 0.82, unloaded).astype(np.float64)


def heated(clock: Clock, name: str) -> Truth:
    """When a furnace is hot: it is lit at six on working days and let go at half past five.

    After a measure it is lit an hour later and let go when the presses have had the day's billets.
    """
    week = ~clock.free & ((clock.weekday < 5) | ((clock.weekday == 5) & (clock.hour < 12)))
    since = clock.since(name)
    first, last = np.where(since, 7.0, 6.0), np.where(since, DONE_AT, 17.5)
    result: Truth = week & (clock.hour >= first) & (clock.hour < last)
    return result


def furnace(clock: Clock, name: str) -> Real:
    """Heating up at full power for an hour, then holding by cycles, more while billets go through.

    Where a measure names it, it is fed by hand before: waiting costs more, since billets soak and overheat. After it
    less power is needed at rest, since the furnace is set back.
    """
    hot = heated(clock, name)
    rising = hot & (clock.hour < np.where(clock.since(name), 8, 7))
    at_rest = (0.4, 0.12) if clock.is_measured(name) else (0.25, 0.25)
    waiting = np.where(clock.since(name), at_rest[1], at_rest[0])
    hold = np.where(clock.working, 0.62, waiting) + 0.05 * np.tanh(clock.drift(name, 1.0, 25))
    result: Real = (0.004 + np.where(rising, 0.85, hot * (0.1 + 0.75 * cycling(clock, name, hold, 5)))).astype(
        np.float64
    )
    return result


def lights(clock: Clock, name: str) -> Real:
    """Yard lights from dusk to dawn; lights of a hall while people work.

    After a measure a yard is dimmed between eleven and five, and a hall has LED lamps.
    """
    since = clock.since(name)
    if "yard" in name:
        lit = (clock.hour < 5.8) | (clock.hour >= 17.8)
        quiet = (clock.hour < 5) | (clock.hour >= 23)
        return np.asarray(0.02 + 0.85 * lit * np.where(since & quiet, 0.6, 1.0), dtype=np.float64)
    return np.asarray(0.02 + np.where(since, 0.38, 0.85) * clock.working, dtype=np.float64)


def present(clock: Clock) -> Truth:
    """When people are in an office: Monday to Saturday."""
    result: Truth = ~clock.free & (clock.hour >= 7.5) & (clock.hour < 18.5)
    return result


def office(clock: Clock, name: str) -> Real:
    """Computers, and air conditioning by the outdoor temperature unless it is an asset of its own, in office hours."""
    cooled = np.clip((clock.outdoor - 23) / 12, 0, 0.45) * cycling(clock, name, np.full(clock.steps, 0.7), 18)
    if any(each.parent == name and "cooling" in each.name for each in clock.site.assets):
        cooled = np.zeros(clock.steps)
    use = 0.2 + cooled + 0.03 * np.tanh(clock.drift(name, 1.0, 30))
    return np.asarray(0.07 + present(clock) * use, dtype=np.float64)


def cooling(clock: Clock, name: str) -> Real:
    """Air conditioning of its own: it holds 24 °C and runs until ten; after a measure 26 °C and while people are in."""
    since = clock.since(name)
    runs = np.where(since, present(clock), ~clock.free & (clock.hour >= 7.5) & (clock.hour < 22))
    above = clock.outdoor - np.where(since, 21.0, 19.0)  # people, lamps and the sun add five degrees
    duty = np.clip(above / 14, 0, 0.95)
    return np.asarray(0.01 + 0.8 * (runs & cycling(clock, name, duty, 18)), dtype=np.float64)


def dispensers(clock: Clock, name: str) -> Real:
    """Water kept hot by short heating, more often while people draw it.

    Where a measure names them, they all stay hot at night and on days off before; after it few of them do.
    """
    if not clock.is_measured(name):
        drawn = (clock.hour >= 7.5) & (clock.hour < 18.5)
        duty = np.where(drawn, 0.4, 0.08)
    else:
        duty = np.where(present(clock), 0.4, np.where(clock.since(name), 0.04, 0.2))
    return np.asarray(0.01 + 0.6 * cycling(clock, name, duty, 25), dtype=np.float64)


def sun(clock: Clock, name: str) -> Real:
    """A roof's generation: the sun's height between six and eighteen, under clouds that come and go."""
    height = np.clip(np.sin(np.pi * (clock.hour - 6) / 12), 0, None) * ((clock.hour >= 6) & (clock.hour < 18))
    clouds = 1 / (1 + np.exp(-1.2 - 1.5 * clock.drift(name + "/day", 1.0, 600) - 0.8 * clock.drift(name, 1.0, 15)))
    return np.asarray(0.85 * height**1.2 * (0.15 + 0.85 * clouds), dtype=np.float64)


def steady(clock: Clock, name: str) -> Real:
    """Something that nobody looked at closely."""
    return 0.3 + 0.05 * np.tanh(clock.drift(name, 1.0, 120)) + 0.1 * clock.working


def nothing(clock: Clock, name: str) -> Real:  # noqa: ARG001
    """Assets that burn fuel or use no electricity of their own: carriers, generator sets, rooms, stores."""
    return np.zeros(clock.steps)


LOADS = (
    Load(("chiller", "refrigerat", "freezer"), 45, chiller),
    Load(("evaporator", "defrost"), 15, evaporators),
    Load(("compressor", "air"), 12, compressor),
    Load(("furnace", "oven", "kiln"), 150, furnace),
    Load(("light", "lighting", "lamp"), 20, lights),
    Load(("cooling",), 15, cooling),
    Load(("office",), 35, office),
    Load(("dispenser",), 4, dispensers),
    Load(("rtg",), 0, hybrid),
    Load(("room", "genset", "generator", "carrier", "crane", "truck", "forklift", "store"), 0, nothing),
    Load(("worm", "cutter", "hobber", "press", "mill", "lathe", "cnc", "machine", "assembly", "grind"), 15, machine),
)


def load_of(asset: str, kind: SiteKind) -> Load:
    """The load that an asset's name speaks of."""
    for load in LOADS:
        if any(word in asset for word in load.words):
            return load
    return Load((), 10, machine if kind is SiteKind.MACHINING else steady)
