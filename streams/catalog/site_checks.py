"""What must hold between the rows of a site's file: names, trees, supply, contracts and emission sources."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol
from zoneinfo import ZoneInfo, available_timezones

from streams.catalog.industries import INDUSTRIES, industry_coefficient
from streams.catalog.lines import Source
from streams.catalog.site_file import AVERAGE_PRICE, ContractRow, PointRow, SiteFile
from streams.catalog.source import Row, nearest
from streams.domain.findings import Severity
from streams.domain.quantities import UNITS
from streams.domain.site import PointKind, Quantity

SUMMED = (PointKind.REGISTER, PointKind.POWER, PointKind.INTERVAL, PointKind.AMOUNT, PointKind.VIRTUAL)


class _Named(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def parent(self) -> str | None: ...

    def line(self, key: str | None = None) -> int: ...


def names_in(value: Any, key: str) -> list[str]:  # noqa: ANN401
    """Names of the rows under a key of a parsed document, whatever else is wrong with them."""
    rows = value.get(key) if isinstance(value, dict) else None
    names = [row.get("name") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return [name for name in names if isinstance(name, str)]


@dataclass(slots=True)
class Check:
    """A file under check. `assets` and `point_names` hold every name written, rows that were refused included."""

    source: Source
    file: SiteFile
    assets: Collection[str]
    point_names: Collection[str]
    zone: ZoneInfo | None
    starts_on: date | None
    points: dict[str, PointRow] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Index the points by name; the first of a name counts."""
        for point in self.file.points:
            self.points.setdefault(point.name, point)

    def error(self, code: str, sentence: str, line: int, expected: str, found: str, hint: str | None = None) -> None:
        """Note what stops the start."""
        self.source.add(code, sentence, line, expected=expected, found=found, hint=hint)

    def warn(self, code: str, sentence: str, line: int, expected: str, found: str) -> None:
        """Note what is shown only."""
        self.source.add(code, sentence, line, expected=expected, found=found, severity=Severity.WARNING)

    def known(self, who: str, word: str, words: Collection[str], noun: str, line: int) -> bool:
        """Tell whether a word is one of the known ones; note it otherwise."""
        if word in words:
            return True
        self.error(
            f"unknown_{noun}", f"{who}: unknown {noun}", line, f"a {noun} of this file", word, nearest(word, words)
        )
        return False

    def quantity(self, name: str) -> Quantity | None:
        """Quantity of a point, from its unit."""
        point = self.points.get(name)
        if point is None:
            return None
        return UNITS[point.unit][0] if point.unit in UNITS else point.quantity

    def measures(self, who: str, name: str, quantity: Quantity | None, line: int) -> None:
        """Note it if a point is unknown, is not summed, or measures another quantity than wanted."""
        if not self.known(who, name, self.point_names, "point", line) or name not in self.points:
            return
        kind, got = self.points[name].kind, self.quantity(name)
        if kind not in SUMMED:
            self.error("not_summed", f"{who}: {name} has no amounts", line, "a point that is summed", f"kind {kind}")
        elif quantity is not None and got is not None and got is not quantity:
            self.error("quantity", f"{who}: {name} measures something else", line, str(quantity), str(got))


