"""Points as arrays: what the array kernels need to know of each point, indexed by its place in the table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from streams.domain.kpi import Derived, Tally
from streams.domain.quantities import UNITS
from streams.domain.site import Point, PointKind, Quantity, Ratio, Site
from streams.operators.gate import Gate

Int = NDArray[np.int64]

KINDS = tuple(PointKind)
TALLIES = tuple(Tally)
HOUR_MS = 3_600_000
LARGEST_TICKS = (1 << 50) - 1  # up to here a double times a power of ten rounds to the right integer
LARGEST_BASE = 10**15  # base units: a terawatt-hour, a cubic kilometre, a million tonnes
MARGIN = Fraction(11, 10)
WORD_TICKS = 1_000
"""A word that is one of those wanted, as a value; any other is 0."""
WORD_GAP_MS = 8 * 24 * HOUR_MS
"""A word holds so long without another one."""


@dataclass(frozen=True, slots=True)
class Tallies:
    """What is tallied of derived points: place in TALLIES, bounds in ticks of the source; one entry a point."""

    kind: Int
    low: Int
    high: Int


@dataclass(frozen=True, slots=True)
class Ratios:
    """CT×PT ratios of a point as fractions, and the moments from which they hold."""

    from_ms: Int
    num: Int
    den: Int

    @classmethod
    def of(cls, point: Point) -> Ratios:
        """Those of a point's declaration; one where there are none."""
        values = [(each.from_ms, each.value.numerator, each.value.denominator) for each in point.ratios] or [(0, 1, 1)]
        from_ms, num, den = np.array(values, dtype=np.int64).T
        return cls(from_ms, num, den)

    def at(self, time_ms: Int) -> tuple[Int, Int]:
        """Numerators and denominators that hold at each time; before the first moment the first ratio holds."""
        nth = np.maximum(np.searchsorted(self.from_ms, time_ms, side="right") - 1, 0)
        return self.num[nth], self.den[nth]

    def primary(self, time_ms: Int, ticks: Int) -> Int:
        """Ticks of the primary side, whole ones."""
        num, den = self.at(time_ms)
        return ticks * num // den


