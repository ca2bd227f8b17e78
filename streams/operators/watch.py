"""The rules of a site over what the pipeline knows: readings as they arrive, intervals as they close, recorded ticks.

Each step takes a state and returns another, the notices that it brings in order, and the episodes that it changed as
they stand after it. Nothing is asked of a clock; however the input is cut, the same comes out. A tick speaks for
readings up to a minute before it, since they may be on their way. After a change of the catalog the state goes through
its bytes (`Watch.from_bytes`): episodes of rules that are still there go on, the others close at the next tick.
"""

from __future__ import annotations

from math import isfinite, isnan, nan
from types import MappingProxyType

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.domain.alerts import Episode, Notice, Rule
from streams.operators import sentences
from streams.operators.aligning import GRACE_MS, INTERVALS, Gathered, Part, Roles, gather, windows
from streams.operators.demand import QUARTER_MS
from streams.operators.demand_watch import watch_demand
from streams.operators.detectors.looking import Row, Values
from streams.operators.episodes import Case, Log, Looks, Seen, close, follow, remind
from streams.operators.groups import group_starts
from streams.operators.heard import Heard, hear
from streams.operators.readings import NEVER
from streams.operators.rulebook import Detecting, Silence, Watch, label
from streams.operators.thresholds import cross, hold, keep, key_of
from streams.operators.watch_state import Newest, WatchState

Int = NDArray[np.int64]
Float = NDArray[np.float64]
Told = tuple[WatchState, list[Notice], list[Episode]]


def readings(watch: Watch, state: WatchState, place: Int, time_ms: Int, value: Float) -> Told:
    """Take clean readings of all kinds in order of arrival: places, event times, values in the points' units.

    What is no number (NaN) and a reading that is not later than all before it of its point are passed over.
    """
    if not len(watch.watched.points) or not (watch.watched.slot[place] >= 0).any():
        return state, [], []
    log, state = Log(watch.calendar), state.copy()
    newest, heard = hear(watch.watched, state.heard.time_ms, place, time_ms, value)
    state.heard = Newest(state.heard.points, newest)
    for each in watch.thresholds:
        cross(log, each, state.tracks, heard, heard.time_ms)
    if watch.demands:
        state.metered = watch_demand(log, watch.demands, watch.meters, state.metered, state.tracks, heard)
    return state, log.told(), list(log.episodes.values())


def intervals(watch: Watch, state: WatchState, rows: pl.DataFrame) -> Told:
    """Take newly closed intervals of points (INTERVALS), of each point in order of time.

    An interval that does not end later than all before it of its point is passed over: what closed once is not told
    again.
    """
    mine = rows.filter(pl.col("place").is_in(watch.interval_places)).sort("place", "ends_ms", maintain_order=True)
    if len(mine):
        mine = mine.unique(["place", "ends_ms"], keep="first", maintain_order=True)
        at = np.searchsorted(watch.interval_places, mine["place"].to_numpy())
        mine = mine.filter(pl.Series(mine["ends_ms"].to_numpy() > state.closed.time_ms[at]))
    if not len(mine):
        return state, [], []
    log, state = Log(watch.calendar), state.copy()
    closed = state.closed.time_ms.copy()
    at = np.searchsorted(watch.interval_places, mine["place"].to_numpy())
    np.maximum.at(closed, at, mine["ends_ms"].to_numpy())
    state.closed = Newest(state.closed.points, closed)
    if watch.scores:
        since, scored = _scored(mine)
        for each in watch.scores:
            cross(log, each, state.tracks, scored, since)
    if watch.detecting:
        parts = {place: _parts(of) for (place,), of in mine.partition_by("place", as_dict=True).items()}
        for detecting in watch.detecting:
            _detect(log, watch, state, detecting, parts)
    return state, log.told(), list(log.episodes.values())


def modelled(watch: Watch, state: WatchState, rows: pl.DataFrame) -> Told:
    """Take windows that models have scored (`place`, `starts_ms`, `ends_ms`, `score`), each once, in order of time."""
    if not watch.models or not len(rows):
        return state, [], []
    log, state = Log(watch.calendar), state.copy()
    since, scored = _scored(rows.sort("place", "ends_ms", maintain_order=True))
    for each in watch.models:
        cross(log, each, state.tracks, scored, since)
    return state, log.told(), list(log.episodes.values())


def tick(watch: Watch, state: WatchState, now_ms: int, highest_ms: Int) -> Told:
    """Take a recorded tick; `highest_ms` has the latest time heard of each place, NEVER where nothing was."""
    log, state = Log(watch.calendar), state.copy()
    if state.first_tick_ms is None:
        state.first_tick_ms = now_ms
    for name, subject, track in state.orphans:
        gone = Case(watch.site.name, Rule(name, track.kind), subject, track.asset, track.advice)
        close(log, gone, track, now_ms, why=sentences.GONE)
    state.orphans = []
    for silence in watch.silences:
        _silent(log, watch, state, silence, now_ms, highest_ms)
    for detecting in watch.detecting:
        if detecting.roles is not None:
            _aligned(log, watch, state, detecting, detecting.roles, now_ms)
    for each in watch.thresholds:
        for key in [key for key in state.tracks if key[0] == each.rule.name]:
            case = watch.cases[key]
            at_ms = max(now_ms - GRACE_MS, int(state.heard.time_ms[each.slots[case.subject]]))
            keep(state.tracks, case, hold(log, each, case, state.tracks[key], at_ms))
    for case in watch.demands:
        _abandon(log, state, case, now_ms)
    for key, track in list(state.tracks.items()):
        state.tracks[key] = remind(log, watch.cases[key], track, now_ms)
    return state, log.told(), list(log.episodes.values())


