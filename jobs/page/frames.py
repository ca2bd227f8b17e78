"""Rows as Grafana's frames: what its PostgreSQL data source makes of an answer, in the shape of `/api/ds/query`.

`time_series` needs a column named exactly `time`, which becomes `Time`; every other column but text becomes a number;
text columns become labels, so that a long answer becomes wide, if its times ascend. An answer of exactly three columns,
one of them the text `metric`, names its series by it. Stricter than Grafana: times must ascend in a wide answer, too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal

import polars as pl

from jobs.page.intervals import QueryError
from jobs.page.macros import Fill, TimeRange

MOST_ROWS: Final = 100_000
Kind = Literal["time", "number", "string", "boolean"]
Format = Literal["time_series", "table"]


@dataclass(frozen=True, slots=True)
class Field:
    """One column: times are UTC milliseconds; `labels` are those of a series."""

    name: str
    kind: Kind
    values: list[Any]
    labels: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """An answer: fields of one length, and what a person should know of it. Without rows it has no fields."""

    fields: list[Field]
    notices: list[str] = field(default_factory=list)

    def as_json(self, ref_id: str) -> dict[str, Any]:
        """The frame as DataFrameJSON of @grafana/data has it; not-a-number and infinities are told apart."""
        schema: dict[str, Any] = {"refId": ref_id, "fields": []}
        if self.notices:
            schema["meta"] = {"notices": [{"severity": "warning", "text": text} for text in self.notices]}
        values, entities = [], []
        for each in self.fields:
            described: dict[str, Any] = {"name": each.name, "type": each.kind}
            if each.labels:
                described["labels"] = each.labels
            schema["fields"].append(described)
            odd = _odd_numbers(each)
            entities.append(odd)
            values.append(each.values)
        data: dict[str, Any] = {"values": values}
        if any(entities):
            data["entities"] = entities
        return {"schema": schema, "data": data}


def frame_of(rows: pl.DataFrame, form: Format, span: TimeRange, fill: Fill | None = None) -> Frame:
    """The frame of an answer; QueryError where Grafana would show an error."""
    notices = []
    if len(rows) > MOST_ROWS:
        rows = rows.head(MOST_ROWS)
        notices.append(f"Results have been limited to {MOST_ROWS} because the SQL row limit was reached")
    if rows.is_empty():
        return Frame([], notices)
    columns = {name: _column(rows[name], as_time=_is_time(name, form)) for name in rows.columns}
    if form == "table":
        return Frame([_field(name, values) for name, values in columns.items()], notices)
    if "time" not in columns:
        raise QueryError(
            "db has no time column: time column is missing; make sure your data includes a time column (named time) "
            "for time series format or switch to a table format that doesn't require it"
        )
    series = pl.DataFrame({name: _as_number(name, values) for name, values in columns.items()})
    fields = _series(series.rename({"time": "Time"}), [_kind(values) for values in columns.values()])
    if fill is not None:
        fields, skipped = _filled(fields, span, fill)
        notices += skipped
    return Frame(fields, notices)


def _is_time(name: str, form: Format) -> bool:
    """Whether numbers of a column are moments: seconds, milliseconds or nanoseconds since 1970."""
    return name == "time" or (form == "table" and name.lower() == "timeend")


def _column(values: pl.Series, *, as_time: bool) -> pl.Series:
    """A column with one of four types: Int64 or Float64, String, Boolean, Datetime in ms."""
    dtype = values.dtype
    if dtype == pl.Null:
        return values.cast(pl.String)
    if isinstance(dtype, pl.Datetime | pl.Date):
        return values.cast(pl.Datetime("ms"))
    if dtype in (pl.Boolean, pl.String):
        return _moments(values) if as_time else values
    if dtype.is_integer() and dtype not in (pl.Int128, pl.UInt64):
        return _moments(values) if as_time else values.cast(pl.Int64)
    if dtype.is_numeric():
        return _moments(values) if as_time else values.cast(pl.Float64)
    raise QueryError(
        f"column {values.name}: expected numbers, text, true or false, or moments; found {dtype}; cast it in the query"
    )


def _moments(values: pl.Series) -> pl.Series:
    """Numbers as moments: of ten digits before the point seconds, of nineteen nanoseconds, of others milliseconds."""
    if not values.dtype.is_numeric():
        raise QueryError("failed to convert time column: unable to convert data to a time field")
    numbers = values.cast(pl.Float64)
    size = numbers.abs()
    factor = (
        pl.when((size >= 1e9) & (size < 1e10)).then(1e3).when((size >= 1e18) & (size < 1e19)).then(1e-6).otherwise(1.0)
    )
    scaled = (numbers * pl.select(factor).to_series()).cast(pl.Int64)
    return scaled.cast(pl.Datetime("ms")).rename(values.name)


def _kind(values: pl.Series) -> Kind:
    if isinstance(values.dtype, pl.Datetime):
        return "time"
    if values.dtype == pl.String:
        return "string"
    return "boolean" if values.dtype == pl.Boolean else "number"


def _field(name: str, values: pl.Series, labels: dict[str, str] | None = None) -> Field:
    kind = _kind(values)
    return Field(name, kind, (values.cast(pl.Int64) if kind == "time" else values).to_list(), labels)


def _as_number(name: str, values: pl.Series) -> pl.Series:
    """A column of a series: text and the time stay, all others become numbers."""
    if name == "time" or values.dtype == pl.String:
        return values
    return (values.cast(pl.Int64) if isinstance(values.dtype, pl.Datetime) else values).cast(pl.Float64)


def _series(rows: pl.DataFrame, kinds: list[Kind]) -> list[Field]:
    """The time, then the values in the order of their columns; of long rows by name and labels."""
    factors = [name for name in rows.columns if rows[name].dtype == pl.String]
    values = [name for name in rows.columns if name not in (*factors, "Time")]
    times = rows["Time"]
    if not factors or not values:
        if not times.is_sorted():
            raise QueryError("expected times that ascend; found another order; end the query with: order by time")
        return [_field(name, rows[name]) for name in rows.columns]
    if times.null_count():
        raise QueryError("can not convert to wide series, input has null time values")
    if not times.is_sorted():
        raise QueryError("long series must be sorted ascending by time to be converted")
    wide = _wide(rows, factors, values)
    if len(kinds) == 3 and factors == ["metric"]:
        return [each if each.labels is None else Field(each.labels["metric"], each.kind, each.values) for each in wide]
    return wide


def _wide(rows: pl.DataFrame, factors: list[str], values: list[str]) -> list[Field]:
    rows = rows.with_columns(pl.col(factors).fill_null(""))
    times = rows.select("Time").unique(maintain_order=True)
    series = []
    for key, part in rows.partition_by(factors, as_dict=True, maintain_order=True).items():
        labels = dict(zip(factors, map(str, key), strict=True))
        last = part.unique("Time", keep="last", maintain_order=True)
        placed = times.join(last, on="Time", how="left", maintain_order="left")
        series += [_field(name, placed[name], labels) for name in values]
    series.sort(key=lambda each: (each.name, *(each.labels or {}).values()))
    return [_field("Time", times["Time"]), *series]


def _filled(fields: list[Field], span: TimeRange, fill: Fill) -> tuple[list[Field], list[str]]:
    """Series at every interval of the range: the last value of each, or what the fill says where there is none."""
    step_ms = round(fill.interval_s * 1000)
    if step_ms <= 0 or any(each.kind == "string" for each in fields[1:]):
        return fields, []
    whole_s = max(int(fill.interval_s), 1)
    begins = span.from_ms // 1000 // whole_s * whole_s * 1000
    if (span.to_ms - begins) // step_ms > MOST_ROWS:
        return fields, ["Fill operation skipped: it would require more points than the row limit"]
    at = [each.kind for each in fields].index("time")
    times = fields[at].values
    grid, filled = list(range(begins, span.to_ms + 1, step_ms)), [[] for _ in fields]  # type: list[int], list[list[Any]]
    row, seen = 0, -1
    for now in grid:
        fresh = -1
        while row < len(times) and times[row] <= now:
            fresh = row if times[row] > now - step_ms else fresh
            seen, row = row, row + 1
        for column, each in zip(filled, fields, strict=True):
            column.append(_value_at(each, fresh, seen, fill))
    filled[at] = grid
    return [Field(each.name, each.kind, column, each.labels) for each, column in zip(fields, filled, strict=True)], []


def _value_at(each: Field, fresh: int, seen: int, fill: Fill) -> Any:  # noqa: ANN401 - a cell
    if fresh >= 0:
        return each.values[fresh]
    if fill.mode == "value":
        return fill.value
    return each.values[seen] if fill.mode == "previous" and seen >= 0 else None


def _odd_numbers(each: Field) -> dict[str, list[int]] | None:
    """Where a column holds what JSON has no word for."""
    if each.kind != "number":
        return None
    odd: dict[str, list[int]] = {}
    for row, value in enumerate(each.values):
        if isinstance(value, float) and not math.isfinite(value):
            odd.setdefault("NaN" if math.isnan(value) else "Inf" if value > 0 else "NegInf", []).append(row)
    return odd or None


def moment_ms(moment: datetime) -> int:
    """UTC milliseconds of a moment of a store, which has no zone."""
    return round(moment.replace(tzinfo=UTC).timestamp() * 1000)
