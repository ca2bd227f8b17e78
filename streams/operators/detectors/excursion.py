"""Goods too warm or too cold: for how long, how far, and what it did to them."""

from __future__ import annotations

from math import exp, log

from streams.domain.alerts import Words
from streams.operators.detectors.looking import Memory, Values
from streams.operators.detectors.saying import HOUR_MS, MINUTE_MS, Case, Number, View, detector, lasting
from streams.operators.kinetic import ACTIVATION_K, ZERO_CELSIUS_K

COLDEST_C = -150.0
"""Below it nothing ages; it keeps the rate of ageing above the smallest float."""
REMEMBERED_H = 24
NO_LIMIT_C = -273.15


def ageing(celsius: float) -> float:
    """Rate of ageing against that at 0 °C, by the kinetics of USP <1079.2>."""
    return exp(ACTIVATION_K * (1 / ZERO_CELSIUS_K - 1 / (max(celsius, COLDEST_C) + ZERO_CELSIUS_K)))


def kinetic_c(rate: float) -> float:
    """The constant temperature in °C at which goods age at a mean `rate` of `ageing`: mean kinetic temperature."""
    return 1 / (1 / ZERO_CELSIUS_K - log(rate) / ACTIVATION_K) - ZERO_CELSIUS_K


def _advance(case: Case, memory: Memory) -> Memory:
    values = case.known()
    if values is None:
        return memory
    too_warm, too_cold = values.mean > case.limits["above_c"], values.mean < case.limits["below_c"]
    beyond = too_warm or too_cold
    aged = ageing(values.mean) * case.span_ms
    was_held = memory.get("held_ms", 0)
    after = lasting(case, memory, beyond, case.limits["max_minutes"] * MINUTE_MS)
    hour = case.row.starts_ms // HOUR_MS
    after["hours"] = _hours(memory.get("hours", []), hour, aged, case.span_ms)
    if not beyond:
        return after
    is_new = not was_held or after["held_ms"] <= case.span_ms
    return {**after, **_course(case, memory, values, aged, is_new)}


def _hours(hours: list[list[float]], hour: int, aged: float, span_ms: int) -> list[list[float]]:
    """[hour, ageing, ms] of the last 24 hours that anything is known of."""
    if hours and hours[-1][0] == hour:
        return [*hours[:-1], [hour, hours[-1][1] + aged, hours[-1][2] + span_ms]]
    return [*hours, [hour, aged, span_ms]][-REMEMBERED_H:]


def _course(case: Case, memory: Memory, values: Values, aged: float, is_new: bool) -> Memory:
    """Worst and ageing of the excursion that lasts; another one begins where it was on the other side."""
    warm = values.mean > case.limits["above_c"]
    extreme = values.high if warm else values.low
    if is_new or memory["warm"] != warm:
        since = {} if is_new else {"since_ms": case.row.starts_ms, "held_ms": case.span_ms}
        return {"warm": warm, "worst_c": extreme, "aged": aged, **since}
    worst = max(memory["worst_c"], extreme) if warm else min(memory["worst_c"], extreme)
    return {"warm": warm, "worst_c": worst, "aged": memory["aged"] + aged}


def _tell(case: Case, memory: Memory) -> View:
    held, warm = memory.get("held_ms", 0), memory.get("warm", True)
    limit = case.limits["above_c" if warm else "below_c"]
    minutes = held / MINUTE_MS
    if not held or minutes < case.limits["max_minutes"]:
        return View(False, memory["worst_c"] if held else float("nan"), limit, "°C")
    hours = memory["hours"]
    day = kinetic_c(sum(each[1] for each in hours) / sum(each[2] for each in hours))
    here = kinetic_c(memory["aged"] / held)
    worst, since = memory["worst_c"], case.at(memory["since_ms"])
    side = Words("高", "Too warm: above") if warm else Words("低", "Too cold: below")
    zh = (
        f"溫度過{side.zh}：{side.zh}於 {limit:g} °C 已 {minutes:.0f} 分鐘，自 {since} 起，最{side.zh} {worst:.1f} °C；"
        f"動力學平均溫度：本次 {here:.1f} °C，24 小時 {day:.1f} °C。"
    )
    en = (
        f"{side.en} {limit:g} °C for {minutes:.0f} min, since {since}, worst {worst:.1f} °C;"
        f" mean kinetic temperature {here:.1f} °C meanwhile, {day:.1f} °C over 24 h."
    )
    return View(True, worst, limit, "°C", Words(zh, en))


TEMPERATURE_EXCURSION = detector(
    "temperature_excursion",
    _advance,
    _tell,
    what=Words("庫溫超出界限", "A temperature beyond its limits, with mean kinetic temperature"),
    check=Words(
        "先看庫門是否關好、壓縮機與風扇是否運轉，再決定是否移貨。",
        "First check doors, compressor and fans; then decide whether to move the goods.",
    ),
    numbers={
        "above_c": Number(None, "°C; highest that is allowed"),
        "below_c": Number(NO_LIMIT_C, "°C; lowest that is allowed; by default none"),
        "max_minutes": Number(45, "min; longest beyond a limit, such as after a defrost"),
    },
)
