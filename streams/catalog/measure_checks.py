"""What must hold of a site's measures: assets and points that exist, measure the right thing, and count once."""

from __future__ import annotations

from collections.abc import Sequence

from streams.catalog.kpi_kinds import held_of
from streams.catalog.measure_rows import ConditionRow, MeasureRow
from streams.catalog.site_checks import Check, ancestors, once
from streams.catalog.site_file import SiteFile
from streams.domain.site import Band, Measure, PointKind, Quantity

COMPARED = (("energy", Quantity.ENERGY), ("fuel", Quantity.VOLUME), ("material", Quantity.MASS))
COUNTS = (Quantity.COUNT, Quantity.MASS)


def check_measures(check: Check, rows: Sequence[MeasureRow]) -> None:
    """Note what is wrong with each measure."""
    once(check, "measure", rows)
    for row in rows:
        who = f"measures[{row.name}]"
        for asset in row.assets:
            check.known(f"{who}.assets", asset, check.assets, "asset", row.line("assets"))
        for key, quantity in COMPARED:
            _compared(check, row, key, quantity)
        for name in row.output:
            _output(check, who, row, name)
        if not any(row.wrote(key) for key, _ in COMPARED):
            keys = ", ".join(key for key, _ in COMPARED)
            check.error("missing_key", f"{who}: nothing to compare", row.line(), f"one of {keys}", "none")
        if row.condition is not None:
            _condition(check, f"{who}.condition", row.condition)
        if check.starts_on is not None and row.on <= check.starts_on:
            sentence, expected = f"{who}.on: no days before it to compare with", f"a day after {check.starts_on}"
            check.warn("no_before", sentence, row.line("on"), expected, str(row.on))


def _compared(check: Check, row: MeasureRow, key: str, quantity: Quantity) -> None:
    names: tuple[str, ...] = getattr(row, key)
    who, line = f"measures[{row.name}].{key}", row.line(key)
    for place, name in enumerate(names):
        check.measures(who, name, quantity, line)
        if name in names[:place]:
            check.error("double_count", f"{who}: point named twice", line, "each point once", name)
        above = next((other for other in ancestors(check, name) if other in names), None)
        if above is not None:
            check.error("double_count", f"{who}: {name} is part of {above}", line, "one of the two", "both")


def _output(check: Check, who: str, row: MeasureRow, name: str) -> None:
    check.measures(f"{who}.output", name, None, row.line("output"))
    got = check.quantity(name)
    if got is not None and got not in COUNTS:
        sentence, expected = f"{who}.output: {name} counts nothing that is made or moved", " or ".join(COUNTS)
        check.error("quantity", sentence, row.line("output"), expected, str(got))


def _condition(check: Check, who: str, row: ConditionRow) -> None:
    point = check.points.get(row.point)
    if check.known(f"{who}.point", row.point, check.point_names, "point", row.line("point")) and point is not None:
        kind = point.kind
        if kind is not PointKind.GAUGE:
            sentence = f"{who}.point: {row.point} has no level"
            check.error("unfit_point", sentence, row.line("point"), "a point of kind gauge", f"kind {kind}")
    if row.low is None and row.high is None:
        check.error("missing_key", f"{who}: no limit", row.line(), "low, high or both", "neither")
    elif row.low is not None and row.high is not None and row.low >= row.high:
        found = f"low {row.low:g}, high {row.high:g}"
        check.error("range", f"{who}.low: not under `high`", row.line("low"), "low < high", found)


def measure_of(row: MeasureRow, file: SiteFile) -> Measure:
    """A measure of a row that was found sound; points get the site's name."""
    energy, fuel, material, output = (
        tuple(f"{file.site}/{name}" for name in names) for names in (row.energy, row.fuel, row.material, row.output)
    )
    held, titles = row.condition, (row.title.zh, row.title.en)
    if held is None:
        return Measure(row.name, row.on, *titles, row.assets, energy, fuel, material, output)
    band = Band(f"{file.site}/{held.point}", held.low, held.high)
    is_temperature = any(point.name == held.point and point.unit == "Cel" for point in file.points)
    return Measure(
        row.name, row.on, *titles, row.assets, energy, fuel, material, output, band, held_of(band, is_temperature)
    )
