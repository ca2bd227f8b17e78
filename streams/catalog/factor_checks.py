"""What must hold between the rows of emission factors, so that a lookup finds one answer and never two."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import chain, pairwise
from pathlib import Path

from streams.catalog.factor_rows import GASES, SETS, BlendRow, FuelRow, GasRow, GridRow, MaterialRow
from streams.catalog.source import Row, in_order, nearest
from streams.domain.findings import Finding

KJ_PER_KCAL = Fraction(41868, 10000)
"""The international table's calorie."""

Keyed = Iterable[tuple[tuple[object, ...], Row]]


def mistakes(
    grid: Sequence[GridRow],
    fuels: Sequence[FuelRow],
    gases: Sequence[GasRow],
    blends: Sequence[BlendRow],
    materials: Sequence[MaterialRow],
    folder: Path,
) -> list[Finding]:
    """Everything that is wrong between rows, by file and line; `folder` is where the files lie."""
    grid_file, fuel_file, gas_file, blend_file, material_file = (
        folder / f"{name}.yaml" for name in ("grid", "fuels", "gases", "blends", "materials")
    )
    by_fuel = [((row.fuel, row.use), row) for row in fuels]
    by_material = [((row.material,), row) for row in materials]
    found = [
        *_names(
            (grid_file, [(row.series, row.unit, row) for row in grid]),
            (fuel_file, [(row.fuel, row.unit, row) for row in fuels]),
            (gas_file, [(row.gas, row.unit, row) for row in gases]),
            (blend_file, [(row.blend, "kg", row) for row in blends]),
            (material_file, [(row.material, row.unit, row) for row in materials]),
        ),
        *_twice(grid_file, (((row.series, row.year), row) for row in grid)),
        *_twice(gas_file, (((row.gas, row.set), row) for row in gases)),
        *_twice(blend_file, (((row.blend, row.gas), row) for row in blends)),
        *_years(grid_file, grid),
        *_overlaps(fuel_file, by_fuel),
        *_overlaps(material_file, by_material),
        *chain.from_iterable(_heat(fuel_file, row) for row in fuels),
        *_sets(gas_file, gases),
        *_whole(blend_file, blends, {row.gas for row in gases}),
        *chain.from_iterable(_range(material_file, row) for row in materials),
    ]
    by_file = {
        file: in_order([finding for finding in found if finding.file == file])
        for file in (grid_file, fuel_file, gas_file, blend_file, material_file)
    }
    return list(chain.from_iterable(by_file.values()))


def _names(*files: tuple[Path, Sequence[tuple[str, str, Row]]]) -> Iterator[Finding]:
    """A name is of one file and has one unit."""
    home: dict[str, tuple[Path, str]] = {}
    for file, rows in files:
        for name, unit, row in rows:
            where, first = home.setdefault(name, (file, unit))
            if where != file:
                yield Finding("two_kinds", f"{name}: of two files", file, row.line(), "one file", f"{where.name} too")
            elif first != unit:
                yield Finding("two_units", f"{name}: of two units", file, row.line(), first, unit)


def _twice(file: Path, keyed: Keyed) -> Iterator[Finding]:
    """Rows that answer the same question as an earlier one."""
    seen: dict[tuple[object, ...], int] = {}
    for key, row in keyed:
        if key in seen:
            name = " ".join(map(str, key))
            yield Finding("twice", f"{name}: given twice", file, row.line(), "one row", f"line {seen[key]} too")
        seen.setdefault(key, row.line())


def _years(file: Path, grid: Sequence[GridRow]) -> Iterator[Finding]:
    """A series has every year from its first to its last; a year left out would pass as not published yet."""
    by_series: dict[str, list[GridRow]] = defaultdict(list)
    for row in grid:
        by_series[row.series].append(row)
    for series, rows in by_series.items():
        for before, after in pairwise(sorted(rows, key=lambda row: row.year)):
            if after.year > before.year + 1:
                expected, found = str(before.year + 1), f"{before.year}, then {after.year}"
                yield Finding("year_missing", f"{series}: a year is missing", file, after.line(), expected, found)


