"""Values that the rows of several catalog files share: durations, moments, names, exact numbers, titles."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from fractions import Fraction
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, PlainValidator

from streams.catalog.formula import NAME, NUMBER
from streams.catalog.source import Row, duration_ms


def _duration(value: object) -> int:
    if not isinstance(value, str):
        raise ValueError("expected a duration such as 30s, 5min, 1h or 2d")
    return duration_ms(value)


def _wait(value: object) -> int:
    return 0 if value == "0s" else _duration(value)


def _moment(value: object) -> date | datetime:
    """A local day, or an instant with its offset."""
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            try:
                at = datetime.fromisoformat(value)
            except ValueError:
                at = None
            if at is not None and at.tzinfo is not None:
                return at
    raise ValueError("expected a date such as 2025-01-31, or a time with its offset such as 2025-01-31T10:15+08:00")


def _name(value: str) -> str:
    if NAME.fullmatch(value) is None or NUMBER.fullmatch(value) is not None:
        raise ValueError("expected letters, digits and _ joined by - . or /, and not only a number")
    return value


Duration = Annotated[int, BeforeValidator(_duration)]
Wait = Annotated[int, BeforeValidator(_wait)]
"""A duration, or `0s`."""
Moment = Annotated[date | datetime, PlainValidator(_moment)]
Name = Annotated[str, BeforeValidator(lambda value: _name(value) if isinstance(value, str) else value)]
Positive = Annotated[Decimal, Field(gt=0, le=10**15)]
Capacity = Annotated[float, Field(ge=0)]
ExactRatio = Annotated[Fraction, Field(gt=0)]


def moment_ms(moment: date | datetime, zone: ZoneInfo) -> int:
    """UTC milliseconds of an instant, or of the beginning of a local day."""
    at = moment if isinstance(moment, datetime) else datetime.combine(moment, time(), zone)
    return round(Fraction(at.timestamp()) * 1000)


class TitleRow(Row):
    """What people call it."""

    zh: str = ""
    en: str = ""
