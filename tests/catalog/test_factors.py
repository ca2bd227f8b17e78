"""Emission factors: every one of them pinned, recomputed where its parts are known, and mistakes told."""

from __future__ import annotations

import shutil
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from streams.catalog.factors import FOLDER, Factors, load_factors
from streams.catalog.reference import load_reference
from streams.domain.findings import CatalogError
from streams.domain.quantities import UNITS

FACTORS = load_reference().factors
SNAPSHOT = Path(__file__).with_name("factors.csv")
KJ_PER_KCAL = Fraction(41868, 10000)


def snapshot(factors: Factors) -> str:
    """Every factor of every year, use and set, a line each."""
    lines = ["name,year,use,gwp_set,kgco2e,unit,factor_id,memo,unverified,by_gas"]
    for name in factors.units:
        for use in factors.uses.get(name, (None,)):
            seen = set()
            for year in range(2004, 2028):
                for gwp_set in ("AR4", "AR5", "AR6"):
                    found = factors.resolve(name, date(year, 7, 1), gwp_set, use)
                    if found in seen:
                        continue
                    seen.add(found)
                    told = "none,,,,,"
                    if found:
                        gases = " ".join(f"{gas}={float(part):.12g}" for gas, part in found.by_gas)
                        told = (
                            f"{float(found.kgco2e):.12g},{found.unit},{found.factor_id},"
                            f"{found.memo},{found.unverified},{gases}"
                        )
                    lines.append(f"{name},{year},{use or ''},{gwp_set},{told}")
    return "\n".join(lines) + "\n"


def copied(tmp_path: Path, file: str, old: str, new: str) -> Path:
    """The files of factors with one change."""
    folder = tmp_path / "factors"
    shutil.copytree(FOLDER, folder)
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    return folder


def test_no_factor_has_moved() -> None:
    """Made by `python -m tests.catalog.test_factors`; a change of it is a change of reported tonnes."""
    assert SNAPSHOT.read_text(encoding="utf-8") == snapshot(FACTORS)


@pytest.mark.parametrize("row", FACTORS.fuels, ids=lambda row: f"{row.fuel}-{row.use}")
def test_carbon_dioxide_of_a_fuel_is_its_heat_times_the_factor_of_the_heat(row: object) -> None:
    assert row.co2 == row.kcal_per_unit * KJ_PER_KCAL * row.kgco2_per_tj / 10**9  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("blend", "kgco2e"),
    [
        ("R404A", ("3921.6", "3942.8", "4728.0")),
        ("R507A", ("3985.0", "3985.0", "4775.0")),
        ("R410A", ("2087.5", "1923.5", "2255.5")),
        ("R407C", ("1773.8", "1624.2", "1907.9")),
        ("R448A", ("1387.1", "1273.5", "1494.4")),
        ("R449A", ("1397.0", "1281.9", "1504.5")),
    ],
)
def test_a_blend_is_the_sum_of_its_parts(blend: str, kgco2e: tuple[str, ...]) -> None:
    found = [FACTORS.resolve(blend, date(2026, 1, 1), gwp_set, None) for gwp_set in ("AR4", "AR5", "AR6")]
    assert [f"{float(each.kgco2e):.1f}" for each in found if each] == list(kgco2e)


EVERY = [
    (name, use, gwp_set)
    for name in FACTORS.units
    for use in FACTORS.uses.get(name, (None,))
    for gwp_set in ("AR4", "AR5", "AR6")
]


@pytest.mark.parametrize(("name", "use", "gwp_set"), EVERY)
def test_what_is_told_by_gas_adds_up_to_the_whole(name: str, use: str | None, gwp_set: str) -> None:
    found = FACTORS.resolve(name, date(2026, 1, 1), gwp_set, use)
    assert found is not None
    assert sum(part for _, part in found.by_gas) == (found.kgco2e if found.by_gas else 0)
    assert bool(found.by_gas) == (name in FACTORS.uses or f"{name}@{gwp_set}" == found.factor_id)


def test_what_rests_on_an_unchecked_row_says_so() -> None:
    def unverified(name: str, year: int, gwp_set: str) -> bool:
        found = FACTORS.resolve(name, date(year, 1, 1), gwp_set, "mobile" if name == "diesel" else None)
        assert found is not None
        return found.unverified

    assert [unverified("grid_tw", year, "AR5") for year in (2016, 2024, 2025, 2026)] == [True, False, True, True]
    assert [unverified(name, 2026, "AR6") for name in ("R404A", "R448A", "R22", "diesel")] == [False, True, True, False]


def test_the_factors_of_the_catalog_begin_in_2005_and_gases_are_of_no_day() -> None:
    assert {day for day in FACTORS.begins.values() if day} == {date(2005, 1, 1)}
    for name, first in FACTORS.begins.items():
        use = FACTORS.uses.get(name, (None,))[0]
        assert (FACTORS.resolve(name, date(2004, 12, 31), "AR5", use) is None) == (first is not None)
        assert FACTORS.resolve(name, first or date(1990, 1, 1), "AR5", use) is not None
    assert set(FACTORS.begins) == set(FACTORS.units) == set(FACTORS.scopes)


