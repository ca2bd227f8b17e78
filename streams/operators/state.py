"""The state of the energy operator: one row of integers a point, and the readings in doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

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
NEVER = -(1 << 60)
ON_TIME = NEVER
LATEST = 1 << 60


@dataclass(frozen=True, slots=True)
class Readings:
    """Clean readings in order of arrival, five Int64 arrays of one length.

    `place` in the point table, `time_ms` of the event (for an interval its end), `ticks`, `seq` (number of the raw
    row) and `tag`: ON_TIME, or for a late reading the end of the quarter-hour its watermark stood in at arrival.
    """

    place: Int
    time_ms: Int
    ticks: Int
    seq: Int
    tag: Int

    def __len__(self) -> int:
        """Count the readings."""
        return len(self.place)

    def take(self, which: NDArray[np.bool_] | Int) -> Readings:
        """Select rows by a mask or by indices."""
        at = np.flatnonzero(which) if which.dtype == np.bool_ else which
        return Readings(*(each.take(at) for each in (self.place, self.time_ms, self.ticks, self.seq, self.tag)))

    @classmethod
    def concat(cls, parts: Sequence[Readings]) -> Readings:
        """Put parts one behind the other."""
        if len(parts) == 1:
            return parts[0]
        none = [np.zeros(0, dtype=np.int64)]
        return cls(
            *(
                np.concatenate([getattr(part, name) for part in parts] or none)
                for name in ("place", "time_ms", "ticks", "seq", "tag")
            )
        )


FRAMES = 6
FRAME_APART_MS = 300_000
RECENT = 2_000_000


@dataclass(frozen=True, slots=True)
class Frame:
    """A copy of the table at some earlier moment, to compute a point again from; not for points in `pending`."""

    serial: int
    table: Int
    pending: frozenset[int]

    def done_ms(self, place: int) -> int:
        """The time up to which the point's readings were worked off."""
        return int(self.table[place, PLACE["done_ms"]])


@dataclass(slots=True)
class EnergyState:
    """`table[point, column]` (Int64), `pending[point]` (time in ms, ticks), and what waits for its watermark.

    `buffer` and `late` are not part of a checkpoint: they are the raw readings beyond `done_ms` and `late_seq`.
    Nor are `frames`: without one a point is computed again from its first reading, to the same result.
    `recent` are the readings worked off since the oldest frames, each part with the serial of the frame before it; of
    those with a serial up to `forgotten` a part is gone.
    `unframed[point]` are the serials (after, up to) of frames that a later reading has made stale.
    """

    table: Int
    pending: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    buffer: list[Readings] = field(default_factory=list)
    late: list[Readings] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    recent: list[tuple[int, Readings]] = field(default_factory=list)
    unframed: dict[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    serial: int = 0
    forgotten: int = -1

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
        """A copy that shares nothing."""
        pending = {point: list(rows) for point, rows in self.pending.items()}
        return EnergyState(
            self.table.copy(),
            pending,
            list(self.buffer),
            list(self.late),
            list(self.frames),
            list(self.recent),
            dict(self.unframed),
            self.serial,
            self.forgotten,
        )

    def keep_frame(self) -> None:
        """Keep a frame of the present table, unless the last one is nearly as young; the oldest goes.

        What was worked off goes with the frames it followed, and beyond RECENT readings before them.
        """
        marks = [int(frame.table[:, PLACE["done_ms"]].max(initial=NEVER)) for frame in self.frames[-1:]]
        if marks and int(self.column("done_ms").max(initial=NEVER)) - marks[0] < FRAME_APART_MS:
            return
        self.serial += 1
        self.frames = [*self.frames[-FRAMES + 1 :], Frame(self.serial, self.table.copy(), frozenset(self.pending))]
        kept, room = list[tuple[int, Readings]](), RECENT
        for serial, part in reversed(self.recent):
            room -= len(part)
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
            self.recent.append((self.serial, readings))

    def recall(self, frames: dict[int, Frame]) -> Readings:
        """What was worked off of points since a frame of each."""
        serial = np.full(len(self.table), LATEST)
        done_ms = np.full(len(self.table), NEVER)
        for place, frame in frames.items():
            serial[place], done_ms[place] = frame.serial, frame.done_ms(place)
        oldest = int(serial.min(initial=LATEST))
        return Readings.concat(
            [
                part.take((serial[part.place] <= at) & (part.time_ms > done_ms[part.place]))
                for at, part in self.recent
                if at >= oldest
            ]
        )

    def frame_before(self, place: int, time_ms: int) -> Frame | None:
        """The youngest frame in which the point had not worked off anything as late as the time."""
        spans = self.unframed.get(place, ())
        for frame in reversed(self.frames):
            stale = any(after < frame.serial <= up_to for after, up_to in spans)
            row = frame.table[place]
            told = row[PLACE["started"]] == 1 or row[PLACE["highest_ms"]] == NEVER  # not one that has merely arrived
            if told and not stale and place not in frame.pending and frame.done_ms(place) < time_ms:
                return frame
        return None

    def forget_frames(self, place: int, used: Frame | None) -> None:
        """Frames younger than the one used are stale for the point from now on."""
        after, oldest = used.serial if used else 0, self.frames[0].serial if self.frames else 0
        kept = (span for span in self.unframed.get(place, ()) if span[1] >= oldest)
        self.unframed[place] = (*kept, (after, self.serial))
