"""The reviewed facts that every site refers to: tariffs, and emission factors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from streams.catalog.factors import Factors, load_factors
from streams.catalog.tariffs import Tariffs, load_tariffs


@dataclass(frozen=True, slots=True)
class Reference:
    """One edition of the facts of the field."""

    tariffs: Tariffs
    factors: Factors


@cache
def load_reference() -> Reference:
    """Read the files that come with this version; CatalogError where one is wrong."""
    return Reference(load_tariffs(), load_factors())
