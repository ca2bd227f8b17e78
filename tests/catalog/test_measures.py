"""Measures: they arrive with the site's names, and a bad one is told by its line."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jobs.cli import app
from streams.catalog.site import check_site, load_site
from streams.domain.findings import Severity
from streams.domain.site import Band, Measure

EXAMPLES = sorted((Path(__file__).parents[2] / "deploy" / "sites").glob("*.yaml"))
DEPOT = """\
site: depot
kind: cold_chain
time_zone: Asia/Taipei
starts_on: 2025-01-01
gwp_set: AR5
assets:
  - {name: depot}
  - {name: chiller, parent: depot}
points:
  - {name: main, asset: depot, kind: register, unit: kWh, max_kw: 400}
  - {name: chiller/kwh, asset: chiller, kind: register, unit: kWh, max_kw: 60, parent: main}
  - {name: room/temp, asset: depot, kind: gauge, unit: Cel}
  - {name: diesel, asset: depot, kind: amount, unit: L}
  - {name: film, asset: depot, kind: amount, unit: kg}
  - {name: pallets, asset: depot, kind: register, unit: pcs, max_rate: 100}
measures:
  - name: variable-speed
    on: 2025-04-01
    title: {zh: 變頻冰水機, en: Variable-speed chiller}
    assets: [chiller]
    energy: [chiller/kwh]
    fuel: [diesel]
    material: [film]
    output: [pallets]
    condition: {point: room/temp, low: 0, high: 7}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "site.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_measure_arrives_with_its_day_titles_points_and_condition(tmp_path: Path) -> None:
    path = write(tmp_path, DEPOT)
    assert check_site(path) == []
    (measure,) = load_site(path).measures
    assert [role for role, _ in measure.derived] == ["in_band", "temperature_area"]
    assert (replace(measure, derived=()),) == (
        Measure(
            "variable-speed", date(2025, 4, 1), "變頻冰水機", "Variable-speed chiller", ("chiller",),
            ("depot/chiller/kwh",), ("depot/diesel",), ("depot/film",), ("depot/pallets",),
            Band("depot/room/temp", 0.0, 7.0),
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("right", "wrong", "code"),
    [
        ("    on: 2025-04-01\n", "", "missing_key"),
        ("on: 2025-04-01", "on: soon", "bad_value"),
        ("assets: [chiller]", "assets: [chillr]", "unknown_asset"),
        ("assets: [chiller]", "assets: []", "bad_value"),
        ("energy: [chiller/kwh]", "energy: [chiller/kw]", "unknown_point"),
        ("energy: [chiller/kwh]", "energy: [diesel]", "quantity"),
        ("energy: [chiller/kwh]", "energy: [room/temp]", "not_summed"),
        ("energy: [chiller/kwh]", "energy: [main, chiller/kwh]", "double_count"),
        ("energy: [chiller/kwh]", "energy: [main, main]", "double_count"),
        ("fuel: [diesel]", "fuel: [film]", "quantity"),
        ("material: [film]", "material: [main]", "quantity"),
        ("output: [pallets]", "output: [diesel]", "quantity"),
        ("output: [pallets]", "outputs: [pallets]", "unknown_key"),
        ("point: room/temp", "point: room/tmp", "unknown_point"),
        ("point: room/temp", "point: main", "unfit_point"),
        ("low: 0, high: 7", "low: 7, high: 7", "range"),
        (", low: 0, high: 7", "", "missing_key"),
    ],
)
def test_a_mistake_is_told_by_its_line(right: str, wrong: str, code: str, tmp_path: Path) -> None:
    (found,) = check_site(write(tmp_path, DEPOT.replace(right, wrong)))
    assert (found.code, found.severity) == (code, Severity.ERROR)
    line = next(number for number, text in enumerate(DEPOT.splitlines(), 1) if right.strip() in text)
    assert found.line in (line, DEPOT.splitlines().index("  - name: variable-speed") + 1)


def test_a_measure_that_compares_nothing_is_refused(tmp_path: Path) -> None:
    text = "\n".join(
        line for line in DEPOT.splitlines() if line.strip().split(":")[0] not in {"energy", "fuel", "material"}
    )
    (found,) = check_site(write(tmp_path, text + "\n"))
    assert "nothing to compare: expected one of energy, fuel, material; found none" in str(found)


def test_a_measure_from_the_first_day_on_is_warned_about(tmp_path: Path) -> None:
    (found,) = check_site(write(tmp_path, DEPOT.replace("on: 2025-04-01", "on: 2025-01-01")))
    assert (found.code, found.severity) == ("no_before", Severity.WARNING)


def test_two_measures_of_one_name_are_refused(tmp_path: Path) -> None:
    again = "  - {name: variable-speed, on: 2025-05-01, assets: [depot], energy: [main]}\n"
    (found,) = check_site(write(tmp_path, DEPOT + again))
    assert (found.code, found.line) == ("duplicate_name", len(DEPOT.splitlines()) + 1)


def test_check_lists_the_measures(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["check", str(write(tmp_path, DEPOT))])
    first, second = done.output.splitlines()[-2:]
    assert first == f"{tmp_path}/site.yaml: 0 errors, 0 warnings, 1 measures"
    assert second == (
        "  measure variable-speed from 2025-04-01 on; energy chiller/kwh; fuel diesel; material film; output pallets;"
        " while room/temp is from 0 to 7 Cel"
    )
