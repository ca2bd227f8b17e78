"""A solar roof that gives less than it can under a clear sky, told apart from clouds by the best hours of days."""

from __future__ import annotations

from streams.domain.alerts import Words
from streams.operators.detectors.looking import Memory
from streams.operators.detectors.saying import HOUR_MS, Case, Number, View, detector, quantile

HALF = 0.5
"""Share of an hour that must be known for the hour to count."""
STRONG = 0.3
"""Hours whose envelope reaches this share of the highest one count."""
STRONG_HOURS = 4
"""Such hours that must be known of a day for the day to count."""
WORTH_LEARNING = 0.02
"""Hours below this share of the highest one ever kept are night or outage, and teach nothing."""


def _advance(case: Case, memory: Memory) -> Memory:
    values, row = case.known(), case.row
    if values is None:
        return memory
    hour = row.local.toordinal() * 24 + row.local.hour
    now = memory.get("now")
    if now is not None and now["hour"] != hour:
        memory, now = _closed(case, memory, now), None
    if now is None:
        now = {"hour": hour, "starts_ms": row.starts_ms, "sum": 0.0, "ms": 0}
    now = {**now, "sum": now["sum"] + values.mean * case.span_ms, "ms": now["ms"] + case.span_ms}
    if case.ends_hour:
        return _closed(case, memory, now)
    return {**memory, "now": now}


def _closed(case: Case, memory: Memory, now: Memory) -> Memory:
    memory = _day_closed(case, {**memory, "now": None}, now["hour"] // 24)
    if now["ms"] < HALF * HOUR_MS:
        return memory
    limits, mean, spot = case.limits, now["sum"] / now["ms"], str(now["hour"] % 24)
    hours: dict[str, list[float]] = memory.get("hours", {})
    clear = {
        each: quantile(kept, limits["quantile_percent"] / 100)
        for each, kept in hours.items()
        if len(kept) >= max(limits["least_days"], 1)
    }
    peak = max(clear.values(), default=0.0)
    if clear.get(spot, 0.0) >= STRONG * peak > 0:
        memory = _judged(case, memory, now, mean, clear[spot])
    highest = max((max(kept) for kept in hours.values()), default=0.0)
    if mean > WORTH_LEARNING * highest:
        kept = [*hours.get(spot, []), mean][-int(limits["days"]) :]
        memory = {**memory, "hours": {**hours, spot: kept}}
    return memory


def _judged(case: Case, memory: Memory, now: Memory, mean: float, clear: float) -> Memory:
    """A strong hour beside its envelope; a good one ends the row of poor days at once."""
    percent = 100 * mean / clear
    recent = [*memory.get("recent", []), [now["starts_ms"], mean, clear]][-int(case.limits["dead_hours"]) :]
    best, count = max(memory.get("best_percent", 0.0), percent), memory.get("count", 0) + 1
    after = {**memory, "recent": recent, "best_percent": best, "count": count}
    after["day_ms"] = memory.get("day_ms") or now["starts_ms"]
    return {**after, "poor": []} if percent >= case.limits["min_percent"] else after


def _day_closed(case: Case, memory: Memory, day: int) -> Memory:
    """At the first hour of another day: a day counts as poor if even its best hour was."""
    if memory.get("day") == day:
        return memory
    poor: list[list[float]] = memory.get("poor", [])
    best = memory.get("best_percent", 0.0)
    if memory.get("count", 0) >= STRONG_HOURS:
        poor = [*poor, [memory["day_ms"], best]] if best < case.limits["min_percent"] else []
    return {**memory, "day": day, "poor": poor, "best_percent": 0.0, "count": 0, "day_ms": 0}


def _tell(case: Case, memory: Memory) -> View:
    limits, recent, poor = case.limits, memory.get("recent", []), memory.get("poor", [])
    known = max(map(len, memory.get("hours", {}).values()), default=0)
    if known < limits["least_days"]:
        days = f"{known}/{limits['least_days']:g}"
        said = Words(f"學習中：已知 {days} 天。", f"Warming up: {days} days known.")
        return View(False, float("nan"), limits["min_percent"], "%", said)
    given = 100 * sum(mean for _, mean, _ in recent) / sum(clear for _, _, clear in recent) if recent else float("nan")
    if len(recent) == int(limits["dead_hours"]) and given < limits["dead_percent"]:
        clear_kw = sum(clear for _, _, clear in recent) / len(recent)
        since, hours = case.at(recent[0][0]), len(recent)
        zh = f"太陽能幾乎沒有出力：近 {hours} 個日照小時只有晴天 {clear_kw:.1f} kW 的 {given:.0f} %，自 {since} 起。"
        en = (
            f"PV gives next to nothing: {given:.0f} % of its clear-day envelope of {clear_kw:.1f} kW over {hours} h of"
            f" daylight, since {since}."
        )
        return View(True, given, limits["dead_percent"], "%", Words(zh, en))
    if len(poor) >= limits["poor_days"]:
        since, best, least = case.at(int(poor[0][0])), max(each for _, each in poor), limits["min_percent"]
        zh = f"太陽能出力偏低：連續 {len(poor)} 天，最佳一小時只有晴天 {best:.0f} %（下限 {least:g}），自 {since} 起。"
        en = (
            f"PV below its clear-day envelope: best hour of {len(poor)} days in a row only {best:.0f} % (limit"
            f" {least:g}), since {since}."
        )
        return View(True, best, limits["min_percent"], "%", Words(zh, en))
    return View(False, given, limits["min_percent"], "%")


PV_BELOW_ENVELOPE = detector(
    "pv_below_envelope",
    _advance,
    _tell,
    what=Words("太陽能出力低於晴天水準", "A solar roof below its clear-day envelope"),
    check=Words(
        "先看變流器告警與直流開關，再查組串、髒污與遮蔭。",
        "First check the inverter's alarms and DC switches; then strings, dirt and shade.",
    ),
    numbers={
        "min_percent": Number(70, "%; share of the envelope that the best hour of a day must reach"),
        "poor_days": Number(7, "d; days in a row below it"),
        "dead_percent": Number(4, "%; below this share even under the thickest clouds"),
        "dead_hours": Number(4, "h; hours of strong daylight over which that is decided"),
        "quantile_percent": Number(98, "%; the envelope is this quantile of earlier days at the same hour"),
        "days": Number(30, "d; earlier days that the envelope is learnt from"),
        "least_days": Number(10, "d; days to know before anything is said"),
    },
)
