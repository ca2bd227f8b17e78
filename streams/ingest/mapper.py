"""Rows of one file to readings, as its mapping says."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

import polars as pl

from streams.domain.findings import IngestError
from streams.ingest.codec import QUALITIES, Decoded, number_of, rejects_of, settle
from streams.ingest.mapping import Mapping, Target
from streams.ingest.rows import OTHER
from streams.ingest.times import DAY_MS, LocalClock, epoch_ms, local_times, strptime, times_ms

NO_OFFSET: Final = "time has no offset and the mapping no time_zone"
NOT_THERE: Final = "local time does not exist (clock set forward)"
MOST_COLUMNS: Final = 20_000


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


class Mapper:
    """Turns the rows of one file, block after block in file order, into readings.

    It remembers the last times of each series, so that an hour that the clock repeats is told apart across blocks.
    """

    def __init__(self, mapping: Mapping, columns: Sequence[str], path: Path) -> None:
        """Check the columns of the file at `path` against the mapping; IngestError if one is missing or twice there."""
        self.mapping, self.columns, self.path = mapping, list(columns), path
        self.times = [mapping.time] if isinstance(mapping.time, str) else mapping.time
        self.clock = LocalClock(mapping.time_zone) if mapping.time_zone else None
        if len(columns) > MOST_COLUMNS:
            raise IngestError(f"{path}: expected at most {MOST_COLUMNS} columns; found {len(columns)}")
        twice = sorted(name for name, count in Counter(columns).items() if count > 1)
        if twice:
            raise IngestError(f"{path}: column {twice[0]!r} is there twice; expected each name once")
        values = list(mapping.columns) or [mapping.entity or "entity", mapping.value]
        for name in [*self.times, *values]:
            if name not in self.columns:
                near = difflib.get_close_matches(name, self.columns, n=1)
                hint = f" (did you mean {near[0]!r}?)" if near else ""
                found = ", ".join(map(repr, columns))[:500] or "none"
                raise IngestError(f"{path}: expected a column {name!r}; found {found}{hint}")
        self.unit = mapping.unit if mapping.unit in self.columns else None
        self.quality = mapping.quality if mapping.quality in self.columns else None
        self.needed = {*self.times, *values, *filter(None, (self.unit, self.quality))}
        rest = [name for name in columns if name not in {*self.needed, OTHER} and not _matches(name, mapping.skip)]
        wide = bool(mapping.columns)
        self.extra = [name for name in rest if not wide or _matches(name, mapping.extra)]
        self.wide = [
            name for name in columns if wide and (name in mapping.columns or name in set(rest) - set(self.extra))
        ]

    @property
    def remembers(self) -> bool:
        """Whether a row's time may depend on the rows before it (a zone that sets its clock back)."""
        return self.mapping.time_zone not in (None, "UTC")

    def decode(self, frame: pl.DataFrame) -> Decoded:
        """Readings and rejects of the next rows; `frame` has the file's columns, text or typed."""
        entity = None if self.wide else frame[self.mapping.entity or "entity"].cast(pl.String)
        if entity is not None and self.mapping.skip_entities:
            unnamed = set(entity.unique().drop_nulls()) - set(self.mapping.points)
            left_out = [name for name in unnamed if _matches(name, self.mapping.skip_entities)]
            keep = ~entity.is_in(left_out).fill_null(value=False)
            frame, entity = frame.filter(keep), entity.filter(keep)
        rows = frame.with_columns(self._stamps(frame, entity)).with_columns(self._fixed())
        return self._decode_wide(rows) if entity is None else self._decode_long(rows)

    def _fixed(self) -> list[pl.Expr]:
        """Quality, unit and extra of each row."""
        grade: pl.Expr = pl.lit(0, pl.Int64)
        if self.quality:
            word = pl.col(self.quality).cast(pl.String).str.strip_chars().str.to_lowercase()
            known = word.replace_strict(QUALITIES, default=-1, return_dtype=pl.Int64)
            grade = pl.when(word.is_null() | (word == "")).then(0).otherwise(known)
        record = pl.lit(None, pl.String)
        if OTHER in self.columns:
            record = pl.col(OTHER)
        elif self.extra:
            record = pl.struct(self.extra).struct.json_encode()
        return [
            pl.when((grade == 0) & pl.col("~twice")).then(1).otherwise(grade).alias("~quality"),
            (pl.col(self.unit).cast(pl.String) if self.unit else pl.lit(None, pl.String)).alias("~unit"),
            record.alias("~extra"),
        ]

    def _number(self, source: pl.Expr, dtype: pl.DataType, targets: dict[str, Target], key: pl.Expr) -> list[pl.Expr]:
        """`value` and `text` of a column of values; the scale is that of the target that `key` names."""
        if dtype.is_numeric():
            value, text = source.cast(pl.Float64), pl.lit(None, pl.String)
        elif dtype == pl.Boolean:
            value, text = source.cast(pl.Float64), source.cast(pl.String)
        else:
            value = number_of(source.cast(pl.String), self.mapping.decimal, self.mapping.thousands)
            text = pl.when(value.is_null()).then(source.cast(pl.String))
        scales = {name: target.scale for name, target in targets.items() if target.scale != 1}
        for part, default in (("numerator", 1.0), ("denominator", 1.0)):
            factors = {name: float(getattr(scale, part)) for name, scale in scales.items()}
            if factors:
                factor = key.replace_strict(factors, default=default, return_dtype=pl.Float64)
                value = value * factor if part == "numerator" else value / factor
        return [value.alias("value"), text.alias("text")]

    def _target(self, targets: dict[str, Target], key: pl.Expr) -> list[pl.Expr]:
        """`point` and `unit`; a name without a target passes through, to be quarantined as an unknown point."""
        file = self.path.name.split(".")[0].lower()
        points = {name: target.point.replace("{file}", file) for name, target in targets.items()}
        units = {name: target.unit for name, target in targets.items() if target.unit}
        unit = key.replace_strict(units, default=None, return_dtype=pl.String) if units else pl.lit(None, pl.String)
        return [(key.replace(points) if points else key).alias("point"), pl.coalesce("~unit", unit).alias("unit")]

    def _decode_long(self, rows: pl.DataFrame) -> Decoded:
        """One reading a row."""
        mapping, source = self.mapping, pl.col(self.mapping.value)
        key = pl.col(mapping.entity or "entity").cast(pl.String)
        exprs = [
            *self._target(mapping.points, key),
            *self._number(source, rows.schema[mapping.value], mapping.points, key),
        ]
        payload = [name for name in self.columns if name in rows.columns]
        source_columns = [pl.col(name).alias(f"={name}") for name in payload]
        frame = rows.select(*exprs, *_common(), *source_columns)
        return settle(frame, [f"={name}" for name in payload], mapping.unavailable)

    def _decode_wide(self, rows: pl.DataFrame) -> Decoded:
        """One reading for each mapped column of a row, row after row; a row without a time is one reject."""
        lost = rows.filter(pl.col("~reason").is_not_null() | pl.col("~time_ms").is_null())
        reasons = lost["~reason"].fill_null("unparsable time").to_list()
        records = lost.select(pl.struct(self.columns).struct.json_encode()).to_series().to_list()
        rejects = rejects_of((reason, record.encode()) for reason, record in zip(reasons, records, strict=True))
        rows = rows.filter(pl.col("~reason").is_null() & pl.col("~time_ms").is_not_null()).with_row_index("~row")
        parts = []
        for name in self.wide:
            key, targets = pl.lit(name), self.mapping.columns
            exprs = [*self._target(targets, key), *self._number(pl.col(name), rows.schema[name], targets, key)]
            stamp = pl.concat_str([pl.col(time).cast(pl.String) for time in self.times], separator=" ").alias("time")
            cell: list[pl.Expr | str] = [key.alias("column"), stamp, pl.col(name).cast(pl.String).alias("cell"), "~row"]
            parts.append(rows.select(*exprs, *_common(), *cell))
        frame = pl.concat(parts).sort("~row", maintain_order=True)
        settled = settle(frame, ("column", "time", "cell"), self.mapping.unavailable)
        return Decoded(settled.readings, pl.concat([rejects, settled.rejects]))

    def _stamps(self, frame: pl.DataFrame, entity: pl.Series | None) -> list[pl.Series]:
        """`~time_ms`, `~twice` (the clock showed this time twice) and `~reason` of each row."""
        mapping, source = self.mapping, frame[self.times[0]]
        if len(self.times) > 1:
            joined = pl.concat_str([pl.col(name).cast(pl.String) for name in self.times], separator=" ")
            source = frame.select(joined).to_series()
        naive, utc = None, pl.repeat(None, len(frame), dtype=pl.Int64, eager=True)
        if isinstance(source.dtype, pl.Datetime | pl.Date):
            if isinstance(source.dtype, pl.Datetime) and source.dtype.time_zone:
                utc = source.dt.epoch("ms")
            else:
                naive = source.cast(pl.Datetime("ms"))
        elif source.dtype.is_numeric():
            utc = epoch_ms(source)
        elif mapping.time_format:
            parsed = strptime(mapping.time_format)(source.cast(pl.String).str.strip_chars())
            naive, utc = (parsed, utc) if parsed.dtype.is_temporal() else (None, parsed)
        else:
            utc = times_ms(source.cast(pl.String))
            if utc.null_count():
                naive = local_times(source.cast(pl.String).set(utc.is_not_null(), None))
        twice = pl.repeat(value=False, n=len(frame), eager=True)
        reasons = pl.select(pl.when(source.is_null()).then(pl.lit("no time"))).to_series()
        if naive is not None and naive.null_count() < len(naive):
            known, reason = naive.is_not_null(), NO_OFFSET
            if self.clock is not None:
                if mapping.midnight_belongs_to_previous_day:
                    midnight = (naive.dt.epoch("ms") % DAY_MS == 0).fill_null(value=False)
                    naive = naive.dt.offset_by("1d").zip_with(midnight, naive)
                series = entity if entity is not None else pl.repeat("", len(frame), eager=True)
                resolved, twice = self.clock.utc_ms(naive, series)
                utc, reason = utc.zip_with(utc.is_not_null(), resolved), NOT_THERE
            reasons = reasons.set(known & utc.is_null(), reason)
        return [(utc + mapping.shift_ms).alias("~time_ms"), twice.alias("~twice"), reasons.alias("~reason")]


def _common() -> list[pl.Expr]:
    """The columns that every reading of a row shares."""
    return [pl.col(f"~{name}").alias(name) for name in ("time_ms", "quality", "extra", "reason")]
