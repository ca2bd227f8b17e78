"""What machines do, minute by minute, right or wrong: rates in kW and L/h, levels in °C, L and %, counts a minute."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from jobs.simulation.clock import Clock, Int, Real, Truth, chance, follow
from jobs.simulation.cycles import cycling
from jobs.simulation.loads import defrosting, door_minutes
from jobs.simulation.operations.hours import Hours
from jobs.simulation.operations.planning import Fault
from jobs.simulation.states import CUTTING, IDLE, OFF, SET_UP

Courses = dict[str, Real]
MACHINE_KW = 18.0
POWER_SHARE = (0.01, 0.22, 0.32, 0.65)
TANK_L = 600.0
DRIFT_DAYS = 45


@dataclass(frozen=True)
class Scene:
    """The hours of a site and the faults that strike it."""

    hours: Hours
    faults: Sequence[Fault]

    @property
    def clock(self) -> Clock:
        """The minutes."""
        return self.hours.clock

    def of(self, kind: str, point: str = "") -> Iterator[tuple[slice, Fault]]:
        """Minutes of each fault of a kind (and point)."""
        for fault in self.faults:
            if fault.kind == kind and (not point or point in fault.points):
                yield slice(fault.begin, fault.end), fault

    def noise(self, name: str, size: float) -> Real:
        """Independent noise of a standard deviation."""
        return chance(self.clock.seed, self.clock.site.name, name).normal(scale=size, size=self.clock.steps)


def cold_room(scene: Scene, name: str, set_point_c: float, rated_kw: float) -> Courses:
    """A room held by a compressor that cycles, warmed by its doors and defrosts."""
    clock = scene.clock
    defrost = defrosting(clock, name)
    heating = defrost.copy()
    pace = np.ones(clock.steps)
    for span, fault in scene.of("defrost_overrun", f"{name}/defrost-kw"):
        again = np.arange(fault.end - fault.begin) % round(360 / fault.size) < 20
        heating[span] |= again if fault.size > 1 else True
    for span, fault in scene.of("short_cycling", f"{name}/compressor-kw"):
        pace[span] = fault.size
    doors = follow(door_minutes(clock, name), 12)
    goods = 1 + 0.06 * np.tanh(clock.drift(f"{name}/goods", 1.0, 2 * 1440))
    duty = goods * (0.36 + 0.014 * (clock.outdoor - 22) + 0.35 * follow(door_minutes(clock, name), 45))
    on = _paced(clock, name, np.clip(duty, 0.1, 0.95), pace) & ~heating
    fouling = np.zeros(clock.steps)
    for span, fault in scene.of("compressor_drift", f"{name}/compressor-kw"):
        since = np.arange(clock.steps) - span.start
        fouling = np.maximum(fouling, fault.size * np.clip(since / (DRIFT_DAYS * 1440), 0, 1))
    warm = set_point_c + 0.02 * (clock.outdoor - 22) + 5 * doors + 5 * follow(heating.astype(float), 18)
    warm = warm + 0.8 * (0.5 - follow(on.astype(float), 8)) + scene.noise(f"{name}/temp", 0.12)
    for span, fault in scene.of("temperature_excursion", f"{name}/temp"):
        warm = warm + fault.size * follow(_mask(clock.steps, span), 50)
        on[span] = False
    temperature = np.round(warm, 1)
    for span, _ in scene.of("stuck_value", f"{name}/temp"):
        temperature[span] = temperature[span.start]
    drawn = 0.02 + on * (0.62 + 0.006 * (clock.outdoor - 22)) * (1 + scene.noise(f"{name}/kw", 0.02))
    return {
        f"{name}/temp": temperature,
        f"{name}/compressor-kw": rated_kw * drawn * (1 + fouling),
        f"{name}/defrost-kw": 9.0 * heating * (1 + scene.noise(f"{name}/defrost", 0.01)),
        f"{name}/door": (door_minutes(clock, name) > 0).astype(np.float64),
    }


def _mask(steps: int, span: slice) -> Real:
    result = np.zeros(steps)
    result[span] = 1.0
    return result


def _paced(clock: Clock, name: str, duty: Real, pace: Real) -> Truth:
    """`loads.cycling` at about four starts an hour, `pace` times as fast."""
    rate = pace / 14 * (1 + 0.15 * np.tanh(clock.drift(f"{name}/pace", 1.0, 90)))
    phase = np.cumsum(rate) + chance(clock.seed, clock.site.name, name, "phase").random()
    result: Truth = phase % 1 < duty
    return result


def forge(scene: Scene) -> Courses:
    """A furnace from six on, billets to the press from eight, with short stops and now and then a die change."""
    clock, hours = scene.clock, scene.hours
    luck = chance(clock.seed, clock.site.name, "press")
    forging = hours.shift.copy()
    for odds, shortest, longest in ((6 / 570, 3, 25), (0.5 / 570, 30, 50)):
        for begin in np.flatnonzero(luck.random(clock.steps) < odds).tolist():
            forging[begin : begin + int(luck.integers(shortest, longest))] = False
    for span, _ in scene.of("waiting_hot"):
        forging[span] = False
    heated = hours.heated
    temperature = follow(np.where(heated, 1120.0, 30.0), 25) + scene.noise("furnace/temp", 4)
    rising = heated & (temperature < 1050)
    held = cycling(clock, "furnace", np.where(forging, 0.6, 0.25), 5)
    pieces = luck.poisson(2.0, clock.steps) * forging
    return {
        "furnace/temp": np.round(temperature),
        "furnace/kw": 150 * (0.004 + np.where(rising, 0.85, heated * (0.1 + 0.7 * held))),
        "press/kw": np.where(forging, 22 + scene.noise("press/kw", 2), 1.5 * hours.shift),
        "press/parts": pieces.astype(np.float64),
    }


def machine_tool(scene: Scene) -> Courses:
    """Set-ups, then part after part; it idles over lunch and now and then for a while after the shift."""
    clock = scene.clock
    luck = chance(clock.seed, clock.site.name, "cnc")
    state, parts = _shifts(scene, luck)
    for kind, what in (("setup_overrun", SET_UP), ("idle_at_power", IDLE), ("spindle_without_parts", CUTTING)):
        for span, _ in scene.of(kind):
            state[span], parts[span] = what, 0
            if what == SET_UP:
                trials = span.start + luck.integers(10, span.stop - span.start - 10, size=4)
                for at in trials.tolist():
                    state[at : at + 3] = CUTTING
            if what == CUTTING:
                state[span] = np.where(np.arange(span.stop - span.start) % 20 < 18, CUTTING, IDLE)
    power = MACHINE_KW * np.array(POWER_SHARE)[state] * (1 + np.clip(scene.noise("cnc/kw", 0.05), -0.15, 0.15))
    load = np.where(state == CUTTING, 62 + scene.noise("cnc/load", 8), 2 + np.abs(scene.noise("cnc/rest", 1)))
    return {"cnc/kw": power, "cnc/spindle-percent": np.round(np.clip(load, 0, 120), 1), "cnc/parts": parts}


def _shifts(scene: Scene, luck: np.random.Generator) -> tuple[Int, Real]:
    clock, work = scene.clock, scene.hours.shift
    state, parts = np.full(clock.steps, OFF, dtype=np.int64), np.zeros(clock.steps)
    starts = np.flatnonzero(work & ~np.concatenate(([False], work[:-1])))
    lengths = [int(np.argmin(np.append(work[begin : begin + 1440], False))) for begin in starts.tolist()]
    for begin, length in zip(starts.tolist(), lengths, strict=True):
        block: list[int] = [IDLE] * 8
        if luck.random() < 0.6:
            block += [SET_UP] * int(luck.integers(12, 46))
        ends = []
        cut = int(luck.integers(4, 19))
        while len(block) < length:
            block += [CUTTING] * max(cut + int(luck.integers(-1, 2)), 3)
            ends.append(len(block) - 1)
            block += [IDLE] * int(luck.integers(1, 6))
        state[begin : begin + length] = block[:length]
        parts[[begin + end for end in ends if end < length]] = 1.0
        after = 60 if clock.hour[begin] < 9 and clock.weekday[begin] < 5 else int(luck.integers(5, 60))
        rests = luck.random() < (1.0 if after == 60 else 0.15)
        state[begin + length : begin + length + (after if rests else 3)] = IDLE
    return state, parts


def crane(scene: Scene) -> Courses:
    """A gantry crane: bursts of moves, idling between them, the engine off when nothing comes; filled up at six."""
    clock, hours = scene.clock, scene.hours
    luck = chance(clock.seed, clock.site.name, "crane")
    moving, running = np.zeros(clock.steps, dtype=np.bool_), np.zeros(clock.steps, dtype=np.bool_)
    at = 0
    while at < clock.steps:
        burst, idle, off = (int(luck.integers(*span)) for span in ((20, 70), (3, 25), (0, 60)))
        moving[at : at + burst] = running[at : at + burst + idle] = True
        at += burst + idle + off
    moving &= hours.attended
    running &= hours.attended
    for span, _ in scene.of("fuel_without_moves"):
        moving[span], running[span] = False, True
    burning = np.where(moving, 16 + scene.noise("crane/burn", 2), 5.5 + scene.noise("crane/idle", 0.3)) * running
    taken = np.zeros(clock.steps)
    for span, fault in scene.of("tank_drop_engine_off"):
        taken[span] += fault.size / (span.stop - span.start)
    return {
        "crane/fuel-l": burning / 60,
        "crane/moves": ((luck.random(clock.steps) < 0.35) & moving).astype(np.float64),
        "crane/engine-h": running / 60,
        "crane/level-l": np.round(_level(scene, burning / 60 + taken, running), 1),
    }


def _level(scene: Scene, used: Real, running: Truth) -> Real:
    """A tank's level: it sloshes while the crane works, and shrinks a little in the cool of the night."""
    clock = scene.clock
    level = 0.95 * TANK_L - np.cumsum(used)
    for begin in np.flatnonzero((clock.hour >= 5.8) & (np.roll(clock.hour, 1) < 5.8)).tolist():
        lacks = 0.95 * TANK_L - level[begin]
        if lacks > 0.6 * TANK_L or (scene.hours.attended[begin + 30 : begin + 31].any() and lacks > 0.4 * TANK_L):
            level[begin:] += lacks * np.clip(np.arange(1, clock.steps - begin + 1) / 6, 0, 1)
    warmth = 0.0008 * TANK_L * 0.4 * (follow(clock.outdoor, 180) - 23)
    slosh = scene.noise("crane/slosh", 1.0) * np.where(running, 4.0, 0.5)
    return np.clip(level + warmth + slosh, 0, TANK_L)


