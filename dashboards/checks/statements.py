"""The SQL of a dashboard before it is run: macros as Grafana reads them, mart views alone, what both stores know."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from dashboards.checks.found import Checked, targets
from dashboards.query import TYPE, UID
from streams.domain.findings import Finding

CALL: Final = re.compile(r"\$([_a-zA-Z0-9]+)\(([^)]*)\)")
"""A macro as Grafana sees it: its arguments end at the first closing bracket."""
MACROS: Final = frozenset({"__timeFilter", "__timeFrom", "__timeTo", "__timeGroup", "__timeGroupAlias"})
BUILT_IN: Final = frozenset({"__interval", "__interval_ms"})
NAME: Final = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\$(\w+)")
TABLE: Final = re.compile(r"\b(op|raw|fact|mart|run)\.(\w+)")
TIMELESS: Final = frozenset({"point", "site", "point_state", "site_position", "log_position"})
"""Views that say how things stand; every other one is filtered by time."""
BANNED: Final = re.compile(
    r"\b(first|last|locf|time_bucket_gapfill|interpolate|counter_agg|time_bucket|jsonb?_\w+|to_char|strftime)\s*\(",
    re.I,
)
"""Functions that one of the stores does not have, or has otherwise."""


def check(board: Checked) -> Iterator[Finding]:
    """What is wrong with queries of panels and of variables."""
    for panel, target in targets(board):
        source = target.get("datasource", {})
        if (source.get("type"), source.get("uid")) != (TYPE, UID):
            yield board.wrong("source", "another data source", panel, expected=f"{TYPE} {UID}", found=str(source))
        yield from _statement(board, panel, str(target.get("rawSql", "")), set(board.variables))
        if target.get("format") == "time_series" and not re.search(
            r"\$__timeGroupAlias\(|\btime\b", str(target.get("rawSql", ""))
        ):
            yield board.wrong("macro", "a time series without a column `time`", panel, expected="$__timeGroupAlias(…)")
    for panel in board.panels:
        if not panel.get("targets"):
            yield board.wrong("source", "no query", panel)
    earlier: set[str] = set()
    for name, variable in board.variables.items():
        for finding in _statement(board, None, str(variable.get("query", "")), earlier, of_variable=True):
            yield Finding(finding.code, f"variable {name}: {finding.sentence}", board.path, None, finding.expected,
                          finding.found)  # fmt: skip
        earlier.add(name)


def _statement(
    board: Checked, panel: dict[str, Any] | None, text: str, variables: set[str], *, of_variable: bool = False
) -> Iterator[Finding]:
    code = re.sub(r"--[^\n]*", "", text)
    for found in CALL.finditer(code):
        if found[1] not in MACROS:
            yield board.wrong("macro", "unknown macro", panel, expected=", ".join(sorted(MACROS)), found=f"${found[1]}")
        if "(" in found[2]:
            yield board.wrong(
                "macro", "brackets within a macro, which ends at the first `)`", panel, found=f"{found[0]}…"
            )
        if found[1] == "__timeGroup" and code[found.end() : found.end() + 1] == ",":
            yield board.wrong(
                "macro", "$__timeGroup(…) before a comma becomes $__timeGroupAlias(…)", panel, found=found[0]
            )
    for found in NAME.finditer(CALL.sub("", code)):
        name = found[1] or found[3]
        if name in MACROS:
            yield board.wrong("macro", "a macro without brackets", panel, found=f"${name}")
        elif name not in variables | BUILT_IN:
            yield board.wrong("variable", "unknown variable", panel, found=f"${name}")
        elif name in variables and found[2] != "sqlstring":
            yield board.wrong("variable", "a variable that is not quoted", panel, expected=f"${{{name}:sqlstring}}")
    views = set(TABLE.findall(code))
    for schema, name in sorted(views):
        if schema != "mart":
            yield board.wrong("view", "a table that is no mart view", panel, found=f"{schema}.{name}")
    if not views:
        yield board.wrong("view", "no mart view", panel, found=code.strip()[:60])
    if found_banned := BANNED.search(code):
        yield board.wrong("function", "a function that not both stores have", panel, found=found_banned[1])
    timed = {name for _, name in views} - TIMELESS
    if timed and not of_variable and not re.search(r"\$__time(Filter|From|To)\(", code):
        views_named = ", ".join(f"mart.{name}" for name in sorted(timed))
        yield board.wrong("macro", f"{views_named} without the time range", panel, expected="$__timeFilter(…)")
