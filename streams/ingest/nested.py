"""Values that are neither number, text nor time: what JSON nests and Parquet types allow, as text that can be kept."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path
from typing import Final

import orjson
import polars as pl

from streams.domain.findings import IngestError

TOO_DEEP: Final = b"nested too deeply to be written again"


def as_json(value: object) -> bytes | None:
    """JSON of a parsed JSON value; None where it is nested deeper (254 levels) than can be written again."""
    try:
        return orjson.dumps(value).decode().encode()  # a copy: what orjson gives keeps hold of kilobytes each
    except orjson.JSONEncodeError:
        return None


def plain_columns(frame: pl.DataFrame, needed: Container[str], path: Path) -> pl.DataFrame:
    """The frame with bytes as text (U+FFFD for what is no UTF-8) and nested values and durations as JSON.

    IngestError where a column of `needed`, which becomes point, time or value, is of such a type.
    """
    return frame.with_columns(_plain(column, column.name in needed, path) for column in frame)


def _plain(column: pl.Series, needed: bool, path: Path) -> pl.Series:
    if column.dtype == pl.Binary:
        texts = [None if item is None else item.decode("utf-8", "replace") for item in column.to_list()]
    elif column.dtype.is_nested() or column.dtype in (pl.Duration, pl.Object):
        if needed:
            raise IngestError(
                f"{path}: column {column.name!r}: expected numbers, texts or times; found the type {column.dtype}"
            )
        texts = [None if item is None else orjson.dumps(item, default=_written).decode() for item in column.to_list()]
    else:
        return column
    return pl.Series(column.name, texts, dtype=pl.String)


def _written(item: object) -> str:
    """What orjson knows no JSON for: bytes, durations, decimals."""
    return item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item)
