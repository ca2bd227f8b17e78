"""Decoded readings to clean ones; what cannot be used goes to quarantine with its reason (law 10)."""

from __future__ import annotations

import numpy as np
import polars as pl

from streams.domain.quality import ReadingQuality
from streams.domain.quantities import OFFSET, UNITS
from streams.domain.site import PointKind
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

LARGEST_TICKS = float(1 << 50)  # below it a double times a power of ten rounds to the right integer
FUTURE_MS = 86_400_000
PAYLOAD = 2_000


def clean(table: PointTable, decoded: pl.DataFrame, received_ms: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split decoded readings (DECODED) into usable ones and rejected ones, both in order of arrival.

    Usable: DECODED with `place` (Int64) and `ticks` (Int64; 0 for states). Rejected: `reason`, `payload` (String).
    Ticks are `value × ticks a unit`, rounded half to even; units are converted by exact ratios.
    """
    known = decoded["point"].cast(table.names, strict=False).to_physical()
    place = _filled(known, -1).astype(np.int64)
    value = decoded["value"].to_numpy()  # nulls become nan
    time_ms = _filled(decoded["time_ms"], np.iinfo(np.int64).min)
    safe = np.maximum(place, 0)
    if not len(table.points):
        return _split(decoded, place, np.zeros(len(place), dtype=np.int64), np.full(len(place), 1, dtype=np.int8))
    wordy = table.of_kind(PointKind.STATE)[safe]
    scaled = value * table.ticks_per_unit[safe]
    reason = np.zeros(len(place), dtype=np.int8)
    if decoded["unit"].null_count() < len(decoded):
        scaled, foreign = _in_own_unit(table, decoded["unit"], safe, value, scaled)
        reason[foreign] = 6
    with np.errstate(invalid="ignore"):
        rounded = np.rint(scaled)
        too_large = ~wordy & (np.abs(rounded) >= LARGEST_TICKS)
    rate = table.of_kind(PointKind.POWER)[safe]
    counter = table.of_kind(PointKind.REGISTER)[safe]
    cap, modulus = table.cap[safe], table.modulus[safe]
    with np.errstate(invalid="ignore"):
        out_of_range = (rate & (cap > 0) & (np.abs(rounded) > cap)) | (
            counter & ((rounded < 0) | ((modulus > 0) & (rounded >= modulus)))
        )
    reason[out_of_range] = 5
    reason[too_large] = 5
    reason[~wordy & ~np.isfinite(value)] = 4
    reason[_filled(decoded["quality"], 0) == int(ReadingQuality.BAD)] = 7
    reason[time_ms > received_ms + FUTURE_MS] = 3
    reason[time_ms < table.starts_ms] = 2
    reason[place < 0] = 1
    ticks = np.where(reason == 0, np.nan_to_num(rounded, nan=0.0), 0.0).astype(np.int64)
    return _split(decoded, place, ticks, reason)


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
)


def _split(
    decoded: pl.DataFrame, place: np.ndarray, ticks: np.ndarray, reason: np.ndarray
) -> tuple[pl.DataFrame, pl.DataFrame]:
    usable = decoded.hstack([pl.Series("place", place), pl.Series("ticks", ticks)])
    bad = reason > 0
    if not bad.any():
        return usable, pl.DataFrame(schema={"reason": pl.String, "payload": pl.String})
    rejected = decoded.filter(pl.Series(bad)).select(
        pl.Series("reason", [REASONS[each] for each in reason[bad]], dtype=pl.String),
        pl.struct("point", "time_ms", "value", "text", "unit", "quality")
        .struct.json_encode()
        .str.head(PAYLOAD)
        .alias("payload"),
    )
    return usable.filter(pl.Series(~bad)), rejected


def _in_own_unit(
    table: PointTable, unit: pl.Series, place: np.ndarray, value: np.ndarray, scaled: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Convert readings that name a unit of their own; tell which name one that does not fit."""
    foreign = np.zeros(len(place), dtype=np.bool_)
    scaled = scaled.copy()
    for name in unit.drop_nulls().unique().to_list():
        for at in np.unique(place[(unit == name).fill_null(value=False).to_numpy()]).tolist():
            rows = (unit == name).fill_null(value=False).to_numpy() & (place == at)
            point = table.points[at]
            if name == point.unit:
                continue
            if name not in UNITS or UNITS[name][0] is not UNITS[point.unit][0]:
                foreign |= rows
                continue
            ratio = UNITS[name][1] / UNITS[point.unit][1]
            own = (value[rows] + OFFSET.get(name, 0.0)) * ratio.numerator / ratio.denominator
            scaled[rows] = own * table.ticks_per_unit[at]
    return scaled, foreign


def event_time(table: PointTable, place: np.ndarray, time_ms: np.ndarray) -> np.ndarray:
    """The time a reading speaks of: the stamp, or for a stamp at the start of an interval its end."""
    moved = (table.kind[place] == KINDS.index(PointKind.INTERVAL)) & table.stamp_at_start[place]
    result: np.ndarray = np.where(moved, time_ms + table.interval_ms[place], time_ms)
    return result
