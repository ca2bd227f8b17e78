"""What must hold of a site's emission sources: factors that exist and fit, scopes and categories, nothing twice."""

from __future__ import annotations

from streams.catalog.factors import Factors
from streams.catalog.site_checks import Check
from streams.catalog.site_file import EmissionRow
from streams.catalog.source import nearest
from streams.domain.quantities import UNITS
from streams.domain.site import Quantity

CATEGORIES = {1: (1,), 2: (2,), 3: (3, 4, 5, 6)}
"""Scope of the GHG Protocol to the categories of ISO 14064-1:2018."""


def check_emissions(check: Check, factors: Factors) -> None:
    """Note what is wrong with each source."""
    claimed: dict[tuple[str, str], EmissionRow] = {}
    for row in check.file.emissions:
        who = f"emissions[{row.name}]"
        unit = factors.units.get(row.factor)
        quantity = UNITS[unit][0] if unit else None
        check.measures(f"{who}.point", row.point, quantity, row.line("point"))
        if row.green_point is not None:
            check.measures(f"{who}.green_point", row.green_point, Quantity.ENERGY, row.line("green_point"))
        if unit is None:
            line, hint = row.line("factor"), nearest(row.factor, factors.units)
            check.error("unknown_factor", f"{who}.factor: unknown factor", line, "a factor series", row.factor, hint)
        else:
            _use(check, who, row, factors.uses.get(row.factor, ()))
        if row.iso_category not in CATEGORIES[row.scope]:
            expected = f"scope {row.scope} with category " + " or ".join(map(str, CATEGORIES[row.scope]))
            line = row.line("iso_category")
            check.error("scope", f"{who}.iso_category: another scope's", line, expected, f"category {row.iso_category}")
        before = claimed.setdefault((row.point, row.factor), row)
        if before is not row:
            found = f"{row.point} × {row.factor} as in line {before.line()}"
            check.warn("double_claim", f"{who}: counted twice", row.line("point"), "each amount once", found)


def _use(check: Check, who: str, row: EmissionRow, uses: tuple[str, ...]) -> None:
    """A fuel says how it is burnt, and nothing else does."""
    refused = row.use is None and row.wrote("use")
    if refused or row.use in uses or (row.use is None and not uses):
        return
    expected = "one of " + ", ".join(uses) if uses else f"none with {row.factor}"
    check.error("use", f"{who}.use: does not fit {row.factor}", row.line("use"), expected, row.use or "nothing")
