"""Intervals as Grafana has them: what `$__interval` is for a range and a width, and what texts such as 5m mean.

The steps are those of `rangeUtil.roundInterval` in @grafana/data 12.4.10 (Apache-2.0); texts are read as the data
source's backend reads them (`gtime` of the plugin SDK). Milliseconds, and microseconds where a text can be shorter.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from streams.domain.findings import KilowatchError

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
YEAR: Final = 365 * DAY
STEPS: Final = (
    (10, 1), (15, 10), (35, 20), (75, 50), (150, 100), (350, 200), (750, 500),
    (1_500, SECOND), (3_500, 2 * SECOND), (7_500, 5 * SECOND), (12_500, 10 * SECOND), (17_500, 15 * SECOND),
    (25_000, 20 * SECOND), (45_000, 30 * SECOND), (90_000, MINUTE), (210_000, 2 * MINUTE), (450_000, 5 * MINUTE),
    (750_000, 10 * MINUTE), (1_050_000, 15 * MINUTE), (1_500_000, 20 * MINUTE), (2_700_000, 30 * MINUTE),
    (90 * MINUTE, HOUR), (150 * MINUTE, 2 * HOUR), (270 * MINUTE, 3 * HOUR), (9 * HOUR, 6 * HOUR), (DAY, 12 * HOUR),
    (7 * DAY, DAY), (21 * DAY, 7 * DAY), (42 * DAY, 30 * DAY),
)  # fmt: skip
"""Below each first number of milliseconds, an interval is rounded to the second."""
LEAST: Final = "1m"
"""The least interval of the PostgreSQL data source where neither it nor the query names one."""
LIMIT: Final = re.compile(r">?\s*(\d+)(ms|[Mwdhmsy])?")
UNIT_MS: Final = {"ms": 1, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY, "M": 30 * DAY, "y": YEAR}
CALENDAR: Final = re.compile(r"(\d+)([dwMy])")
DURATION: Final = re.compile(r"([+-]?)((?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+")
PART: Final = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
PART_US: Final = {"ns": 0.001, "us": 1, "µs": 1, "μs": 1, "ms": 1e3, "s": 1e6, "m": 60e6, "h": 3600e6}


class QueryError(KilowatchError):
    """A query of a dashboard cannot be answered; Grafana would not answer it either, unless the text says so."""


def interval_of(range_ms: int, points: int, least: str | None = None) -> int:
    """`$__interval` in ms: a range by the width of its panel in points, rounded, not below a least such as `15m`."""
    raw = range_ms / max(points, 1)
    rounded = next((step for bound, step in STEPS if raw < bound), YEAR)
    return max(rounded, least_ms(least or LEAST))


def least_ms(text: str) -> int:
    """Milliseconds of a least interval, such as `15m` or `>15m`; a number alone is seconds."""
    found = LIMIT.fullmatch(text.strip())
    if found is None:
        raise QueryError(f"expected a least interval such as 15m; found {text!r}")
    return int(found[1]) * UNIT_MS[found[2] or "s"]


def interval_text(interval_ms: int) -> str:
    """An interval as `$__interval` writes it: whole years, days, hours, minutes, seconds or milliseconds."""
    for unit, size in (("y", YEAR), ("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND)):
        if interval_ms >= size:
            return f"{interval_ms // size}{unit}"
    return f"{max(interval_ms, 1)}ms"


def seconds_of(text: str, now_ms: int) -> float:
    """Seconds of an interval in a macro: `5m`, `1h30m`, `1d`; months and years are those that follow `now_ms`."""
    if found := CALENDAR.fullmatch(text):
        count, unit = int(found[1]), found[2]
        if unit in "dw":
            return float(count * (86_400 if unit == "d" else 604_800))
        now = datetime.fromtimestamp(now_ms / 1000, tz=UTC)
        return (_later(now, count if unit == "M" else 12 * count) - now).total_seconds()
    if text == "0":
        return 0.0
    if not DURATION.fullmatch(text):
        raise QueryError(f"error parsing interval {text}: expected such as 5m, 1h30m or 1d")
    total = sum(float(number) * PART_US[unit] for number, unit in PART.findall(text)) / 1e6
    return -total if text.startswith("-") else total


def _later(now: datetime, months: int) -> datetime:
    """The same day some months later; of a shorter month, the days beyond it, as Go's AddDate has them."""
    years, month = divmod(now.month - 1 + months, 12)
    return now.replace(year=now.year + years, month=month + 1, day=1) + timedelta(days=now.day - 1)


def go_number(number: float) -> str:
    """A number as Go's `%v` writes it: the shortest text, with an exponent from a million on and below 0.0001."""
    if number == 0:
        return "0"
    digits, _, exponent = f"{number!r}".partition("e")
    if not exponent and 1e-4 <= abs(number) < 1e6:
        return digits.removesuffix(".0")
    sign = "-" if number < 0 else ""
    plain = next(text for places in range(17) if float(text := f"{abs(number):.{places}e}") == abs(number))
    mantissa, _, power = plain.partition("e")
    return f"{sign}{mantissa}e{power[0]}{int(power[1:]):02d}"
