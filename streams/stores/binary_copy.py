"""PostgreSQL's binary COPY: frames to its bytes, and its bytes to frames, many rows at a time.

Rows whose nulls and words are alike have one layout, so that an array of structures holds them as they go over the
wire. The format: https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format".
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain, repeat
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER: Final = b"\xff\xff"
NULL: Final = struct.pack(">i", -1)
DAYS_TO_2000: Final = (date(2000, 1, 1) - date(1970, 1, 1)).days
US_TO_2000: Final = DAYS_TO_2000 * 86_400_000_000
MOST_LAYOUTS: Final = 64
"""With more layouts than this, rows are written one by one."""
PIECE_ROWS: Final = 20_000
PIECE_BYTES: Final = 1 << 20

Kind = pl.DataType | type[pl.DataType]
FIXED: Final[dict[int, tuple[str, Kind]]] = {
    16: ("?", pl.Boolean),
    20: (">i8", pl.Int64),
    21: (">i2", pl.Int16),
    23: (">i4", pl.Int32),
    701: (">f8", pl.Float64),
    1082: (">i4", pl.Date),
    1114: (">i8", pl.Datetime("us")),
}
"""Types of one width by their number: how they lie, and what they become."""
FORMS: Final = {kind.base_type(): form for form, kind in FIXED.values()}


@dataclass(frozen=True, slots=True)
class _Column:
    """A column as it goes out. `values` are numbers of one width (None for texts and bytes).

    `words[layout[row]]` is what stands in the place of a number, length first; None where the number stands.
    """

    name: str
    values: NDArray[Any] | None
    words: Sequence[bytes | None]
    layout: NDArray[np.int64] | None

    @classmethod
    def of(cls, column: pl.Series) -> _Column:
        form = FORMS.get(column.dtype.base_type())
        if form is None:
            different = column.unique()
            if len(different) == 1:
                return cls(column.name, None, [_word(different[0])], None)
            places = pl.DataFrame({"word": different, "place": np.arange(len(different))})
            found = column.to_frame("word").join(places, on="word", how="left", nulls_equal=True, maintain_order="left")
            return cls(column.name, None, [_word(each) for each in different], found["place"].to_numpy())
        count = column.null_count()
        if count == len(column):
            return cls(column.name, None, [NULL], None)
        values = _numbers(column).astype(form)
        if not count:
            return cls(column.name, values, [None], None)
        return cls(column.name, values, [None, NULL], column.is_null().to_numpy().astype(np.int64))

    def each(self) -> Iterable[bytes]:
        """What stands in each row, length first."""
        if self.values is None:
            return (
                repeat(self.words[0] or NULL) if self.layout is None else [self.words[at] or NULL for at in self.layout]
            )
        size = 4 + self.values.itemsize
        whole = _alike([self], None, len(self.values), fields=False)
        numbers = [whole[begin : begin + size] for begin in range(0, len(whole), size)]
        if self.layout is None:
            return numbers
        return [self.words[at] or number for at, number in zip(self.layout.tolist(), numbers, strict=True)]


def encoded(rows: pl.DataFrame) -> Iterator[bytes]:
    """The bytes of a COPY of rows, in pieces; their order may change. The types must be the table's own."""
    yield HEADER
    for begin in range(0, len(rows), PIECE_ROWS):
        yield _piece(rows[begin : begin + PIECE_ROWS])
    yield TRAILER


def _piece(rows: pl.DataFrame) -> bytes:
    columns = [_Column.of(column) for column in rows]
    layout = np.zeros(len(rows), dtype=np.int64)
    for column in columns:
        if column.layout is not None:
            if len(column.words) > MOST_LAYOUTS:
                return _one_by_one(columns)
            _, layout = np.unique(layout * len(column.words) + column.layout, return_inverse=True)
            if layout.max() >= MOST_LAYOUTS:
                return _one_by_one(columns)
    if not layout.any():
        return _alike(columns, None, len(rows))
    groups = (np.flatnonzero(layout == each) for each in range(int(layout.max()) + 1))
    return b"".join(_alike(columns, which, len(which)) for which in groups)


