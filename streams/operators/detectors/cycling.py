"""Starts and run times of what a thermostat or a timer switches: compressors and defrost heaters."""

from __future__ import annotations

from streams.domain.alerts import Words
from streams.operators.detectors.looking import Memory, Values
from streams.operators.detectors.saying import HOUR_MS, MINUTE_MS, Case, Number, View, detector, lasting

OFF_SHARE = 0.5
"""Off below this share of the level at which it is on."""
LEAST_SHARE = 0.5
"""Share of the window that must be known before starts an hour mean anything."""


def _switched(values: Values, on: float, was_on: bool | None) -> tuple[bool, int]:
    """State at the end of the interval, and starts that can be told within it: none or one.

    `was_on` None: the state before is not known, and a start is not counted.
    """
    off = on * OFF_SHARE
    is_on = values.last >= on or (values.last >= off and bool(was_on))
    if was_on is None:
        return is_on, 0
    if was_on:
        return is_on, int(values.low < off and is_on)
    return is_on, int(values.high >= on)


def _starts(case: Case, memory: Memory, values: Values, on: float, window_ms: float) -> Memory:
    """Starts within the last `window_ms` of known time, each by the known time (`clock_ms`) at which it was."""
    follows = case.row.starts_ms == memory.get("until_ms")
    is_on, count = _switched(values, on, memory.get("is_on") if follows else None)
    clock = memory.get("clock_ms", 0) + case.span_ms
    starts = [each for each in memory.get("starts", []) if each[0] > clock - window_ms]
    starts += [[clock, case.row.starts_ms]] * count
    return {**memory, "is_on": is_on, "until_ms": case.row.ends_ms, "clock_ms": clock, "starts": starts}


def _cycle(case: Case, memory: Memory) -> Memory:
    role, on = ("running", 0.5) if case.has("running") else ("power", case.limits["on_kw"])
    values = case.known(role)
    if values is None:
        return memory
    return _starts(case, memory, values, on, case.limits["window_hours"] * HOUR_MS)


def _say_cycling(case: Case, memory: Memory) -> View:
    window, most = case.limits["window_hours"], case.limits["max_starts_per_h"]
    known = min(memory.get("clock_ms", 0) / HOUR_MS, window)
    starts = memory.get("starts", [])
    if known < LEAST_SHARE * window:
        return View(False, float("nan"), most, "1/h")
    rate = len(starts) / window
    if rate <= most:
        return View(False, rate, most, "1/h")
    since = case.at(starts[0][1])
    return View(
        True,
        rate,
        most,
        "1/h",
        Words(
            f"壓縮機啟停頻繁：每小時 {rate:.1f} 次（上限 {most:g}），自 {since} 起。",
            f"Short cycling: {rate:.1f} starts an hour (limit {most:g}), since {since}.",
        ),
    )


SHORT_CYCLING = detector(
    "short_cycling",
    _cycle,
    _say_cycling,
    what=Words("壓縮機啟停過於頻繁", "A compressor starts too often"),
    check=Words(
        "先查低壓開關與溫控差值，再查冷媒量與冷凝器。",
        "First check the low-pressure switch and thermostat differential, then charge and condenser.",
    ),
    numbers={
        "on_kw": Number(1, "kW; at or above it the compressor runs, below half of it it is off; unused with `running`"),
        "max_starts_per_h": Number(8, "1/h; most starts an hour; seen only if intervals are shorter than half a cycle"),
        "window_hours": Number(2, "h; known time over which starts are counted"),
    },
    roles=("power",),
    optional=("running",),
)


def _heat(case: Case, memory: Memory) -> Memory:
    """Length of the heating that lasts, as its energy over its highest power: an interval may be heated in part."""
    values = case.known("power")
    if values is None:
        return memory
    on = case.limits["on_kw"]
    memory = _starts(case, memory, values, on, 24 * HOUR_MS)
    heated = values.mean >= on * OFF_SHARE
    was_held = memory.get("held_ms", 0)
    after = lasting(case, memory, heated, case.limits["max_minutes"] * MINUTE_MS)
    if not heated:
        return {**after, "kw_ms": 0.0, "peak_kw": 0.0}
    anew = not was_held or after["held_ms"] <= case.span_ms
    energy, peak = (0.0, 0.0) if anew else (memory["kw_ms"], memory["peak_kw"])
    return {**after, "kw_ms": energy + values.mean * case.span_ms, "peak_kw": max(peak, values.mean)}


def _say_defrost(case: Case, memory: Memory) -> View:
    most, most_often = case.limits["max_minutes"], case.limits["max_per_day"]
    peak = memory.get("peak_kw", 0.0)
    minutes = memory["kw_ms"] / peak / MINUTE_MS if peak else 0.0
    often = len(memory.get("starts", []))
    if minutes > most:
        since = case.at(memory["since_ms"])
        zh = f"除霜過久：已加熱 {minutes:.0f} 分鐘（上限 {most:g}），自 {since} 起。"
        en = f"Defrost too long: heating for {minutes:.0f} min (limit {most:g}), since {since}."
        return View(True, minutes, most, "min", Words(zh, en))
    if often > most_often:
        since = case.at(memory["starts"][0][1])
        zh = f"除霜過於頻繁：24 小時內 {often} 次（上限 {most_often:g}），自 {since} 起。"
        en = f"Too many defrosts: {often} in 24 h (limit {most_often:g}), since {since}."
        return View(True, often, most_often, "1/d", Words(zh, en))
    return View(False, minutes, most, "min")


DEFROST_OVERRUN = detector(
    "defrost_overrun",
    _heat,
    _say_defrost,
    what=Words("除霜過久或過於頻繁", "A defrost heater is on for too long or too often"),
    check=Words(
        "先查除霜終止溫度探頭與接觸器，再查結冰與門封。",
        "First check the defrost termination probe and the contactor, then ice and door seals.",
    ),
    numbers={
        "on_kw": Number(0.5, "kW; at or above it the heater is on, below half of it it is off"),
        "max_minutes": Number(45, "min; longest defrost"),
        "max_per_day": Number(8, "1/d; most defrosts within 24 h"),
    },
    roles=("power",),
)
