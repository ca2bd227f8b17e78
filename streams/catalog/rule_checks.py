"""What must hold of a site's rules: kinds, points, roles and numbers that exist and fit each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from math import isnan

from streams.catalog.rule_kinds import DEMAND, MODEL_SCORE, SCORE, THRESHOLD, RuleKind, kinds
from streams.catalog.rule_rows import RuleRow, is_number
from streams.catalog.site_checks import Check, once
from streams.catalog.site_file import PointRow
from streams.catalog.source import nearest
from streams.domain.site import PointKind

QUICK_MS = 300_000
"""A meter must be read at least so often for its demand to be foreseen."""


def chosen(words: Iterable[str], points: Iterable[PointRow], kind: RuleKind) -> list[str]:
    """Names of points as a rule gives them; a pattern (`*`, `?`) stands for the points that fit the kind."""
    found: dict[str, None] = {}
    for word in words:
        if is_pattern(word):
            fit = kind.fits & kind.by_pattern
            found |= {point.name: None for point in points if point.kind in fit and fnmatchcase(point.name, word)}
        else:
            found[word] = None
    return list(found)


def is_pattern(word: str) -> bool:
    """Whether a word stands for several points."""
    return any(mark in word for mark in "*?[")


def check_rules(check: Check, rows: Sequence[RuleRow]) -> None:
    """Note what is wrong with each rule."""
    once(check, "rule", rows)
    known = kinds()
    for row in rows:
        who, line = f"rules[{row.name}]", row.line("kind")
        kind = known.get(row.kind)
        if kind is None:
            expected, hint = "one of " + ", ".join(sorted(known)), nearest(row.kind, known)
            check.error("unknown_kind", f"{who}.kind: unknown kind", line, expected, row.kind, hint)
            continue
        _points(check, who, row, kind)
        _roles(check, who, row, kind)
        if _numbers(check, who, row, kind):
            _limits(check, who, row)
        if row.kind == DEMAND:
            _demand(check, who, row)


def _points(check: Check, who: str, row: RuleRow, kind: RuleKind) -> None:
    line = row.line("points")
    if kind.of_site or kind.roles:
        if row.wrote("points"):
            expected = "no points" if kind.of_site else "roles: " + ", ".join((*kind.roles, *kind.optional))
            check.error("useless_key", f"{who}.points: has no meaning with kind {row.kind}", line, expected, "points")
        return
    if not row.points:
        check.error(
            "missing_key", f"{who}.points: missing key", line, "a point, a pattern or a list of them", "nothing"
        )
    for word in row.points:
        if is_pattern(word):
            if not chosen([word], check.file.points, kind):
                expected = "a pattern that fits a point of kind " + _words(kind.fits & kind.by_pattern)
                check.error("no_point", f"{who}.points: no such point", line, expected, word)
        elif check.known(f"{who}.points", word, check.point_names, "point", line):
            _fits(check, f"{who}.points", word, row, kind, line)


def _fits(check: Check, who: str, name: str, row: RuleRow, kind: RuleKind, line: int) -> None:
    point = check.points.get(name)
    if point is not None and point.kind not in kind.fits:
        sentence = f"{who}: {name} cannot be looked at by kind {row.kind}"
        check.error("unfit_point", sentence, line, "a point of kind " + _words(kind.fits), f"kind {point.kind}")


def _words(kinds_of_points: frozenset[PointKind]) -> str:
    return ", ".join(each for each in PointKind if each in kinds_of_points)


def _roles(check: Check, who: str, row: RuleRow, kind: RuleKind) -> None:
    line, every = row.line("roles"), (*kind.roles, *kind.optional)
    if not every:
        if row.wrote("roles"):
            check.error("useless_key", f"{who}.roles: has no meaning with kind {row.kind}", line, "no roles", "roles")
        return
    for role in kind.roles:
        if role not in row.roles:
            check.error("missing_role", f"{who}.roles.{role}: missing role", line, "a point", "nothing")
    for role, name in row.roles.items():
        if role not in every:
            expected, hint = "one of " + ", ".join(every), nearest(role, every)
            check.error("unknown_role", f"{who}.roles: unknown role", line, expected, role, hint)
        elif check.known(f"{who}.roles.{role}", name, check.point_names, "point", line):
            _fits(check, f"{who}.roles.{role}", name, row, kind, line)


def _numbers(check: Check, who: str, row: RuleRow, kind: RuleKind) -> bool:
    """Tell whether every number is one, and one of the kind's."""
    keys = {item.alias or name for name, item in type(row).model_fields.items()} | set(kind.numbers)
    is_good = True
    for name, value in row.numbers.items():
        line = row.line(name)
        if name not in kind.numbers:
            expected = "one of " + ", ".join(sorted(keys))
            check.error("unknown_key", f"{who}.{name}: unknown key", line, expected, name, nearest(name, keys))
        elif not is_number(value):
            check.error("bad_value", f"{who}.{name}: bad value", line, "a number", repr(value))
        is_good = is_good and name in kind.numbers and is_number(value)
    for name, default in kind.numbers.items():
        if default is None and name not in row.numbers:
            check.error("missing_key", f"{who}.{name}: missing key", row.line(), "a number", "nothing")
            is_good = False
    return is_good


def _limits(check: Check, who: str, row: RuleRow) -> None:
    """Limits that contradict themselves."""
    given = {name: float(value) for name, value in row.numbers.items()}
    above, below, clear = (given.get(name, float("nan")) for name in ("above", "below", "clear"))
    if row.kind in (SCORE, MODEL_SCORE) and not isnan(above) and not 0 < above < 1:
        check.error("range", f"{who}.above: no score", row.line("above"), "a number between 0 and 1", f"{above:g}")
    if row.kind == DEMAND:
        for name, least, most in (("share", 0.01, 2.0), ("after_min", 1.0, 14.0), ("margin", 0.0, 1.0)):
            if name in given and not least <= given[name] <= most:
                expected = f"{least:g} to {most:g}"
                check.error("range", f"{who}.{name}: out of range", row.line(name), expected, f"{given[name]:g}")
    if row.kind != THRESHOLD:
        return
    if isnan(above) and isnan(below):
        check.error("missing_key", f"{who}.above: missing key", row.line(), "above or below", "neither")
    if not isnan(above) and not isnan(below):
        if below >= above:
            found = f"below {below:g}, above {above:g}"
            check.error("range", f"{who}.below: not under `above`", row.line("below"), "below < above", found)
        if not isnan(clear):
            sentence = f"{who}.clear: has no meaning with two limits"
            check.error("useless_key", sentence, row.line("clear"), "above or below alone", "both")
    elif clear > above or clear < below:
        limit = f"above {above:g}" if isnan(below) else f"below {below:g}"
        expected = f"at most {above:g}" if isnan(below) else f"at least {below:g}"
        check.error("range", f"{who}.clear: beyond the limit", row.line("clear"), expected, f"{clear:g}, {limit}")


def _demand(check: Check, who: str, row: RuleRow) -> None:
    supply, line = check.file.supply, row.line("kind")
    for key, is_given in (("import", bool(supply.import_)), ("contracts", bool(supply.contracts))):
        if not is_given:
            check.error("no_contract", f"{who}: nothing to hold demand against", line, f"supply.{key}", "none")
    for name in supply.import_:
        point = check.points.get(name)
        if point is not None and (point.interval or 0) > QUICK_MS:
            sentence, found = (
                f"{who}: {name} is read too seldom to foresee its demand",
                f"{(point.interval or 0) // 1000} s",
            )
            check.warn("seldom", sentence, line, f"at least every {QUICK_MS // 1000} s", found)
