"""Demand about to pass the contract, seen while the quarter-hour still runs.

Every reading of an import meter gives a projection: the energy of the quarter-hour so far, and the present power until
its end. It is believed once `after_min` of the quarter-hour have passed and every meter was heard within five minutes,
and as far as its excess outweighs the share `margin` of the energy that is still to come. What is seen is over when the
projection is within the contract, without a margin.
A quarter-hour whose energy so far is beyond the contract already is decided: it opens nothing, since nothing can be
shed any more, and an episode that is open stays open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from math import nan

import numpy as np
from numpy.typing import NDArray

from streams.catalog.site_file import AVERAGE_PRICE
from streams.catalog.tariffs import Tariffs
from streams.domain.alerts import Words
from streams.operators import sentences
from streams.operators.bill import MonthUse, SeasonSplit, agreed_kw, excesses, season_shares
from streams.operators.cost import contract_on
from streams.operators.demand import QUARTER_MS
from streams.operators.episodes import Case, Log, Looks, Seen, Track, follow
from streams.operators.heard import Heard
from streams.operators.metering import HOUR_MS, MINUTE_MS, Count, Course, Meter, run
from streams.operators.readings import NEVER
from streams.operators.rule_calendar import Calendar, slot
from streams.operators.thresholds import keep, key_of

Int = NDArray[np.int64]
Float = NDArray[np.float64]
Bool = NDArray[np.bool_]
UNIT = "kW"
STALE_MS = 300_000
MW_PER_KW = 1_000_000

Peak = tuple[str, str, str]
"""A local month (`2026-06`), a season and a band."""


@dataclass(frozen=True, slots=True)
class Metered:
    """What is remembered of the site's purchase: each meter by its point, and the largest demand so far (kW).

    Peaks are kept of the local month that the last finished quarter-hour is in.
    """

    counts: Mapping[str, Count] = field(default_factory=dict)
    peaks: Mapping[Peak, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What each reading of a meter, in order of arrival, shows of the running quarter-hour; NaN where unknown.

    `now_ms` is the latest time heard; `finished` are quarter-hours that a row finishes, with their demand in kW.
    """

    row: Int
    now_ms: Int
    used_kwh: Float
    power_kw: Float
    projected_kw: Float
    is_known: Bool
    finished: tuple[tuple[int, int, float], ...]


def watch_demand(
    log: Log,
    cases: tuple[Case, ...],
    meters: tuple[Meter, ...],
    metered: Metered,
    tracks: dict[tuple[str, str], Track],
    heard: Heard,
) -> Metered:
    """Take readings of import meters; changes `tracks`."""
    parts = [heard.of(meter.slot) for meter in meters]
    if not any(part.stop > part.start for part in parts):
        return metered
    before = [metered.counts.get(meter.point.name, Count()) for meter in meters]
    after = [
        run(meter, count, heard.time_ms[part], heard.value[part])
        for meter, count, part in zip(meters, before, parts, strict=True)
    ]
    courses = [course for _, course in after]
    outlook = _outlook(meters, before, courses, [heard.row[part] for part in parts])
    agreed = Agreed(log.calendar)
    kw = agreed.kw(outlook.now_ms)
    for case in cases:
        limit = kw * case.rule.numbers["share"]
        looks = _looks(log.calendar, case, outlook, limit)

        def shown(at: int, _since_ms: int, limit: Float = limit) -> Seen:
            said = _words(agreed, metered.peaks, outlook, at, float(limit[at]))
            return Seen(float(outlook.projected_kw[at]), float(limit[at]), UNIT, said)

        keep(tracks, case, follow(log, case, tracks.get(key_of(case)), looks, shown))
    counts = {meter.point.name: count for meter, (count, _) in zip(meters, after, strict=True)}
    return Metered(counts, agreed.peaks(metered.peaks, outlook.finished))


def _outlook(meters: tuple[Meter, ...], before: list[Count], courses: list[Course], rows: list[Int]) -> Outlook:
    row = np.sort(np.concatenate(rows))
    now = np.full(len(row), NEVER)
    times, states = [], []
    for count, course, mine in zip(before, courses, rows, strict=True):
        at = np.searchsorted(mine, row, side="right")
        held = (
            np.concatenate(([first], then))[at]
            for first, then in (
                (count.time_ms, course.time_ms),
                (count.used_mwh, course.used_mwh),
                (count.power_mw, course.power_mw),
                (count.is_known, course.is_known),
            )
        )
        time_ms, used, power, known = held
        now = np.maximum(now, time_ms)
        times.append(time_ms)
        states.append((used, power, known))
    quarter = now // QUARTER_MS * QUARTER_MS
    used_mwh, ahead_mwh, since_mwh, power_mw = (np.zeros(len(row)) for _ in range(4))
    is_known = np.ones(len(row), dtype=np.bool_)
    for meter, time_ms, (used, power, known) in zip(meters, times, states, strict=True):
        begun = np.maximum(time_ms, quarter)
        used_mwh += meter.coefficient * np.where(time_ms >= quarter, used, 0)
        since_mwh += meter.coefficient * power * ((now - begun) / HOUR_MS)
        ahead_mwh += meter.coefficient * power * ((quarter + QUARTER_MS - begun) / HOUR_MS)
        power_mw += meter.coefficient * power
        is_known &= known.astype(np.bool_) & (now - time_ms <= STALE_MS)
    unknown = np.where(is_known, 0.0, nan)
    return Outlook(
        row,
        now,
        (used_mwh + since_mwh) / MW_PER_KW + unknown,
        power_mw / MW_PER_KW + unknown,
        (used_mwh + ahead_mwh) * (HOUR_MS / QUARTER_MS) / MW_PER_KW + unknown,
        is_known,
        _finished(meters, courses, np.min(times, axis=0), now, min(count.time_ms for count in before)),
    )


