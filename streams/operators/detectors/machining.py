"""Machines that use energy and make nothing: a furnace that waits, a long set-up, idling, cutting without parts."""

from __future__ import annotations

from streams.domain.alerts import Words
from streams.operators.detectors.looking import Memory
from streams.operators.detectors.saying import MINUTE_MS, Case, Number, View, detector, lasting

NEVER_KW = 1e9
"""More than any machine draws."""


def _any_made(case: Case, *roles: str) -> bool | None:
    """Whether anything was counted in the interval; None where that is not known."""
    unknown = False
    for role in roles:
        if case.has(role):
            values = case.counted(role)
            if values is not None and values.amount > 0:
                return True
            unknown = unknown or values is None
    return None if unknown else False


def _minutes(case: Case, memory: Memory) -> tuple[float, float, bool]:
    """Minutes that it lasts, most that are allowed, and whether it is beyond."""
    minutes, most = memory.get("held_ms", 0) / MINUTE_MS, case.limits["max_minutes"]
    return minutes, most, bool(minutes) and minutes >= most


def _wait(case: Case, memory: Memory) -> Memory:
    furnace, press = case.known("furnace"), case.known("press")
    made = _any_made(case, "parts")
    pressed = press is not None and press.high >= case.limits["press_kw"]
    holds: bool | None
    if (furnace is not None and furnace.mean < case.limits["hot_c"]) or made or pressed:
        holds = False
    elif furnace is None or made is None or (press is None and case.has("press")):
        holds = None
    else:
        holds = True
    after = lasting(case, memory, holds, case.limits["max_minutes"] * MINUTE_MS)
    return {**after, "furnace_c": furnace.mean} if holds and furnace is not None else after


def _say_waiting(case: Case, memory: Memory) -> View:
    minutes, most, is_seen = _minutes(case, memory)
    if not is_seen:
        return View(False, minutes, most, "min")
    since, hot = case.at(memory["since_ms"]), memory["furnace_c"]
    zh = f"爐子空燒等料：{hot:.0f} °C 維持 {minutes:.0f} 分鐘沒有鍛打（上限 {most:g}），自 {since} 起。"
    en = f"Furnace waits hot: {hot:.0f} °C, nothing forged for {minutes:.0f} min (limit {most:g}), since {since}."
    return View(True, minutes, most, "min", Words(zh, en))


WAITING_HOT = detector(
    "waiting_hot",
    _wait,
    _say_waiting,
    what=Words("爐溫已到卻沒有鍛打", "A furnace at temperature while nothing is forged"),
    check=Words(
        "先問沖床、模具與來料卡在哪裡；等得久就把爐溫調到保溫值。",
        "First ask what holds up press, die or billets; if it takes long, set the furnace back to standby.",
    ),
    numbers={
        "hot_c": Number(None, "°C; at or above it the furnace is at temperature"),
        "press_kw": Number(5, "kW; at or above it the press works"),
        "max_minutes": Number(120, "min; longest wait, more than a meal break and a change of dies"),
    },
    roles=("furnace",),
    optional=("parts", "press"),
)


def _set_up(case: Case, memory: Memory) -> Memory:
    made = _any_made(case, "parts")
    if made:
        return {}
    power = case.known("power")
    if power is None or made is None:
        return memory
    between = case.limits["idle_kw"] <= power.mean < case.limits["cutting_kw"]
    return lasting(
        case, memory, between, case.limits["max_minutes"] * MINUTE_MS, case.limits["trial_minutes"] * MINUTE_MS
    )


def _say_set_up(case: Case, memory: Memory) -> View:
    minutes, most, is_seen = _minutes(case, memory)
    if not is_seen:
        return View(False, minutes, most, "min")
    since = case.at(memory["since_ms"])
    return View(
        True,
        minutes,
        most,
        "min",
        Words(
            f"架機過久：已 {minutes:.0f} 分鐘（上限 {most:g}），自 {since} 起，沒有產出。",
            f"Set-up too long: {minutes:.0f} min (limit {most:g}), since {since}, no parts.",
        ),
    )