def _silent(log: Log, watch: Watch, state: WatchState, silence: Silence, now_ms: int, highest_ms: Int) -> None:
    """Points that were not heard for as long as the rule says, while its schedule holds."""
    rule, first = silence.rule, state.first_tick_ms or now_ms
    holds = bool(watch.calendar.holds(rule.schedule, np.array([now_ms], dtype=np.int64))[0])
    if not holds:
        state.held_ms.pop(rule.name, None)
    elif rule.schedule is not None:
        first = max(first, state.held_ms.setdefault(rule.name, now_ms))
    heard = highest_ms[silence.places]
    since = np.where(heard == NEVER, first, heard)
    if rule.schedule is not None:
        since = np.maximum(since, first)
    silent = holds & (now_ms - since >= rule.for_ms)
    open_too = {subject for name, subject in state.tracks if name == rule.name}
    for nth, case in enumerate(silence.cases):
        if not silent[nth] and case.subject not in open_too:
            continue
        code, begun = (1, int(since[nth])) if silent[nth] else (-1, now_ms)
        minutes, limit = max(0, now_ms - int(since[nth])) / 60_000, rule.for_ms / 60_000
        last = None if heard[nth] == NEVER else watch.calendar.local(int(heard[nth]))
        said = sentences.silence(label(watch.site, case), round(minutes * 60_000), last, watch.calendar.local(begun))
        seen = Seen(minutes, limit, "min", said)
        looks = Looks.one(begun, now_ms, code, minutes - limit if silent[nth] else nan)

        def shown(_at: int, _since_ms: int, seen: Seen = seen) -> Seen:
            return seen

        keep(state.tracks, case, follow(log, case, state.tracks.get(key_of(case)), looks, shown))


def _abandon(log: Log, state: WatchState, case: Case, now_ms: int) -> None:
    """Let go of demand of which nothing has been heard for a whole quarter-hour."""
    track = state.tracks.get(key_of(case))
    latest = max((count.time_ms for count in state.metered.counts.values()), default=NEVER)
    begin = latest // QUARTER_MS * QUARTER_MS
    if track is None or now_ms - GRACE_MS < begin + 2 * QUARTER_MS:
        return

    def shown(_at: int, _since_ms: int) -> Seen:
        return Seen(nan, nan, track.unit)

    looks = Looks.one(begin + QUARTER_MS, now_ms - GRACE_MS, -1)
    keep(state.tracks, case, follow(log, case, track, looks, shown))


def _scored(rows: pl.DataFrame) -> tuple[Int, Heard]:
    """Scores as if they were readings, and when their intervals begin."""
    known = rows.with_row_index("row").filter(pl.col("score").is_not_null() & pl.col("score").is_not_nan())
    place, starts, ends, row = (
        known[name].cast(pl.Int64).to_numpy() for name in ("place", "starts_ms", "ends_ms", "row")
    )
    groups = group_starts(place)
    return starts, Heard(place, ends, known["score"].to_numpy(), row, place[groups], np.append(groups, len(place)))


def _parts(rows: pl.DataFrame) -> list[Part]:
    known = rows.with_columns(
        pl.col("mean", "low", "high", "last", "amount").fill_null(nan),
        pl.col("readings").fill_null(0),
        pl.col("estimated").fill_null(value=False),
    ).select(list(INTERVALS)[1:-1])
    return [(start, end, Values(*values)) for start, end, *values in known.iter_rows()]


def _detect(log: Log, watch: Watch, state: WatchState, detecting: Detecting, parts: dict[object, list[Part]]) -> None:
    if detecting.roles is None:
        for start, end, values in parts.get(detecting.place, []):
            _look(log, watch, state, detecting, start, end, {"": values})
        return
    gathered = state.gathered.get(key_of(detecting.case), Gathered())
    for role, point in detecting.roles.points.items():
        if mine := parts.get(watch.place[point.name]):
            gathered = gather(gathered, role, mine)
    state.gathered[key_of(detecting.case)] = gathered
    _aligned(log, watch, state, detecting, detecting.roles, None)


def _aligned(
    log: Log, watch: Watch, state: WatchState, detecting: Detecting, roles: Roles, tick_ms: int | None
) -> None:
    key = key_of(detecting.case)
    if key not in state.gathered:
        return
    state.gathered[key], ready = windows(roles, state.gathered[key], tick_ms)
    for start, by_role in ready:
        _look(log, watch, state, detecting, start, start + roles.period_ms, by_role)


def _look(
    log: Log,
    watch: Watch,
    state: WatchState,
    detecting: Detecting,
    starts_ms: int,
    ends_ms: int,
    by_role: dict[str, Values],
) -> None:
    case, calendar = detecting.case, watch.calendar
    local = calendar.local(starts_ms)
    day = calendar.day(local.date())
    row = Row(
        starts_ms, ends_ms, local, day.is_off_peak, calendar.price(local), day.contract_kw, MappingProxyType(by_role)
    )
    _, memory = state.memories.get(key_of(case), (case.rule.kind, {}))
    memory, sign = detecting.look(case.rule, dict(memory), row)
    state.memories[key_of(case)] = case.rule.kind, memory
    holds = calendar.holds(case.rule.schedule, np.array([starts_ms], dtype=np.int64))[0]
    is_seen = sign.is_seen and bool(holds)
    value, limit = (float(each) if isfinite(each) else nan for each in (sign.value, sign.limit))
    excess = abs(value - limit)
    looks = Looks.one(starts_ms, ends_ms, 1 if is_seen else -1, 0.0 if is_seen and isnan(excess) else excess)

    def shown(_at: int, _since_ms: int) -> Seen:
        return Seen(value, limit, sign.unit, sign.said)

    keep(state.tracks, case, follow(log, case, state.tracks.get(key_of(case)), looks, shown))
