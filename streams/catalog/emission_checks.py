"""What must hold of a site's emission sources: factors that exist and fit, scopes and categories, nothing twice."""

from __future__ import annotations

from streams.catalog.factors import Factors
from streams.catalog.point_checks import QUARTER_MS
from streams.catalog.site_checks import Check, ancestors
from streams.catalog.site_file import EmissionRow
from streams.catalog.source import nearest
from streams.domain.quantities import UNITS
from streams.domain.site import PointKind, Quantity

CATEGORIES = {1: (1,), 2: (2,), 3: (3, 4, 5, 6)}
"""Scope of the GHG Protocol to the categories of ISO 14064-1:2018."""
ONCE = "each amount once"


def check_emissions(check: Check, factors: Factors) -> None:
    """Note what is wrong with each source."""
    for row in check.file.emissions:
        who = f"emissions[{row.name}]"
        unit = factors.units.get(row.factor)
        quantity = UNITS[unit][0] if unit else None
        check.measures(f"{who}.point", row.point, quantity, row.line("point"))
        if unit is None:
            line, hint = row.line("factor"), nearest(row.factor, factors.units)
            check.error("unknown_factor", f"{who}.factor: unknown factor", line, "a factor series", row.factor, hint)
        else:
            _use(check, who, row, factors.uses.get(row.factor, ()))
            _since(check, who, row, factors)
        if row.green_point is not None:
            _green(check, who, row, row.green_point, factors)
        _scope(check, who, row, factors.scopes.get(row.factor, tuple(CATEGORIES)))
    _claims(check)


def _use(check: Check, who: str, row: EmissionRow, uses: tuple[str, ...]) -> None:
    """A fuel says how it is burnt, and nothing else does."""
    refused = row.use is None and row.wrote("use")
    if refused or row.use in uses or (row.use is None and not uses):
        return
    expected = "one of " + ", ".join(uses) if uses else f"none with {row.factor}"
    check.error("use", f"{who}.use: does not fit {row.factor}", row.line("use"), expected, row.use or "nothing")


def _since(check: Check, who: str, row: EmissionRow, factors: Factors) -> None:
    """The factor holds from the site's first day; earlier emissions would be unknown."""
    first = factors.begins[row.factor]
    if check.starts_on is not None and first is not None and check.starts_on < first:
        expected, found = f"days from {first}", f"starts_on {check.starts_on}"
        check.warn("no_factor", f"{who}.factor: days without one", row.line("factor"), expected, found)


def _green(check: Check, who: str, row: EmissionRow, name: str, factors: Factors) -> None:
    """Only purchased power is covered by contractual instruments, measured at least as finely as what they cover."""
    line = row.line("green_point")
    check.measures(f"{who}.green_point", name, Quantity.ENERGY, line)
    if row.factor in factors.units and row.factor not in factors.series:
        expected = "none, or a factor of " + ", ".join(sorted(factors.series))
        check.error("green", f"{who}.green_point: does not fit {row.factor}", line, expected, name)
    length, most = _resolution(check, name), _resolution(check, row.point)
    if length > most:
        expected, found = f"at most {most // 60_000} min, as {row.point}", f"{length // 60_000} min"
        check.error("resolution", f"{who}.green_point: longer intervals than those it covers", line, expected, found)


def _resolution(check: Check, name: str) -> int:
    point = check.points.get(name)
    if point is None:
        return 0
    return QUARTER_MS if point.kind is PointKind.VIRTUAL else point.resolution or check.file.resolution


def _scope(check: Check, who: str, row: EmissionRow, scopes: tuple[int, ...]) -> None:
    """The scope is one that the factor can stand under, the category one of the scope."""
    if row.scope not in scopes:
        expected = "scope " + " or ".join(map(str, scopes))
        line = row.line("scope")
        check.error("scope", f"{who}.scope: does not fit {row.factor}", line, expected, f"scope {row.scope}")
    if row.iso_category not in CATEGORIES[row.scope]:
        expected = f"scope {row.scope} with category " + " or ".join(map(str, CATEGORIES[row.scope]))
        line = row.line("iso_category")
        check.error("scope", f"{who}.iso_category: another scope's", line, expected, f"category {row.iso_category}")


def _claims(check: Check) -> None:
    """Each amount counts once: not twice at a point, nor at a point and at one that it is part of."""
    claimed: dict[tuple[str, str], EmissionRow] = {}
    for row in check.file.emissions:
        before = claimed.setdefault((row.point, row.factor), row)
        if before is not row:
            found = f"{row.point} × {row.factor} as in line {before.line()}"
            check.warn("double_claim", f"emissions[{row.name}]: counted twice", row.line("point"), ONCE, found)
    for row in check.file.emissions:
        above = next((name for name in ancestors(check, row.point) if (name, row.factor) in claimed), None)
        if above is not None:
            found = f"{row.point} is part of {above}, in line {claimed[above, row.factor].line()}"
            check.warn("double_claim", f"emissions[{row.name}]: counted twice", row.line("point"), ONCE, found)
