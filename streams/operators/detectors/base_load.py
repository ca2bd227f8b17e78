"""Consumption when nobody works: by night, and on days off, against its own earlier level at the same hour."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from streams.domain.alerts import Schedule, Words
from streams.operators.detectors.looking import Detector, Memory
from streams.operators.detectors.saying import HOUR_MS, Case, Number, View, detector, quantile

SATURDAY, SUNDAY = 5, 6
HALF = 0.5
"""Share of an hour that must be known for the hour to count."""


def holds(schedule: Schedule, local: datetime, is_off_peak_day: bool) -> bool:
    """Whether a schedule holds at a local time; after midnight it is still that of the day on which it began."""
    if schedule.off_peak_days is not None and schedule.off_peak_days != is_off_peak_day:
        return False
    minute, day = local.hour * 60 + local.minute, local.weekday()
    if schedule.begin_minute < schedule.end_minute:
        return schedule.begin_minute <= minute < schedule.end_minute and day in schedule.weekdays
    if minute >= schedule.begin_minute:
        return day in schedule.weekdays
    return minute < schedule.end_minute and (day - 1) % 7 in schedule.weekdays


def _by_night(case: Case) -> bool:
    row = case.row
    if case.rule.schedule is not None:
        return holds(case.rule.schedule, row.local, row.is_off_peak_day)
    hour, begins, ends = row.local.hour, case.limits["begins_at_h"], case.limits["ends_at_h"]
    return begins <= hour < ends if begins < ends else hour >= begins or hour < ends


def _on_day_off(case: Case) -> bool:
    row = case.row
    if case.rule.schedule is not None:
        return holds(case.rule.schedule, row.local, row.is_off_peak_day)
    day = row.local.weekday()
    return row.is_off_peak_day or day == SUNDAY or (day == SATURDAY and case.limits["saturday_is_off"] > 0)


def _advance(case: Case, memory: Memory, is_off: bool) -> Memory:
    """Means of whole hours, each beside the usual one; `run` are those of the night or days off that last."""
    values, row = case.known(), case.row
    if values is None:
        return memory
    hour = row.local.toordinal() * 24 + row.local.hour
    now = memory.get("now")
    if now is not None and now["hour"] != hour:
        memory, now = _closed(case, memory, now), None
    if not is_off:
        return {**memory, "run": [], "now": None}
    if now is None:
        now = {"hour": hour, "starts_ms": row.starts_ms, "sum": 0.0, "ms": 0}
    now = {**now, "sum": now["sum"] + values.mean * case.span_ms, "ms": now["ms"] + case.span_ms}
    if case.ends_hour:
        return _closed(case, memory, now)
    return {**memory, "now": now}


def _closed(case: Case, memory: Memory, now: Memory) -> Memory:
    if now["ms"] < HALF * HOUR_MS:
        return {**memory, "now": None}
    mean, spot = now["sum"] / now["ms"], str(now["hour"] % 24)
    hours = memory.get("hours", {})
    earlier: list[float] = hours.get(spot, [])
    enough = len(earlier) >= max(case.limits["least_days"], 1)
    usual = quantile(earlier, case.limits["quantile_percent"] / 100) if enough else None
    kept = [*earlier, mean][-int(case.limits["days"]) :]
    run = [*memory.get("run", []), [now["starts_ms"], mean, usual]][-int(case.limits["least_hours"]) :]
    return {**memory, "hours": {**hours, spot: kept}, "run": run, "now": None}


def _tell(case: Case, memory: Memory, when: Words) -> View:
    limits, run = case.limits, memory.get("run", [])
    base, least = limits["base_kw"], int(limits["least_hours"])
    usuals = [usual for _, _, usual in run if usual is not None]
    whole = len(run) == least
    usual = sum(usuals) / len(usuals) if usuals else float("nan")
    limit = usual * (1 + limits["margin_percent"] / 100) + limits["margin_kw"]
    if base > 0:
        usual = limit = base
    elif len(usuals) < len(run) or not usuals:
        known = max(map(len, memory.get("hours", {}).values()), default=0)
        if known < limits["least_days"]:
            days = f"{known}/{limits['least_days']:g}"
            said = Words(f"學習中：已知 {days} {when.zh}。", f"Warming up: {days} days or nights known.")
            return View(False, float("nan"), float("nan"), "kW", said)
        whole = False
    kw = sum(mean for _, mean, _ in run) / len(run) if run else float("nan")
    if not whole or not kw > limit:
        return View(False, kw, limit, "kW")
    since = case.at(run[0][0])
    extra = (kw - usual) * case.row.price_ntd_per_kwh
    cost = ("", "") if extra != extra else (f"，每小時多花 {extra:.0f} 元", f", NT${extra:.0f} an hour too much")
    zh = f"{when.zh}用電偏高：近 {least} 小時平均 {kw:.1f} kW，平常 {usual:.1f} kW，自 {since} 起{cost[0]}。"
    en = f"High load {when.en}: {kw:.1f} kW over {least} h, usually {usual:.1f} kW, since {since}{cost[1]}."
    return View(True, kw, limit, "kW", Words(zh, en))


def _numbers(days: int, least_days: int, what: str) -> dict[str, Number]:
    return {
        "base_kw": Number(0, "kW; fixed limit in place of the usual level, 0: none"),
        "margin_percent": Number(30, "%; how far above the usual level of the same hour it may be"),
        "margin_kw": Number(1, "kW; on top of that"),
        "least_hours": Number(2, "h; whole hours that are looked at together"),
        "quantile_percent": Number(75, f"%; the usual level is this quantile of earlier {what}"),
        "days": Number(days, f"count; earlier {what} that the usual level is learnt from"),
        "least_days": Number(least_days, f"count; {what} to know before anything is said"),
    }


def _of(
    kind: str, is_off: Callable[[Case], bool], when: Words, what: Words, check: Words, numbers: dict[str, Number]
) -> Detector:
    return detector(
        kind,
        lambda case, memory: _advance(case, memory, is_off(case)),
        lambda case, memory: _tell(case, memory, when),
        what=what,
        check=check,
        numbers=numbers,
    )


NIGHT_BASE_LOAD = _of(
    "night_base_load",
    _by_night,
    Words("夜間", "at night"),
    Words("夜間用電高於平常", "Consumption by night above its usual level"),
    Words(
        "先查空壓機、空調、照明與飲水機是否忘了關。",
        "First check air compressors, cooling, lights, water dispensers.",
    ),
    {
        **_numbers(28, 7, "nights"),
        "begins_at_h": Number(22, "local hour; begin of the night where the rule has no schedule"),
        "ends_at_h": Number(5, "local hour; end of the night where the rule has no schedule"),
    },
)

HOLIDAY_BASE_LOAD = _of(
    "holiday_base_load",
    _on_day_off,
    Words("假日", "on a day off"),
    Words("假日用電高於平常", "Consumption on days off above its usual level"),
    Words(
        "先查空調、照明與機台待機，再問是否有人加班。",
        "First check cooling, lights and idle machines; ask who works.",
    ),
    {
        **_numbers(12, 3, "days off"),
        "saturday_is_off": Number(0, "0 or 1; 1: Saturdays are days off too, where the rule has no schedule"),
    },
)
