"""The state of the energy operator: one row of integers a point, and the readings in doubt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import zstandard
from numpy.typing import NDArray

from streams.operators.packed import Packed, Waiting
from streams.operators.readings import LATEST, NEVER, ON_TIME, Readings

Int = NDArray[np.int64]

COLUMNS = (
    "started",  # 0 before the first reading
    "highest_ms",  # highest event time seen, in order of arrival
    "floor_ms",  # the watermark stands here at least, by a tick or the end of a stream
    "done_ms",  # readings up to here have been through the kernels
    "late_seq",  # late readings up to this number have been applied
    "read_ms",  # last accepted reading
    "value",  # its effective value, ticks
    "shown",  # the last accepted reading as it came, ticks
    "since_ms",  # when the register began to show that value
    "origin",  # the first reading, ticks
    "growth",  # cumulative ticks since the first reading
    "ratio_growth",  # cumulative ticks when the present ratio began
    "ratio_amount",  # cumulative base units then
    "num",  # the present ratio: base units per tick
    "den",
    "amount",  # cumulative base units
    "remainder",  # of an integrated rate, in half unit-milliseconds
    "estimated",  # cumulative base units that are estimated
    "estimated_ms",
    "missing_ms",
    "edge_ms",  # last boundary whose counters are known
    "edge_amount",
    "edge_estimated",
    "edge_estimated_ms",
    "edge_missing_ms",
    "open",  # 1 while the sum of events in the present interval has not been emitted
    "emitted_ms",  # facts exist up to here, provisional ones included
    "wrapped",  # cumulative corrections, ticks
    "reset",
    "exchanged",
    "quarantined",
    "day_ms",  # last local midnight passed, and the counters there
    "day_register",
    "day_wrapped",
    "day_reset",
    "day_exchanged",
    "day_quarantined",
)
PLACE = {name: place for place, name in enumerate(COLUMNS)}


FRAMES = 6
FRAME_APART_MS = 300_000
ROOM = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Frame:
    """A copy of the table at some earlier moment, to compute a point again from; not for points in `pending`.

    `done_ms` is up to where each point was worked off; `told` says that it was heard, and not merely has arrived.
    """

    serial: int
    packed: bytes
    done_ms: Int
    told: NDArray[np.bool_]
    pending: frozenset[int]

    @classmethod
    def of(cls, serial: int, table: Int, pending: Iterable[int]) -> Frame:
        """Keep a table."""
        told = (table[:, PLACE["started"]] == 1) | (table[:, PLACE["highest_ms"]] == NEVER)
        packed = zstandard.ZstdCompressor(level=1).compress(table.tobytes())
        return cls(serial, packed, table[:, PLACE["done_ms"]].copy(), told, frozenset(pending))

    def table(self) -> Int:
        """The table as it was."""
        rows = np.frombuffer(zstandard.ZstdDecompressor().decompress(self.packed), dtype=np.int64)
        return rows.reshape(len(self.done_ms), -1)


@dataclass(slots=True)
class EnergyState:
    """`table[point, column]` (Int64), `pending[point]` (time in ms, ticks), and what waits for its watermark.

    `buffer` and `late` are not part of a checkpoint: they are the raw readings beyond `done_ms` and `late_seq`.
    Nor are `frames`: without one a point is computed again from its first reading, to the same result.
    `recent` are the readings worked off since the oldest frames, each part with the serial of the frame before it; of
    those with a serial up to `forgotten` a part is gone. They take up to `room` bytes.
    `unframed[point]` are the serials (after, up to) of frames that a later reading has made stale.
    """

    table: Int
    pending: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    buffer: Waiting = field(default_factory=Waiting)
    late: list[Readings] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    recent: list[tuple[int, Packed | Readings]] = field(default_factory=list)
    unframed: dict[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    serial: int = 0
    forgotten: int = -1
    room: int = ROOM

    @classmethod
    def empty(cls, points: int) -> EnergyState:
        """State before any reading."""
        table = np.zeros((points, len(COLUMNS)), dtype=np.int64)
        table[:, PLACE["highest_ms"]] = NEVER
        for name in ("floor_ms", "done_ms", "emitted_ms", "edge_ms", "late_seq"):
            table[:, PLACE[name]] = NEVER
        return cls(table)

    def column(self, name: str) -> Int:
        """View one column; writing to it writes the state."""
        return self.table[:, PLACE[name]]

    def copy(self) -> EnergyState:
        """A copy that shares nothing that changes."""
        return replace(
            self,
            table=self.table.copy(),
            pending={point: list(rows) for point, rows in self.pending.items()},
            buffer=self.buffer.copy(),
            late=list(self.late),
            frames=list(self.frames),
            recent=list(self.recent),
            unframed=dict(self.unframed),
        )

    def keep_frame(self) -> None:
        """Keep a frame of the present table, unless the last one is nearly as young; the oldest goes.

        What was worked off goes with the frames it followed, and what there is no room for before them.
        """
        mark = int(self.column("done_ms").max(initial=NEVER))
        if self.frames and mark - int(self.frames[-1].done_ms.max(initial=NEVER)) < FRAME_APART_MS:
            return
        self.serial += 1
        self.frames = [*self.frames[-FRAMES + 1 :], Frame.of(self.serial, self.table, self.pending)]
        kept, room = list[tuple[int, Packed | Readings]](), self.room
        for serial, part in reversed(self.recent):
            room -= part.size
            if serial < self.frames[0].serial or room < 0:
                self.forgotten = max(self.forgotten, serial)
                break
            kept.append((serial, part))
        self.recent = kept[::-1]

    def holds(self, frame: Frame | None) -> bool:
        """Tell whether all that was worked off since a frame is still in memory."""
        return frame is not None and frame.serial > self.forgotten

    def remember(self, readings: Readings) -> None:
        """Keep readings that are worked off, to compute again from a frame."""
        if self.frames and len(readings):
            on_time = bool((readings.tag == ON_TIME).all())
            self.recent.append((self.serial, Packed.of(readings) if on_time else readings))

    def recall(self, frames: dict[int, Frame]) -> Readings:
        """What was worked off of points since a frame of each."""
        serial = np.full(len(self.table), LATEST)
        done_ms = np.full(len(self.table), NEVER)
        for place, frame in frames.items():
            serial[place], done_ms[place] = frame.serial, frame.done_ms[place]
        oldest = int(serial.min(initial=LATEST))
        found = []
        for at, part in self.recent:
            if at >= oldest:
                rows = part.readings() if isinstance(part, Packed) else part
                found.append(rows.take((serial[rows.place] <= at) & (rows.time_ms > done_ms[rows.place])))
        return Readings.concat(found)

    def frame_before(self, place: int, time_ms: int) -> Frame | None:
        """The youngest frame in which the point had not worked off anything as late as the time."""
        spans = self.unframed.get(place, ())
        for frame in reversed(self.frames):
            stale = any(after < frame.serial <= up_to for after, up_to in spans)
            if frame.told[place] and not stale and place not in frame.pending and frame.done_ms[place] < time_ms:
                return frame
        return None

    def forget_frames(self, place: int, used: Frame | None) -> None:
        """Frames younger than the one used are stale for the point from now on."""
        after, oldest = used.serial if used else 0, self.frames[0].serial if self.frames else 0
        kept = (span for span in self.unframed.get(place, ()) if span[1] >= oldest)
        self.unframed[place] = (*kept, (after, self.serial))
