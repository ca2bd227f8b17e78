"""Decoded readings to clean ones; what cannot be used goes to quarantine with its reason (law 10)."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.domain.quality import ReadingQuality
from streams.domain.quantities import OFFSET, UNITS
from streams.domain.site import PointKind
from streams.operators.gate import Gate
from streams.operators.points import KINDS, PointTable

DECODED = {
    "point": pl.String,
    "time_ms": pl.Int64,
    "value": pl.Float64,
    "text": pl.String,
    "unit": pl.String,
    "quality": pl.Int8,
    "extra": pl.String,
}
"""Columns of decoded readings: `site/point`, UTC ms, value as sent, word of a state, unit if sent, ReadingQuality."""

NO_REJECTS = pl.DataFrame(schema={"reason": pl.String, "payload": pl.String})
NEVER = np.iinfo(np.int64).min
FEW = 2_000
FUTURE_MS = 86_400_000
PAYLOAD = 2_000


def clean(
    gate: Gate,
    decoded: pl.DataFrame,
    received_ms: int | NDArray[np.int64],
    site: NDArray[np.int64] | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split decoded readings (DECODED) into usable ones and rejected ones, both in order of arrival.

    Usable: DECODED with `place` (Int64) and `ticks` (Int64; 0 for states). Rejected: `reason`, `payload` (String).
    Both keep whatever other columns there are. `received_ms` is one for all, or one a reading. `site` says which of the
    gate's sites each reading was sent for; a point of another one is unknown there.
    Ticks are `value × ticks a unit`, rounded half to even; units are converted by exact ratios.
    """
    place = _places(gate, decoded["point"])
    if site is not None:
        place = np.where((place >= 0) & (gate.site_of(place) != site), -1, place)
    value = decoded["value"].to_numpy()  # nulls become nan
    time_ms = _filled(decoded["time_ms"], NEVER)
    if not len(gate.points):
        return _split(decoded, place, np.zeros_like(place), np.ones(len(place), dtype=np.int8))
    safe = np.maximum(place, 0)
    units = decoded["unit"]
    foreign = np.zeros(len(place), dtype=np.bool_)
    with np.errstate(over="ignore"):  # what overflows is out of range
        scaled = value * gate.ticks_per_unit[safe]
        if units.null_count() < len(units):
            scaled, foreign = _in_own_unit(gate, units, safe, value, scaled)
    rounded = np.rint(scaled)
    within = (rounded >= gate.lowest[safe]) & (rounded <= gate.highest[safe])
    bad = _filled(decoded["quality"], 0) == int(ReadingQuality.BAD)
    early, future = time_ms < gate.starts_ms[safe], time_ms > received_ms + FUTURE_MS
    wrong = (place < 0) | early | future | bad | foreign | ~within
    reason = np.zeros(len(place), dtype=np.int8)
    if wrong.any():
        wordy = gate.wordy[safe]
        reason[foreign] = 6
        reason[~wordy & ~within] = 5
        reason[~wordy & ~np.isfinite(value)] = 4
        reason[~wordy & (decoded["value"].is_null() & decoded["text"].is_not_null()).to_numpy()] = 8
        reason[bad] = 7
        reason[future] = 3
        reason[early] = 2
        reason[place < 0] = 1
        rounded = np.where((reason == 0) & np.isfinite(rounded), rounded, 0.0)
    return _split(decoded, place, rounded.astype(np.int64), reason)


def _places(gate: Gate, names: pl.Series) -> np.ndarray:
    """Places of names in the table, -1 where one is unknown; a dictionary is the quicker way for few."""
    if len(names) <= FEW:
        index = gate.index
        return np.array([index.get(name, -1) for name in names.to_list()], np.int64)
    return _filled(names.cast(gate.names, strict=False).cat.physical(), -1).astype(np.int64)


def _filled(series: pl.Series, null: int) -> np.ndarray:
    whole = series.fill_null(null) if series.null_count() else series
    return whole.to_numpy()


REASONS = (
    "",
    "unknown point",
    "time before the site's start",
    "time in the future",
    "value is not finite",
    "value out of range",
    "unit does not fit the point",
    "quality is bad",
    "not a number",
)


def _split(
    decoded: pl.DataFrame, place: np.ndarray, ticks: np.ndarray, reason: np.ndarray
) -> tuple[pl.DataFrame, pl.DataFrame]:
    usable = decoded.hstack([pl.Series("place", place), pl.Series("ticks", ticks)])
    bad = reason > 0
    if not bad.any():
        return usable, NO_REJECTS
    rejected = decoded.filter(pl.Series(bad)).select(
        pl.Series("reason", [REASONS[each] for each in reason[bad]], dtype=pl.String),
        pl.struct("point", "time_ms", "value", "text", "unit", "quality")
        .struct.json_encode()
        .str.head(PAYLOAD)
        .alias("payload"),
        pl.exclude(*DECODED),
    )
    return usable.filter(pl.Series(~bad)), rejected


def _in_own_unit(
    gate: Gate, unit: pl.Series, place: np.ndarray, value: np.ndarray, scaled: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Convert readings that name a unit of their own; tell which name one that does not fit."""
    foreign = np.zeros(len(place), dtype=np.bool_)
    scaled = scaled.copy()
    for name in unit.drop_nulls().unique().to_list():
        for at in np.unique(place[(unit == name).fill_null(value=False).to_numpy()]).tolist():
            rows = (unit == name).fill_null(value=False).to_numpy() & (place == at)
            point = gate.points[at]
            if name == point.unit:
                continue
            if name not in UNITS or UNITS[name][0] is not UNITS[point.unit][0]:
                foreign |= rows
                continue
            ratio = UNITS[name][1] / UNITS[point.unit][1]
            own = (value[rows] + OFFSET.get(name, 0.0)) * ratio.numerator / ratio.denominator
            own -= OFFSET.get(point.unit, 0.0)
            scaled[rows] = own * gate.ticks_per_unit[at]
    return scaled, foreign


def event_time(table: PointTable, place: np.ndarray, time_ms: np.ndarray) -> np.ndarray:
    """The time a reading speaks of: the stamp, or for a stamp at the start of an interval its end."""
    moved = (table.kind[place] == KINDS.index(PointKind.INTERVAL)) & table.stamp_at_start[place]
    result: np.ndarray = np.where(moved, time_ms + table.interval_ms[place], time_ms)
    return result
