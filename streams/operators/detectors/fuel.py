"""Diesel that moves nothing: an engine left running, a tank that empties while the engine is off."""

from __future__ import annotations

from streams.domain.alerts import Words
from streams.operators.detectors.looking import Memory
from streams.operators.detectors.saying import HOUR_MS, MINUTE_MS, Case, Number, View, detector


def _burn(case: Case, memory: Memory) -> Memory:
    fuel, moves = case.counted("fuel"), case.counted("moves")
    if moves is not None and moves.amount > 0:
        return {}
    if fuel is None or moves is None:
        return memory
    off = memory.get("off_ms", 0) + case.span_ms if fuel.amount <= 0 else 0
    if off >= case.limits["off_minutes"] * MINUTE_MS:
        return {}
    hours = case.counted("engine_hours")
    return {
        "since_ms": memory.get("since_ms", case.row.starts_ms),
        "fuel_l": memory.get("fuel_l", 0.0) + fuel.amount,
        "engine_h": memory.get("engine_h", 0.0) + (hours.amount if hours else 0.0),
        "off_ms": off,
    }


def _say_burning(case: Case, memory: Memory) -> View:
    litres, most = memory.get("fuel_l", 0.0), case.limits["max_fuel_l"]
    if litres < most:
        return View(False, litres, most, "L")
    since, engine = case.at(memory["since_ms"]), memory["engine_h"]
    ran = (f"，引擎運轉 {engine:.1f} 小時", f", engine on for {engine:.1f} h") if engine else ("", "")
    return View(
        True,
        litres,
        most,
        "L",
        Words(
            f"耗油卻沒有吊運：已燒 {litres:.1f} L（上限 {most:g}）{ran[0]}，自 {since} 起。",
            f"Fuel without moves: {litres:.1f} L burnt (limit {most:g}){ran[1]}, since {since}.",
        ),
    )


FUEL_WITHOUT_MOVES = detector(
    "fuel_without_moves",
    _burn,
    _say_burning,
    what=Words("燒油卻沒有吊運", "Fuel burnt while nothing is moved"),
    check=Words(
        "先問司機能否熄火，再查吊運計數是否正常。",
        "First have the engine stopped; then check the move counter.",
    ),
    numbers={
        "max_fuel_l": Number(10, "L; most fuel between two moves"),
        "off_minutes": Number(30, "min; without fuel this long, the engine is off and the count begins anew"),
    },
    roles=("fuel", "moves"),
    optional=("engine_hours",),
)


def _drain(case: Case, memory: Memory) -> Memory:
    """Level beside that at which the engine stood still; what a gap hides of the engine makes the level unknown."""
    hours = case.row.by_role.get("engine_hours")
    if hours is None or hours.readings < 1 or hours.amount != hours.amount:
        return {**memory, "is_sure": False} if memory else memory
    if hours.amount > 0:
        return {"off_ms": 0}
    level = case.known("level")
    off = memory.get("off_ms", 0) + case.span_ms
    if level is None:
        return {**memory, "off_ms": off}
    full = memory.get("full_l")
    if full is None or (not memory.get("is_sure", True) and not _is_dropped(case, memory)):
        settled = off >= case.limits["settle_minutes"] * MINUTE_MS
        full, drop = (level.mean, 0.0) if settled else (None, 0.0)
    else:
        upper = max(level.mean, memory["level_l"])
        full = max(full, min(level.mean, memory["level_l"]))
        drop = full - upper
    since = memory.get("since_ms") if drop > case.limits["max_drop_l"] / 4 else None
    return {
        "off_ms": off,
        "full_l": full,
        "level_l": level.mean,
        "drop_l": drop,
        "since_ms": case.row.starts_ms if since is None else since,
        "is_sure": True,
    }


def _is_dropped(case: Case, memory: Memory) -> bool:
    return bool(memory.get("drop_l", 0.0) >= case.limits["max_drop_l"])


def _say_drop(case: Case, memory: Memory) -> View:
    drop, most = memory.get("drop_l", 0.0), case.limits["max_drop_l"]
    if not _is_dropped(case, memory):
        return View(False, drop, most, "L")
    since, off_h = case.at(memory["since_ms"]), memory["off_ms"] / HOUR_MS
    level = memory["level_l"]
    return View(
        True,
        drop,
        most,
        "L",
        Words(
            f"熄火中油位下降：少了 {drop:.0f} L（上限 {most:g}），現剩 {level:.0f} L，自 {since} 起，"
            f"引擎已停 {off_h:.1f} 小時。",
            f"Tank drops with the engine off: {drop:.0f} L less (limit {most:g}), {level:.0f} L left, since {since},"
            f" engine off for {off_h:.1f} h.",
        ),
    )


TANK_DROP_ENGINE_OFF = detector(
    "tank_drop_engine_off",
    _drain,
    _say_drop,
    what=Words("熄火時油箱油位下降", "A tank loses fuel while the engine is off"),
    check=Words(
        "先派人看油箱蓋、管路與地面，再調監視畫面。",
        "First send someone to cap, hoses and ground; then the cameras.",
    ),
    numbers={
        "max_drop_l": Number(20, "L; largest drop while the engine is off"),
        "settle_minutes": Number(15, "min; with the engine off until the level is taken"),
    },
    roles=("level", "engine_hours"),
)
