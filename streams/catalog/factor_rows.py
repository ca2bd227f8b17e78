"""Rows of the files of emission factors, as `streams.catalog.data.factors` spells them."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field

from streams.catalog.source import Row

GwpSet = Literal["AR4", "AR5", "AR6"]
Use = Literal["stationary", "mobile"]
Amount = Annotated[Fraction, Field(ge=0)]
Share = Annotated[Fraction, Field(gt=0, le=1)]

SETS: tuple[GwpSet, ...] = ("AR4", "AR5", "AR6")
GASES = ("CO2", "CH4", "N2O")
"""What burning a fuel gives off."""


class Sourced(Row):
    """Where a row comes from; `unverified` where it is not checked, or a single second-hand table carries it."""

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
    """A material bought; `lowest` to `highest` is the range of the source. `declared`: the amount is kgCO2e already."""

    material: str
    kgco2e: Amount
    lowest: Amount
    highest: Amount
    unit: Literal["kg"]
    valid_from: date
    valid_to: date | None
    declared: bool = False
