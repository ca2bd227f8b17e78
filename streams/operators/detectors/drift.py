"""A compressor that draws more for the same lift than it did weeks ago: fouling, lost refrigerant, wear."""

from __future__ import annotations

from itertools import combinations
from statistics import median

from streams.domain.alerts import Words
from streams.operators.detectors.looking import Memory
from streams.operators.detectors.saying import HOUR_MS, Case, Number, View, detector

LEAST_HOURS = 18
"""Known hours that a day must have to count."""
SAME_LIFT_K = 0.5
"""Days whose lifts differ less than this say nothing of the slope."""
ASSUMED_AMBIENT_C = 25.0


def _advance(case: Case, memory: Memory) -> Memory:
    power, room = case.known("power"), case.known("room")
    ambient = case.known("ambient")
    if power is None or room is None or (ambient is None and case.has("ambient")):
        return memory
    day = case.row.local.toordinal()
    now = memory.get("now")
    if now is not None and now["day"] != day:
        memory, now = _closed(case, memory, now), None
    if now is None:
        now = {"day": day, "kw": 0.0, "lift": 0.0, "ms": 0}
    lift = (ASSUMED_AMBIENT_C if ambient is None else ambient.mean) - room.mean
    span = case.span_ms
    sums = {"kw": now["kw"] + power.mean * span, "lift": now["lift"] + lift * span, "ms": now["ms"] + span}
    return {**memory, "now": {**now, **sums}}


def _closed(case: Case, memory: Memory, now: Memory) -> Memory:
    if now["ms"] < LEAST_HOURS * HOUR_MS:
        return memory
    oldest = now["day"] - case.limits["reference_to_days"]
    days = [each for each in memory.get("days", []) if each[0] > oldest]
    days = [*days, [now["day"], now["lift"] / now["ms"], now["kw"] / now["ms"]]]
    return {**memory, "days": days, **_compared(case, days, now["day"])}


def _compared(case: Case, days: list[list[float]], today: int) -> Memory:
    """The recent days' median power beside what the reference days' course over the lift makes of it."""
    limits = case.limits
    reference = [(lift, kw) for day, lift, kw in days if day <= today - limits["reference_from_days"]]
    recent = [(lift, kw) for day, lift, kw in days if day > today - limits["recent_days"]]
    known = {"known": len(reference)}
    if len(reference) < max(limits["least_reference_days"], 1) or 2 * len(recent) <= limits["recent_days"]:
        return {**known, "percent": None}
    slope, level = _line(reference)
    expected = [slope * lift + level for lift, _ in recent]
    if min(expected) <= 0:
        return {**known, "percent": None}
    percent = 100 * (median(kw / usual for (_, kw), usual in zip(recent, expected, strict=True)) - 1)
    return {**known, "percent": percent, "kw": median(kw for _, kw in recent), "usual_kw": median(expected)}


def _line(pairs: list[tuple[float, float]]) -> tuple[float, float]:
    """Slope and level of kW over lift by Theil and Sen: medians, so that a few odd days do not bend it."""
    slopes = [
        (kw2 - kw1) / (lift2 - lift1)
        for (lift1, kw1), (lift2, kw2) in combinations(pairs, 2)
        if abs(lift2 - lift1) >= SAME_LIFT_K
    ]
    slope = max(median(slopes), 0.0) if slopes else 0.0
    return slope, median(kw - slope * lift for lift, kw in pairs)


def _tell(case: Case, memory: Memory) -> View:
    limit, least = case.limits["max_drift_percent"], case.limits["least_reference_days"]
    percent = memory.get("percent")
    if percent is None:
        known = memory.get("known", 0)
        zh, en = f"學習中：參考日 {known}/{least:g}。", f"Warming up: {known} of {least:g} reference days known."
        return View(False, float("nan"), limit, "%", Words(zh, en) if known < least else Words())
    if percent < limit:
        return View(False, percent, limit, "%")
    days, back = case.limits["recent_days"], case.limits["reference_from_days"]
    zh = (
        f"壓縮機耗電漂移：同樣溫差下近 {days:g} 天平均 {memory['kw']:.1f} kW，比 {back:g} 天以前的"
        f" {memory['usual_kw']:.1f} kW 多 {percent:.0f} %（上限 {limit:g}）。"
    )
    en = (
        f"Compressor draws more for the same lift: {memory['kw']:.1f} kW over {days:g} days, {percent:.0f} % above"
        f" {memory['usual_kw']:.1f} kW of over {back:g} days ago (limit {limit:g})."
    )
    return View(True, percent, limit, "%", Words(zh, en))


COMPRESSOR_DRIFT = detector(
    "compressor_drift",
    _advance,
    _tell,
    what=Words("同樣溫差下壓縮機耗電漸增", "A compressor draws more and more for the same lift"),
    check=Words(
        "先清潔冷凝器並查風扇，再查冷媒量、蒸發器結冰與門封。",
        "First clean the condenser and check its fans; then charge, ice on the evaporator, door seals.",
    ),
    numbers={
        "max_drift_percent": Number(15, "%; without `ambient` the season counts as drift, so allow more"),
        "recent_days": Number(7, "d; days that are compared"),
        "reference_from_days": Number(28, "d; the reference are days at least this long ago"),
        "reference_to_days": Number(112, "d; and at most this long ago"),
        "least_reference_days": Number(21, "d; reference days to know before anything is said"),
    },
    roles=("power", "room"),
    optional=("ambient",),
)
