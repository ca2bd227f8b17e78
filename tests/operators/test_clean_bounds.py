"""What is believed of a value: the bounds of its point, and of the integers that carry it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from streams.domain.site import Point, PointKind, Quantity, Site, SiteKind
from streams.operators.clean import DECODED, clean
from streams.operators.points import PointTable

NOON_MS = 1_767_225_600_000


def reasons(point: Point, *values: float) -> list[str | None]:
    """The reason for each value, None where it is taken."""
    zone, begins = ZoneInfo("Asia/Taipei"), date(2025, 1, 1)
    site = Site("s", SiteKind.MACHINING, zone, "", "", begins, (), (point,), (), (), (), (), "AR5", (), "")
    rows = [(point.name, NOON_MS, value, None, None, 0, None) for value in values]
    table = PointTable.of(site)
    found = [clean(table.gate, pl.DataFrame([row], schema=DECODED, orient="row"), NOON_MS) for row in rows]
    return [rejects["reason"][0] if len(rejects) else None for _, rejects in found]


OUT = "value out of range"


TEMPERATURE = Point("s/t", "a", PointKind.GAUGE, Quantity.TEMPERATURE, "Cel", minimum=-60, maximum=60)
REGISTER = Point("s/r", "a", PointKind.REGISTER, Quantity.ENERGY, "kWh")
POWER = Point("s/p", "a", PointKind.POWER, Quantity.ENERGY, "kW", max_rate=100)
INTERVAL = Point("s/i", "a", PointKind.INTERVAL, Quantity.ENERGY, "kWh", minimum=0)
GAUGE = Point("s/g", "a", PointKind.GAUGE, Quantity.OTHER, "1")


@pytest.mark.parametrize(
    ("point", "values", "expected"),
    [
        (TEMPERATURE, (-60, 60, 61, -61), (None, None, OUT, OUT)),
        (replace(REGISTER, modulus=1e5), (0, 99_999.999, 1e5, -1), (None, None, OUT, OUT)),
        (REGISTER, (999_999_999, 1_000_000_001, 1e308), (None, OUT, OUT)),
        (POWER, (-110, 110, 111), (None, None, OUT)),
        (INTERVAL, (0, -1), (None, OUT)),
        (GAUGE, (float("nan"), float("inf")), ("value is not finite",) * 2),
    ],
)
def test_a_value_beyond_its_bounds_goes_to_quarantine(
    point: Point, values: tuple[float, ...], expected: tuple[str | None, ...]
) -> None:
    assert reasons(point, *values) == list(expected)