def _overlaps(file: Path, keyed: Sequence[tuple[tuple[str, ...], FuelRow | MaterialRow]]) -> Iterator[Finding]:
    """Spans of validity run forwards, and those of one name and use have no day in common."""
    by_key: dict[tuple[str, ...], list[FuelRow | MaterialRow]] = defaultdict(list)
    for key, row in keyed:
        by_key[key].append(row)
        if row.valid_to is not None and row.valid_to < row.valid_from:
            name, line = " ".join(key), row.line("valid_to")
            yield Finding(
                "order", f"{name}: ends before it begins", file, line, f"{row.valid_from} or later", str(row.valid_to)
            )
    for key, rows in by_key.items():
        for before, after in pairwise(sorted(rows, key=lambda row: (row.valid_from, row.line()))):
            if before.valid_to is None or before.valid_to >= after.valid_from:
                found = f"line {before.line()} holds to {before.valid_to or 'no end'}"
                yield Finding(
                    "overlap",
                    f"{' '.join(key)}: two hold on the same day",
                    file,
                    after.line("valid_from"),
                    f"none that holds on {after.valid_from}",
                    found,
                )


def _heat(file: Path, row: FuelRow) -> Iterator[Finding]:
    """Carbon dioxide is the heat of the fuel times the factor of that heat, as a verifier recomputes it."""
    made = row.kcal_per_unit * KJ_PER_KCAL * row.kgco2_per_tj / 10**9
    if made != row.co2:
        sentence = f"{row.fuel} {row.use}: co2 is not its heat times the factor of the heat"
        yield Finding("product", sentence, file, row.line("co2"), f"{float(made):.12g}", f"{float(row.co2):.12g}")


def _sets(file: Path, gases: Sequence[GasRow]) -> Iterator[Finding]:
    """Each gas, and each that a fuel gives off, has a potential in every set; it is a memo in all of them or none."""
    known: dict[str, dict[str, GasRow]] = {gas: {} for gas in GASES}
    for row in gases:
        known.setdefault(row.gas, {})[row.set] = row
    for gas, by_set in known.items():
        rows = list(by_set.values())
        line = rows[0].line() if rows else None
        missing = [each for each in SETS if each not in by_set]
        if missing:
            yield Finding(
                "set_missing",
                f"{gas}: no potential in {', '.join(missing)}",
                file,
                line,
                ", ".join(SETS),
                ", ".join(by_set) or "nothing",
            )
        if len({row.memo for row in rows}) > 1:
            yield Finding("memo", f"{gas}: memo in one set only", file, line, "the same in every set", "both")


def _whole(file: Path, blends: Sequence[BlendRow], gases: set[str]) -> Iterator[Finding]:
    """Parts of a blend are gases of the table, and add up to it."""
    total: dict[str, Fraction] = defaultdict(Fraction)
    line = {row.blend: row.line() for row in blends}
    for row in blends:
        total[row.blend] += row.share
        if row.gas not in gases:
            where, hint = row.line("gas"), nearest(row.gas, gases)
            yield Finding("unknown_gas", f"{row.blend}: unknown gas", file, where, "a gas of gases.yaml", row.gas, hint)
    for name, whole in total.items():
        if whole != 1:
            yield Finding("shares", f"{name}: shares", file, line[name], "a sum of 1", f"{float(whole):.12g}")


def _range(file: Path, row: MaterialRow) -> Iterator[Finding]:
    """The value stands within the range of its source."""
    if not row.lowest <= row.kgco2e <= row.highest:
        expected, found = f"{float(row.lowest):g} to {float(row.highest):g}", f"{float(row.kgco2e):g}"
        yield Finding("range", f"{row.material}: outside its range", file, row.line("kgco2e"), expected, found)
