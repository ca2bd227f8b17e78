"""Points as arrays: what the array kernels need to know of each point, indexed by its place in the table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from fractions import Fraction

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.domain.quantities import UNITS
from streams.domain.site import Point, PointKind, Site

Int = NDArray[np.int64]

KINDS = tuple(PointKind)
HOUR_MS = 3_600_000
LARGEST_TICKS = (1 << 50) - 1  # up to here a double times a power of ten rounds to the right integer
LARGEST_BASE = 10**15  # base units: a terawatt-hour, a cubic kilometre, a million tonnes
MARGIN = Fraction(11, 10)


@dataclass(frozen=True, slots=True)
class PointTable:
    """The measured points of one site, in the order of its file; virtual ones have the places behind them.

    All arrays have one entry a point. `ticks_per_unit` turns a value as sent into integer ticks;
    `num / den` turns ticks into base units (see `streams.domain.quantities`) before any CT ratio.
    A usable value lies between `lowest` and `highest` (ticks, both included); words, of states, have no such bounds.
    `moments` are those of the registers' exchanges and changes of ratio, where there are any.
    `cap` is the largest plausible growth in ticks an hour, a tenth of margin included; 0 means none is known.
    """

    site: Site
    points: tuple[Point, ...]
    virtual: tuple[Point, ...]
    index: dict[str, int]
    kind: NDArray[np.int8]
    ticks_per_unit: NDArray[np.float64]
    num: Int
    den: Int
    modulus: Int
    cap: Int
    lowest: NDArray[np.float64]
    highest: NDArray[np.float64]
    noise: Int
    max_gap_ms: Int
    resolution_ms: Int
    lateness_ms: Int
    interval_ms: Int
    stamp_at_start: NDArray[np.bool_]
    masks: dict[PointKind, NDArray[np.bool_]]
    names: pl.Enum
    starts_ms: int
    moments: dict[int, tuple[int, ...]]

    @classmethod
    def of(cls, site: Site) -> PointTable:
        """Compile the points of a site; the arrays leave virtual ones out, they have no readings."""
        virtual = tuple(point for point in site.points if point.kind is PointKind.VIRTUAL)
        points = tuple(point for point in site.points if point.kind is not PointKind.VIRTUAL)
        scales = [_scale(point) for point in points]
        ratios = [_base_per_tick(point, point.ratios[0].value if point.ratios else Fraction(1)) for point in points]

        def whole(values: list[int]) -> Int:
            return np.array(values, dtype=np.int64)

        modulus = whole([round((point.modulus or 0) * float(s)) for point, s in zip(points, scales, strict=True)])
        cap = whole([_cap(point, scale) for point, scale in zip(points, scales, strict=True)])
        counter, rate = (
            np.array([point.kind is kind for point in points], dtype=np.bool_)
            for kind in (PointKind.REGISTER, PointKind.POWER)
        )
        largest = whole([_largest(point, scale) for point, scale in zip(points, scales, strict=True)])
        highest = np.where(counter & (modulus > 0), modulus - 1, np.where(rate & (cap > 0), cap, largest)).astype(
            np.float64
        )
        lowest = np.where(counter, 0.0, -highest)
        for place, (point, scale) in enumerate(zip(points, scales, strict=True)):
            if point.minimum is not None:
                lowest[place] = max(lowest[place], point.minimum * float(scale))
            if point.maximum is not None:
                highest[place] = min(highest[place], point.maximum * float(scale))
        kinds = np.array([KINDS.index(point.kind) for point in points], dtype=np.int8)
        return cls(
            site=site,
            points=points,
            virtual=virtual,
            index={point.name: place for place, point in enumerate(points + virtual)},
            kind=kinds,
            ticks_per_unit=np.array([float(scale) for scale in scales], dtype=np.float64),
            num=whole([ratio.numerator for ratio in ratios]),
            den=whole([ratio.denominator for ratio in ratios]),
            modulus=modulus,
            cap=cap,
            lowest=lowest,
            highest=highest,
            noise=whole([round(point.noise * float(scale)) for point, scale in zip(points, scales, strict=True)]),
            max_gap_ms=whole([point.max_gap_ms for point in points]),
            resolution_ms=whole([point.resolution_ms for point in points]),
            lateness_ms=whole([point.allowed_lateness_ms for point in points]),
            interval_ms=whole([point.interval_ms or point.resolution_ms for point in points]),
            stamp_at_start=np.array([point.stamp_at_start for point in points], dtype=np.bool_),
            masks={kind: kinds == KINDS.index(kind) for kind in KINDS},
            names=pl.Enum([point.name for point in points]),
            moments={place: found for place, point in enumerate(points) if (found := _moments(point))},
            starts_ms=int(datetime.combine(site.starts_on, time.min, tzinfo=site.time_zone).timestamp() * 1000),
        )

    @property
    def every(self) -> tuple[Point, ...]:
        """Measured and virtual points by their places."""
        return self.points + self.virtual

    def of_kind(self, kind: PointKind) -> NDArray[np.bool_]:
        """Tell which points are of a kind."""
        return self.masks[kind]


def base_per_tick(point: Point, ratio: Fraction) -> Fraction:
    """Base units in one tick of the point, under a CT×PT ratio."""
    return _base_per_tick(point, ratio)


def _largest(point: Point, scale: Fraction) -> int:
    """The largest value in ticks that is believed at all, so that prices and factors of it fit 63 bits."""
    ratio = max((each.value for each in point.ratios), default=Fraction(1))
    return min(LARGEST_TICKS, int(LARGEST_BASE / (UNITS[point.unit][1] * ratio / scale)))


def _moments(point: Point) -> tuple[int, ...]:
    return (*(each.at_ms for each in point.exchanges), *(ratio.from_ms for ratio in point.ratios[1:]))


def _scale(point: Point) -> Fraction:
    if point.kind is PointKind.REGISTER:
        return Fraction(10**point.decimals)
    return UNITS[point.unit][1]


def _base_per_tick(point: Point, ratio: Fraction) -> Fraction:
    return UNITS[point.unit][1] * ratio / _scale(point)


def _cap(point: Point, scale: Fraction) -> int:
    if point.max_rate is None:
        return 0
    ratio = max((ratio.value for ratio in point.ratios), default=Fraction(1))
    if point.kind is PointKind.REGISTER:  # the rate is of the primary side, the register counts the secondary
        return int(Fraction(str(point.max_rate)) * scale * MARGIN / ratio) + 1
    return int(Fraction(str(point.max_rate)) * scale * MARGIN) + 1
