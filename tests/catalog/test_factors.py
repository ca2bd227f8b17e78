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
    lines = ["name,year,use,gwp_set,kgco2e,unit,factor_id,memo"]
    for name in factors.units:
        for use in factors.uses.get(name, (None,)):
            seen = set()
            for year in range(2004, 2028):
                for gwp_set in ("AR4", "AR5", "AR6"):
                    found = factors.resolve(name, date(year, 7, 1), gwp_set, use)
                    if found in seen:
                        continue
                    seen.add(found)
                    told = (
                        f"{float(found.kgco2e):.12g},{found.unit},{found.factor_id},{found.memo}"
                        if found
                        else "none,,,"
                    )
                    lines.append(f"{name},{year},{use or ''},{gwp_set},{told}")
    return "\n".join(lines) + "\n"


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
    ],
)
def test_a_blend_is_the_sum_of_its_parts(blend: str, kgco2e: tuple[str, ...]) -> None:
    found = [FACTORS.resolve(blend, date(2026, 1, 1), gwp_set, None) for gwp_set in ("AR4", "AR5", "AR6")]
    assert [f"{float(each.kgco2e):.1f}" for each in found if each] == list(kgco2e)


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
    ],
)
def test_a_mistake_in_a_file_stops_the_start_with_its_line(
    tmp_path: Path, file: str, old: str, new: str, message: str
) -> None:
    folder = tmp_path / "factors"
    shutil.copytree(FOLDER, folder)
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CatalogError, match=message):
        load_factors(folder)


if __name__ == "__main__":
    SNAPSHOT.write_text(snapshot(FACTORS), encoding="utf-8")
