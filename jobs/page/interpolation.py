"""Variables in SQL: `$site`, `${site:sqlstring}`, `[[site:csv]]`, written as Grafana's PostgreSQL data source does.

Without a format, values of a variable that may have several, or all, are quoted, and a single value has its quotes
doubled. `:sqlstring` also puts a backslash before double quotes, as Grafana does. An unknown name is left as it is.
Stricter than Grafana: `:singlequote` and `:doublequote` refuse a value with that quote, since PostgreSQL
takes the backslash before it for a part of the text; and a format that is none of these is an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from jobs.page.intervals import QueryError, interval_text
from jobs.page.macros import TimeRange

REFERENCE: Final = re.compile(r"\$(\w+)|\[\[(\w+?)(?::(\w+))?\]\]|\$\{(\w+)(?:\.([^:^}]+))?(?::([^}]+))?\}", re.ASCII)
ALL: Final = "$__all"
FORMATS: Final = (
    "sqlstring", "singlequote", "doublequote", "csv", "raw", "pipe", "regex", "glob", "text", "json", "join"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Value:
    """What a variable stands for now: one text, or several; `literal` where they go into the SQL as they are.

    `quotes` says whether values without a format are quoted: so for a variable with `multi` or `includeAll`.
    """

    value: str | tuple[str, ...]
    text: str
    quotes: bool = False
    literal: bool = False


Values = Mapping[str, Value]


def interpolated(sql: str, values: Values, span: TimeRange, interval_ms: int | None = None) -> str:
    """A statement with its variables written in; `interval_ms` is None where `$__interval` stands for nothing."""

    def replaced(found: re.Match[str]) -> str:
        name = found[1] or found[2] or found[4]
        form, field = found[3] or found[6], found[5]
        if interval_ms is not None and name in ("__interval", "__interval_ms"):
            return interval_text(interval_ms) if name == "__interval" else str(interval_ms)
        if name in ("__from", "__to"):
            return _moment(span.from_ms if name == "__from" else span.to_ms, form)
        return _written(name, values[name], form, field) if name in values else found[0]

    return REFERENCE.sub(replaced, sql)


def names_in(sql: str) -> set[str]:
    """Names that a statement may refer to."""
    return {found[1] or found[2] or found[4] for found in REFERENCE.finditer(sql)}


def _written(name: str, value: Value, form: str | None, field: str | None) -> str:
    if field not in (None, "text", "value"):
        raise QueryError(f"variable {name}: expected ${{{name}}}, .text or .value; found .{field}")
    if value.literal and form not in ("text",):
        return value.value if isinstance(value.value, str) else ",".join(value.value)
    given = value.text if field == "text" else value.value
    if form is None:
        return _plain(given, quotes=value.quotes)
    return _formatted(name, value, given, form)


def _plain(given: str | tuple[str, ...], *, quotes: bool) -> str:
    if isinstance(given, tuple):
        return ",".join(_quoted(each) for each in given)
    return _quoted(given) if quotes else given.replace("'", "''")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _formatted(name: str, value: Value, given: str | tuple[str, ...], form: str) -> str:
    kind, *arguments = form.split(":")
    several: Sequence[str] = (given,) if isinstance(given, str) else given
    match kind:
        case "sqlstring":
            return ",".join(_quoted(each).replace('"', '\\"') for each in several)
        case "singlequote" | "doublequote":
            quote = "'" if kind == "singlequote" else '"'
            if any(quote in each for each in several):
                raise QueryError(f"variable {name}: expected no {quote} in a value of :{kind}; use :sqlstring")
            return ",".join(f"{quote}{each}{quote}" for each in several)
        case "csv" | "raw":
            return ",".join(several)
        case "join":
            return (arguments[0] if arguments else ",").join(several)
        case "pipe":
            return "|".join(several)
        case "regex":
            escaped = [re.sub(r"[\\^$*+?.()|\[\]{}/]", r"\\\g<0>", each) for each in several]
            return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"
        case "glob":
            return several[0] if len(several) == 1 else f"{{{','.join(several)}}}"
        case "text":
            return value.text
        case "json":
            return given if isinstance(given, str) else json.dumps(given, ensure_ascii=False, separators=(",", ":"))
    raise QueryError(f"variable {name}: expected a format of {', '.join(FORMATS)}; found {kind!r}")


def _moment(time_ms: int, form: str | None) -> str:
    """`$__from` and `$__to`: milliseconds, or `:date` (ISO 8601), `:date:iso`, `:date:seconds`."""
    match form:
        case None | "date:ms":
            return str(time_ms)
        case "date" | "date:iso":
            moment = datetime.fromtimestamp(time_ms // 1000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S")
            return f"{moment}.{time_ms % 1000:03d}Z"
        case "date:seconds":
            return str((time_ms + 500) // 1000)
    raise QueryError(f"expected ${{__from:date}}, :date:iso, :date:seconds or :date:ms; found :{form}")