def premises(scene: Scene) -> Courses:
    """Roof, lights, office and what always runs."""
    clock, hours = scene.clock, scene.hours
    dark = (clock.hour < 5.9 - 0.6 * hours.summer) | (clock.hour >= 17.9 + 0.7 * hours.summer)
    late = chance(clock.seed, clock.site.name, "late").random(len(hours.dates))[clock.day] < 0.15
    present = ~hours.free & (clock.weekday < 6) & (clock.hour >= 7.5) & (clock.hour < np.where(late, 20.5, 18.5))
    cooling = np.clip((clock.outdoor - 23) / 12, 0, 0.45) * cycling(clock, "office", np.full(clock.steps, 0.7), 18)
    office = 2.4 + 0.3 * np.tanh(clock.drift("office", 1.0, 200)) + present * (7 + 35 * cooling)
    dispensers = 1.6 * cycling(clock, "dispensers", np.where(present, 0.4, 0.15), 25)
    for kind in ("night_base_load", "holiday_base_load"):
        for span, fault in scene.of(kind):
            office[span] += fault.size
    return {
        "outdoor/temp": np.round(clock.outdoor + scene.noise("outdoor", 0.1), 1),
        "office/kw": office + dispensers + np.abs(scene.noise("office/kw", 0.1)),
        "lights/kw": 12 * dark + 15 * (hours.shift | (present & (clock.weekday < 5))) + 0.4,
        "pv/kw": _roof(scene),
        "base/kw": 6 + 0.4 * clock.drift("base", 1.0, 600),
    }


def _roof(scene: Scene) -> Real:
    """A roof of 60 kW under the sun of the season and clouds for hours and days, thickest in the plum rains."""
    clock, hours = scene.clock, scene.hours
    rise = 5.9 - 0.7 * hours.summer
    height = np.clip(np.sin(np.pi * (clock.hour - rise) / (24 - 2 * rise)), 0, None)
    height = height * ((clock.hour > rise) & (clock.hour < 24 - rise))
    year = clock.local_s / (365.25 * 86_400) % 1
    rains = np.exp(-(((year - 0.42) / 0.045) ** 2)) + 0.4 * np.exp(-(((year - 0.08) / 0.1) ** 2))
    sky = 1.1 - 1.3 * rains + 1.7 * clock.drift("sky", 1.0, 1500) + 0.8 * clock.drift("clouds", 1.0, 20)
    clear = 0.08 + 0.92 / (1 + np.exp(-sky))
    power = 60 * (0.78 + 0.1 * hours.summer) * height**1.2 * clear
    for span, fault in scene.of("pv_below_envelope"):
        power[span] *= fault.size
    result: Real = power
    return result