@dataclass(frozen=True, slots=True)
class PointTable:
    """The measured points of one site, in the order of its file; derived and virtual ones have the places behind them.

    `measured` counts those that readings come for. `source` is the place whose readings a point is made from: its own,
    or that of a derived point's source; `fans` has the derived points of each source, `words` those that the tally of a
    state wants, and `is_level` says which sources are gauges. All arrays have one entry a point but the virtual ones.
    `ticks_per_unit` turns a value as sent into integer ticks; `base_per_unit` are the base units in one of it;
    `num / den` turns ticks into base units (see `streams.domain.quantities`) before any CT ratio.
    `gate` is what a reading must pass to be believed.
    `moments` are those of the registers' exchanges and changes of ratio, where there are any.
    `cap` is the largest plausible growth in ticks an hour, a tenth of margin included; 0 means none is known.
    `ratios` are those of powers and reported intervals, and of what is tallied of them, where there are any.
    """

    site: Site
    points: tuple[Point, ...]
    virtual: tuple[Point, ...]
    index: dict[str, int]
    kind: NDArray[np.int8]
    ticks_per_unit: NDArray[np.float64]
    base_per_unit: NDArray[np.float64]
    num: Int
    den: Int
    modulus: Int
    cap: Int
    noise: Int
    max_gap_ms: Int
    resolution_ms: Int
    lateness_ms: Int
    interval_ms: Int
    stamp_at_start: NDArray[np.bool_]
    masks: dict[PointKind, NDArray[np.bool_]]
    gate: Gate
    moments: dict[int, tuple[int, ...]]
    ratios: dict[int, Ratios]
    measured: int
    source: Int
    fans: dict[int, tuple[int, ...]]
    words: dict[int, frozenset[str]]
    tally: Tallies
    is_level: NDArray[np.bool_]

    @classmethod
    def of(cls, site: Site) -> PointTable:
        """Compile the points of a site; the arrays leave virtual ones out, they have no readings."""
        virtual = tuple(point for point in site.points if point.kind is PointKind.VIRTUAL)
        measured = tuple(point for point in site.points if point.kind is not PointKind.VIRTUAL)
        at = {point.name: place for place, point in enumerate(measured)}
        derived = site.derived
        points = measured + tuple(derived_point(measured[at[each.source]], each) for each in derived)
        source = [*range(len(measured)), *(at[each.source] for each in derived)]
        numbers = [_numbers(point.kind, point.unit, point.decimals, point.ratios, point.max_rate) for point in points]
        scales = np.array([float(each.scale) for each in numbers], dtype=np.float64)
        scales[len(measured) :] = scales[source[len(measured) :]]
        fans: dict[int, tuple[int, ...]] = {}
        for place in range(len(measured), len(points)):
            fans[source[place]] = (*fans.get(source[place], ()), place)

        def whole(values: Iterable[int]) -> Int:
            return np.fromiter(values, dtype=np.int64, count=len(points))

        modulus = whole(
            round((point.modulus or 0) * scale) for point, scale in zip(points, scales.tolist(), strict=True)
        )
        cap = whole(each.cap for each in numbers)
        counter, rate = (
            np.array([point.kind is kind for point in points], dtype=np.bool_)
            for kind in (PointKind.REGISTER, PointKind.POWER)
        )
        largest = whole(each.largest for each in numbers)
        highest = np.where(counter & (modulus > 0), modulus - 1, np.where(rate & (cap > 0), cap, largest)).astype(
            np.float64
        )
        lowest = np.where(counter, 0.0, -highest)
        for place, (point, scale) in enumerate(zip(points, scales.tolist(), strict=True)):
            if point.minimum is not None:
                lowest[place] = max(lowest[place], point.minimum * scale)
            if point.maximum is not None:
                highest[place] = min(highest[place], point.maximum * scale)
        kinds = np.array([KINDS.index(point.kind) for point in points], dtype=np.int8)
        return cls(
            site=site,
            points=points,
            virtual=virtual,
            index={point.name: place for place, point in enumerate(points + virtual)},
            kind=kinds,
            ticks_per_unit=scales,
            base_per_unit=np.array([float(UNITS[point.unit][1]) for point in points], dtype=np.float64),
            num=whole(each.base_per_tick.numerator for each in numbers),
            den=whole(each.base_per_tick.denominator for each in numbers),
            modulus=modulus,
            cap=cap,
            noise=whole(round(point.noise * scale) for point, scale in zip(points, scales.tolist(), strict=True)),
            max_gap_ms=whole(point.max_gap_ms for point in points),
            resolution_ms=whole(point.resolution_ms for point in points),
            lateness_ms=whole(point.allowed_lateness_ms for point in points),
            interval_ms=whole(point.interval_ms or point.resolution_ms for point in points),
            stamp_at_start=np.array([point.stamp_at_start for point in points], dtype=np.bool_),
            masks={kind: kinds == KINDS.index(kind) for kind in KINDS},
            gate=Gate.of(site, measured, scales[: len(measured)], lowest[: len(measured)], highest[: len(measured)]),
            moments={place: found for place, point in enumerate(measured) if (found := _moments(point))},
            ratios={
                place: Ratios.of(points[each])
                for place, each in enumerate(source)
                if points[each].ratios and points[each].kind in (PointKind.POWER, PointKind.INTERVAL)
            },
            measured=len(measured),
            source=whole(source),
            fans=fans,
            words={place: frozenset(each.words) for place, each in enumerate(derived, len(measured)) if each.words},
            tally=_tallies(len(measured), derived, scales),
            is_level=np.array([points[each].kind is PointKind.GAUGE for each in source], dtype=np.bool_),
        )

    def fan(self, place: int) -> tuple[int, ...]:
        """The derived points of a source."""
        return self.fans.get(place, ())

    @property
    def every(self) -> tuple[Point, ...]:
        """Measured, derived and virtual points by their places."""
        return self.points + self.virtual

    def of_kind(self, kind: PointKind) -> NDArray[np.bool_]:
        """Tell which points are of a kind."""
        return self.masks[kind]


