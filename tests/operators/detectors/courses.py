"""Short courses that each detector must tell apart: a healthy one, and one that ends in the fault."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import nan, pi, sin
from zoneinfo import ZoneInfo

from streams.domain.alerts import Rule, Sign
from streams.operators.detectors.looking import Memory, Row, Values
from streams.operators.detectors.registry import DETECTORS

ZONE = ZoneInfo("Asia/Taipei")
MONDAY = datetime(2026, 3, 2, tzinfo=ZONE)
NOTHING = Values(nan, nan, nan, nan, nan, 0)


def gauge(value: float) -> Values:
    """A level."""
    return Values(value, value, value, value, nan, 1)


def swinging(value: float, by: float) -> Values:
    """A level that swings within the interval."""
    return Values(value, value - by, value + by, value, nan, 5)


def rate(value: float) -> Values:
    """A rate, kW; the amount is what a quarter-hour makes of it and nobody looks at it."""
    return Values(value, value, value, value, value / 4, 1)


def counted(amount: float) -> Values:
    """What was counted in the interval."""
    return Values(amount, amount, amount, amount, amount, 1)


At = Callable[[datetime], Mapping[str, Values]]


def rows(begin: datetime, span: timedelta, count: int, at: At, off_peak: Sequence[int] = (6,)) -> list[Row]:
    """`count` intervals with the values that `at` gives for their local start; some weekdays are off-peak days."""
    made = []
    for nth in range(count):
        local = datetime.fromtimestamp(begin.timestamp() + nth * span.total_seconds(), tz=ZONE)
        starts_ms = int(local.timestamp() * 1000)
        ends_ms = starts_ms + int(span.total_seconds() * 1000)
        made.append(Row(starts_ms, ends_ms, local, local.weekday() in off_peak, 5.0, 300.0, at(local)))
    return made


def blank(row: Row) -> Row:
    """The same interval, nothing known."""
    return replace(row, by_role=dict.fromkeys(row.by_role, NOTHING))


def signs_of(rule: Rule, course: Sequence[Row], memory: Memory | None = None) -> list[Sign]:
    """What a rule sees, one sign a row."""
    look, seen = DETECTORS[rule.kind].look, []
    memory = {} if memory is None else memory
    for row in course:
        memory, sign = look(rule, memory, row)
        seen.append(sign)
    return seen


@dataclass(frozen=True)
class Example:
    """A rule, a course in which it sees nothing, and one that goes on from there into the fault."""

    rule: Rule
    span: timedelta
    healthy: At
    faulty: At
    healthy_rows: int
    faulty_rows: int
    begin: datetime = MONDAY
    off_peak: Sequence[int] = field(default=(6,))

    @property
    def before(self) -> list[Row]:
        """The healthy course."""
        return rows(self.begin, self.span, self.healthy_rows, self.healthy, self.off_peak)

    @property
    def after(self) -> list[Row]:
        """The fault."""
        begin = self.begin + self.healthy_rows * self.span
        return rows(begin, self.span, self.faulty_rows, self.faulty, self.off_peak)

    @property
    def calm(self) -> list[Row]:
        """The healthy course for as long as both."""
        return rows(self.begin, self.span, self.healthy_rows + self.faulty_rows, self.healthy, self.off_peak)


def rule_of(kind: str, numbers: Mapping[str, float] | None = None, **roles: str) -> Rule:
    """A rule of a kind over a lone point, or over roles."""
    return Rule(f"{kind}-1", kind, () if roles else ("site/point",), roles, numbers or {})


def _minute(local: datetime) -> int:
    return local.hour * 60 + local.minute


def _sun(share: float) -> At:
    def at(local: datetime) -> Mapping[str, Values]:
        clouds = (1.0, 0.55, 0.9, 0.3, 1.0)[local.toordinal() % 5]
        return {"": rate(50 * share * clouds * max(sin(pi * (local.hour - 6) / 12), 0))}

    return at


def _compressor(more: float) -> At:
    def at(local: datetime) -> Mapping[str, Values]:
        ambient = 24 + 5 * sin(local.toordinal() / 7) + 3 * sin(2 * pi * (local.hour - 8) / 24)
        kw = (2 + 0.2 * (ambient + 20)) * (1 + more)
        return {"power": rate(kw), "room": gauge(-20.0), "ambient": gauge(ambient)}

    return at


def _office(night_kw: float, sunday_kw: float) -> At:
    def at(local: datetime) -> Mapping[str, Values]:
        wobble = 0.2 * sin(local.toordinal() * 5 + local.hour)
        if local.weekday() == 6:
            return {"": rate(sunday_kw + wobble)}
        return {"": rate((20 if 8 <= local.hour < 18 else night_kw) + wobble)}

    return at


def _register(local: datetime) -> Mapping[str, Values]:
    works = local.weekday() < 6 and 8 <= local.hour < 18
    return {"": counted(12.0 if works else 0.0)}


M1, M5, M15, H1 = timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1)
EIGHT = MONDAY + timedelta(hours=8)
EXAMPLES: dict[str, Example] = {
    "stuck_value": Example(
        rule_of("stuck_value"),
        M5,
        lambda local: {"": swinging(4 + 0.1 * (_minute(local) % 3), 0.1)},
        lambda _: {"": gauge(4.3)},
        24,
        72,
    ),
    "standing_register": Example(
        rule_of("standing_register"), M15, _register, lambda _: {"": counted(0.0)}, 21 * 96, 2 * 96
    ),
    "night_base_load": Example(rule_of("night_base_load"), M15, _office(6, 6), _office(11, 6), 12 * 96, 96),
    "holiday_base_load": Example(
        rule_of("holiday_base_load"), M15, _office(6, 5), _office(6, 12), 27 * 96, 96, off_peak=(6,)
    ),
    "short_cycling": Example(
        rule_of("short_cycling", power="room/kw"),
        M1,
        lambda local: {"power": rate(9.0 if _minute(local) % 15 < 6 else 0.3)},
        lambda local: {"power": rate(9.0 if _minute(local) % 5 < 2 else 0.3)},
        240,
        240,
    ),
    "defrost_overrun": Example(
        rule_of("defrost_overrun", power="room/heater-kw"),
        M5,
        lambda local: {"power": rate(9.0 if _minute(local) % 360 < 20 else 0.0)},
        lambda _: {"power": rate(9.0)},
        300,
        24,
    ),
    "temperature_excursion": Example(
        rule_of("temperature_excursion", {"above_c": 7.0}),
        M5,
        lambda local: {"": swinging(7.6 if _minute(local) % 360 < 20 else 4.0, 0.5)},
        lambda _: {"": swinging(8.5, 0.5)},
        300,
        24,
    ),
    "compressor_drift": Example(
        rule_of("compressor_drift", power="room/kw", room="room/temp", ambient="yard/temp"),
        H1,
        _compressor(0.0),
        _compressor(0.2),
        60 * 24,
        12 * 24,
    ),
    "waiting_hot": Example(
        rule_of("waiting_hot", {"hot_c": 1000.0}, furnace="furnace/temp", parts="press/parts"),
        M5,
        lambda local: {"furnace": gauge(1100.0), "parts": counted(0.0 if 12 <= local.hour < 13 else 9.0)},
        lambda _: {"furnace": gauge(1104.0), "parts": counted(0.0)},
        72,
        36,
        EIGHT,
    ),
    "setup_overrun": Example(
        rule_of("setup_overrun", {"idle_kw": 4.0, "cutting_kw": 8.0}, power="cnc/kw", parts="cnc/parts"),
        M5,
        lambda local: {
            "power": rate(5.5 if local.hour % 3 == 0 and local.minute < 45 else 11.0),
            "parts": counted(0.0 if local.minute < 45 else 1.0),
        },
        lambda local: {"power": rate(9.0 if local.minute == 30 else 5.5), "parts": counted(0.0)},
        48,
        30,
        EIGHT,
    ),
    "idle_at_power": Example(
        rule_of("idle_at_power", {"idle_kw": 2.0}, power="cnc/kw", parts="cnc/parts"),
        M5,
        lambda local: {
            "power": rate(4.0 if local.hour == 12 else 11.0),
            "parts": counted(0.0 if local.hour == 12 else 1.0),
        },
        lambda _: {"power": rate(4.0), "parts": counted(0.0)},
        72,
        36,
        EIGHT,
    ),
    "spindle_without_parts": Example(
        rule_of("spindle_without_parts", load="cnc/spindle-percent", parts="cnc/parts"),
        M5,
        lambda local: {"load": gauge(60.0), "parts": counted(1.0 if local.minute % 20 == 0 else 0.0)},
        lambda _: {"load": gauge(61.0), "parts": counted(0.0)},
        60,
        30,
        EIGHT,
    ),
    "fuel_without_moves": Example(
        rule_of("fuel_without_moves", fuel="rtg/fuel", moves="rtg/moves", engine_hours="rtg/hours"),
        M5,
        lambda local: {
            "fuel": counted(0.5 if local.minute < 30 else 1.3),
            "moves": counted(0.0 if local.minute < 30 else 2.0),
            "engine_hours": counted(1 / 12),
        },
        lambda _: {"fuel": counted(0.5), "moves": counted(0.0), "engine_hours": counted(1 / 12)},
        60,
        36,
        EIGHT,
    ),
    "tank_drop_engine_off": Example(
        rule_of("tank_drop_engine_off", level="rtg/level", engine_hours="rtg/hours"),
        M5,
        lambda local: {
            "level": gauge(400.0 - 0.1 * local.hour + 0.4 * (local.minute % 3)),
            "engine_hours": counted(1 / 12 if 6 <= local.hour < 22 else 0.0),
        },
        lambda local: {"level": gauge(395.0 - min(local.minute, 40) * 1.5), "engine_hours": counted(0.0)},
        14 * 12,
        12,
        MONDAY + timedelta(hours=9),
    ),
    "pv_below_envelope": Example(rule_of("pv_below_envelope"), H1, _sun(1.0), _sun(0.5), 20 * 24, 8 * 24),
    "power_factor_low": Example(
        rule_of("power_factor_low", active="main", reactive="reactive"),
        M15,
        lambda _: {"active": rate(100.0), "reactive": rate(40.0)},
        lambda _: {"active": rate(100.0), "reactive": rate(98.0)},
        96,
        96,
    ),
}