SETUP_OVERRUN = detector(
    "setup_overrun",
    _set_up,
    _say_set_up,
    what=Words("架機時間過長", "A machine in set-up for too long"),
    check=Words("先問操作員缺刀具、夾具還是程式。", "First ask what is missing: tool, fixture or program."),
    numbers={
        "idle_kw": Number(None, "kW; at or above it the machine does more than idle"),
        "cutting_kw": Number(None, "kW; at or above it the machine cuts"),
        "max_minutes": Number(60, "min; longest set-up"),
        "trial_minutes": Number(15, "min; shorter breaks, such as trial cuts, do not end a set-up"),
    },
    roles=("power", "parts"),
)


def _idle(case: Case, memory: Memory) -> Memory:
    power = case.known("power")
    if power is None:
        return memory
    made = _any_made(case, "parts", "moves")
    holds = case.limits["idle_kw"] <= power.mean < case.limits["busy_kw"] and not made
    after = lasting(case, memory, None if holds and made is None else holds, case.limits["max_minutes"] * MINUTE_MS)
    if not holds or made is None:
        return after
    begun = after["held_ms"] <= case.span_ms
    return {**after, "kw_ms": (0.0 if begun else memory["kw_ms"]) + power.mean * case.span_ms}


def _say_idle(case: Case, memory: Memory) -> View:
    minutes, most, is_seen = _minutes(case, memory)
    if not is_seen:
        return View(False, minutes, most, "min")
    kw, since = memory["kw_ms"] / memory["held_ms"], case.at(memory["since_ms"])
    kwh = kw * minutes / 60
    return View(
        True,
        minutes,
        most,
        "min",
        Words(
            f"空轉耗電：{kw:.1f} kW 已 {minutes:.0f} 分鐘沒有產出（上限 {most:g}），自 {since} 起，共 {kwh:.1f} kWh。",
            f"Idle at power: {kw:.1f} kW and no output for {minutes:.0f} min (limit {most:g}), since {since}:"
            f" {kwh:.1f} kWh.",
        ),
    )


IDLE_AT_POWER = detector(
    "idle_at_power",
    _idle,
    _say_idle,
    what=Words("機器開著卻沒有產出", "A machine at power that makes or moves nothing"),
    check=Words("先問是否還要生產；不用就關機或進入待機。", "First ask whether it is needed; if not, switch it off."),
    numbers={
        "idle_kw": Number(None, "kW; at or above it the machine is on"),
        "busy_kw": Number(NEVER_KW, "kW; at or above it the machine works, counted or not; by default never"),
        "max_minutes": Number(90, "min; longest idling, more than a meal break"),
    },
    roles=("power",),
    optional=("parts", "moves"),
)


def _cut(case: Case, memory: Memory) -> Memory:
    made = _any_made(case, "parts")
    if made:
        return {}
    load = case.known("load")
    if load is None or made is None:
        return memory
    loaded = load.mean >= case.limits["high_percent"]
    after = lasting(
        case, memory, loaded, case.limits["max_minutes"] * MINUTE_MS, case.limits["break_minutes"] * MINUTE_MS
    )
    return {**after, "load_percent": load.mean} if loaded else after


def _say_cutting(case: Case, memory: Memory) -> View:
    minutes, most, is_seen = _minutes(case, memory)
    if not is_seen:
        return View(False, minutes, most, "min")
    load, since = memory["load_percent"], case.at(memory["since_ms"])
    return View(
        True,
        minutes,
        most,
        "min",
        Words(
            f"主軸有負載卻沒有產出：負載 {load:.0f} %，切削 {minutes:.0f} 分鐘未計件（上限 {most:g}），自 {since} 起。",
            f"Spindle load without parts: {load:.0f} %, {minutes:.0f} min of cutting and no part (limit {most:g}),"
            f" since {since}.",
        ),
    )


SPINDLE_WITHOUT_PARTS = detector(
    "spindle_without_parts",
    _cut,
    _say_cutting,
    what=Words("主軸有負載卻沒有計件", "A spindle under load while no part is counted"),
    check=Words(
        "先看是否刀具斷裂或空切，再查計件感測器。",
        "First look for a broken tool or air cutting; then the counter.",
    ),
    numbers={
        "high_percent": Number(40, "%; at or above it the spindle cuts"),
        "max_minutes": Number(45, "min; longest cutting for one part"),
        "break_minutes": Number(30, "min; without load this long, the count begins anew"),
    },
    roles=("load", "parts"),
)
