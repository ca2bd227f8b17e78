"""What happens at a site: the rate of every metered point, a whole number of base units an hour for each minute.

Electric loads add up along the tree of assets: what a meter of an asset measures is the asset's own load and that of
all beneath it; a site's import is the whole of it, with losses, less what its roof generates at that moment.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from jobs.simulation.clock import Clock, Int, Real, chance, follow
from jobs.simulation.loads import LOADS, defrosting, door_minutes, heated, load_of, sun
from jobs.simulation.states import CUTTING, states
from jobs.simulation.yard import burning, crane, running
from streams.domain.quantities import UNITS
from streams.domain.site import Point, PointKind, Quantity

METERED = (PointKind.REGISTER, PointKind.POWER, PointKind.INTERVAL)
LOSSES = 0.02
TANGENT = 0.38  # of the phase angle: a power factor of about 0.93


def is_export(point: Point) -> bool:
    """Whether a meter counts what is given to the grid (OBIS channel 2)."""
    return "2.8.0" in (point.obis or "") or "export" in point.name


def is_generation(name: str) -> bool:
    """Whether a name is that of a solar roof."""
    words = name.replace("/", "-").split("-")
    return "pv" in words or "solar" in words


def rated(point: Point) -> float:
    """A point's largest plausible rate in thousands of watts, litres … an hour; 0 where none is declared."""
    return float((point.max_rate or 0) * UNITS[point.unit][1] / 1_000_000)


