"""Emission factors as reviewed rows: grid power by year, fuels by use, gases by set of the IPCC, blends, materials."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, RootModel

from streams.catalog.source import Row, read
from streams.domain.findings import CatalogError, Finding

FOLDER = Path(__file__).parent / "data" / "factors"
PROVISIONAL = "?provisional"
"""Ends a factor id where the factor of the year is not published yet and the latest one stands in."""

GwpSet = Literal["AR4", "AR5", "AR6"]
Use = Literal["stationary", "mobile"]
Amount = Annotated[Fraction, Field(ge=0)]
Share = Annotated[Fraction, Field(gt=0, le=1)]


class Sourced(Row):
    """Where a row comes from; `unverified` where nobody has seen it in the publisher's own text."""

    published_on: date | None
    source: str
    unverified: bool = False


class GridRow(Sourced):
    """Purchased power of a calendar year of activity."""

    series: str
    year: int
    kgco2e: Amount
    unit: Literal["kWh"]


class FuelRow(Sourced):
    """Kilograms of each gas per unit of a fuel burnt for a use; `kcal_per_unit` and `kgco2_per_tj` made `co2`."""

    fuel: str
    use: Use
    unit: Literal["L", "m3"]
    co2: Amount
    ch4: Amount
    n2o: Amount
    kcal_per_unit: Amount
    kgco2_per_tj: Amount
    version: str
    valid_from: date
    valid_to: date | None


class GasRow(Sourced):
    """Global warming potential of a gas in one set; a `memo` gas stands beside the total."""

    gas: str
    set: GwpSet
    kgco2e: Amount
    unit: Literal["kg"]
    memo: bool = False


class BlendRow(Sourced):
    """Share of a gas in a blend, by mass."""

    blend: str
    gas: str
    share: Share


class MaterialRow(Sourced):
    """A material bought; `lowest` to `highest` is the range of the source."""

    material: str
    kgco2e: Amount
    lowest: Amount
    highest: Amount
    unit: Literal["kg"]
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class Applied:
    """The factor that applied: kgCO2e per `unit`, the id of the variant, whether it stands in for an unknown one.

    `memo`: reported beside the total. `by_gas`: kgCO2e per unit of CO2, CH4 and N2O, where the factor tells them apart.
    """

    kgco2e: Fraction
    unit: str
    factor_id: str
    provisional: bool = False
    memo: bool = False
    by_gas: tuple[tuple[str, Fraction], ...] = ()


@dataclass(frozen=True)
class Factors:
    """Every row. `resolve` answers what applied, None where nothing is known for the day, ValueError for a bad name."""

    grid: tuple[GridRow, ...]
    fuels: tuple[FuelRow, ...]
    gases: tuple[GasRow, ...]
    blends: tuple[BlendRow, ...]
    materials: tuple[MaterialRow, ...]

    @cached_property
    def units(self) -> dict[str, str]:
        """Unit of the activity of every factor, by name."""
        return (
            {row.series: row.unit for row in self.grid}
            | {row.fuel: row.unit for row in self.fuels}
            | dict.fromkeys((row.gas for row in self.gases), "kg")
            | dict.fromkeys((row.blend for row in self.blends), "kg")
            | {row.material: row.unit for row in self.materials}
        )

    @cached_property
    def uses(self) -> dict[str, tuple[str, ...]]:
        """The uses that each fuel has factors for."""
        found: dict[str, list[str]] = defaultdict(list)
        for row in self.fuels:
            found[row.fuel].append(row.use)
        return {fuel: tuple(dict.fromkeys(uses)) for fuel, uses in found.items()}

    @cached_property
    def _parts(self) -> dict[str, dict[str, Fraction]]:
        parts: dict[str, dict[str, Fraction]] = {row.gas: {row.gas: Fraction(1)} for row in self.gases}
        for row in self.blends:
            parts.setdefault(row.blend, {})[row.gas] = row.share
        return parts

    def resolve(self, name: str, day: date, gwp_set: str, use: str | None = None) -> Applied | None:
        """The factor for an activity on a local day.

        Grid power goes by the calendar year; where the year is not published yet, the latest year before it stands in
        (`?provisional`). None: the day lies before the first row.
        """
        if name not in self.units:
            raise ValueError(f"factor: expected one of {', '.join(self.units)}; got {name!r}")
        if name in self._series:
            return self._of_grid(name, day.year)
        if name in self.uses:
            return self._of_fuel(name, use, day, gwp_set)
        if name in self._parts:
            return self._of_gas(name, gwp_set)
        held = [row for row in self.materials if row.material == name and _holds(row, day)]
        return Applied(held[-1].kgco2e, held[-1].unit, f"{name}@{held[-1].valid_from}") if held else None

    @cached_property
    def _series(self) -> frozenset[str]:
        return frozenset(row.series for row in self.grid)

    def _of_grid(self, name: str, year: int) -> Applied | None:
        begun = [row for row in self.grid if row.series == name and row.year <= year]
        if not begun:
            return None
        row = max(begun, key=lambda each: each.year)
        provisional = row.year < year
        return Applied(
            row.kgco2e, row.unit, f"{name}@{row.year}{PROVISIONAL if provisional else ''}", provisional=provisional
        )

    def _of_fuel(self, name: str, use: str | None, day: date, gwp_set: str) -> Applied | None:
        if use not in self.uses[name]:
            raise ValueError(f"use of {name}: expected one of {', '.join(self.uses[name])}; got {use!r}")
        held = [row for row in self.fuels if (row.fuel, row.use) == (name, use) and _holds(row, day)]
        if not held:
            return None
        row = held[-1]
        by_gas = tuple(
            (gas, amount * self._gwp(gas, gwp_set))
            for gas, amount in (("CO2", row.co2), ("CH4", row.ch4), ("N2O", row.n2o))
        )
        return Applied(
            sum((part for _, part in by_gas), Fraction(0)),
            row.unit,
            f"{name}@{row.version}/{use}/{gwp_set}",
            by_gas=by_gas,
        )

    def _of_gas(self, name: str, gwp_set: str) -> Applied:
        parts = self._parts[name]
        kgco2e = sum((share * self._gwp(gas, gwp_set) for gas, share in parts.items()), Fraction(0))
        memo = any(row.memo for row in self.gases if row.gas in parts)
        return Applied(kgco2e, "kg", f"{name}@{gwp_set}", memo=memo)

    def _gwp(self, gas: str, gwp_set: str) -> Fraction:
        found = [row.kgco2e for row in self.gases if (row.gas, row.set) == (gas, gwp_set)]
        if not found:
            raise ValueError(f"gwp_set: expected one that knows {gas}; got {gwp_set!r}")
        return found[0]