def _alike(columns: Sequence[_Column], which: NDArray[np.int64] | None, count: int, *, fields: bool = True) -> bytes:
    """Rows of one layout."""
    form: list[tuple[str, str]] = [("fields", ">i2")] if fields else []
    filled: list[tuple[str, Any]] = [("fields", len(columns))] if fields else []
    for column in columns:
        word = column.words[0 if column.layout is None or which is None else column.layout[which[0]]]
        if word is not None:
            form.append((f"{column.name}.word", f"V{len(word)}"))
            filled.append((f"{column.name}.word", np.void(word)))
        elif column.values is not None:
            form += [(f"{column.name}.length", ">i4"), (column.name, column.values.dtype.str)]
            values = column.values if which is None else column.values[which]
            filled += [(f"{column.name}.length", column.values.itemsize), (column.name, values)]
    table = np.empty(count, dtype=form)
    for name, values in filled:
        table[name] = values
    return table.tobytes()


def _one_by_one(columns: Sequence[_Column]) -> bytes:
    """Rows of any layouts."""
    count = repeat(struct.pack(">h", len(columns)))
    rows = zip(count, *(column.each() for column in columns), strict=False)
    return b"".join(chain.from_iterable(rows))


def _word(value: str | bytes | None) -> bytes:
    if value is None:
        return NULL
    said = value.encode() if isinstance(value, str) else value
    return struct.pack(">i", len(said)) + said


def _numbers(column: pl.Series) -> NDArray[Any]:
    """The numbers of a column, with 0 for null."""
    if column.dtype == pl.Boolean:
        return column.fill_null(value=False).to_numpy()
    if column.dtype == pl.Date:
        return column.to_physical().fill_null(0).to_numpy() - DAYS_TO_2000
    if column.dtype.base_type() == pl.Datetime:
        return column.dt.epoch("us").fill_null(0).to_numpy() - US_TO_2000
    return column.fill_null(0).to_numpy()


Blocks = Iterable[bytes | bytearray | memoryview]


def decoded(blocks: Blocks, columns: Sequence[tuple[str, int]]) -> pl.DataFrame | None:
    """Rows of the blocks of a COPY. `columns` are names and numbers of types in FIXED; None where a value is null."""
    form: list[tuple[str, str]] = [("fields", ">i2")]
    for at, (_, kind) in enumerate(columns):
        form += [(f"length{at}", ">i4"), (f"value{at}", FIXED[kind][0])]
    row = np.dtype(form)
    parts: list[list[NDArray[Any]]] = [[] for _ in columns]
    for rows in _rows(blocks, row):
        for at, part in enumerate(parts):
            values = rows[f"value{at}"]
            if (rows[f"length{at}"] != values.itemsize).any():
                return None
            part.append(values.astype(values.dtype.newbyteorder("=")))
    return pl.DataFrame(
        [
            _series(name, np.concatenate(part) if part else np.zeros(0, FIXED[kind][0][-2:]), FIXED[kind][1])
            for (name, kind), part in zip(columns, parts, strict=True)
        ]
    )


def _rows(blocks: Blocks, row: np.dtype[Any]) -> Iterator[NDArray[Any]]:
    """Whole rows, some thousands at a time; rows that hold a null are shorter, and their lengths tell."""
    waiting: list[bytes | bytearray | memoryview] = []
    size, skipped = 0, len(HEADER)
    for block in blocks:
        waiting.append(block)
        size += len(block)
        if size >= PIECE_BYTES:
            whole = b"".join(waiting)
            end = skipped + (size - skipped) // row.itemsize * row.itemsize
            yield np.frombuffer(whole[skipped:end], dtype=row)
            waiting, size, skipped = [whole[end:]], len(whole) - end, 0
    whole = b"".join(waiting)[skipped:]
    count, rest = divmod(len(whole) - len(TRAILER), row.itemsize)
    yield np.frombuffer(whole[: count * row.itemsize], dtype=row)
    if rest:
        yield np.zeros(1, dtype=row)


def _series(name: str, values: NDArray[Any], kind: Kind) -> pl.Series:
    """A column as it lies in a binary COPY."""
    if kind == pl.Date:
        return pl.Series(name, values.astype(np.int32) + DAYS_TO_2000).cast(pl.Date)
    if kind == pl.Datetime("us"):
        return pl.Series(name, values.astype(np.int64) + US_TO_2000).cast(pl.Datetime("us"))
    return pl.Series(name, values)