@dataclass
class Plant:
    """A site at work. `kw` keeps the loads of assets once they are known."""

    clock: Clock
    kw: dict[str, Real] = field(default_factory=dict)

    def rate(self, point: Point) -> Int:
        """Base units an hour of a metered point, one entry a minute, never negative."""
        if point.quantity in (Quantity.ENERGY, Quantity.REACTIVE_ENERGY):
            rate = self._electric(point) * 1e6
        elif point.quantity is Quantity.DURATION:
            rate = float(UNITS["h"][1]) * running(self.clock, point.asset).astype(np.float64)
        elif point.quantity is Quantity.COUNT:
            rate = (point.max_rate or 60) * 1000 * self._pieces(point)
        else:
            rate = float((point.max_rate or 40) * UNITS[point.unit][1]) * self._burning(point)
        result: Int = np.rint(np.clip(rate, 0, None)).astype(np.int64)
        return result

    def _electric(self, point: Point) -> Real:
        site = self.clock.site
        if is_export(point):
            exports = sum(is_export(each) for each in site.points)
            return np.clip(self.generation - self.consumption, 0, None) / exports
        if point.quantity is Quantity.REACTIVE_ENERGY:
            swing = 1 + 0.1 * np.tanh(self.clock.drift(point.name, 1.0, 60))
            return TANGENT * swing * self.consumption / max(len(site.reactive_points), 1)
        if is_generation(point.name):
            return self.generation
        if point.name in site.import_points:
            return np.clip(self.consumption - self.generation, 0, None) / len(site.import_points)
        parents = {each.name: each.asset for each in site.points}
        share = 0.3 if point.parent and parents[point.parent] == point.asset else 1.0
        return share * self.load(point.asset)

    @property
    def generation(self) -> Real:
        """What the roof gives, kW."""
        if "generation" not in self.kw:
            roofs = {each.asset: each for each in self.clock.site.points if is_generation(each.name) and rated(each)}
            self.kw["generation"] = sum(
                (rated(each) * self._sun(asset) for asset, each in roofs.items()), np.zeros(self.clock.steps)
            )
        return self.kw["generation"]

    def _sun(self, asset: str) -> Real:
        """What a roof gives; one that a measure names is not there before it."""
        course = sun(self.clock, asset)
        return course * self.clock.since(asset) if self.clock.is_measured(asset) else course

    @property
    def consumption(self) -> Real:
        """What all of the site uses, kW."""
        return sum(
            (self.load(asset.name) for asset in self.clock.site.assets if asset.parent is None),
            np.zeros(self.clock.steps),
        )

    def load(self, asset: str) -> Real:
        """What an asset and all beneath it use, kW."""
        if "/" + asset not in self.kw:
            self.kw["/" + asset] = self._load(asset)
        return self.kw["/" + asset]

    def _load(self, asset: str) -> Real:
        site = self.clock.site
        zero = np.zeros(self.clock.steps)
        if is_generation(asset):
            return zero
        below = [each.name for each in site.assets if each.parent == asset]
        beneath = sum((self.load(each) for each in below), zero)
        own = load_of(asset, site.kind)
        meters = [each for each in site.points if each.asset == asset and each.kind in METERED]
        limits = [
            rated(each)
            for each in meters
            if each.quantity is Quantity.ENERGY and not is_export(each) and not is_generation(each.name)
        ]
        limit = max(limits, default=0.0) or own.rated_kw
        if below and own not in LOADS:  # a hall, a yard: what stands around, and the losses of the way to the meters
            swing = 0.06 + 0.05 * self.clock.working + 0.008 * np.tanh(self.clock.drift(asset, 1.0, 45))
            return (1 + LOSSES) * beneath + limit * swing
        return beneath + limit * own.course(self.clock, asset)

    def _pieces(self, point: Point) -> Real:
        clock = self.clock
        if "move" in point.name:
            return np.where(crane(clock, point.asset), 0.45, 0.0)
        if "pallet" in point.name:
            busy = 0.4 + 0.15 * np.tanh(clock.drift(point.name, 1.0, 90))
            return np.where(~clock.free & (clock.hour >= 5) & (clock.hour < 20), busy, 0.02)
        scrap, good = np.full(clock.steps, 0.02), np.full(clock.steps, 0.55)
        if clock.is_measured(point.asset) and any(
            "scrap" in each.name for each in clock.site.points if each.asset == point.asset
        ):  # eye and robot at the press: more pieces an hour, fewer of them spoilt
            since = clock.since(point.asset)
            scrap, good = np.where(since, 0.014, 0.055), np.where(since, 0.46, 0.40)
        share = scrap if "scrap" in point.name else good
        result: Real = share * (states(clock, point.asset) == CUTTING)
        return result

    def _burning(self, point: Point) -> Real:
        return burning(self.clock, point.asset, point.name)

    def gauge(self, point: Point) -> Real:
        """A level for each minute, in the point's unit, within its declared bounds."""
        clock = self.clock
        if point.unit in ("Cel", "degF"):
            level = self._temperature(point)
            level = level * 1.8 + 32 if point.unit == "degF" else level
        elif point.unit == "1":
            level = np.clip(0.93 + 0.02 * clock.drift(point.name, 1.0, 60), 0.5, 1)
        else:
            level = np.clip(60 + 12 * clock.drift(point.name, 1.0, 300), 5, 98)
        low = -np.inf if point.minimum is None else point.minimum
        high = np.inf if point.maximum is None else point.maximum
        return np.clip(level, low, high)

    def _temperature(self, point: Point) -> Real:
        clock, noise = self.clock, chance(self.clock.seed, point.name, "noise").normal(size=self.clock.steps)
        if "furnace" in point.asset:
            return self._billet(point.asset) + 3 * noise
        if "room" in point.asset or "cold" in point.asset:
            set_point, defrost = (-20.0, 6.0) if "froz" in point.asset else (4.0, 2.5)
            doors = follow(door_minutes(clock, point.asset), 12)
            warm = follow(defrosting(clock, point.asset).astype(float), 18)
            steady = np.where(clock.since(point.asset), 0.8, 1.0)  # speed follows the load, so it swings less
            return set_point + 0.02 * (clock.outdoor - 22) + steady * (9 * doors + defrost * warm) + 0.1 * noise
        return clock.outdoor + 0.1 * noise

    def _billet(self, furnace: str) -> Real:
        """Billets at 745 °C; where a measure names the furnace, they overheat before it while nobody takes them."""
        clock = self.clock
        hot = heated(clock, furnace)
        level = follow(np.where(hot, 745.0, clock.outdoor), 25)
        if not clock.is_measured(furnace):
            return level
        soaking = follow((hot & ~clock.working & (clock.hour >= 7) & ~clock.since(furnace)).astype(float), 20)
        return level + 60 * soaking
