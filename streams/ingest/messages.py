"""Many messages of a log to one frame of readings, each row with the number of its message.

A message is what `docs/telemetry.md` describes: a reading, a list of readings, a columnar batch, or lines of these.
Plain messages are decoded together, and so are the others, so that an odd gateway slows nobody else down. Both ways
give the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, Final

import numpy as np
import orjson
import polars as pl

from streams.ingest.codec import NO_REJECTS, Decoded, Gathered, framed, rejects_of
from streams.ingest.plain import plain_rows

MOST_READINGS: Final = 100_000
"""Readings in one message; whoever has more sends more messages."""
MOST_BYTES: Final = 16 * 1024 * 1024
Parsed = tuple[int, bytes, list[Any] | None, int]
"""Number of a message, its bytes, its readings and batches if it is JSON throughout, and how many readings it holds."""


def decode_messages(values: Sequence[bytes]) -> Decoded:
    """Decode messages; readings and rejects have a column `message` (Int64), whose order they keep.

    What cannot be read is a reject with its reason: a message, a line of it or a reading.
    """
    refused: list[tuple[int, str, bytes]] = []
    parsed: list[Parsed] = []
    for number, value in enumerate(values):
        if len(value) > MOST_BYTES:
            refused.append((number, f"more than {MOST_BYTES >> 20} MiB in a message: {len(value):,} bytes", value))
            continue
        parts = _parts(value)
        count = value.count(b"\n") if parts is None else _count(value, parts)
        if count > MOST_READINGS:
            what = "lines" if parts is None else "readings"
            refused.append((number, f"more than {MOST_READINGS:,} {what} in a message: {count:,}", value))
        else:
            parsed.append((number, value, parts, count))
    quick = _plain(parsed)
    odd: list[Parsed] = []
    if parsed and quick is None:
        good = [each for each in parsed if _plain([each]) is not None]
        quick = _plain(good)
        numbers = {each[0] for each in good} if quick else set[int]()  # plain alone, and perhaps not together
        odd = [each for each in parsed if each[0] not in numbers]
    found = [each for each in (quick, _gathered(odd) if odd else None, _refused(refused)) if each]
    if len(found) == 1:
        return found[0]
    return Decoded(*(pl.concat(parts).sort("message", maintain_order=True) for parts in _columns(found)))


def _columns(found: list[Decoded]) -> tuple[list[pl.DataFrame], list[pl.DataFrame]]:
    return [each.readings for each in found], [each.rejects for each in found]


def _parts(value: bytes) -> list[Any] | None:
    """The readings and batches of a message, or None where a line of it is no JSON."""
    try:
        whole = orjson.loads(value)
    except orjson.JSONDecodeError:
        lines = [line for line in value.split(b"\n") if line.strip()]
        if len(lines) < 2:
            return None
        try:
            return list(chain.from_iterable(_listed(orjson.loads(line)) for line in lines))
        except orjson.JSONDecodeError:
            return None
    return _listed(whole)


def _listed(whole: Any) -> list[Any]:  # noqa: ANN401 - any JSON
    return whole if isinstance(whole, list) else [whole]


def _count(value: bytes, parts: list[Any]) -> int:
    """How many readings a message holds: as many as parts, unless lists in it may be columns."""
    if value.count(b"[") == value.startswith(b"["):
        return len(parts)
    times = [part.get("time") for part in parts if type(part) is dict]
    return len(parts) if list not in map(type, times) else sum(len(each) if type(each) is list else 1 for each in times)


def _plain(parsed: Sequence[Parsed]) -> Decoded | None:
    if not parsed or any(parts is None for _, _, parts, _ in parsed):
        return None
    columns = plain_rows(list(chain.from_iterable(parts or [] for _, _, parts, _ in parsed)))
    if columns is None:
        return None
    number, count = np.array([(each[0], each[3]) for each in parsed], dtype=np.int64).T
    return Decoded(framed(*columns).hstack([pl.Series("message", number.repeat(count))]), _numbered(NO_REJECTS, []))


def _gathered(parsed: Sequence[Parsed]) -> Decoded:
    rows = Gathered()
    for number, value, parts, _ in parsed:
        if not value.strip():
            rows.rejects.append(("empty message", value))
        if parts is None:
            for line in value.split(b"\n"):
                if line.strip():
                    rows.add_line(line)
        else:
            for part in parts:
                rows.add(part)
        rows.close(number)
    found = rows.decoded()
    return Decoded(found.readings, found.rejects.sort("message", maintain_order=True))


def _refused(refused: list[tuple[int, str, bytes]]) -> Decoded:
    rejects = rejects_of((reason, value) for _, reason, value in refused)
    none = framed([], np.zeros(0, dtype=np.int64), np.zeros(0))
    return Decoded(_numbered(none, []), _numbered(rejects, [number for number, _, _ in refused]))


def _numbered(rows: pl.DataFrame, numbers: list[int]) -> pl.DataFrame:
    return rows.hstack([pl.Series("message", numbers, dtype=pl.Int64)])
