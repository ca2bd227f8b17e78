"""Readings of each kind to accepted rows: registers, integrated rates, amounts per interval."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from streams.domain.site import Point
from streams.operators.advance import Accepted
from streams.operators.conservation import TOTALS, Course, Day, days, open_days, passes_midnight
from streams.operators.groups import group_starts, running, shifted
from streams.operators.points import HOUR_MS, PointTable, base_per_tick
from streams.operators.registers import QUANTUM, Event, Flag, Row, Rules, Totals, scan
from streams.operators.registers import Course as RegisterCourse
from streams.operators.state import PLACE, EnergyState

Int = NDArray[np.int64]
TOTAL_PLACES = [PLACE[name] for name in TOTALS]
LARGEST = 1 << 40  # ticks; times an hour in milliseconds they fit 63 bits
LONGEST_MS = 40 * 24 * HOUR_MS  # a longer stretch is looked at by the scan, whose integers have no bound


@dataclass(slots=True)
class Decisions:
    """What was decided on the way: events and rejected readings of each point, and the accounts of the days passed."""

    events: list[tuple[int, Event]] = field(default_factory=list)
    rejected: list[tuple[int, int, int, str]] = field(default_factory=list)  # place, time, ticks, reason
    days: list[Day] = field(default_factory=list)  # rows of conservation.DAY_COLUMNS


def rules_of(table: PointTable, place: int) -> Rules:
    """What the catalog says of one register, in ticks."""
    point: Point = table.points[place]
    scale = float(table.ticks_per_unit[place])
    zone = table.site.time_zone

    def last_reset(time_ms: int) -> int:
        local = datetime.fromtimestamp(time_ms / 1000, tz=zone).replace(hour=0, minute=0, second=0, microsecond=0)
        if point.resets == "monthly":
            local = local.replace(day=1)
        return int(local.timestamp() * 1000)

    return Rules(
        modulus=int(table.modulus[place]),
        cap=int(table.cap[place]),
        noise=int(table.noise[place]),
        confirm=point.confirm_after,
        max_gap_ms=point.max_gap_ms,
        exchanges=tuple((each, round(each.closing * scale), round(each.opening * scale)) for each in point.exchanges),
        ratios_ms=tuple(ratio.from_ms for ratio in point.ratios[1:]),
        last_reset=last_reset if point.resets else None,
    )


def registers(table: PointTable, state: EnergyState, place: Int, time_ms: Int, value: Int, out: Decisions) -> Accepted:
    """Accept the readings of cumulative registers; rows sorted by (place, time), no two alike.

    Shapes: three Int64 arrays of one length (ticks). Plain steps go through array kernels, the others through
    `registers.scan`. State is changed; the conservation totals are kept in ticks.
    """
    starts = group_starts(place)
    who = place[starts]
    fresh = state.column("started")[who] == 0
    before = shifted(value, starts, state.column("value")[who])
    before_ms = shifted(time_ms, starts, state.column("read_ms")[who])
    growth = value - before
    odd = (growth < 0) | _leaps(table.cap[place], np.minimum(time_ms - before_ms, LONGEST_MS), growth)
    odd[starts] |= np.isin(who, np.fromiter(state.pending, dtype=np.int64, count=len(state.pending)))
    for at, moments in table.moments.items():
        for moment in moments:
            odd |= (place == at) & (before_ms < moment) & (moment <= time_ms)
    first = np.zeros(len(place), dtype=np.bool_)
    first[starts] = fresh
    odd &= ~first
    growth[first] = 0
    flag = np.zeros(len(place), dtype=np.int64)
    new = who[fresh]
    state.column("num")[new] = table.num[new]
    state.column("den")[new] = table.den[new]
    for at, opened in zip(new, time_ms[starts[fresh]], strict=True):
        _set_ratio(table, state, int(at), int(opened))
    state.column("value")[new] = value[starts[fresh]]
    state.column("since_ms")[new] = time_ms[starts[fresh]]
    state.column("origin")[new] = value[starts[fresh]]
    columns = (place, time_ms, value, growth, flag, first)
    initial = state.table[:, TOTAL_PLACES].copy()
    scanned = Scanned()
    if odd.any():
        columns, scanned = _scan_odd(table, state, columns, odd, out)
    rows = _count(table, state, columns, initial, scanned, out)
    for at, shown in scanned.below.items():
        state.column("shown")[at] = shown
    return rows


def _leaps(cap: Int, elapsed: Int, growth: Int) -> NDArray[np.bool_]:
    """Tell which growths may exceed the largest rate: all that do, and any above LARGEST, for the scan to look at."""
    small = np.minimum(growth, LARGEST)
    result: NDArray[np.bool_] = (cap > 0) & (((small - QUANTUM) * HOUR_MS > cap * elapsed) | (growth > LARGEST))
    return result


Columns = tuple[Int, Int, Int, Int, Int, NDArray[np.bool_]]


@dataclass(slots=True)
class Scanned:
    """What scans leave beside rows: the totals at their rows, and what registers show that end in one.

    `mark[row]` is the index into `totals` of a row that a scan accepted, −1 for a plain row.
    """

    below: dict[int, int] = field(default_factory=dict)
    mark: Int | None = None
    totals: Int = field(default_factory=lambda: np.zeros((0, len(TOTALS)), dtype=np.int64))


def _scan_odd(
    table: PointTable, state: EnergyState, columns: Columns, odd: NDArray[np.bool_], out: Decisions
) -> tuple[Columns, Scanned]:
    """Let the scan decide around odd rows; return the accepted rows, and what the scans know beside."""
    place, time_ms, value, growth, flag, first = columns
    plain = np.ones(len(place), dtype=np.bool_)
    extra: list[tuple[int, Row]] = []
    edges = np.append(group_starts(place), len(place))
    done, done_since = 0, 0
    below: dict[int, int] = {}
    for at in np.flatnonzero(odd):
        if at < done:
            continue
        group = np.searchsorted(edges, at, side="right") - 1
        begin, end, who = int(edges[group]), int(edges[group + 1]), int(place[at])
        totals = Totals(*(int(state.column(name)[who]) for name in TOTALS))
        if at == begin:
            course = _resumed(state, who, totals)
        else:
            floor, floor_ms = (
                (done - 1, done_since) if done > begin else (begin, _opening_since(state, who, begin, columns))
            )
            course = RegisterCourse(
                int(time_ms[at - 1]),
                int(value[at - 1]),
                _since(value, time_ms, int(at), floor, floor_ms),
                int(value[at - 1]),
                [],
                totals,
            )
        used = scan(
            course, list(zip(time_ms[at:end].tolist(), value[at:end].tolist(), strict=True)), rules_of(table, who)
        )
        plain[at : at + used] = False
        done, done_since = int(at) + used, course.since_ms
        extra.extend((who, row) for row in course.rows)
        out.events.extend((who, event) for event in course.events)
        out.rejected.extend((who, *each) for each in course.rejected)
        for name in TOTALS:
            state.column(name)[who] = getattr(course.totals, name)
        if done == end:
            below[who] = course.shown
            if course.pending:
                state.pending[who] = course.pending
    added = np.array([(who, *row) for who, row in extra], dtype=np.int64).reshape(-1, 5 + len(TOTALS))
    merged = [
        np.concatenate((kept[plain], added[:, nth])) for nth, kept in enumerate((place, time_ms, value, growth, flag))
    ]
    order = np.lexsort((np.arange(len(merged[0])), merged[1], merged[0]))
    place, time_ms, value, growth, flag = (each[order] for each in merged)
    first = np.concatenate((first[plain], np.zeros(len(added), dtype=np.bool_)))[order]
    mark = np.concatenate((np.full(plain.sum(), -1, dtype=np.int64), np.arange(len(added))))[order]
    return (place, time_ms, value, growth, flag, first), Scanned(below, mark, added[:, 5:])


def _resumed(state: EnergyState, who: int, totals: Totals) -> RegisterCourse:
    """The course of a register as the state has it."""
    read_ms, value, since_ms, shown = (
        int(state.column(name)[who]) for name in ("read_ms", "value", "since_ms", "shown")
    )
    return RegisterCourse(read_ms, value, since_ms, shown, state.pending.pop(who, []), totals)


def _opening_since(state: EnergyState, who: int, begin: int, columns: Columns) -> int:
    """Since when the register shows the value of the first row of its batch."""
    _, time_ms, value, _, _, first = columns
    if not first[begin] and state.column("value")[who] == value[begin]:
        return int(state.column("since_ms")[who])
    return int(time_ms[begin])


def _since(value: Int, time_ms: Int, at: int, floor: int, floor_ms: int) -> int:
    """Since when the value of row `at - 1` has been shown, looking back no further than row `floor`."""
    since = at - 1
    while since > floor and value[since - 1] == value[at - 1]:
        since -= 1
    return floor_ms if since == floor else int(time_ms[since])


def _count(
    table: PointTable, state: EnergyState, columns: Columns, initial: Int, scanned: Scanned, out: Decisions
) -> Accepted:
    """Ticks to base units, by cumulative counters under the ratio that holds; keep value, since and growth."""
    place, time_ms, value, growth, flag, first = columns
    if not len(place):
        return Accepted(place, time_ms, growth, flag, first)
    starts = group_starts(place)
    who = place[starts]
    last = np.append(starts[1:], len(place)) - 1
    total = running(growth, starts, state.column("growth")[who])
    amount = _amounts(state, place, total)
    for at in np.flatnonzero(flag & int(Flag.RATIO)).tolist():
        at_place, end = int(place[at]), int(last[np.searchsorted(last, at)]) + 1
        state.column("ratio_amount")[at_place] = amount[at]
        state.column("ratio_growth")[at_place] = total[at]
        _set_ratio(table, state, at_place, int(time_ms[at]))
        amount[at + 1 : end] = _amounts(state, place[at + 1 : end], total[at + 1 : end])
    grown = amount - shifted(amount, starts, state.column("amount")[who])
    before = shifted(value, starts, state.column("value")[who])
    before_ms = shifted(time_ms, starts, state.column("read_ms")[who])
    before_ms[first] = time_ms[first]
    open_days(state, place[first], time_ms[first])
    if passes_midnight(table.site.time_zone, before_ms, time_ms):
        totals = _totals_before(place, starts, initial, scanned)
        unwrapped = before - state.column("origin")[place] + totals[:, :3].sum(axis=1) - totals[:, 3]
        off = (unwrapped - (total - growth)) * state.column("num")[place] // state.column("den")[place]
        course = Course(place, before_ms, time_ms, amount - grown + off, grown, totals, first)
        out.days.extend(days(table.site.time_zone, state, course))
    changed = value != before
    changed[starts] |= first[starts]
    latest = np.maximum.reduceat(np.where(changed, time_ms, np.iinfo(np.int64).min), starts)
    since = state.column("since_ms")
    since[who] = np.where(latest > np.iinfo(np.int64).min, latest, since[who])
    state.column("growth")[who] = total[last]
    state.column("value")[who] = value[last]
    state.column("shown")[who] = value[last]
    return Accepted(place, time_ms, grown, flag, first)


def _totals_before(place: Int, starts: Int, initial: Int, scanned: Scanned) -> Int:
    """TOTALS at the row before each row: of the last row that a scan accepted, else those the batch began with."""
    totals: Int = initial[place]
    if scanned.mark is None:
        return totals
    group = np.repeat(starts, np.diff(np.append(starts, len(place))))
    latest = np.maximum.accumulate(np.where(scanned.mark >= 0, np.arange(len(place)), -1))
    before = np.empty_like(latest)
    before[1:] = latest[:-1]
    before[0] = -1
    known = before >= group
    totals[known] = scanned.totals[scanned.mark[before[known]]]
    return totals


def _amounts(state: EnergyState, place: Int, total: Int) -> Int:
    since_ratio = total - state.column("ratio_growth")[place]
    grown = since_ratio * state.column("num")[place]
    if (state.column("den") > 1).any():
        grown //= np.maximum(state.column("den")[place], 1)
    result: Int = state.column("ratio_amount")[place] + grown
    return result


def _set_ratio(table: PointTable, state: EnergyState, place: int, at_ms: int) -> None:
    ratios = table.points[place].ratios
    held = [ratio.value for ratio in ratios if ratio.from_ms <= at_ms] or [ratios[0].value if ratios else Fraction(1)]
    unit = base_per_tick(table.points[place], held[-1])
    state.column("num")[place], state.column("den")[place] = unit.numerator, unit.denominator


@dataclass(frozen=True, slots=True)
class Pieces:
    """Readings of a course and, between them, where it passes the boundaries of intervals; sorted by (place, time).

    `value` is linear between readings; `held` is the value of the reading before, also for a piece that ends at a
    boundary (`is_edge`). `first` marks the first reading a point ever had.
    """

    place: Int
    time_ms: Int
    value: Int
    held: Int
    first: NDArray[np.bool_]
    is_edge: NDArray[np.bool_]


def split_at_edges(table: PointTable, state: EnergyState, place: Int, time_ms: Int, value: Int) -> Pieces:
    """Cut the course between readings at every boundary that it passes, up to the largest gap."""
    starts = group_starts(place)
    who = place[starts]
    first = np.zeros(len(place), dtype=np.bool_)
    first[starts] = state.column("started")[who] == 0
    before = shifted(value, starts, state.column("value")[who])
    before_ms = shifted(time_ms, starts, state.column("read_ms")[who])
    resolution = table.resolution_ms[place]
    elapsed = time_ms - before_ms
    known = ~first & (elapsed <= table.max_gap_ms[place])
    edges = np.where(known, (time_ms - 1) // resolution - before_ms // resolution, 0)
    crossing = np.flatnonzero(edges > 0)
    is_edge = np.zeros(len(place), dtype=np.bool_)
    if not len(crossing):
        return Pieces(place, time_ms, value, before, first, is_edge)
    row = np.repeat(crossing, edges[crossing])
    nth = np.arange(len(row)) - np.repeat(np.cumsum(edges[crossing]) - edges[crossing], edges[crossing]) + 1
    edge_ms = (before_ms[row] // resolution[row] + nth) * resolution[row]
    rise = value[row] - before[row]
    at_edge = before[row] + rise * (edge_ms - before_ms[row]) // elapsed[row]
    none = np.zeros(len(row), dtype=np.bool_)
    place, time_ms = np.concatenate((place, place[row])), np.concatenate((time_ms, edge_ms))
    order = np.lexsort((time_ms, place))
    return Pieces(
        place=place[order],
        time_ms=time_ms[order],
        value=np.concatenate((value, at_edge))[order],
        held=np.concatenate((before, before[row]))[order],
        first=np.concatenate((first, none))[order],
        is_edge=np.concatenate((is_edge, ~none))[order],
    )


def rates(table: PointTable, state: EnergyState, place: Int, time_ms: Int, value: Int) -> Accepted:
    """Integrate a rate by the trapezoid rule up to the largest gap; beyond it nothing is known.

    `value` in base units per hour (mW). The rate is taken as linear between readings, also at the boundaries,
    so a quarter-hour holds exactly the area over it: (p0 + p1)·dt in half unit-milliseconds.
    """
    who = place[group_starts(place)]
    pieces = split_at_edges(table, state, place, time_ms, value)
    place, time_ms, value, first = pieces.place, pieces.time_ms, pieces.value, pieces.first
    starts = group_starts(place)
    before = shifted(value, starts, state.column("value")[who])
    before_ms = shifted(time_ms, starts, state.column("read_ms")[who])
    elapsed = time_ms - before_ms
    known = ~first & (elapsed <= table.max_gap_ms[place])
    doubled = np.where(known, (value + before) * np.where(known, elapsed, 0), 0)
    unit = 2 * HOUR_MS
    whole = running(doubled // unit, starts, np.zeros(len(who), dtype=np.int64))
    rest = running(doubled % unit, starts, np.where(first[starts], 0, state.column("remainder")[who]))
    amount = whole + rest // unit
    last = np.append(starts[1:], len(place)) - 1
    state.column("remainder")[who] = rest[last] % unit
    state.column("value")[who] = value[last]
    flag = np.where(known | first, int(Flag.PLAIN), int(Flag.UNKNOWN))
    return Accepted(place, time_ms, amount - shifted(amount, starts, np.zeros(len(who), dtype=np.int64)), flag, first)


def intervals(table: PointTable, state: EnergyState, place: Int, time_ms: Int, value: Int) -> Accepted:
    """Take amounts that a meter already reports per interval as they are; what lies between intervals is missing.

    `value` in base units. A stamp at the start of the interval is moved to its end first, by `energy`.
    """
    starts = group_starts(place)
    who = place[starts]
    fresh = state.column("started")[who] == 0
    begins = time_ms - table.interval_ms[place]
    before_ms = shifted(time_ms, starts, np.where(fresh, begins[starts], state.column("read_ms")[who]))
    first = np.zeros(len(place), dtype=np.bool_)
    first[starts] = fresh
    opens = first | (before_ms < begins)
    row = np.flatnonzero(opens)
    zeros = np.zeros(len(row), dtype=np.int64)
    place = np.concatenate((place, place[row]))
    flag = np.concatenate((np.zeros(len(value), dtype=np.int64), np.where(first[row], 0, int(Flag.UNKNOWN))))
    time_ms = np.concatenate((time_ms, begins[row]))
    value = np.concatenate((value, zeros))
    opening = np.concatenate((np.zeros(len(first), dtype=np.bool_), first[row]))
    order = np.lexsort((time_ms, place))
    return Accepted(place[order], time_ms[order], value[order], flag[order], opening[order])
