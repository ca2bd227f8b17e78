"""Energy and other amounts per interval, from readings in any order.

`step(table, state, readings, history)` returns a new state and the outputs; the state passed in is not changed.
Readings wait in a buffer until their point's watermark has passed them: highest event time − allowed lateness, down to
the interval that it stands in, since no fact closes before. So shuffles and duplicates within the lateness, and what
comes before its interval is closed, change nothing. A later reading is kept with the quarter-hour that the watermark
stood in when it arrived; when the watermark leaves that quarter-hour, the point is computed again from its readings and
the facts that differ are a revision (law 5). All of it depends on the order of arrival alone, not on the cuts (law 4).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from streams.domain.site import PointKind
from streams.operators.advance import FACT_COLUMNS, Accepted, Facts, advance, tail_facts
from streams.operators.buckets import bucket, close_buckets, open_buckets
from streams.operators.conservation import open_day
from streams.operators.groups import group_starts
from streams.operators.levels import Levels, levels
from streams.operators.packed import Waiting
from streams.operators.points import KINDS, PointTable
from streams.operators.readings import LATEST, NEVER, ON_TIME, Readings
from streams.operators.segments import Decisions, intervals, rates, registers
from streams.operators.state import EnergyState, Frame
from streams.operators.tallies import tallies

Int = NDArray[np.int64]

QUARTER_MS = 900_000
TIME_BITS = 42
AT_ONCE = 1_000_000  # readings that the kernels take at once

COUNTED = tuple(
    KINDS.index(kind)
    for kind in (PointKind.REGISTER, PointKind.POWER, PointKind.INTERVAL, PointKind.AMOUNT, PointKind.DERIVED)
)
"""The kinds whose readings become amounts per interval here."""
WORKED = (*COUNTED, KINDS.index(PointKind.GAUGE))
"""Those and the levels: the kinds whose intervals close by a watermark."""

History = Callable[[list[int], int], Readings]
"""All readings ever received before this step of some points, later than a time, late ones with their tag, in order
of arrival."""


@dataclass(slots=True)
class FactSet:
    """Facts of one moment of decision; `again` says that facts of these intervals may exist already."""

    facts: Facts
    again: bool


@dataclass(slots=True)
class EnergyOutputs:
    """What a step found out, in order.

    `fact_sets`: see FACT_COLUMNS (base units, ms); `levels`: the intervals of gauges. `decisions` of this step; of the
    points in `redecided` they replace what was decided after the time given there; `conflicts` are duplicates of
    another value (place, time, ticks); `tags` are those given to the readings.
    """

    fact_sets: list[FactSet] = field(default_factory=list)
    levels: list[Levels] = field(default_factory=list)
    decisions: Decisions = field(default_factory=Decisions)
    redecided: dict[int, int] = field(default_factory=dict)
    conflicts: list[tuple[int, int, int]] = field(default_factory=list)
    tags: Int = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    touched: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))


def watermark(table: PointTable, state: EnergyState) -> Int:
    """The time up to which nothing more is waited for, one entry a point."""
    result: Int = np.maximum(passed(table, state.column("highest_ms")), state.column("floor_ms"))
    return result


def passed(table: PointTable, now_ms: int | Int) -> Int:
    """The watermark of a time, that of a tick or one entry a point.

    Of levels it is the last moment of an interval, which does not hold its end.
    """
    result: Int = (now_ms - table.lateness_ms) // table.resolution_ms * table.resolution_ms
    return result - table.is_level


def arrive(table: PointTable, state: EnergyState, batch: Readings) -> tuple[EnergyState, Readings]:
    """Take clean readings in order of arrival, and let them wait; return them with their tags filled in."""
    state = state.copy()
    batch = _arrive(table, state, batch)
    state.buffer.pack()
    return state, batch


def is_due(table: PointTable, state: EnergyState) -> bool:
    """Tell whether a watermark has passed the end of an interval that was not worked off."""
    return bool((watermark(table, state) > state.column("done_ms")).any())


def behind_ms(table: PointTable, state: EnergyState) -> int:
    """How far the watermarks have gone beyond what was worked off, of the point with the most; 0 where nothing has."""
    done = np.maximum(state.column("done_ms"), state.column("edge_ms"))
    heard = state.column("highest_ms") > NEVER
    return int((watermark(table, state) - done)[heard].max(initial=0))


def work(table: PointTable, state: EnergyState, fresh: Readings, history: History) -> tuple[EnergyState, EnergyOutputs]:
    """Work off what has arrived, up to the watermarks; when, and after how many arrivals, makes no difference.

    `fresh` are readings that have arrived and that `history` does not know yet.
    """
    state = state.copy()
    out = EnergyOutputs(touched=np.zeros(len(table.points), dtype=np.bool_))
    _work(table, state, fresh, watermark(table, state), history, out, every_late=False)
    return state, out


def step(table: PointTable, state: EnergyState, batch: Readings, history: History) -> tuple[EnergyState, EnergyOutputs]:
    """Take a batch of clean readings and work off what is due; see the module's text."""
    new = state.column("highest_ms") == NEVER
    state = state.copy()
    batch = _arrive(table, state, batch)
    if is_due(table, state):
        state, out = work(table, state, batch, history)
    else:
        out = EnergyOutputs(touched=np.zeros(len(table.points), dtype=np.bool_))
    state.buffer.pack()
    out.tags = batch.tag
    out.touched |= new & (state.column("highest_ms") > NEVER)
    return state, out


