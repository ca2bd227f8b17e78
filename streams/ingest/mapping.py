"""Mappings: a YAML file that says how the columns of another product's export become readings.

The wide form names a point for each column of values; the long form has a column that names the entity and one with
its value. Local times become UTC here: a time that the zone skips is rejected, one that it has twice goes to whichever
keeps the file's own order, else to the earlier, and is flagged UNCERTAIN. `stamp` documents whether times name the
start or the end of the interval; only `shift` moves them.
"""

from __future__ import annotations

import codecs
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl
from pydantic import Field, field_validator, model_validator

from streams.catalog.source import Row, duration_ms, read
from streams.ingest.codec import (
    UNAVAILABLE,
)
from streams.ingest.times import DAY_MS, strptime

LONGEST_SHIFT_MS: Final = 36_500 * DAY_MS


class Target(Row):
    """Where a column or an entity goes: `point` (its `{file}` is the file's name), the unit sent, an exact scale."""

    point: str
    unit: str | None = None
    scale: Fraction = Fraction(1)

    @field_validator("scale")
    @classmethod
    def _in_reach(cls, scale: Fraction) -> Fraction:
        if not Fraction(1, 10**15) <= abs(scale) <= 10**15:
            raise ValueError("expected a scale from 1e-15 to 1e15")
        return scale


class Mapping(Row):
    """A mapping file; patterns are those of the shell (`*`, `?`)."""

    format: Literal["csv", "parquet", "ndjson", "shdr"] = "csv"
    delimiter: str = Field(default=",", pattern=r"^[\t -!#-~]$")
    encoding: str = "utf-8"
    decimal: Literal[".", ","] = "."
    thousands: str | None = None
    skip_rows: int = Field(default=0, ge=0)
    time: str | Annotated[tuple[str, ...], Field(min_length=1)] = "time"
    time_format: str | None = None
    time_zone: str | None = None
    stamp: Literal["start", "end"] | None = None
    shift: str | None = None
    midnight_belongs_to_previous_day: bool = False
    columns: dict[str, Target] = Field(default_factory=dict)
    entity: str | None = None
    value: str = "value"
    unit: str | None = None
    quality: str | None = None
    points: dict[str, Target] = Field(default_factory=dict)
    skip: tuple[str, ...] = ()
    skip_entities: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    unavailable: tuple[str, ...] = UNAVAILABLE
    conditions: tuple[str, ...] = ("*_cond",)

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        try:
            return name and ZoneInfo(name).key
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("expected a time zone such as Asia/Taipei") from error

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str) -> str:
        try:
            "".encode(name)
            codecs.getincrementaldecoder(name)("replace").decode(b"a")
        except (LookupError, UnicodeError) as error:
            raise ValueError("expected an encoding such as utf-8, utf-16 or cp950") from error
        return name

    @field_validator("time_format")
    @classmethod
    def _known_format(cls, form: str | None) -> str | None:
        try:
            strptime(form or "%Y-%m-%d")(pl.Series(["2025-01-31"]))
        except pl.exceptions.PolarsError as error:
            raise ValueError("expected a format such as %d/%m/%Y %H:%M") from error
        return form

    @model_validator(mode="after")
    def _one_form(self) -> Mapping:
        if abs(self.shift_ms) > LONGEST_SHIFT_MS:
            raise ValueError("expected a shift of at most 36500d")
        if bool(self.columns) == bool(self.entity or self.format == "shdr"):
            raise ValueError("expected columns (wide form) or entity (long form), one of the two")
        return self

    @property
    def fields(self) -> list[str]:
        """The columns that the mapping names."""
        times = [self.time] if isinstance(self.time, str) else list(self.time)
        values = list(self.columns) or [self.entity or "entity", self.value]
        return [*times, *values, *(name for name in (self.unit, self.quality) if name)]

    @property
    def shift_ms(self) -> int:
        """Milliseconds that times are moved by; `-15min` moves them back."""
        if self.shift is None:
            return 0
        return duration_ms(self.shift.lstrip("-")) * (-1 if self.shift.startswith("-") else 1)


CANONICAL: Final = Mapping(entity="point", value="value", unit="unit", quality="quality")
"""What a CSV or Parquet file without a mapping must be: columns point, time, value, perhaps quality and unit."""


def read_mapping(path: Path) -> Mapping:
    """Read a mapping; CatalogError carries every finding with its line."""
    return read(path, Mapping)
