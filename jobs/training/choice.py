"""Which point of an asset a model explains, and by which others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import lcm

from streams.catalog.source import nearest
from streams.domain.findings import KilowatchError
from streams.domain.site import Point, PointKind, Quantity, Site

TARGETS = (PointKind.REGISTER, PointKind.INTERVAL, PointKind.POWER)
"""Kinds of the point that is explained, the best first: a register outranks integrated power."""
COUNTED = (Quantity.COUNT, Quantity.VOLUME, Quantity.MASS)
EXPORT = "2.8.0"


class UntrainableError(KilowatchError):
    """An asset that cannot have a model, and why."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An asset, its target, the points whose means are inputs, and its states, each in the order of the file."""

    asset: str
    target: Point
    inputs: tuple[Point, ...]
    states: tuple[Point, ...]

    @property
    def period_ms(self) -> int:
        """A window: the shortest time that whole intervals of target and inputs fill."""
        return lcm(*(point.resolution_ms for point in (self.target, *self.inputs)))


def choose(site: Site, asset: str, more: Sequence[str] = ()) -> Choice:
    """The points of an asset's model; `more` are names of further inputs, without the site.

    An asset is explained by its own states, temperatures and other gauges and counters, and by the temperatures of the
    assets above it; never by energy, since that of the same load explains nothing. UntrainableError says what is
    missing.
    """
    mine = [point for point in site.points if point.asset == asset and point.kind is not PointKind.VIRTUAL]
    energy = [point for point in mine if point.quantity is Quantity.ENERGY and EXPORT not in (point.obis or "")]
    targets = [point for kind in TARGETS for point in energy if point.kind is kind]
    if not targets:
        raise UntrainableError("it has no measured energy or power")
    above = list(_above(site, asset))
    named = [_named(site, name) for name in more]
    chosen = [
        point
        for point in site.points
        if point in named
        or (point.asset == asset and _explains(point))
        or (point.asset in above and point.kind is PointKind.GAUGE and point.quantity is Quantity.TEMPERATURE)
    ]
    chosen = [point for point in chosen if point != targets[0]]
    if not chosen:
        raise UntrainableError(
            "nothing explains it: expected a state, temperature or counter of its own, or a temperature of an asset "
            "above it; name others with --input"
        )
    states = tuple(point for point in chosen if point.kind is PointKind.STATE)
    return Choice(asset, targets[0], tuple(point for point in chosen if point not in states), states)


def _explains(point: Point) -> bool:
    if point.kind is PointKind.STATE:
        return True
    if point.kind is PointKind.GAUGE:
        return point.unit != "1"  # a power factor is what the load makes it
    return point.quantity in COUNTED and point.kind in TARGETS


def _above(site: Site, asset: str) -> Iterator[str]:
    parents = {each.name: each.parent for each in site.assets}
    at = parents.get(asset)
    while at is not None:
        yield at
        at = parents.get(at)


def _named(site: Site, name: str) -> Point:
    usable = {
        point.name.removeprefix(f"{site.name}/"): point
        for point in site.points
        if point.kind not in (PointKind.VIRTUAL, PointKind.AMOUNT) and point.quantity is not Quantity.ENERGY
    }
    if name not in usable:
        hint = nearest(name, list(usable))
        raise KilowatchError(
            f"train: --input: expected a measured point of {site.name} that is no energy; found {name!r}"
            + (f" (did you mean {hint!r}?)" if hint else "")
        )
    return usable[name]