def derived_point(source: Point, each: Derived) -> Point:
    """The point that a tally is stored as."""
    quantity, unit = Quantity.DURATION, "s"
    if each.tally is Tally.STARTS:
        quantity, unit = Quantity.COUNT, "pcs"
    elif each.tally is Tally.KINETIC:
        quantity, unit = Quantity.OTHER, "1"
    elif each.tally is not Tally.TIME:
        quantity = Quantity.DEGREE_TIME if source.quantity is Quantity.TEMPERATURE else source.quantity
        unit = {Quantity.DEGREE_TIME: "Cel.h", Quantity.ENERGY: "kWh", Quantity.VOLUME: "L"}.get(quantity, "1")
    return replace(
        source,
        name=each.name,
        kind=PointKind.DERIVED,
        quantity=quantity,
        unit=unit,
        max_gap_ms=WORD_GAP_MS if source.kind is PointKind.STATE else source.max_gap_ms,
        interval_ms=source.interval_ms or source.resolution_ms,
        max_rate=None,
        minimum=None,
        maximum=None,
        parent=None,
        obis=None,
        ratios=(),
        exchanges=(),
    )


def _tallies(measured: int, derived: tuple[Derived, ...], scales: NDArray[np.float64]) -> Tallies:
    """Bounds in ticks; what is not derived has none."""
    count = measured + len(derived)
    kind, low, high = (np.zeros(count, dtype=np.int64) for _ in range(3))
    low[:], high[:] = -LARGEST_TICKS, LARGEST_TICKS
    for place, each in enumerate(derived, measured):
        kind[place] = TALLIES.index(each.tally)
        scale = WORD_TICKS if each.words else float(scales[place])
        if each.low is not None or each.words:
            low[place] = round((0.5 if each.words else each.low or 0.0) * scale)
        if each.high is not None:
            high[place] = round(each.high * scale)
    return Tallies(kind, low, high)


def base_per_tick(point: Point, ratio: Fraction) -> Fraction:
    """Base units in one tick of the point, under a CT×PT ratio."""
    return UNITS[point.unit][1] * ratio / _scale(point.kind, point.unit, point.decimals)


@dataclass(frozen=True, slots=True)
class _Numbers:
    """What follows from kind, unit and ratios alone, which many points have alike."""

    scale: Fraction
    base_per_tick: Fraction
    cap: int
    largest: int


@lru_cache(maxsize=1024)
def _numbers(kind: PointKind, unit: str, decimals: int, ratios: tuple[Ratio, ...], max_rate: float | None) -> _Numbers:
    scale = _scale(kind, unit, decimals)
    first = ratios[0].value if ratios else Fraction(1)
    most = max((each.value for each in ratios), default=Fraction(1))
    cap = 0
    if max_rate is not None:  # it is that of the primary side; a meter counts the secondary
        growth = Fraction(str(max_rate)) * scale * MARGIN
        cap = int(growth / most) + 1
    # Up to here a value is believed at all, so that prices and factors of it fit 63 bits.
    largest = min(LARGEST_TICKS, int(LARGEST_BASE / (UNITS[unit][1] * most / scale)))
    return _Numbers(scale, UNITS[unit][1] * first / scale, cap, largest)


def _moments(point: Point) -> tuple[int, ...]:
    return (*(each.at_ms for each in point.exchanges), *(ratio.from_ms for ratio in point.ratios[1:]))


def _scale(kind: PointKind, unit: str, decimals: int) -> Fraction:
    return Fraction(10**decimals) if kind is PointKind.REGISTER else UNITS[unit][1]
