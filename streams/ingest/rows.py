"""Lines of CSV, JSON objects and MTConnect SHDR to frames of text; lines of the wrong form go to rejects.

Each physical line is one record: a quoted field cannot hold a line break, so that one stray quote costs one line.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final

import numpy as np
import orjson
import polars as pl

from streams.ingest.codec import rejects_of

NEWLINE: Final = 10
QUOTE: Final = 34
REPLACEMENT: Final = "�".encode()
OTHER: Final = "~other"
"""Column of a frame with all other fields of a JSON object, as JSON."""
SHDR_COLUMNS: Final = ("time", "entity", "value")

Rows = tuple[pl.DataFrame, pl.DataFrame]
Wrong = list[tuple[str, bytes]]


def fields_of(line: bytes, delimiter: str) -> list[str]:
    """The fields of one line of CSV, such as a header; none where a field is longer than 131,072 characters."""
    try:
        return next(csv.reader([line.decode("utf-8", "replace")], delimiter=delimiter), [])
    except csv.Error:
        return []


def csv_rows(data: bytes, header: Sequence[str], delimiter: str) -> Rows:
    """Rows as text under the header, empty fields null, and rejects; `data` ends with a newline.

    A line with more or fewer fields than the header, an odd quote or bytes that are no UTF-8 is rejected alone.
    """
    schema = dict.fromkeys(header, pl.String())
    plain = b'"' not in data and data.count(delimiter.encode()) == data.count(b"\n") * (len(header) - 1)
    if plain and is_utf8(data):
        try:  # with the right count of fields overall, a line with fewer means one with more, which Polars refuses
            return pl.read_csv(data, has_header=False, schema=schema, separator=delimiter), rejects_of([])
        except pl.exceptions.PolarsError:
            plain = False
    kept, wrong = _sound_lines(data, len(header), delimiter)
    if not kept:
        return pl.DataFrame(schema=schema), rejects_of(wrong)
    try:
        frame = pl.read_csv(kept, has_header=False, schema=schema, separator=delimiter)
    except pl.exceptions.PolarsError:  # quotes in the middle of a field: the csv module has a rule for them
        frame = _csv_lines(kept, schema, delimiter, wrong)
    return frame, rejects_of(wrong)


def _sound_lines(data: bytes, width: int, delimiter: str) -> tuple[bytes, Wrong]:
    """The lines of `width` fields, and those that are wrong with the reason; blank lines are passed over."""
    buffer = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(buffer == NEWLINE) + 1
    starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]])
    delimiters, odd = buffer == ord(delimiter), np.zeros(len(ends), bool)
    if b'"' in data:
        quotes = buffer == QUOTE
        odd = np.add.reduceat(quotes.view(np.uint8), starts, dtype=np.int64) % 2 == 1
        # Inside is an odd number of quotes since the start of the line, not of the block.
        inside = np.bitwise_xor.accumulate(quotes)
        before = np.concatenate([np.zeros(1, bool), inside[ends[:-1] - 1]])
        delimiters &= ~(inside ^ np.repeat(before, ends - starts))
    fields = np.add.reduceat(delimiters.view(np.uint8), starts, dtype=np.int64) + 1
    lines: list[bytes] = []
    wrong: Wrong = []
    for line, count, is_odd in zip(data.split(b"\n"), fields.tolist(), odd.tolist(), strict=False):
        if not line.strip(b"\r"):
            continue
        if not is_utf8(line):
            wrong.append(("not in the file's encoding", line))
        elif is_odd:
            wrong.append(("odd number of quotes", line))
        elif count != width:
            wrong.append((f"{count} fields under {width} headers", line))
        else:
            lines.append(line + b"\n")
    return b"".join(lines), wrong


def _csv_lines(data: bytes, schema: dict[str, pl.String], delimiter: str, wrong: Wrong) -> pl.DataFrame:
    """Line by line, for lines whose quotes Polars refuses."""
    rows = []
    for line in data.splitlines():
        row = fields_of(line, delimiter)
        if len(row) == len(schema):
            rows.append([item or None for item in row])
        else:
            wrong.append((f"{len(row)} fields under {len(schema)} headers", line))
    return pl.DataFrame(rows, schema=schema, orient="row")


def is_utf8(data: bytes) -> bool:
    """Whether bytes are UTF-8 and hold no replacement character, which stands for bytes of another encoding."""
    if data.isascii():
        return True
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return REPLACEMENT not in data


def json_rows(data: bytes, columns: Sequence[str], skip: Sequence[str]) -> Rows:
    """The named fields of one JSON object a line, as text: nested values as JSON, absent ones null.

    Fields not named, but for those that match a pattern of `skip`, go to the column `OTHER`.
    """
    named = set(columns)
    rows: list[dict[str, str | None]] = []
    wrong: Wrong = []
    for line in data.split(b"\n"):
        if line.strip():
            try:
                item = orjson.loads(line)
            except orjson.JSONDecodeError:
                wrong.append(("not JSON" if is_utf8(line) else "not UTF-8", line))
                continue
            if isinstance(item, dict):
                others = {
                    key: value
                    for key, value in item.items()
                    if key not in named and not any(fnmatchcase(key, pattern) for pattern in skip)
                }
                try:
                    fields = {name: _text(item.get(name)) for name in columns}
                    rows.append({**fields, OTHER: _text(others or None)})
                except orjson.JSONEncodeError:
                    wrong.append(("nested too deeply", line))
            else:
                wrong.append(("not a reading: expected an object", line))
    return pl.DataFrame(rows, schema=dict.fromkeys([*columns, OTHER], pl.String())), rejects_of(wrong)


def _text(value: object) -> str | None:
    """A JSON value as text."""
    return value if isinstance(value, str) or value is None else orjson.dumps(value).decode()


def shdr_rows(data: bytes, conditions: Sequence[str]) -> Rows:
    """Rows of (time, entity, value) as text from `timestamp|item|value|item|value…` (MTConnect adapter protocol).

    Items that match a pattern of `conditions` take the rest of their line; their value is its first field, the level.
    """
    wrong: Wrong = []
    rows: list[tuple[str, str, str | None]] = []
    for raw in data.split(b"\n"):
        line = raw.strip()
        if not line:
            continue
        if not is_utf8(line):
            wrong.append(("not UTF-8", raw))
            continue
        time, *items = line.decode().split("|")
        if line.startswith(b"*"):
            wrong.append(("adapter command, no reading", raw))
        elif len(items) > 1 and any(fnmatchcase(items[0], pattern) for pattern in conditions):
            rows.append((time, items[0], items[1] or None))
        elif not items or len(items) % 2:
            wrong.append((f"{len(items)} fields after the time, expected pairs of item and value", raw))
        else:
            rows += [(time, item, value or None) for item, value in zip(items[::2], items[1::2], strict=True)]
    return pl.DataFrame(rows, schema=dict.fromkeys(SHDR_COLUMNS, pl.String()), orient="row"), rejects_of(wrong)
