"""Grafana's macros for PostgreSQL, expanded as its data source expands them, with what is odd about it.

A macro's arguments end at the first closing bracket. `$__timeGroup(…)` right before a comma stands for
`$__timeGroupAlias(…)`. An unknown macro is an error. Source: Grafana's documentation of its PostgreSQL data source, and
the behaviour of version 12.4.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from jobs.page.intervals import QueryError, go_number, interval_text, seconds_of

MACRO: Final = re.compile(r"\$([_a-zA-Z0-9]+)\(([^)]*)\)")


@dataclass(frozen=True, slots=True)
class TimeRange:
    """The time range of a dashboard or panel, UTC milliseconds, both ends within it."""

    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class Fill:
    """How a series is filled at every `interval_s`: with nulls, with the value before, or with a value."""

    interval_s: float
    mode: Literal["null", "previous", "value"]
    value: float = 0.0


@dataclass(frozen=True, slots=True)
class Expanded:
    """A statement without macros, and the fill that one of them asked for."""

    sql: str
    fill: Fill | None


@dataclass(frozen=True, slots=True)
class Macros:
    """What macros stand for: the range, `$__interval`, the clock, and whether the data source says `timescaledb`."""

    span: TimeRange
    interval_ms: int
    now_ms: int
    timescale: bool = False

    def expand(self, sql: str) -> Expanded:
        """Expand every macro of a statement; QueryError for what Grafana refuses."""
        text = (
            sql.replace("$__interval_ms", str(self.interval_ms))
            .replace("$__interval", interval_text(self.interval_ms))
            .replace("$__unixEpochFrom()", str(self.span.from_ms // 1000))
            .replace("$__unixEpochTo()", str(self.span.to_ms // 1000))
        )
        fills: list[Fill] = []

        def expanded(found: re.Match[str]) -> str:
            name, arguments = found[1], [each.strip(" ") for each in found[2].split(",")]
            if name == "__timeGroup":
                after = text.find(found[0]) + len(found[0])  # of equal calls, what follows the first decides
                name = "__timeGroupAlias" if text[after : after + 1] == "," else name
            return self._call(name, arguments, fills)

        return Expanded(MACRO.sub(expanded, text), fills[-1] if fills else None)

    def _call(self, name: str, arguments: list[str], fills: list[Fill]) -> str:
        column, span = arguments[0], self.span
        match name:
            case "__time":
                return f'{column} AS "time"'
            case "__timeEpoch":
                return f'extract(epoch from {column}) as "time"'
            case "__timeFilter":
                return f"{column} BETWEEN '{_rfc3339(span.from_ms)}' AND '{_rfc3339(span.to_ms)}'"
            case "__timeFrom" | "__timeTo":
                return f"'{_rfc3339(span.from_ms if name == '__timeFrom' else span.to_ms)}'"
            case "__unixEpochFilter":
                return f"{column} >= {span.from_ms // 1000} AND {column} <= {span.to_ms // 1000}"
            case "__unixEpochNanoFilter":
                return f"{column} >= {span.from_ms}000000 AND {column} <= {span.to_ms}000000"
            case "__unixEpochNanoFrom" | "__unixEpochNanoTo":
                return f"{span.from_ms if name == '__unixEpochNanoFrom' else span.to_ms}000000"
            case "__timeGroup" | "__unixEpochGroup":
                return self._group(name, arguments, fills)
            case "__timeGroupAlias" | "__unixEpochGroupAlias":
                return f'{self._group(name.removesuffix("Alias"), arguments, fills)} AS "time"'
        raise QueryError(f'unknown macro "{name}"')

    def _group(self, name: str, arguments: list[str], fills: list[Fill]) -> str:
        if len(arguments) < 2:
            raise QueryError(f"macro {name} needs time column and interval and optional fill value")
        seconds = seconds_of(arguments[1].strip("'"), self.now_ms)
        if len(arguments) == 3:
            fills.append(_fill(seconds, arguments[2]))
        if name == "__unixEpochGroup":
            return f"floor(({arguments[0]})/{go_number(seconds)})*{go_number(seconds)}"
        if self.timescale:
            return f"time_bucket('{seconds:.3f}s',{arguments[0]})"
        return f"floor(extract(epoch from {arguments[0]})/{go_number(seconds)})*{go_number(seconds)}"


def _fill(seconds: float, text: str) -> Fill:
    if text == "NULL":
        return Fill(seconds, "null")
    if text == "previous":
        return Fill(seconds, "previous")
    try:
        return Fill(seconds, "value", float(text))
    except ValueError as error:
        raise QueryError(f"error parsing fill value {text}") from error


def _rfc3339(time_ms: int) -> str:
    """A moment as Go writes it: no zeros at the end of the fraction, and none of it for a whole second."""
    seconds, rest = divmod(time_ms, 1000)
    whole = datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}{f'.{rest:03d}'.rstrip('0') if rest else ''}Z"