def renewed(tmp_path: Path, ends: str, begins: str, ends_for_good: str = "null") -> Path:
    """The files of factors with a second row of primary aluminium, written below the first."""
    span = "highest: 18, unit: kg, valid_from: 2005-01-01, valid_to: "
    folder = copied(tmp_path, "materials.yaml", f"{span}null", f"{span}{ends}")
    path = folder / "materials.yaml"
    text = path.read_text(encoding="utf-8")
    row = next(line for line in text.splitlines() if "aluminium_primary" in line)
    later = row.replace(f"2005-01-01, valid_to: {ends}", f"{begins}, valid_to: {ends_for_good}")
    path.write_text(f"{text.rstrip()}\n{later.replace('kgco2e: 17', 'kgco2e: 16')}\n", encoding="utf-8")
    return folder


def test_of_two_spans_the_one_that_holds_on_the_day_applies(tmp_path: Path) -> None:
    factors = load_factors(renewed(tmp_path, "2025-12-31", "2026-01-01", "2026-06-30"))
    days = (date(2025, 12, 31), date(2026, 1, 1), date(2026, 6, 30))
    found = [factors.resolve("aluminium_primary", day, "AR5") for day in days]
    assert [(each.kgco2e, each.factor_id) for each in found if each] == [
        (Fraction(17), "aluminium_primary@2005-01-01"),
        (Fraction(16), "aluminium_primary@2026-01-01"),
        (Fraction(16), "aluminium_primary@2026-01-01"),
    ]
    assert factors.resolve("aluminium_primary", date(2026, 7, 1), "AR5") is None


def test_two_spans_with_one_day_in_common_are_refused(tmp_path: Path) -> None:
    folder = renewed(tmp_path, "2026-01-01", "2026-01-01")
    with pytest.raises(
        CatalogError, match=r"expected none that holds on 2026-01-01; found line \d+ holds to 2026-01-01"
    ):
        load_factors(folder)


def test_the_same_number_of_two_years_is_two_factors() -> None:
    ids = [FACTORS.resolve("grid_tw", date(year, 1, 1), "AR5") for year in (2019, 2021)]
    assert [(each.kgco2e, each.factor_id) for each in ids if each] == [
        (Fraction(509, 1000), "grid_tw@2019"),
        (Fraction(509, 1000), "grid_tw@2021"),
    ]


def test_every_row_names_its_source_and_every_unit_is_known() -> None:
    rows = [*FACTORS.grid, *FACTORS.fuels, *FACTORS.gases, *FACTORS.blends, *FACTORS.materials]
    assert all(row.source for row in rows)
    assert set(FACTORS.units.values()) <= set(UNITS)


def test_an_unknown_name_use_or_set_is_refused() -> None:
    with pytest.raises(ValueError, match="factor: expected one of"):
        FACTORS.resolve("grid_us", date(2026, 1, 1), "AR5")
    with pytest.raises(ValueError, match="use of diesel: expected one of stationary, mobile; got None"):
        FACTORS.resolve("diesel", date(2026, 1, 1), "AR5")
    with pytest.raises(ValueError, match="gwp_set: expected one that knows"):
        FACTORS.resolve("R404A", date(2026, 1, 1), "AR3")


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("grid.yaml", "year: 2024", "year: 2023", r"grid.yaml:\d+: grid_tw 2023: given twice"),
        ("grid.yaml", "kgco2e: 0.474", "kgco2: 0.474", r"did you mean 'kgco2e'"),
        ("blends.yaml", "share: 0.44", "share: 0.45", r"R404A: shares: expected a sum of 1; found 1.01"),
        ("blends.yaml", "gas: R143a", "gas: R143", r"R404A: unknown gas"),
        ("fuels.yaml", "co2: 2.606031792", "co2: -1", r"fuels.yaml:\d+"),
        ("materials.yaml", "kgco2e: 17", "kgco2e: yes", r"materials.yaml:\d+"),
        ("materials.yaml", "kgco2e: 17", "kgco2e: 19", r"primary: outside its range: expected 16 to 18; found 19"),
        ("materials.yaml", "valid_to: null", "valid_to: 2004-12-31", r"ends before it begins: expected 2005-01-01 or"),
        ("materials.yaml", "aluminium_hydro", "aluminium_primary", r"materials.yaml:5: .* two hold on the same day"),
        ("materials.yaml", "aluminium_hydro", "R404A", r"materials.yaml:5: R404A: of two files: .* blends.yaml too"),
        ("grid.yaml", "year: 2025", "year: 2026", r"a year is missing: expected 2025; found 2024, then 2026"),
        ("fuels.yaml", "fuel: diesel, use: mobile", "fuel: diesel, use: stationary", r"fuels.yaml:7: .* same day"),
        ("fuels.yaml", "mobile, unit: L", "mobile, unit: m3", r"fuels.yaml:7: diesel: of two units: expected L"),
        ("fuels.yaml", "kcal_per_unit: 8400", "kcal_per_unit: 8420", r"expected 2.612236\d+; found 2.606031792"),
        ("gases.yaml", "gas: R32, set: AR4", "gas: R31, set: AR4", r"R32: no potential in AR4: .* found AR5, AR6"),
        ("gases.yaml", "gas: R32, set: AR4", "gas: R32, set: AR5", r"R32 AR5: given twice"),
        ("gases.yaml", "memo: true, ", "", r"R22: memo in one set only"),
        ("blends.yaml", "gas: R143a", "gas: R134a", r"R404A R134a: given twice"),
    ],
)
def test_a_mistake_in_a_file_stops_the_start_with_its_line(
    tmp_path: Path, file: str, old: str, new: str, message: str
) -> None:
    folder = copied(tmp_path, file, old, new)
    with pytest.raises(CatalogError, match=message):
        load_factors(folder)


if __name__ == "__main__":
    SNAPSHOT.write_text(snapshot(FACTORS), encoding="utf-8")