def tick(table: PointTable, state: EnergyState, now_ms: int, history: History) -> tuple[EnergyState, EnergyOutputs]:
    """Take a recorded tick of the clock: watermarks move, and points that are silent past their gap become missing."""
    state = state.copy()
    out = EnergyOutputs(touched=np.zeros(len(table.points), dtype=np.bool_))
    started = state.column("highest_ms") > NEVER
    floor = state.column("floor_ms")
    floor[started] = np.maximum(floor, passed(table, now_ms))[started]
    limit = watermark(table, state)
    _work(table, state, Readings.concat([]), limit, history, out, every_late=False)
    known = _quiet(table, state, limit)
    until = limit // table.resolution_ms * table.resolution_ms
    _tails(table, state, known, until, out)
    out.touched |= started
    return state, out


def flush(table: PointTable, state: EnergyState, history: History) -> tuple[EnergyState, EnergyOutputs]:
    """Take the recorded end of a stream: nothing more is waited for, open intervals are emitted as far as known."""
    state = state.copy()
    out = EnergyOutputs(touched=np.zeros(len(table.points), dtype=np.bool_))
    floor = state.column("floor_ms")
    np.maximum(floor, state.column("highest_ms"), out=floor)
    limit = watermark(table, state)
    _work(table, state, Readings.concat([]), limit, history, out, every_late=True)
    clock = np.full(len(limit), limit.max(initial=NEVER))
    silent = _quiet(table, state, clock)
    until = np.where(np.isin(np.arange(len(limit)), silent), clock, state.column("read_ms"))
    _emit(state, open_buckets(table, state), out)
    started = np.flatnonzero((state.column("started") == 1) & ~table.of_kind(PointKind.AMOUNT))
    _tails(table, state, started, until, out)
    counters = started[table.of_kind(PointKind.REGISTER)[started]]
    out.decisions.days += [day for day in (open_day(state, place) for place in counters.tolist()) if day]
    out.touched |= state.column("highest_ms") > NEVER
    return state, out


def _quiet(table: PointTable, state: EnergyState, clock: Int) -> Int:
    heard = state.column("read_ms").copy()
    for place, rows in state.pending.items():
        heard[place] = rows[-1][0]
    silent = (state.column("started") == 1) & (clock - heard > table.max_gap_ms)
    return np.flatnonzero(silent & ~table.of_kind(PointKind.AMOUNT))


def _tails(table: PointTable, state: EnergyState, places: Int, until: Int, out: EnergyOutputs) -> None:
    facts = tail_facts(table, state, places, until[places])
    if len(facts["place"]):
        _emit(state, facts, out)


def _emit(state: EnergyState, facts: Facts, out: EnergyOutputs) -> None:
    """Sort facts into those never emitted before and those to compare with what was."""
    if not len(facts["place"]):
        return
    emitted = state.column("emitted_ms")
    again = facts["ends_ms"] <= emitted[facts["place"]]
    for which in (True, False):
        chosen = again == which
        if chosen.any():
            out.fact_sets.append(FactSet({name: facts[name][chosen] for name in FACT_COLUMNS}, which))
    np.maximum.at(emitted, facts["place"], facts["ends_ms"])
    out.touched[facts["place"]] = True


