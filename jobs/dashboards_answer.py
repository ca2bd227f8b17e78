"""What an answer must be for its panel to show it: columns that are named, times that ascend, states that are codes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import polars as pl

from dashboards.checks.found import Checked, named_columns, properties
from streams.domain.findings import Finding

SERIES: Final = ("timeseries", "state-timeline")
ONE_ROW: Final = ("stat", "gauge")


def check(board: Checked, panel: dict[str, Any], rows: pl.DataFrame) -> Iterator[Finding]:
    """What is wrong with the answer to a panel's query."""
    kind = str(panel.get("type"))
    if kind in SERIES:
        yield from _series(board, panel, rows)
    elif kind == "table":
        yield from _named(board, panel, list(rows.columns))
    elif panel.get("options", {}).get("reduceOptions", {}).get("values"):
        yield from _row_wise(board, panel, rows)
    elif kind in ONE_ROW:
        yield from _named(board, panel, list(rows.columns))
        if len(rows) > 1:
            yield board.wrong("answer", "more than one row", panel, expected="one", found=str(len(rows)))
        for name in _texts(rows):
            yield board.wrong("answer", f"column {name} is no number", panel, found=str(rows.schema[name]))


def is_empty(rows: pl.DataFrame) -> bool:
    """Whether there is nothing to show: no row, or none with a value."""
    values = [name for name in rows.columns if name not in ("time", "metric")]
    return rows.is_empty() or rows.select(pl.col(values).is_null().all()).row(0) == (True,) * len(values)


def _named(board: Checked, panel: dict[str, Any], columns: list[str]) -> Iterator[Finding]:
    """Each column has an override of its own, and each override its column."""
    named = named_columns(panel)
    for name in named:
        if name not in columns:
            yield board.wrong("column", "the query has no such column", panel, expected=name, found=", ".join(columns))
    for name in columns:
        if name not in named:
            yield board.wrong("column", f"column {name} has neither a name nor a unit", panel)


def _row_wise(board: Checked, panel: dict[str, Any], rows: pl.DataFrame) -> Iterator[Finding]:
    """A bar a row: one number, named by the texts of its row."""
    numbers = [name for name in rows.columns if name not in _texts(rows)]
    if len(numbers) != 1 or len(numbers) == len(rows.columns):
        yield board.wrong("answer", "expected texts and one number a row", panel, found=", ".join(rows.columns))
    for name in named_columns(panel):
        if name not in rows.columns:
            yield board.wrong(
                "column", "the query has no such column", panel, expected=name, found=", ".join(rows.columns)
            )
    for matcher, name, _ in properties(panel):
        if name == "displayName" and matcher.get("options") in numbers:
            yield board.wrong("answer", "every bar would have the same name", panel, found=str(matcher.get("options")))


def _series(board: Checked, panel: dict[str, Any], rows: pl.DataFrame) -> Iterator[Finding]:
    columns = list(rows.columns)
    if "time" not in columns:
        yield board.wrong("answer", "no column `time`", panel, found=", ".join(columns))
        return
    times = rows["time"]
    if not (times.dtype.is_temporal() or times.dtype.is_numeric() or times.dtype == pl.Null):
        yield board.wrong("answer", "`time` is no moment", panel, found=str(times.dtype))
        return
    if times.null_count() or not times.is_sorted():
        yield board.wrong("answer", "times do not ascend", panel, expected="order by time")
    texts = _texts(rows)
    values = [name for name in columns if name not in (*texts, "time")]
    if texts and (texts != ["metric"] or len(columns) != 3):
        yield board.wrong(
            "answer", "a text becomes a label, not a value", panel,
            expected="numbers, or time, metric and one number", found=", ".join(columns),
        )  # fmt: skip
    if not values:
        yield board.wrong("answer", "no number to draw", panel, found=", ".join(columns))
    if not texts:
        yield from _named(board, panel, values)
    if panel.get("type") == "state-timeline":
        yield from _states(board, panel, rows, values)


def _states(board: Checked, panel: dict[str, Any], rows: pl.DataFrame, values: list[str]) -> Iterator[Finding]:
    """States are codes, and each code has a name."""
    mappings = panel.get("fieldConfig", {}).get("defaults", {}).get("mappings", [])
    known = {code for mapping in mappings for code in mapping.get("options", {})}
    for name in values:
        for state in rows[name].drop_nulls().unique().to_list():
            if not float(state).is_integer() or str(int(state)) not in known:
                yield board.wrong("answer", f"state {state} of {name} has no name", panel, expected=", ".join(known))


def _texts(rows: pl.DataFrame) -> list[str]:
    return [name for name, dtype in rows.schema.items() if dtype == pl.String]
