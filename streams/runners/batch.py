"""What one commit of a lane stores, and how records of a log are cut for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Final

from streams.domain.alerts import Notice
from streams.ingest.records import Record
from streams.pipeline import Outputs
from streams.stores.rows import Tables
from streams.stores.site import Move

if TYPE_CHECKING:
    from streams.runners.live_site import LiveSite
    from streams.stores.models import Wanted

MOST_RECORDS: Final = 1_000
MOST_BYTES: Final = 2 * 1024 * 1024
"""What one commit holds at most: about a hundred thousand readings."""


@dataclass(slots=True)
class Counts:
    """What a batch held and left."""

    records: int = 0
    readings: int = 0
    late: int = 0
    rejected: int = 0
    facts: int = 0
    revisions: int = 0
    ticks: int = 0


@dataclass(slots=True)
class Batch:
    """Everything that one commit stores: rows, moves of positions, what is recorded; and what others are told.

    `commits` is how many the lane had before. A batch is not whole where a tick passes over days of silence, or moves
    many sites: then the same record is prepared again, and each commit holds a part. `undecodable` are records of which
    nothing or not everything could be read, with the reason; `notices` are those for the outbox; `outputs` are the
    results of each site; `raw` are the readings that it brings.
    """

    before: int
    after: int
    commits: int
    moment: datetime
    counts: Counts
    is_whole: bool = True
    raw: Tables = field(default_factory=dict)
    tables: list[Tables] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    controls: list[tuple[LiveSite, str, int, int]] = field(default_factory=list)
    activated: list[tuple[LiveSite, int, Wanted]] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    outputs: list[tuple[LiveSite, Outputs]] = field(default_factory=list)
    undecodable: list[tuple[Record, str]] = field(default_factory=list)


def runs(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    """Records in runs without a gap or a step back between their offsets."""
    begin = 0
    for at in range(1, len(records)):
        if records[at].offset != records[at - 1].offset + 1:
            yield records[begin:at]
            begin = at
    if records:
        yield records[begin:]


def cut(records: Sequence[Record]) -> list[list[Record]]:
    """Records by commits: a tick stands alone, and none holds too much."""
    return [piece for _, group in groupby(records, key=_tick_of) for piece in _pieces(group)]


def _tick_of(record: Record) -> tuple[int, str] | None:
    """What tick a record is, and of whom; None for readings."""
    return None if record.tick_ms is None else (record.tick_ms, record.site)


def _pieces(records: Iterable[Record]) -> Iterator[list[Record]]:
    piece, size = list[Record](), 0
    for record in records:
        if piece and size + len(record.value) > MOST_BYTES:
            yield piece
            piece, size = [], 0
        piece.append(record)
        size += len(record.value)
    if piece:
        yield piece
