"""Few large messages out of many small ones, and several out of one that is too large.

A message for Kafka is the lines of one site and gateway. What Faust or any consumer costs, it costs by message.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from streams.ingest.records import Record, unreadable

PACK_BYTES: Final = 256 << 10
MOST_BYTES: Final = 900_000
"""The largest message that is sent: below Kafka's own limit of 1 MiB a batch, uncompressed."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A message for Kafka. `received_ms` is the latest arrival of its parts; `tick_ms` as in Record."""

    site: str
    gateway: str
    value: bytes
    received_ms: int
    tick_ms: int | None = None


def pack(records: Iterable[Record], pack_bytes: int = PACK_BYTES, most_bytes: int = MOST_BYTES) -> list[Packed]:
    """Join what is of one site and gateway, in order, up to `pack_bytes` a message; cut what is above `most_bytes`."""
    packed: list[Packed] = []
    waiting: dict[tuple[str, str], list[tuple[bytes, int]]] = {}
    sizes: dict[tuple[str, str], int] = {}

    def close(key: tuple[str, str]) -> None:
        parts = waiting.pop(key, [])
        sizes.pop(key, None)
        if parts:
            lines, arrivals = zip(*parts, strict=True)
            packed.append(Packed(*key, b"\n".join(lines), max(arrivals)))

    for record in records:
        key = (record.site, record.gateway)
        if record.tick_ms is not None:
            packed.append(Packed(*key, record.value, record.received_ms, record.tick_ms))
            continue
        for piece in pieces(record.value, most_bytes, record.gateway):
            if sizes.get(key, 0) + len(piece) > pack_bytes:
                close(key)
            waiting.setdefault(key, []).append((piece, record.received_ms))
            sizes[key] = sizes.get(key, 0) + len(piece) + 1
    for key in list(waiting):
        close(key)
    return packed


def pieces(value: bytes, most_bytes: int, source: str = "") -> Iterator[bytes]:
    """Cut telemetry between lines, readings or the times of a columnar batch; nothing of it is lost.

    A single reading above the limit becomes a line that the pipeline quarantines, with its beginning.
    """
    if len(value) <= most_bytes:
        yield value
        return
    lines = [line for line in value.split(b"\n") if line.strip()]
    if len(lines) > 1:
        for some in _halves(lines):
            yield from pieces(b"\n".join(some), most_bytes, source)
        return
    halves = _halves_of(value)
    for half in halves:
        yield from pieces(half, most_bytes, source)
    if not halves:
        reason = f"expected at most {most_bytes:,} bytes a reading; found {len(value):,}"
        yield unreadable(source, reason, value[: min(2_000, most_bytes // 8)])


def _halves_of(line: bytes) -> list[bytes]:
    """The halves of a line as lines; none where it cannot be halved."""
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError:
        return []
    if isinstance(document, list):
        return [orjson.dumps(half if len(half) > 1 else half[0]) for half in _halves(document) if half]
    sizes = {len(item) for key, item in document.items() if _is_column(key, item)} if _is_batch(document) else set()
    if len(sizes) != 1 or max(sizes) < 2:
        return []
    middle = max(sizes) // 2
    return [
        orjson.dumps({key: item[part] if _is_column(key, item) else item for key, item in document.items()})
        for part in (slice(0, middle), slice(middle, None))
    ]


def _is_batch(document: Any) -> bool:  # noqa: ANN401
    return isinstance(document, dict) and all(isinstance(document.get(key), list) for key in ("time", "value"))


def _is_column(key: str, item: Any) -> bool:  # noqa: ANN401
    return isinstance(item, list) and key in ("point", "time", "value", "unit", "quality")


def _halves(items: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
    middle = len(items) // 2
    return items[:middle], items[middle:]
