"""The quick way through JSON lines that hold nothing but `point`, `time` and `value`: no frame until the end.

For a few hundred readings a frame costs more than the readings do; and a columnar batch is lists already. Whatever is
not plain is left, whole, to the careful ways of `codec`, which say what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray

from streams.ingest.times import epoch_ms, times_ms

Int = NDArray[np.int64]

FIELDS: Final = ("point", "time", "value")
LARGEST_TIME: Final = 10**18
ISO: Final = re.compile(r"(?:(?!0000)[0-9]{4}(?:-[0-9]{2}){2}T[0-9]{2}(?::[0-9]{2}){2}(?:\.[0-9]{3})?Z(?:\n|\Z))+")


Columns = tuple[list[str], Int, NDArray[np.float64]]


def plain_readings(data: bytes) -> Columns | None:
    """Point, UTC ms and value of each reading, or None unless every line is plain and without fault."""
    rows = _objects(data[:-1] if data.endswith(b"\n") else data)
    return None if rows is None else plain_rows(rows)


def plain_rows(rows: list[Any]) -> Columns | None:
    """The same of parsed readings and columnar batches."""
    if set(map(type, rows)) != {dict} or set(map(len, rows)) != {3}:
        return None
    try:
        points, times, values = ([row[name] for row in rows] for name in FIELDS)
    except KeyError:
        return None
    kinds = set(map(type, times))
    if list in kinds:
        columns = _unpacked(points, times, values)
        if columns is None:
            return None
        points, times, values = columns
        kinds = set(map(type, times))
    if set(map(type, points)) != {str} or not set(map(type, values)) <= {int, float} or "" in points:
        return None
    time_ms = _times(times, kinds)
    value = np.array(values, dtype=np.float64)
    if time_ms is None or not np.isfinite(value).all():
        return None
    return points, time_ms, value


def _objects(data: bytes) -> list[Any] | None:
    """Parse lines as one array, or None: each line must begin and end with the only two braces that it has.

    As many objects as lines can then only be one object a line: none spans lines, and no line holds two.
    """
    text = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(text == ord("\n"))
    opened, closed = text == ord("{"), text == ord("}")
    count = len(ends) + 1
    if not np.count_nonzero(opened) == np.count_nonzero(closed) == count or not (opened[0] and closed[-1]):
        return None
    if not (closed[ends - 1].all() and opened[ends + 1].all()):
        return None
    try:
        rows: list[Any] = orjson.loads(b"[" + data.replace(b"\n", b",") + b"]")
    except orjson.JSONDecodeError:
        return None
    return rows if len(rows) == count else None


def _unpacked(points: list[Any], times: list[Any], values: list[Any]) -> tuple[list[Any], list[Any], list[Any]] | None:
    """The columns of readings and columnar batches one behind the other; a batch's point may be one for all."""
    every: tuple[list[Any], list[Any], list[Any]] = ([], [], [])
    for point, moments, measured in zip(points, times, values, strict=True):
        many = type(moments) is list
        if many != (type(measured) is list) or (many and len(moments) != len(measured)):
            return None
        mine = point if type(point) is list else [point] * (len(moments) if many else 1)
        if many and len(mine) != len(moments):
            return None
        every[0].extend(mine)
        every[1].extend(moments if many else [moments])
        every[2].extend(measured if many else [measured])
    return every


def _times(times: Sequence[Any], kinds: set[type]) -> Int | None:
    """UTC ms of texts or of whole numbers; None where one is not a time."""
    if kinds == {str, int}:
        are_texts = np.array([type(time) is str for time in times])
        texts = _times([time for time in times if type(time) is str], {str})
        numbers = _times([time for time in times if type(time) is int], {int})
        if texts is None or numbers is None:
            return None
        found = np.empty(len(times), dtype=np.int64)
        found[are_texts], found[~are_texts] = texts, numbers
        return found
    if kinds == {str}:
        different = list(dict.fromkeys(times))  # the points of a gateway are read at one time
        parsed = iso_ms(different)
        if parsed is None:
            column = times_ms(pl.Series("time", different, dtype=pl.String))
            if column.null_count():
                return None
            parsed = column.to_numpy()
        place = dict(zip(different, parsed.tolist(), strict=True))
        return parsed if len(different) == len(times) else np.array([place[time] for time in times], dtype=np.int64)
    if kinds == {int} and min(times) > -LARGEST_TIME and max(times) < LARGEST_TIME:
        column = epoch_ms(pl.Series("time", times, dtype=pl.Int64))
        return None if column.null_count() else column.to_numpy()
    return None


def iso_ms(times: Sequence[str]) -> Int | None:
    """UTC ms of times that all read like `2026-01-01T00:00:00Z`, with milliseconds or without; else None."""
    if not ISO.fullmatch("\n".join(times)):
        return None
    try:
        return np.array([time[:-1] for time in times], dtype="datetime64[ms]").astype(np.int64)
    except ValueError:  # the 30th of February
        return None
