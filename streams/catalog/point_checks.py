"""What must hold for one point: kind against unit and keys, register width, ratios, exchanges, times, formula."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from streams.catalog.formula import FormulaError, Terms, flatten, parse_formula
from streams.catalog.site_checks import Check
from streams.catalog.site_file import PointRow
from streams.catalog.source import nearest
from streams.catalog.values import Moment, moment_ms
from streams.domain.quantities import UNITS
from streams.domain.site import PointKind, Quantity

QUARTER_MS = 900_000
LARGEST_TICKS = 2**53  # beyond it a double no longer tells two register values apart
RATES = frozenset({"W", "kW", "MW", "kvar", "L/h", "m3/h"})
LEVELS = (Quantity.TEMPERATURE,)
REGISTER, POWER, INTERVAL, AMOUNT, GAUGE, STATE, VIRTUAL, _ = PointKind
KINDS_OF_KEY = {
    "digits": (REGISTER,),
    "modulus": (REGISTER,),
    "resets": (REGISTER,),
    "exchanges": (REGISTER,),
    "noise": (REGISTER,),
    "confirm_after": (REGISTER,),
    "stamp": (INTERVAL,),
    "formula": (VIRTUAL,),
    "ct_ratio": (REGISTER, POWER, INTERVAL),
    "max_kw": (REGISTER, POWER, INTERVAL),
    "max_rate": (REGISTER, POWER, INTERVAL),
    "minimum": (GAUGE, POWER, INTERVAL, AMOUNT),
    "maximum": (GAUGE, POWER, INTERVAL, AMOUNT),
}
OBIS = re.compile(r"(?:([0-9]{1,3})-([0-9]{1,3}):)?([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})(?:\*([0-9]{1,3}))?")
OBIS_QUANTITY = {"1": Quantity.ENERGY, "2": Quantity.ENERGY, **dict.fromkeys("345678", Quantity.REACTIVE_ENERGY)}


def check_points(check: Check) -> None:
    """Check each point, then all formulas together."""
    for point in check.file.points:
        _unit(check, point)
        _keys(check, point)
        _obis(check, point)
        _register(check, point)
        _exchanges(check, point)
        _ratios(check, point)
        _times(check, point)
    _formulas(check)


def _who(point: PointRow, key: str) -> str:
    return f"points[{point.name}].{key}"


def _unit(check: Check, point: PointRow) -> None:
    if point.unit is None:
        if point.kind is not STATE and not point.wrote("unit"):
            check.error("missing_key", f"{_who(point, 'unit')}: missing key", point.line(), "a unit", "nothing")
        return
    line = point.line("unit")
    if point.unit not in UNITS:
        expected, hint = "one of " + ", ".join(UNITS), nearest(point.unit, UNITS)
        check.error("unknown_unit", f"{_who(point, 'unit')}: unknown unit", line, expected, point.unit, hint)
        return
    quantity = UNITS[point.unit][0]
    if point.quantity is not None and point.quantity is not quantity:
        sentence = f"{_who(point, 'quantity')}: does not go with {point.unit}"
        check.error("quantity", sentence, point.line("quantity"), str(quantity), str(point.quantity))
    sentence = f"{_who(point, 'unit')}: does not go with kind {point.kind}"
    if point.kind is POWER and point.unit not in RATES:
        check.error("unit_kind", sentence, line, "a rate: " + ", ".join(sorted(RATES)), point.unit)
    elif point.kind not in (POWER, GAUGE, STATE) and (point.unit in RATES or quantity in LEVELS):
        check.error("unit_kind", sentence, line, "an amount such as kWh or L", point.unit)


def _keys(check: Check, point: PointRow) -> None:
    for key, kinds in KINDS_OF_KEY.items():
        if point.wrote(key) and point.kind not in kinds:
            expected = "kind " + " or ".join(kinds)
            sentence = f"{_who(point, key)}: has no meaning here"
            check.error("useless_key", sentence, point.line(key), expected, f"kind {point.kind}")
    for kind, key, expected in ((VIRTUAL, "formula", "main - part"), (INTERVAL, "interval", "a duration as 15min")):
        if point.kind is kind and not point.wrote(key):
            check.error("missing_key", f"{_who(point, key)}: missing key", point.line(), expected, "nothing")
    if point.minimum is not None and point.maximum is not None and point.minimum > point.maximum:
        found = f"minimum {point.minimum}, maximum {point.maximum}"
        sentence = f"{_who(point, 'minimum')}: above the maximum"
        check.error("range", sentence, point.line("minimum"), "minimum ≤ maximum", found)


def _obis(check: Check, point: PointRow) -> None:
    if point.obis is None:
        return
    line, match = point.line("obis"), OBIS.fullmatch(point.obis)
    if match is None or any(int(group) > 255 for group in match.groups() if group is not None):
        expected = "an OBIS code such as 1-0:1.8.0*255, each part at most 255"
        check.error("obis", f"{_who(point, 'obis')}: no OBIS code", line, expected, point.obis)
        return
    quantity, got = OBIS_QUANTITY.get(match[3]), check.quantity(point.name)
    if match[1] in (None, "1") and quantity is not None and got is not None and quantity is not got:
        sentence = f"{_who(point, 'obis')}: its channel measures something else"
        check.warn("obis_quantity", sentence, line, str(got), str(quantity))


def _register(check: Check, point: PointRow) -> None:
    if point.max_kw is not None and point.max_rate is not None:
        sentence = f"{_who(point, 'max_rate')}: given beside max_kw"
        check.error("two_limits", sentence, point.line("max_rate"), "one of the two", "both")
    elif point.max_kw is not None and check.quantity(point.name) not in (Quantity.ENERGY, None):
        sentence = f"{_who(point, 'max_kw')}: is for energy only"
        check.error("quantity", sentence, point.line("max_kw"), f"max_rate in {point.unit} an hour", "max_kw")
    if point.kind is not REGISTER:
        return
    if not point.wrote("max_kw") and not point.wrote("max_rate"):
        sentence = f"{_who(point, 'max_kw')}: no largest plausible rate, so no leap can be told from energy"
        check.warn("no_max_rate", sentence, point.line(), "max_kw or max_rate", "nothing")
    wraps = point.wraps_at
    if wraps is None:
        return
    key = "modulus" if point.modulus is not None else "digits"
    if point.modulus is not None and point.digits is not None:
        check.error("two_widths", f"{_who(point, key)}: given beside digits", point.line(key), "one of the two", "both")
    ticks = wraps * Decimal(10) ** point.decimals
    if ticks != ticks.to_integral_value():
        expected = f"a multiple of {Decimal(1).scaleb(-point.decimals)} ({point.decimals} decimals)"
        sentence = f"{_who(point, key)}: finer than the register"
        check.error("modulus", sentence, point.line(key), expected, str(wraps))
    elif ticks > LARGEST_TICKS:
        expected = f"at most {LARGEST_TICKS} steps of the last decimal"
        check.error("modulus", f"{_who(point, key)}: too wide", point.line(key), expected, f"{ticks:f}")


def _exchanges(check: Check, point: PointRow) -> None:
    before: int | None = None
    for row in point.exchanges:
        for key, value in (("closing", row.closing), ("opening", row.opening)):
            who, line = f"{_who(point, 'exchanges')}.{key}", row.line(key)
            if point.wraps_at is not None and value >= point.wraps_at:
                check.error("modulus", f"{who}: beyond the register", line, f"below {point.wraps_at:f}", str(value))
            if value != round(value, point.decimals):
                expected = f"at most {point.decimals} decimals"
                check.warn("decimals", f"{who}: finer than the register", line, expected, str(value))
        if check.zone is None:
            continue
        at, line = moment_ms(row.at, check.zone), row.line("at")
        if before is not None and at <= before:
            sentence = f"{_who(point, 'exchanges')}.at: not after the one before"
            check.error("order", sentence, line, "rising times", str(row.at))
        before = at
        _after_start(check, _who(point, "exchanges") + ".at", row.at, line)


def _after_start(check: Check, who: str, moment: Moment, line: int) -> None:
    day = moment.astimezone(check.zone).date() if isinstance(moment, datetime) else moment
    if check.starts_on is not None and day < check.starts_on:
        check.warn("before_start", f"{who}: before the site starts", line, f"from {check.starts_on} on", str(moment))


def _ratios(check: Check, point: PointRow) -> None:
    before: int | None = None
    for place, row in enumerate(point.ct_ratio):
        line = row.line("from") if row.wrote("from") else point.line("ct_ratio")
        if row.from_ is None:
            if len(point.ct_ratio) > 1 and not row.wrote("from"):
                sentence = f"{_who(point, 'ct_ratio')}[{place}].from: missing key"
                check.error("missing_key", sentence, row.line(), "the day each ratio holds from", "nothing")
            continue
        if check.zone is None:
            continue
        at = moment_ms(row.from_, check.zone)
        if before is not None and at <= before:
            sentence = f"{_who(point, 'ct_ratio')}.from: not after the one before"
            check.error("order", sentence, line, "rising times", str(row.from_))
        elif place == 0 and check.starts_on is not None and at > moment_ms(check.starts_on, check.zone):
            sentence = f"{_who(point, 'ct_ratio')}.from: no ratio before it"
            check.warn("no_ratio", sentence, line, f"a ratio from {check.starts_on} on", str(row.from_))
        before = at


def _times(check: Check, point: PointRow) -> None:
    resolution = point.resolution
    if resolution is not None and QUARTER_MS % resolution:
        sentence = f"{_who(point, 'resolution')}: does not divide 15 min"
        check.error("resolution", sentence, point.line("resolution"), "1min, 3min, 5min, 15min …", _span(resolution))
    if resolution not in (None, QUARTER_MS) and point.kind is VIRTUAL:
        sentence = f"{_who(point, 'resolution')}: a virtual point has 15min"
        check.error("resolution", sentence, point.line("resolution"), "15min", _span(resolution or 0))
    if point.interval is not None and point.interval > point.max_gap and point.kind not in (AMOUNT, STATE, VIRTUAL):
        sentence = f"{_who(point, 'interval')}: beyond max_gap, so every stretch would be a gap"
        found = _span(point.interval)
        check.error("interval", sentence, point.line("interval"), f"at most {_span(point.max_gap)}", found)


def _span(milliseconds: int) -> str:
    return f"{Fraction(milliseconds, 60_000)} min"


def _formulas(check: Check) -> None:
    formulas: dict[str, Terms] = {}
    for point in check.points.values():
        if point.formula is None or point.kind is not VIRTUAL:
            continue
        try:
            formulas[point.name] = parse_formula(point.formula)
        except FormulaError as error:
            expected, _, got = str(error).removeprefix("expected ").partition("; got ")
            sentence, found = f"{_who(point, 'formula')}: no linear formula", got or repr(point.formula)
            check.error("formula", sentence, point.line("formula"), expected, found)
    for name, terms in formulas.items():
        point = check.points[name]
        for _, term in terms:
            check.measures(_who(point, "formula"), term, check.quantity(name), point.line("formula"))
        try:
            flatten(formulas, name)
        except FormulaError as error:
            expected, _, got = str(error).removeprefix("expected ").partition("; got ")
            check.error("cycle", f"{_who(point, 'formula')}: leads in a circle", point.line("formula"), expected, got)


def check_resolution(check: Check) -> None:
    """The resolution of the whole site."""
    if QUARTER_MS % check.file.resolution:
        line, found = check.file.line("resolution"), _span(check.file.resolution)
        check.error("resolution", "resolution: does not divide 15 min", line, "1min, 3min, 5min, 15min …", found)
