"""Macros and variables of a dashboard's SQL, no kinder than Grafana's PostgreSQL data source.

A macro's arguments end at the first closing bracket; an unknown macro, format or variable is an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from streams.domain.findings import KilowatchError

CALL: Final = re.compile(r"\$([_a-zA-Z0-9]+)\(([^)]*)\)")
VARIABLE: Final = re.compile(r"\$\{(\w+)(?::(\w+))?\}")
LENGTH: Final = re.compile(r"'?(\d+)(ms|s|m|h|d)'?")
UNIT_MS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
STEPS_MS: Final = tuple(
    UNIT_MS[unit] * count
    for unit, counts in (("s", (1, 2, 5, 10, 15, 20, 30)), ("m", (1, 2, 5, 10, 15, 20, 30)), ("h", (1, 2, 3, 6, 12)))
    for count in counts
)
"""Lengths that `$__interval` is rounded up to."""


class ExpandError(KilowatchError):
    """A statement that Grafana would refuse."""


@dataclass(frozen=True, slots=True)
class Span:
    """A time range in UTC milliseconds, both ends within it."""

    from_ms: int
    to_ms: int


class Expand(Protocol):
    """Writes macros and variables into a statement."""

    def __call__(self, sql: str, values: Mapping[str, Sequence[str]], span: Span, interval_ms: int) -> str:
        """The statement as a store takes it: `values` by the variable's name, `interval_ms` for `$__interval`."""


@dataclass(frozen=True, slots=True)
class Macros:
    """An `Expand`; `timescale` says whether the data source groups by `time_bucket`."""

    timescale: bool

    def __call__(self, sql: str, values: Mapping[str, Sequence[str]], span: Span, interval_ms: int) -> str:
        """See `Expand`; ExpandError where Grafana would refuse."""

        def chosen(found: re.Match[str]) -> str:
            if found[1] not in values or found[2] != "sqlstring":
                raise ExpandError(f"expected a known variable with :sqlstring; found {found[0]}")
            return ",".join("'" + each.replace("'", "''") + "'" for each in values[found[1]])

        def called(found: re.Match[str]) -> str:
            return self._call(found[1], [each.strip() for each in found[2].split(",")], span)

        text = VARIABLE.sub(chosen, sql)
        text = text.replace("$__interval_ms", str(interval_ms)).replace("$__interval", f"{interval_ms}ms")
        return CALL.sub(called, text)

    def _call(self, name: str, arguments: list[str], span: Span) -> str:
        column = arguments[0]
        match name:
            case "__timeFilter":
                return f"{column} BETWEEN '{_moment(span.from_ms)}' AND '{_moment(span.to_ms)}'"
            case "__timeFrom":
                return f"'{_moment(span.from_ms)}'"
            case "__timeTo":
                return f"'{_moment(span.to_ms)}'"
            case "__timeGroup":
                return self._group(column, arguments)
            case "__timeGroupAlias":
                return f'{self._group(column, arguments)} AS "time"'
        raise ExpandError(f"expected a macro of Grafana; found ${name}")

    def _group(self, column: str, arguments: list[str]) -> str:
        if len(arguments) < 2:
            raise ExpandError(f"$__timeGroup: expected a column and an interval; found {', '.join(arguments)}")
        seconds = length_ms(arguments[1]) / 1000
        if self.timescale:
            return f"time_bucket('{seconds:.3f}s',{column})"
        return f"floor(extract(epoch from {column})/{seconds:g})*{seconds:g}"


def interval_of(span: Span, points: int, least: str | None) -> int:
    """`$__interval` in ms: a range by a width in points, rounded up, and not below a least such as `15m`."""
    raw = max((span.to_ms - span.from_ms) / max(points, 1), length_ms(least or "1m"))
    return next((step for step in STEPS_MS if step >= raw), UNIT_MS["d"])


def length_ms(text: str) -> int:
    """Milliseconds of a length such as `15m`."""
    found = LENGTH.fullmatch(text)
    if found is None:
        raise ExpandError(f"expected a length such as 15m; found {text!r}")
    return int(found[1]) * UNIT_MS[found[2]]


def _moment(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
