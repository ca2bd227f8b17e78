"""What must hold of a site's key figures: points, numbers and words that exist and fit their kind."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from streams.catalog.kpi_kinds import POWER, SPECS, KpiSpec, Role, derived_of
from streams.catalog.kpi_rows import KpiRow
from streams.catalog.rule_rows import is_number
from streams.catalog.site_checks import Check
from streams.catalog.site_file import SiteFile
from streams.catalog.source import nearest
from streams.domain.kpi import Kpi, KpiKind
from streams.domain.site import PointKind, Quantity


def check_kpis(check: Check, rows: Sequence[KpiRow]) -> None:
    """Note what is wrong with each row."""
    seen: dict[tuple[KpiKind, str, str], int] = {}
    for row in rows:
        who, spec = f"kpis[{row.kind} {row.asset}]", SPECS[row.kind]
        check.known(f"{who}.asset", row.asset, check.assets, "asset", row.line("asset"))
        key = (row.kind, row.asset, row.system)
        if key in seen:
            check.error(
                "twice", f"{who}: given twice", row.line(), "one row a kind, asset and system", f"line {seen[key]}"
            )
        seen.setdefault(key, row.line())
        _roles(check, who, row, spec)
        _numbers(check, who, row, spec)
        _words(check, who, row, spec)
        for word in set(row.words) - set(spec.words):
            expected, hint = "one of " + ", ".join(spec.words) if spec.words else "no words", nearest(word, spec.words)
            check.error("unknown_key", f"{who}.words: unknown word", row.line("words"), expected, word, hint)
        if (row.kind is KpiKind.LOAD) != bool(row.system):
            expected = "a name such as lights" if row.kind is KpiKind.LOAD else "no system"
            check.error("system", f"{who}.system: {'missing key' if not row.system else 'has no meaning'}",
                        row.line("system"), expected, row.system or "nothing")  # fmt: skip


def _words(check: Check, who: str, row: KpiRow, spec: KpiSpec) -> None:
    """Note states of which no word is told apart, and an engine's power without the power from which it runs."""
    kinds = {
        role: {point.kind for name in names if (point := check.points.get(name))} for role, names in row.roles.items()
    }
    needed = [word for word in spec.words if PointKind.STATE in kinds.get(word, ())]
    needed += ["cutting"] if row.kind is KpiKind.MACHINE and "execution" in row.roles else []
    for word in needed:
        if not row.words.get(word):
            sentence = f"{who}.words.{word}: missing words"
            check.error("missing_words", sentence, row.line("words"), "words such as [OPEN]", "none")
    if PointKind.POWER in kinds.get("engine", ()) and "engine_on" not in row.numbers:
        check.error(
            "missing_key", f"{who}.engine_on: missing key", row.line(), spec.numbers["engine_on"].text, "nothing"
        )
    told = [word for words in row.words.values() for word in words]
    for word in sorted({each for each in told if told.count(each) > 1}):
        check.error("twice", f"{who}.words: a word of two states", row.line("words"), "each word once", word)


def _roles(check: Check, who: str, row: KpiRow, spec: KpiSpec) -> None:
    line = row.line("roles")
    for role, each in spec.roles.items():
        if each.is_needed and not row.roles.get(role):
            check.error("missing_role", f"{who}.roles.{role}: missing role", line, "a point", "nothing")
    if row.kind is KpiKind.MACHINE and ("power" in row.roles) == ("execution" in row.roles):
        found = "both" if "power" in row.roles else "neither"
        check.error("roles", f"{who}.roles: states from one point", line, "power or execution", found)
    if row.kind is KpiKind.HANDLER and {"hours", "engine"} <= row.roles.keys():
        check.error("roles", f"{who}.roles: hours of the engine from one point", line, "hours or engine", "both")
    if row.kind is KpiKind.HANDLER and not row.roles:
        check.error("missing_role", f"{who}.roles: missing roles", line, "fuel or energy, moves or hours", "none")
    for role, names in row.roles.items():
        if role not in spec.roles:
            expected, hint = "one of " + ", ".join(spec.roles), nearest(role, spec.roles)
            check.error("unknown_role", f"{who}.roles: unknown role", line, expected, role, hint)
            continue
        if len(names) > 1 and not spec.roles[role].is_several:
            check.error("roles", f"{who}.roles.{role}: one point", line, "one point", str(len(names)))
        for name in names:
            if check.known(f"{who}.roles.{role}", name, check.point_names, "point", line):
                _fits(check, f"{who}.roles.{role}", name, spec.roles[role], line)