def _holds(row: FuelRow | MaterialRow, day: date) -> bool:
    return row.valid_from <= day and (row.valid_to is None or day <= row.valid_to)


def load_factors(folder: Path = FOLDER) -> Factors:
    """Read the files; CatalogError where one is wrong, or a row stands twice, or a blend is not whole."""
    factors = Factors(
        tuple(read(folder / "grid.yaml", RootModel[list[GridRow]]).root),
        tuple(read(folder / "fuels.yaml", RootModel[list[FuelRow]]).root),
        tuple(read(folder / "gases.yaml", RootModel[list[GasRow]]).root),
        tuple(read(folder / "blends.yaml", RootModel[list[BlendRow]]).root),
        tuple(read(folder / "materials.yaml", RootModel[list[MaterialRow]]).root),
    )
    findings = [*_twice(factors, folder), *_blends(factors, folder)]
    if findings:
        raise CatalogError(findings)
    return factors


def _twice(factors: Factors, folder: Path) -> list[Finding]:
    """Rows that answer the same question as an earlier one."""
    keyed: list[tuple[str, tuple[object, ...], Row]] = [
        *(("grid.yaml", (row.series, row.year), row) for row in factors.grid),
        *(("fuels.yaml", (row.fuel, row.use, row.valid_from), row) for row in factors.fuels),
        *(("gases.yaml", (row.gas, row.set), row) for row in factors.gases),
        *(("blends.yaml", (row.blend, row.gas), row) for row in factors.blends),
        *(("materials.yaml", (row.material, row.valid_from), row) for row in factors.materials),
    ]
    seen: dict[tuple[str, tuple[object, ...]], int] = {}
    findings = []
    for file, key, row in keyed:
        first = seen.setdefault((file, key), row.line())
        if first != row.line():
            name = " ".join(map(str, key))
            findings.append(
                Finding("twice", f"{name}: given twice", folder / file, row.line(), "one row", f"line {first} too")
            )
    return findings


def _blends(factors: Factors, folder: Path) -> list[Finding]:
    """Blends whose shares do not add up, or whose gas is unknown."""
    gases = {row.gas for row in factors.gases}
    total: dict[str, Fraction] = defaultdict(Fraction)
    line = {row.blend: row.line() for row in factors.blends}
    for row in factors.blends:
        total[row.blend] += row.share
    unknown = (
        Finding("unknown_gas", f"{row.blend}: unknown gas", folder / "blends.yaml", row.line(), "a gas", row.gas)
        for row in factors.blends
        if row.gas not in gases
    )
    partial = (
        Finding("shares", f"{name}: shares", folder / "blends.yaml", line[name], "a sum of 1", str(float(whole)))
        for name, whole in total.items()
        if whole != 1
    )
    return list(chain(unknown, partial))
