"""Emission factors as reviewed rows: grid power by year, fuels by use, gases by set of the IPCC, blends, materials."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cached_property
from pathlib import Path

from pydantic import RootModel

from streams.catalog.factor_checks import mistakes
from streams.catalog.factor_rows import GASES, BlendRow, FuelRow, GasRow, GridRow, MaterialRow
from streams.catalog.source import read
from streams.domain.findings import CatalogError

FOLDER = Path(__file__).parent / "data" / "factors"
PROVISIONAL = "?provisional"
"""Ends a factor id where the factor of the year is not published yet and the latest one stands in."""


@dataclass(frozen=True, slots=True)
class Applied:
    """The factor that applied: kgCO2e per `unit`, the id of the variant, whether it stands in for an unknown one.

    `memo`: reported beside the total. `by_gas`: kgCO2e per unit of each gas, where the factor tells them apart.
    `unverified`: of a row, or of a part, that is marked so.
    """

    kgco2e: Fraction
    unit: str
    factor_id: str
    provisional: bool = False
    memo: bool = False
    unverified: bool = False
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
    def begins(self) -> dict[str, date | None]:
        """The first day that each factor is known for, by name; None for a gas, which has no days."""
        begins: dict[str, date | None] = dict.fromkeys(self._parts)
        for name, day in (
            *((row.series, date(row.year, 1, 1)) for row in self.grid),
            *((row.fuel, row.valid_from) for row in self.fuels),
            *((row.material, row.valid_from) for row in self.materials),
        ):
            begins[name] = min(day, begins.get(name) or day)
        return begins

    @cached_property
    def scopes(self) -> dict[str, tuple[int, ...]]:
        """The scopes of the GHG Protocol that each factor can stand under, by name."""
        burnt_or_lost = [*self.uses, *self._parts]
        return (
            dict.fromkeys(burnt_or_lost, (1, 3))
            | dict.fromkeys(self.series, (2, 3))
            | {row.material: (1, 2, 3) if row.declared else (3,) for row in self.materials}
        )

    @cached_property
    def series(self) -> frozenset[str]:
        """Names of the factors of purchased power."""
        return frozenset(row.series for row in self.grid)

    @cached_property
    def _parts(self) -> dict[str, dict[str, Fraction]]:
        parts: dict[str, dict[str, Fraction]] = {row.gas: {row.gas: Fraction(1)} for row in self.gases}
        for row in self.blends:
            parts.setdefault(row.blend, {})[row.gas] = row.share
        return parts

    @cached_property
    def _mixed(self) -> dict[str, list[BlendRow]]:
        mixed: dict[str, list[BlendRow]] = defaultdict(list)
        for row in self.blends:
            mixed[row.blend].append(row)
        return mixed

    def resolve(self, name: str, day: date, gwp_set: str, use: str | None = None) -> Applied | None:
        """The factor for an activity on a local day.

        Grid power goes by the calendar year; where the year is not published yet, the latest year before it stands in
        (`?provisional`). None: the day lies before the first row.
        """
        if name not in self.units:
            raise ValueError(f"factor: expected one of {', '.join(self.units)}; got {name!r}")
        if name in self.series:
            return self._of_grid(name, day.year)
        if name in self.uses:
            return self._of_fuel(name, use, day, gwp_set)
        if name in self._parts:
            return self._of_gas(name, gwp_set)
        held = [row for row in self.materials if row.material == name and _holds(row, day)]
        return next(
            (Applied(row.kgco2e, row.unit, f"{name}@{row.valid_from}", unverified=row.unverified) for row in held), None
        )

    def _of_grid(self, name: str, year: int) -> Applied | None:
        begun = [row for row in self.grid if row.series == name and row.year <= year]
        if not begun:
            return None
        row = max(begun, key=lambda each: each.year)
        provisional = row.year < year
        factor_id = f"{name}@{row.year}{PROVISIONAL if provisional else ''}"
        return Applied(row.kgco2e, row.unit, factor_id, provisional, unverified=row.unverified)

    def _of_fuel(self, name: str, use: str | None, day: date, gwp_set: str) -> Applied | None:
        if use not in self.uses[name]:
            raise ValueError(f"use of {name}: expected one of {', '.join(self.uses[name])}; got {use!r}")
        held = [row for row in self.fuels if (row.fuel, row.use) == (name, use) and _holds(row, day)]
        if not held:
            return None
        row = held[0]
        rows = [self._gwp(gas, gwp_set) for gas in GASES]
        by_gas = tuple((each.gas, kg * each.kgco2e) for each, kg in zip(rows, (row.co2, row.ch4, row.n2o), strict=True))
        return Applied(
            sum((part for _, part in by_gas), Fraction(0)),
            row.unit,
            f"{name}@{row.version}/{use}/{gwp_set}",
            unverified=any(each.unverified for each in (row, *rows)),
            by_gas=by_gas,
        )

    def _of_gas(self, name: str, gwp_set: str) -> Applied:
        rows = {gas: self._gwp(gas, gwp_set) for gas in self._parts[name]}
        by_gas = tuple((gas, share * rows[gas].kgco2e) for gas, share in self._parts[name].items())
        return Applied(
            sum((part for _, part in by_gas), Fraction(0)),
            "kg",
            f"{name}@{gwp_set}",
            memo=any(row.memo for row in rows.values()),
            unverified=any(row.unverified for row in (*rows.values(), *self._mixed[name])),
            by_gas=by_gas,
        )

    def _gwp(self, gas: str, gwp_set: str) -> GasRow:
        for row in self.gases:
            if (row.gas, row.set) == (gas, gwp_set):
                return row
        raise ValueError(f"gwp_set: expected one that knows {gas}; got {gwp_set!r}")


def _holds(row: FuelRow | MaterialRow, day: date) -> bool:
    return row.valid_from <= day and (row.valid_to is None or day <= row.valid_to)


def load_factors(folder: Path = FOLDER) -> Factors:
    """Read the files; CatalogError where one is wrong, or its rows leave a question with no answer or with two."""
    factors = Factors(
        tuple(read(folder / "grid.yaml", RootModel[list[GridRow]]).root),
        tuple(read(folder / "fuels.yaml", RootModel[list[FuelRow]]).root),
        tuple(read(folder / "gases.yaml", RootModel[list[GasRow]]).root),
        tuple(read(folder / "blends.yaml", RootModel[list[BlendRow]]).root),
        tuple(read(folder / "materials.yaml", RootModel[list[MaterialRow]]).root),
    )
    findings = mistakes(factors.grid, factors.fuels, factors.gases, factors.blends, factors.materials, folder)
    if findings:
        raise CatalogError(findings)
    return factors
