"""The rows of `measures:` as written."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from streams.catalog.source import Row
from streams.catalog.values import Name, TitleRow


class ConditionRow(Row):
    """What must hold for a saving to count: a gauge within limits, in its unit."""

    point: str
    low: float | None = None
    high: float | None = None


class MeasureRow(Row):
    """One thing that a site changed, from a local day on."""

    name: Name
    on: date
    title: TitleRow = TitleRow()
    assets: tuple[str, ...] = Field(min_length=1)
    energy: tuple[str, ...] = ()
    fuel: tuple[str, ...] = ()
    material: tuple[str, ...] = ()
    output: tuple[str, ...] = ()
    condition: ConditionRow | None = None
