"""What sends, but no longer measures: a value that repeats, a register that stands still."""

from __future__ import annotations

from streams.domain.alerts import Words
from streams.operators.detectors.looking import Memory
from streams.operators.detectors.saying import HOUR_MS, Case, Number, View, detector, lasting

WEEK_H = 168
SUNDAY = 6
LEARNT_WEEKS = 2
REMEMBERED_WEEKS = 8
HALF = 0.5
"""Share of an hour that must be known to say that it did not grow in it."""
USUALLY = 0.5
"""Share of the weeks in which a register must have grown in an hour for its standing then to count."""


def _repeat(case: Case, memory: Memory) -> Memory:
    values = case.known()
    if values is None:
        return memory
    needed = case.limits["max_hours"] * HOUR_MS
    still = values.low == values.high == values.last == memory.get("value")
    if values.last == 0 and not case.limits["zero_counts"]:
        still = False
    after = lasting(case, memory, still, needed)
    return {**after, "value": values.last}


def _say_stuck(case: Case, memory: Memory) -> View:
    hours, most = memory.get("held_ms", 0) / HOUR_MS, case.limits["max_hours"]
    if hours < most:
        return View(False, hours, most, "h")
    value, since = memory["value"], case.at(memory["since_ms"])
    return View(
        True,
        hours,
        most,
        "h",
        Words(
            f"數值卡住：{value:g} 連續 {hours:.1f} 小時分毫未變，自 {since} 起。",
            f"Value stuck: exactly {value:g} for {hours:.1f} h, since {since}.",
        ),
    )


STUCK_VALUE = detector(
    "stuck_value",
    _repeat,
    _say_stuck,
    what=Words("量測值長時間分毫未變", "A gauge or rate repeats exactly for too long"),
    check=Words(
        "先查感測器接線，以及閘道器是否在重送舊值。",
        "First check the sensor's wiring and whether the gateway repeats an old value.",
    ),
    numbers={
        "max_hours": Number(4, "h; longest that a gauge or a power may repeat exactly"),
        "zero_counts": Number(
            0, "0 or 1; 1: a value of 0 that repeats counts too; 0: it does not, since what is off shows 0"
        ),
    },
)


def _stand(case: Case, memory: Memory) -> Memory:
    values = case.counted()
    if values is None:
        return memory
    grows = values.amount > 0
    if case.has("running"):
        running = case.known("running")
        if running is None and not grows:
            return memory
        at_work = running is not None and running.mean >= case.limits["running_above"]
        needed = case.limits["max_running_hours"] * HOUR_MS
        if not grows and not at_work:
            return memory
        return lasting(case, memory, not grows, needed)
    return _against_profile(case, memory, grows)


def _against_profile(case: Case, memory: Memory, grows: bool) -> Memory:
    """Count hours in which it usually grows and did not; learn, hour by hour of the week, how usual growing is."""
    row = case.row
    hour = row.local.toordinal() * 24 + row.local.hour
    day = SUNDAY if row.is_off_peak_day else row.local.weekday()
    spot = day * 24 + row.local.hour
    share: list[float] = memory.get("share", [0.0] * WEEK_H)
    weeks: list[int] = memory.get("weeks", [0] * WEEK_H)
    missed = memory.get("missed_ms", 0)
    now = memory.get("now")
    if now is not None and now["hour"] != hour and not _is_standing(case, missed):
        share, weeks = _learnt(share, weeks, now)
    if now is None or now["hour"] != hour:
        now = {"hour": hour, "spot": spot, "grew": False, "ms": 0}
    now = {**now, "grew": now["grew"] or grows, "ms": now["ms"] + case.span_ms}
    since = memory.get("since_ms", row.starts_ms)
    if grows:
        missed, since = 0, row.ends_ms
    elif weeks[spot] >= LEARNT_WEEKS and share[spot] >= USUALLY:
        missed += int(case.span_ms * share[spot])
    return {"share": share, "weeks": weeks, "now": now, "missed_ms": missed, "since_ms": since}


def _learnt(share: list[float], weeks: list[int], hour: Memory) -> tuple[list[float], list[int]]:
    if not hour["grew"] and hour["ms"] < HALF * HOUR_MS:
        return share, weeks
    spot = hour["spot"]
    count = min(weeks[spot] + 1, REMEMBERED_WEEKS)
    share, weeks = share.copy(), weeks.copy()
    share[spot] += (float(hour["grew"]) - share[spot]) / count
    weeks[spot] = count
    return share, weeks


def _is_standing(case: Case, missed_ms: int) -> bool:
    return missed_ms >= case.limits["max_usual_hours"] * HOUR_MS


def _say_standing(case: Case, memory: Memory) -> View:
    if case.has("running"):
        hours, most = memory.get("held_ms", 0) / HOUR_MS, case.limits["max_running_hours"]
        zh, en = "機器運轉中", "while the machine ran"
    else:
        hours, most = memory.get("missed_ms", 0) / HOUR_MS, case.limits["max_usual_hours"]
        zh, en = "在平常會走動的時段", "in which it usually grows"
        weeks = memory.get("weeks", [0])
        if max(weeks) < LEARNT_WEEKS:
            said = f"累積 {max(weeks)}/{LEARNT_WEEKS} 週", f"{max(weeks)} of {LEARNT_WEEKS} weeks known"
            return View(False, hours, most, "h", Words(f"學習中：{said[0]}。", f"Warming up: {said[1]}."))
    if hours < most:
        return View(False, hours, most, "h")
    since = case.at(memory["since_ms"])
    return View(
        True,
        hours,
        most,
        "h",
        Words(
            f"表計不走：{zh}讀數已 {hours:.1f} 小時沒有增加，自 {since} 起。",
            f"Register stands still: no growth for {hours:.1f} h {en}, since {since}.",
        ),
    )


STANDING_REGISTER = detector(
    "standing_register",
    _stand,
    _say_standing,
    what=Words("表計該走卻不走", "A register does not grow while it usually does, or while its machine works"),
    check=Words(
        "先查表計供電、脈波線與比流器，再查機器是否真的停機。",
        "First check the meter's supply, pulse wire and current transformers; then whether the machine is off.",
    ),
    numbers={
        "max_usual_hours": Number(10, "h; longest standstill, counting hours in which it usually grows"),
        "max_running_hours": Number(1, "h; longest standstill while `running` says that the machine works"),
        "running_above": Number(0.5, "unit of the role `running`; at or above it the machine works"),
    },
    optional=("running",),
)