def check_zone(source: Source, name: str, line: int) -> ZoneInfo | None:
    """The time zone of a name; a finding with the nearest name if there is none."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        hint = nearest(name, available_timezones())
        source.add("time_zone", "time_zone: unknown", line, expected="an IANA name", found=name or "nothing", hint=hint)
        return None


def check_structure(check: Check) -> None:
    """Names once each, parents that exist and end at a root, assets of points."""
    file = check.file
    for noun, rows, names in (("asset", file.assets, check.assets), ("point", file.points, check.point_names)):
        if not names:
            check.error("empty", f"{noun}s: none", file.line(f"{noun}s"), f"at least one {noun}", "none")
        once(check, noun, rows)
        _tree(check, noun, rows, names)
    once(check, "emission", file.emissions)
    for point in file.points:
        check.known(f"points[{point.name}].asset", point.asset, check.assets, "asset", point.line("asset"))
        parent = check.points.get(point.parent or "")
        if parent is not None and check.quantity(point.name) is not check.quantity(parent.name):
            quantities = str(check.quantity(parent.name)), str(check.quantity(point.name))
            check.error("quantity", f"points[{point.name}].parent: another quantity", point.line("parent"), *quantities)


def once(check: Check, noun: str, rows: Sequence[Row]) -> None:
    """Note every name that a row before has."""
    seen: dict[str, int] = {}
    for row in rows:
        name, line = str(getattr(row, "name", "")), row.line("name")
        if name in seen:
            found = f"again what line {seen[name]} names"
            check.error("duplicate_name", f"{noun} {name!r}: name used twice", line, "each name once", found)
        seen.setdefault(name, line)


def _tree(check: Check, noun: str, rows: Iterable[_Named], names: Collection[str]) -> None:
    parents = {row.name: row.parent for row in rows}
    reported: set[str] = set()
    for row in rows:
        if row.parent is None or not check.known(
            f"{noun}s[{row.name}].parent", row.parent, names, noun, row.line("parent")
        ):
            continue
        way: list[str] = [row.name]
        above: str | None = row.parent
        while above is not None and above not in way:
            way.append(above)
            above = parents.get(above)
        if above == row.name and row.name not in reported:
            reported.update(way)
            sentence = f"{noun}s[{row.name}].parent: leads back to itself"
            check.error("cycle", sentence, row.line("parent"), "a tree", " → ".join([*way, row.name]))


def check_supply(check: Check, plans: Collection[str]) -> None:
    """Import and reactive points, contracts, off-peak days."""
    supply = check.file.supply
    wanted = (("import", supply.import_, Quantity.ENERGY), ("reactive", supply.reactive, Quantity.REACTIVE_ENERGY))
    for key, names, quantity in wanted:
        line = supply.line(key)
        for place, name in enumerate(names):
            check.measures(f"supply.{key}", name, quantity, line)
            if name in names[:place]:
                check.error("double_count", f"supply.{key}: point named twice", line, "each point once", name)
            above = next((other for other in ancestors(check, name) if other in names), None)
            if above is not None:
                check.error("double_count", f"supply.{key}: {name} is part of {above}", line, "one of the two", "both")
    if supply.contracts and not supply.import_:
        line = supply.line("contracts")
        check.warn("no_import", "supply.import: contracts without a meter", line, "the points that are billed", "none")
    first: dict[date, int] = {}
    for contract in supply.contracts:
        line = contract.line("from")
        if contract.from_ in first:
            found = f"{contract.from_} again, as in line {first[contract.from_]}"
            check.error("overlap", "supply.contracts: two hold from the same day", line, "one contract a day", found)
        first.setdefault(contract.from_, line)
        _contract(check, contract, plans)
    if first and check.starts_on is not None and min(first) > check.starts_on:
        found = f"the first from {min(first)}"
        check.warn("no_contract", "supply.contracts: days without one", first[min(first)], str(check.starts_on), found)
    for place, day in enumerate(supply.off_peak_days):
        if day in supply.off_peak_days[:place]:
            line = supply.line("off_peak_days")
            check.warn("duplicate_day", "supply.off_peak_days: day given twice", line, "each day once", str(day))


def ancestors(check: Check, name: str) -> list[str]:
    """The points that a point is part of, from the nearest to the root."""
    way: list[str] = []
    point = check.points.get(name)
    while point is not None and point.parent is not None and point.parent not in (name, *way):
        way.append(point.parent)
        point = check.points.get(point.parent)
    return way


def _contract(check: Check, contract: ContractRow, plans: Collection[str]) -> None:
    who, plan = f"supply.contracts[{contract.from_}]", contract.plan
    if plan == AVERAGE_PRICE:
        if not contract.wrote("price_ntd_per_kwh"):
            check.error("missing_key", f"{who}.price_ntd_per_kwh: missing key", contract.line(), "a price", "nothing")
        if contract.industry is not None:
            line = contract.line("industry")
            check.warn("useless_key", f"{who}.industry: has no effect", line, f"none with {plan}", contract.industry)
        return
    line = contract.line("plan")
    if plan not in plans:
        words = [*plans, AVERAGE_PRICE]
        expected = "one of " + ", ".join(sorted(words))
        check.error("unknown_plan", f"{who}.plan: unknown plan", line, expected, plan, nearest(plan, words))
    if contract.price_ntd_per_kwh is not None:
        line = contract.line("price_ntd_per_kwh")
        check.error("useless_key", f"{who}.price_ntd_per_kwh: has no effect", line, f"plan {AVERAGE_PRICE}", plan)
    if contract.regular_kw == 0:
        line = contract.line("regular_kw")
        check.warn("no_capacity", f"{who}.regular_kw: no contract capacity", line, "the contracted kW", "0")
    if contract.industry is not None and industry_coefficient(contract.industry, plan) is None:
        expected, line = "one of " + ", ".join(INDUSTRIES), contract.line("industry")
        check.error(
            "unknown_industry", f"{who}.industry: no coefficient under {plan}", line, expected, contract.industry
        )