def _arrive(table: PointTable, state: EnergyState, batch: Readings) -> Readings:
    """Tag each reading by its point's highest event time before it, in order of arrival, and put it where it waits."""
    if not len(batch):
        return batch
    order = np.argsort(batch.place.astype(np.uint16 if len(table.points) < 1 << 16 else np.int64), kind="stable")
    place, time_ms = batch.place[order], batch.time_ms[order]
    starts = group_starts(place)
    who = place[starts]
    lengths = np.diff(np.append(starts, len(place)))
    group = np.repeat(np.arange(len(starts), dtype=np.int64) << TIME_BITS, lengths)
    highest = np.maximum.accumulate(group + time_ms) - group
    known = state.column("highest_ms")[who]
    highest = np.maximum(highest, np.repeat(known, lengths))
    before = np.empty_like(highest)
    before[1:] = highest[:-1]
    before[starts] = known
    resolution = table.resolution_ms[place]
    level = table.is_level[place]
    mark = (before - table.lateness_ms[place]) // resolution * resolution - level
    mark = np.maximum(mark, state.column("floor_ms")[place])
    late = (time_ms <= mark) & (before > NEVER)
    tag = np.where(late, (mark // QUARTER_MS + 1) * QUARTER_MS, ON_TIME)
    ends = np.append(starts[1:], len(place)) - 1
    edge = state.column("edge_ms")
    new = known == NEVER
    edge[who[new]] = time_ms[starts[new]] // table.resolution_ms[who[new]] * table.resolution_ms[who[new]]
    state.column("highest_ms")[who] = highest[ends]
    tags = np.empty_like(tag)
    tags[order] = tag
    tagged = Readings(batch.place, batch.time_ms, batch.ticks, batch.seq, tags)
    if late.any():
        is_late = tags != ON_TIME
        state.late.append(tagged.take(is_late & ~table.of_kind(PointKind.GAUGE)[batch.place]))
        state.buffer.add(tagged.take(~is_late))
    else:
        state.buffer.add(Readings.on_time(place, time_ms, batch.ticks[order]))
    return tagged


def _work(
    table: PointTable,
    state: EnergyState,
    batch: Readings,
    limit: Int,
    history: History,
    out: EnergyOutputs,
    *,
    every_late: bool,
) -> None:
    """Work off what waits up to `limit`; on the way, tag by tag, the late readings that are due.

    A tag stands for the moment at which the watermarks had passed it, so everything up to there comes first.
    """
    if not state.frames:
        state.keep_frame()
    late = Readings.concat(state.late)
    due = late.take(every_late | (late.tag <= limit[late.place])) if len(late) else late
    tags = np.unique(due.tag)
    waiting = state.buffer.readings()
    past = Past(batch, history)
    past.look_up(state, _frames(state, due))
    is_ready = waiting.time_ms <= limit[waiting.place]
    rest, ready = waiting.take(~is_ready), waiting.take(is_ready)
    del waiting
    ready = _levels(table, state, ready, limit, out, is_end=every_late)
    segments = _segments(ready, tags)
    for tag, ready in zip(tags.tolist(), segments, strict=False):
        _advance_to(table, state, ready, np.minimum(limit, tag), out)
        mine = due.take(due.tag == tag)
        state.remember(mine)
        _redo(table, state, mine, past, out)
        state.keep_frame()
    _advance_to(table, state, segments[-1], limit, out)
    if len(due):
        kept = late.take(late.seq > state.column("late_seq")[late.place])
        state.late = [kept] if len(kept) else []
    state.buffer = Waiting.of(rest)
    state.keep_frame()


def _levels(
    table: PointTable, state: EnergyState, ready: Readings, limit: Int, out: EnergyOutputs, *, is_end: bool
) -> Readings:
    """Give the intervals of levels up to `limit`, at the end of a stream the last one as far as it goes.

    Return the readings of all others.
    """
    gauge = table.of_kind(PointKind.GAUGE)
    if not gauge.any():
        return ready
    is_level = gauge[ready.place]
    until = limit + 1
    if is_end:
        until = -(-until // table.resolution_ms) * table.resolution_ms
    found = levels(table, state, ready.take(is_level), until)
    if len(found):
        out.levels.append(found)
        out.touched[found.place] = True
    done = state.column("done_ms")
    done[gauge] = np.maximum(done, limit)[gauge]
    return ready.take(~is_level)


def _segments(ready: Readings, tags: Int) -> list[Readings]:
    """What is ready by each tag, then the rest of it."""
    if not len(tags):
        return [ready]
    turn = np.searchsorted(tags, ready.time_ms).astype(np.uint16 if len(tags) < 1 << 16 else np.int64)
    order = np.argsort(turn, kind="stable")
    ends = np.searchsorted(turn[order], np.arange(len(tags) + 2))
    return [ready.take(order[begin:end]) for begin, end in pairwise(ends.tolist())]


def _advance_to(table: PointTable, state: EnergyState, ready: Readings, passed: Int, out: EnergyOutputs) -> None:
    """Run readings, close what ends by then, and note how far each point has come."""
    _run(table, state, ready, out)
    _emit(state, close_buckets(table, state, passed), out)
    done = state.column("done_ms")
    np.maximum(done, passed, out=done)


@dataclass(slots=True)
class Past:
    """What the store knows of points whose late readings lie before what is kept in memory: since when, and what.

    `batch` are the readings of this step, which the store does not know yet.
    """

    batch: Readings
    history: History
    since: dict[int, int] = field(default_factory=dict)
    readings: Readings = field(default_factory=lambda: Readings.concat([]))

    def look_up(self, state: EnergyState, frames: dict[int, Frame | None]) -> None:
        """Make sure that every point can be computed from its frame, from memory or from what is known here."""
        cold = {at: NEVER if frame is None else int(frame.done_ms[at]) for at, frame in frames.items()}
        cold = {
            place: since
            for place, since in cold.items()
            if self.since.get(place, LATEST) > since and (place in self.since or not state.holds(frames[place]))
        }
        if not cold:
            return
        others = self.readings.take(~np.isin(self.readings.place, list(cold)))
        parts = [others, self.batch.take(np.isin(self.batch.place, list(cold)))]
        for whole in (True, False):  # those from their first reading on apart: the others need not go so far back
            places = [place for place, since in cold.items() if (since == NEVER) == whole]
            if places:
                parts.append(self.history(places, min(cold[place] for place in places)))
        self.since |= cold
        self.readings = Readings.concat(parts)


def _frames(state: EnergyState, late: Readings) -> dict[int, Frame | None]:
    """The youngest frame before all of the late readings of each point."""
    oldest = np.full(len(state.table), np.iinfo(np.int64).max)
    np.minimum.at(oldest, late.place, late.time_ms)
    return {place: state.frame_before(place, int(oldest[place])) for place in np.unique(late.place).tolist()}


def _redo(table: PointTable, state: EnergyState, mine: Readings, past: Past, out: EnergyOutputs) -> None:
    """Compute the points of late readings again, up to where they stand, from the youngest frame before them."""
    frames = _frames(state, mine)
    past.look_up(state, frames)
    warm = {place: frame for place, frame in frames.items() if frame and place not in past.since}
    chosen = np.zeros(len(table.points), dtype=np.bool_)
    chosen[list(frames)] = True
    late_seq = np.full(len(table.points), NEVER)
    np.maximum.at(late_seq, mine.place, mine.seq)
    recalled = Readings.concat([past.readings.take(chosen[past.readings.place]), state.recall(warm)])
    on_time, done = recalled.tag == ON_TIME, state.column("done_ms")
    known = np.where(on_time, recalled.time_ms <= done[recalled.place], recalled.seq <= late_seq[recalled.place])
    _again(table, state, frames, recalled.take(known), late_seq, out)


def _run(table: PointTable, state: EnergyState, readings: Readings, out: EnergyOutputs) -> None:
    """Run readings through the kernels, some points after others where there are many, to bound the memory."""
    if not len(readings):
        return
    state.remember(readings)
    out.touched[readings.place] = True
    pieces = -(-len(readings) // AT_ONCE)
    edges = np.linspace(0, len(table.points), pieces + 1).astype(np.int64).tolist()
    for first, last in pairwise(edges):
        some = readings.take((readings.place >= first) & (readings.place < last)) if pieces > 1 else readings
        _emit(state, _kernels(table, state, some, out.decisions, out.conflicts), out)


def _kernels(
    table: PointTable,
    state: EnergyState,
    readings: Readings,
    decisions: Decisions,
    conflicts: list[tuple[int, int, int]],
) -> Facts:
    """Sort, drop duplicates by a rule without order (the smallest value stays), and run the kernel of each kind."""
    key = (readings.place << TIME_BITS) + readings.time_ms
    order = np.lexsort((readings.ticks, key)) if _has_ties(key) else np.argsort(key, kind="stable")
    key = key[order]
    keep = np.ones(len(key), dtype=np.bool_)
    keep[1:] = key[1:] != key[:-1]
    place, time_ms, ticks = readings.place[order], readings.time_ms[order], readings.ticks[order]
    if not keep.all():
        kept = ticks[np.maximum.accumulate(np.where(keep, np.arange(len(key)), 0))]
        other = np.flatnonzero(~keep & (ticks != kept))
        conflicts.extend(zip(place[other].tolist(), time_ms[other].tolist(), ticks[other].tolist(), strict=True))
        place, time_ms, ticks = place[keep], time_ms[keep], ticks[keep]
    parts = []
    for kind in (PointKind.REGISTER, PointKind.POWER, PointKind.INTERVAL, PointKind.DERIVED):
        chosen = table.of_kind(kind)[place]
        if not chosen.any():
            continue
        columns = (place[chosen], time_ms[chosen], _primary(table, place[chosen], time_ms[chosen], ticks[chosen]))
        rows: Accepted
        if kind is PointKind.REGISTER:
            rows = registers(table, state, *columns, decisions)
        elif kind is PointKind.POWER:
            rows = rates(table, state, *columns)
        elif kind is PointKind.DERIVED:
            rows = tallies(table, state, *columns)
        else:
            rows = intervals(table, state, *columns)
        parts.append(advance(table, state, rows))
    events = table.of_kind(PointKind.AMOUNT)[place]
    if events.any():
        parts.append(bucket(table, state, place[events], time_ms[events], ticks[events]))
    empty = [np.zeros(0, dtype=np.int64)]
    return {name: np.concatenate([part[name] for part in parts] or empty) for name in FACT_COLUMNS}


def _primary(table: PointTable, place: Int, time_ms: Int, ticks: Int) -> Int:
    """Ticks of the primary side where a point has CT×PT ratios; registers count theirs by themselves."""
    if not table.ratios:
        return ticks
    ticks = ticks.copy()
    for at, ratios in table.ratios.items():
        mine = np.flatnonzero(place == at)
        ticks[mine] = ratios.primary(time_ms[mine], ticks[mine])
    return ticks


def _has_ties(key: Int) -> bool:
    ordered = np.sort(key)
    return bool((ordered[1:] == ordered[:-1]).any())


def _again(
    table: PointTable,
    state: EnergyState,
    frames: dict[int, Frame | None],
    known: Readings,
    late_seq: Int,
    out: EnergyOutputs,
) -> None:
    """Compute points again, each from a frame of its state or from its first reading."""
    places = list(frames)
    fresh = EnergyState.empty(len(table.points))
    since = np.full(len(table.points), NEVER)
    tables = {frame.serial: frame.table() for frame in frames.values() if frame}
    for place, frame in frames.items():
        if frame:
            fresh.table[place] = tables[frame.serial][place]
            since[place] = frame.done_ms[place]
    decisions, conflicts = Decisions(), list[tuple[int, int, int]]()
    facts = _kernels(table, fresh, known.take(known.time_ms > since[known.place]), decisions, conflicts)
    for name in ("highest_ms", "floor_ms", "done_ms", "emitted_ms"):
        fresh.column(name)[places] = state.column(name)[places]
    fresh.column("late_seq")[places] = late_seq[places]
    state.table[places] = fresh.table[places]
    for place, frame in frames.items():
        state.pending.pop(place, None)
        state.forget_frames(place, frame)
        out.redecided[place] = min(int(since[place]), out.redecided.get(place, int(since[place])))
    state.pending |= fresh.pending
    kept = {place: int(since[place]) for place in places}
    mine = out.decisions
    mine.events = [each for each in mine.events if each[1].decided_ms <= kept.get(each[0], LATEST)] + decisions.events
    mine.rejected = [each for each in mine.rejected if each[1] <= kept.get(each[0], LATEST)] + decisions.rejected
    mine.days += decisions.days
    out.conflicts = [each for each in out.conflicts if each[1] <= kept.get(each[0], LATEST)] + conflicts
    out.touched[places] = True
    _emit(state, facts, out)
