"""Variables of a dashboard: their options, and which of them are chosen.

Query, custom, constant, interval and data-source variables are known. A value is one of the options, and nothing else:
so a browser cannot bring text of its own into a statement. (Grafana lets a person type other values.)
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from jobs.page.interpolation import ALL, Value, interpolated, names_in
from jobs.page.intervals import QueryError
from jobs.page.macros import TimeRange

KINDS: Final = ("query", "custom", "constant", "interval", "datasource")
NUMBER: Final = re.compile(r".*?(\d+).*")
Options = Sequence[tuple[str, str]]
"""Texts and values."""
Ask = Callable[[str], Awaitable[pl.DataFrame]]
"""Answers a statement whose variables are written in and whose macros are not expanded."""
Given = Mapping[str, Sequence[str]]
"""What a browser names for each variable."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable; `query` is a statement, a list with commas, or a single value, as its kind has it."""

    name: str
    kind: str
    query: str
    multi: bool = False
    include_all: bool = False
    all_value: str | None = None
    regex: str = ""
    applies_to_text: bool = False
    sort: int = 0
    current: tuple[str, ...] = ()

    @property
    def needs(self) -> set[str]:
        """Names that its options depend on."""
        return names_in(self.query) if self.kind == "query" else set()


@dataclass(frozen=True, slots=True)
class Chosen:
    """A variable with its options and what is chosen of them; `replaced` where a given value is no option."""

    variable: Variable
    options: Options
    values: tuple[str, ...]
    replaced: bool

    def value(self) -> Value:
        """What it stands for in a statement."""
        by_value = {value: text for text, value in self.options}
        if self.values == (ALL,):
            if self.variable.all_value:
                return Value(self.variable.all_value, "All", literal=True)
            return Value(tuple(value for _, value in self.options), "All", quotes=True)
        text = " + ".join(by_value.get(each, each) for each in self.values)
        quotes = self.variable.multi or self.variable.include_all
        if self.variable.multi:
            return Value(self.values, text, quotes)
        return Value(self.values[0] if self.values else "", text, quotes)


def variables_of(content: dict[str, Any]) -> tuple[Variable, ...]:
    """The variables of a dashboard; QueryError for a kind that is not known."""
    return tuple(_variable(each) for each in (content.get("templating") or {}).get("list") or [])


def _variable(content: dict[str, Any]) -> Variable:
    name, kind = str(content.get("name")), str(content.get("type"))
    if kind not in KINDS:
        raise QueryError(f"variable {name}: expected a type of {', '.join(KINDS)}; found {kind!r}")
    query = content.get("query")
    if isinstance(query, dict):
        query = query.get("rawSql") or query.get("query")
    if kind == "interval" and content.get("auto"):
        raise QueryError(f"variable {name}: expected an interval variable without auto; found auto")
    current = (content.get("current") or {}).get("value")
    return Variable(
        name,
        kind,
        str(query or ""),
        multi=bool(content.get("multi")),
        include_all=bool(content.get("includeAll")),
        all_value=content.get("allValue") or None,
        regex=str(content.get("regex") or ""),
        applies_to_text=content.get("regexApplyTo") == "text",
        sort=int(content.get("sort") or 0),
        current=tuple(map(str, current)) if isinstance(current, list) else (str(current),) if current else (),
    )


async def choose(variables: Sequence[Variable], given: Given, span: TimeRange, ask: Ask) -> dict[str, Chosen]:
    """Options and choice of every variable, in an order in which each finds what it depends on.

    Where a given value is no option, what the dashboard says is chosen, else all or the first, as Grafana does.
    """
    chosen: dict[str, Chosen] = {}
    for variable in _ordered(variables):
        values = {name: each.value() for name, each in chosen.items()}
        options = await _options(variable, values, span, ask)
        chosen[variable.name] = _chosen(variable, options, given.get(variable.name))
    return {each.name: chosen[each.name] for each in variables}


def _ordered(variables: Sequence[Variable]) -> list[Variable]:
    known, waiting, ordered = {each.name for each in variables}, list(variables), list[Variable]()
    while waiting:
        done = {each.name for each in ordered}
        ready = [each for each in waiting if not (each.needs & known) - done]
        if not ready:
            raise QueryError(f"variables {', '.join(each.name for each in waiting)}: expected no circle; found one")
        ordered += ready
        waiting = [each for each in waiting if each not in ready]
    return ordered