def _finished(
    meters: tuple[Meter, ...], courses: list[Course], least: Int, now: Int, least_before: int
) -> tuple[tuple[int, int, float], ...]:
    """Quarter-hours that all meters have passed by a row, no later than a quarter-hour after their end."""
    reached = least // QUARTER_MS
    passes = np.flatnonzero(np.diff(reached, prepend=least_before // QUARTER_MS) > 0)
    found = []
    for at in passes.tolist():
        begin = (int(reached[at]) - 1) * QUARTER_MS
        if int(now[at]) - begin > 2 * QUARTER_MS:
            continue
        parts = [course.between(begin, begin + QUARTER_MS) for course in courses]
        if all(part is not None for part in parts):
            mwh = sum(meter.coefficient * (part or 0) for meter, part in zip(meters, parts, strict=True))
            found.append((at, begin, mwh * (HOUR_MS / QUARTER_MS) / MW_PER_KW))
    return tuple(found)


def _looks(calendar: Calendar, case: Case, outlook: Outlook, limit: Float) -> Looks:
    now = outlook.now_ms
    is_late_enough = now % QUARTER_MS >= case.rule.numbers["after_min"] * MINUTE_MS
    is_good = outlook.is_known & is_late_enough & ~np.isnan(limit)
    over = outlook.projected_kw > limit
    left = (QUARTER_MS - now % QUARTER_MS) / QUARTER_MS
    is_clear = outlook.projected_kw - case.rule.numbers["margin"] * left * outlook.power_kw > limit
    is_decided = outlook.used_kwh >= limit * (QUARTER_MS / HOUR_MS)
    code = np.where(is_good & is_clear & ~is_decided, 1, np.where(is_good & ~over, -1, 0))
    code = np.where(calendar.holds(case.rule.schedule, now), code, -1).astype(np.int8)
    return Looks(now, now, code, np.where(is_good, outlook.projected_kw - limit, nan), outlook.row)


def _words(agreed: Agreed, peaks: Mapping[Peak, float], outlook: Outlook, at: int, limit_kw: float) -> Words:
    now, projected = int(outlook.now_ms[at]), float(outlook.projected_kw[at])
    used, power = float(outlook.used_kwh[at]), float(outlook.power_kw[at])
    left_h = (QUARTER_MS - now % QUARTER_MS) / HOUR_MS
    until_h = (limit_kw * (QUARTER_MS / HOUR_MS) - used) / power if power > 0 else nan
    shed = (projected - limit_kw) * (QUARTER_MS / HOUR_MS) / left_h
    known = agreed.peaks(peaks, tuple(each for each in outlook.finished if each[0] <= at))
    cost = agreed.cost_ntd(now, projected, known)
    return sentences.demand(projected, limit_kw, used, left_h * 60, max(until_h, 0.0) * 60, shed, cost)


@dataclass(frozen=True, slots=True)
class Agreed:
    """The site's contract by band, and what demand beyond it costs."""

    calendar: Calendar

    @property
    def tariffs(self) -> Tariffs:
        """The tariff."""
        return self.calendar.tariffs

    def kw(self, time_ms: Int) -> Float:
        """Capacity that may be used in the quarter-hour of each time, in kW; NaN where none is agreed."""
        quarter, place = np.unique(time_ms // QUARTER_MS, return_inverse=True)
        found: Float = np.array([self._kw(each * QUARTER_MS) for each in quarter.tolist()])[place]
        return found

    def _kw(self, time_ms: int) -> float:
        local = self.calendar.local(time_ms)
        day = self.calendar.day(local.date())
        if day.contract is None:
            return nan
        return float(agreed_kw(day.contract, day.season, day.bands[slot(local)], self.tariffs)) or nan

    def peaks(self, before: Mapping[Peak, float], finished: tuple[tuple[int, int, float], ...]) -> Mapping[Peak, float]:
        """The largest demand of the month after some quarter-hours have finished."""
        after = dict(before)
        for _, begin_ms, kw in finished:
            peak = self._peak(begin_ms)
            after = {each: most for each, most in after.items() if each[0] == peak[0]}
            after[peak] = max(kw, after.get(peak, kw))
        return after

    def _peak(self, time_ms: int) -> Peak:
        local = self.calendar.local(time_ms)
        day = self.calendar.day(local.date())
        return f"{local:%Y-%m}", day.season, day.bands[slot(local)]

    def cost_ntd(self, time_ms: int, kw: float, peaks: Mapping[Peak, float]) -> float:
        """How much the month's charge for excess grows by a demand; NaN where the tariff has no such charge."""
        month, season, band = self._peak(time_ms)
        local = self.calendar.local(time_ms)
        first = date(local.year, local.month, 1)
        contract = contract_on(self.calendar.site.contracts, first) or self.calendar.day(local.date()).contract
        if contract is None or contract.plan == AVERAGE_PRICE:
            return nan
        before = {key[1:]: round(most * MW_PER_KW) for key, most in peaks.items() if key[0] == month and key[1]}
        after = before | {(season, band): max(round(kw * MW_PER_KW), before.get((season, band), 0))}
        charges = []
        for maxima in (before, after):
            use = MonthUse(first.year, first.month, {}, maxima)
            shares = season_shares(use, contract.plan, self.tariffs, SeasonSplit.BY_DAY)
            found = excesses(use, contract, self.tariffs, shares, first)
            charges.append(sum((each.charge_ntd for each in found), Fraction(0)))
        return float((charges[1] - charges[0]) * contract.industry_coefficient)