def _fits(check: Check, who: str, name: str, role: Role, line: int) -> None:
    point = check.points.get(name)
    if point is None:
        return
    if point.kind not in role.fits:
        kinds = ", ".join(sorted(role.fits))
        check.error(
            "unfit_point", f"{who}: {name} is no such point", line, f"a point of kind {kinds}", f"kind {point.kind}"
        )
    if role.quantity is Quantity.TEMPERATURE and point.unit not in (None, "Cel"):
        check.error("unit", f"{who}: {name} is tallied in °C", line, "unit Cel", str(point.unit))
    if role.fits == POWER and point.kind is PointKind.POWER and point.unit != "kW":
        check.error("unit", f"{who}: {name} is compared in kW", line, "unit kW", str(point.unit))
    quantity = check.quantity(name)
    if role.quantity is not None and quantity is not None and quantity is not role.quantity:
        check.error("quantity", f"{who}: {name} measures something else", line, str(role.quantity), str(quantity))


def _numbers(check: Check, who: str, row: KpiRow, spec: KpiSpec) -> None:
    good: dict[str, float] = {}
    for name, value in row.numbers.items():
        line = row.line(name)
        if name not in spec.numbers:
            expected = "one of " + ", ".join(spec.numbers)
            check.error("unknown_key", f"{who}.{name}: unknown key", line, expected, name, nearest(name, spec.numbers))
        elif not is_number(value):
            check.error("bad_value", f"{who}.{name}: bad value", line, "a number", repr(value))
        elif (role := spec.numbers[name].with_role) and role not in row.roles:
            check.error("useless_key", f"{who}.{name}: has no meaning without {role}", line, f"roles.{role}", "none")
        elif not spec.numbers[name].least <= value <= spec.numbers[name].most:
            bounds = f"{spec.numbers[name].least:g} to {spec.numbers[name].most:g}".replace(" to inf", " or more")
            check.error("range", f"{who}.{name}: out of range", line, bounds, f"{value:g}")
        elif spec.numbers[name].is_whole and value % 1:
            check.error("range", f"{who}.{name}: no whole hour", line, "a whole number", f"{value:g}")
        else:
            good[name] = float(value)
    for name, number in spec.numbers.items():
        if number.with_role in row.roles and name not in row.numbers:
            check.error("missing_key", f"{who}.{name}: missing key", row.line(), number.text, "nothing")
    for low, high in pairwise(name for name in spec.ascending if name in good):
        if good[low] >= good[high]:
            found = f"{low} {good[low]:g}, {high} {good[high]:g}"
            check.error("range", f"{who}.{high}: not above {low}", row.line(high), f"{low} < {high}", found)


def kpi_of(row: KpiRow, file: SiteFile) -> Kpi:
    """The key figure of a row that was found good; points by their full names."""
    spec = SPECS[row.kind]
    points = {role: [f"{file.site}/{name}" for name in names] for role, names in row.roles.items()}
    defaults = {name: each.default for name, each in spec.numbers.items() if each.default is not None}
    numbers = defaults | {name: float(value) for name, value in row.numbers.items()}
    return Kpi(
        kind=row.kind,
        asset=row.asset,
        points=tuple((role, name) for role, names in points.items() for name in names),
        numbers=tuple(sorted(numbers.items())),
        derived=derived_of(row.kind, points, numbers, row.words),
        system=row.system,
    )