async def _options(variable: Variable, values: Mapping[str, Value], span: TimeRange, ask: Ask) -> Options:
    match variable.kind:
        case "query":
            return options_of(variable, await ask(interpolated(variable.query, values, span)))
        case "custom":
            return custom_options(variable.query)
        case "interval":
            return [(text, text) for each in variable.query.split(",") if (text := each.strip())]
        case "constant":
            return [(variable.query, variable.query)]
    return [("kilowatch", "kilowatch")]


def custom_options(query: str) -> Options:
    r"""Options of a custom variable: `a,b`, `text : value`; a comma within one is written `\,`."""
    options = []
    for part in re.findall(r"(?:\\,|[^,])+", query):
        text = part.replace("\\,", ",")
        pair = re.fullmatch(r"\s*(.+)\s:\s(.+)", text)
        options.append((pair[1].strip(), pair[2].strip()) if pair else (text.strip(), text.strip()))
    return options


def options_of(variable: Variable, rows: pl.DataFrame) -> Options:
    """Options in an answer: columns `__text` and `__value`, else every value of every column, each once."""
    if {"__text", "__value"} <= set(rows.columns):
        found = [(_text(text), _text(value)) for text, value in rows.select("__text", "__value").iter_rows()]
    else:
        found = [(_text(value),) * 2 for column in rows.iter_columns() for value in column]
    found = list({text: (text, value) for text, value in reversed(found)}.values())[::-1]
    found = [pair for text, value in found for pair in _matched(variable, text, value)]
    return _sorted(list({value: (text, value) for text, value in reversed(found)}.values())[::-1], variable.sort)


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def _matched(variable: Variable, text: str, value: str) -> list[tuple[str, str]]:
    """What the regex of a variable makes of an option: groups `text` and `value`, or the first group."""
    if not variable.regex:
        return [(text, value)]
    found = re.fullmatch(r"/(.*)/([a-z]*)", variable.regex, re.DOTALL)
    pattern, flags = (found[1], found[2]) if found else (f"^{variable.regex}$", "")
    compiled = re.compile(re.sub(r"\(\?<(?![=!])", "(?P<", pattern), re.IGNORECASE if "i" in flags else 0)
    subject = text if variable.applies_to_text else value
    matches = list(compiled.finditer(subject))[: None if "g" in flags else 1]
    if not matches:
        return []
    named = {name: group for each in matches for name, group in each.groupdict().items() if group}
    if named:
        return [(named.get("text") or named["value"], named.get("value") or named["text"])]
    if compiled.groups and len(matches) > 1:
        return [(each[1] or "", each[1] or "") for each in matches]
    return [(matches[0][1] or "",) * 2] if compiled.groups else [(text, value)]


def _sorted(options: list[tuple[str, str]], sort: int) -> Options:
    """In the order of Grafana's sort: 1, 2 by letters, 3, 4 by the first number, 5, 6 without case, 7, 8 naturally."""

    def number(text: str) -> int:
        found = NUMBER.match(text)
        return int(found[1]) if found else -1

    def natural(text: str) -> list[tuple[int, int | str]]:
        return [(0, int(part)) if part.isdigit() else (1, part.casefold()) for part in re.split(r"(\d+)", text) if part]

    keys: dict[int, Callable[[tuple[str, str]], Any]] = {
        1: lambda pair: pair[0],
        3: lambda pair: number(pair[0]),
        5: lambda pair: pair[0].lower(),
        7: lambda pair: natural(pair[0]),
    }
    key = keys.get(sort if sort % 2 else sort - 1)
    if key is None:
        return options
    return sorted(options, key=key)[:: 1 if sort % 2 else -1]


def _chosen(variable: Variable, options: Options, given: Sequence[str] | None) -> Chosen:
    known = {value for _, value in options}

    def usable(wanted: Sequence[str]) -> tuple[str, ...]:
        if variable.include_all and ALL in wanted:
            return (ALL,)
        found = tuple(dict.fromkeys(each for each in wanted if each in known))
        return found if variable.multi else found[:1]

    values = usable(given or ()) or usable(variable.current)
    if not values:
        values = (ALL,) if variable.include_all else tuple(value for _, value in options[:1])
    refused = bool(given) and set(given or ()) - known - ({ALL} if variable.include_all else set())
    return Chosen(variable, options, values, bool(refused))
