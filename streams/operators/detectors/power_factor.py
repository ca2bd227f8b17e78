"""Power factor against the tariff's base: below it the bill grows by a thousandth for each percent (六、功率因數)."""

from __future__ import annotations

from math import exp, hypot, sqrt

from streams.domain.alerts import Words
from streams.operators.detectors.looking import Memory
from streams.operators.detectors.saying import HOUR_MS, Case, Number, View, detector


def _advance(case: Case, memory: Memory) -> Memory:
    """Active and reactive energy under load, each forgotten over `hours`."""
    active = case.known("active")
    if active is None:
        return memory
    if active.mean < case.limits["min_kw"]:
        return {**memory, "is_loaded": False}
    reactive = _reactive_kvar(case, active.mean)
    if reactive is None:
        return memory
    hours = case.span_ms / HOUR_MS
    kept = exp(-hours / case.limits["hours"])
    return {
        "is_loaded": True,
        "active": memory.get("active", 0.0) * kept + active.mean * hours,
        "reactive": memory.get("reactive", 0.0) * kept + reactive * hours,
        "loaded_h": memory.get("loaded_h", 0.0) + hours,
        "since_ms": memory["since_ms"] if _is_low(case, memory) else case.row.starts_ms,
    }


def _reactive_kvar(case: Case, active_kw: float) -> float | None:
    reactive = case.known("reactive")
    if reactive is not None:
        return reactive.mean
    factor = case.known("power_factor")
    if factor is None:
        return None
    share = abs(factor.mean) if abs(factor.mean) <= 1 else abs(factor.mean) / 100
    return active_kw * sqrt(max(1 - share**2, 0.0)) / max(share, 0.01)


def _percent(memory: Memory) -> float:
    active = memory.get("active", 0.0)
    return 100 * active / hypot(active, memory["reactive"]) if active else float("nan")


def _is_low(case: Case, memory: Memory) -> bool:
    return _percent(memory) < case.limits["min_percent"]


def _tell(case: Case, memory: Memory) -> View:
    percent, least = _percent(memory), case.limits["min_percent"]
    enough = memory.get("loaded_h", 0.0) >= case.limits["least_hours"]
    if not (enough and memory.get("is_loaded") and percent < least):
        return View(False, percent, least, "%")
    since, more = case.at(memory["since_ms"]), (least - percent) / 10
    zh = f"功率因數偏低：平均 {percent:.1f} %，基準 {least:g} %，自 {since} 起；整月如此電費加收 {more:.1f} %。"
    en = f"Low power factor: {percent:.1f} %, base {least:g} %, since {since}; a month of it adds {more:.1f} % of cost."
    return View(True, percent, least, "%", Words(zh, en))


POWER_FACTOR_LOW = detector(
    "power_factor_low",
    _advance,
    _tell,
    what=Words("功率因數低於電價基準", "Power factor below the tariff's base"),
    check=Words(
        "先查電容器盤的熔絲、接觸器與自動調整器。", "First check the capacitor bank: fuses, contactors, controller."
    ),
    numbers={
        "min_percent": Number(80, "%; the tariff's base"),
        "min_kw": Number(10, "kW; below it the power factor does not matter"),
        "hours": Number(12, "h; hours under load over which the mean forgets"),
        "least_hours": Number(2, "h; hours under load to know before anything is said"),
    },
    roles=("active",),
    optional=("reactive", "power_factor"),
)
