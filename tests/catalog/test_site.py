"""Sites: the examples load, every field arrives exactly, and a bad file says all that is wrong with it."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from streams.catalog.site import check_site, load_site
from streams.domain.findings import CatalogError, Severity
from streams.domain.site import Exchange, PointKind, Quantity, Ratio, Site

EXAMPLES = sorted((Path(__file__).parents[2] / "deploy" / "sites").glob("*.yaml"))

WUGU = """\
site: wugu
kind: cold_chain
time_zone: Asia/Taipei
title: {zh: 五股冷鏈倉, en: Wugu cold-chain depot}
starts_on: 2025-01-01
gwp_set: AR5
resolution: 5min
assets:
  - {name: depot, title: {zh: 冷鏈倉, en: Depot}}
  - {name: chiller-1, parent: depot}
points:
  - name: main
    asset: depot
    kind: register
    obis: 1-0:1.8.0*255
    unit: kWh
    decimals: 2
    digits: 6
    interval: 60s
    max_gap: 30min
    max_kw: 400
    ct_ratio: [{from: 2025-01-01, ratio: 40}, {from: 2025-06-01T00:00+08:00, ratio: 200/7}]
    exchanges: [{at: 2025-03-02T10:15:00+08:00, closing: 123456.78, opening: 0.00}]
  - {name: chiller-1/kwh, asset: chiller-1, kind: register, unit: MWh, digits: 5, parent: main, max_kw: 60}
  - {name: room/temp, asset: depot, kind: gauge, unit: Cel}
  - {name: genset/fuel, asset: depot, kind: amount, unit: L}
  - {name: rest, asset: depot, kind: virtual, unit: kWh, formula: main - chiller-1/kwh * 1.5}
  - {name: half, asset: depot, kind: virtual, unit: kWh, formula: 1/3 * rest + chiller-1/kwh * 0.5}
supply:
  import: [main]
  contracts:
    - {from: 2025-07-01, plan: HV_3T, regular_kw: 300, off_peak_kw: 50, industry: "530"}
    - {from: 2025-01-01, plan: average_price, price_ntd_per_kwh: 3.81}
  off_peak_days: [2025-02-28]
emissions:
  - {name: grid, point: main, factor: grid_tw, scope: 2, iso_category: 2, green_point: null}
  - {name: genset, point: genset/fuel, factor: diesel, use: stationary, scope: 1, iso_category: 1}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "site.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def load(folder: Path, text: str = WUGU) -> Site:
    return load_site(write(folder, text))


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), start=1) if part in line)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_site_loads_without_a_warning_and_says_it_is_simulated(path: Path) -> None:
    assert check_site(path) == []
    assert load_site(path).name == path.stem
    head = " ".join(line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#"))
    assert "simulated" in head


def test_there_is_an_example_for_each_of_the_six_cases() -> None:
    assert len({load_site(path).name for path in EXAMPLES}) == 6


def test_the_head_of_a_site_arrives_with_the_hash_of_its_bytes(tmp_path: Path) -> None:
    site = load(tmp_path)
    assert (site.name, site.time_zone, site.gwp_set) == ("wugu", ZoneInfo("Asia/Taipei"), "AR5")
    assert (site.title_zh, site.starts_on) == ("五股冷鏈倉", date(2025, 1, 1))
    assert site.sha256 == hashlib.sha256(WUGU.encode()).hexdigest()
    assert (site.import_points, site.off_peak_days) == (("wugu/main",), (date(2025, 2, 28),))


def test_a_register_arrives_with_its_width_ratios_and_exchanges(tmp_path: Path) -> None:
    main = load(tmp_path).points[0]
    first = round(datetime(2025, 3, 2, 2, 15, tzinfo=UTC).timestamp() * 1000)
    second = round(datetime(2025, 5, 31, 16, tzinfo=UTC).timestamp() * 1000)
    begins = round(datetime(2024, 12, 31, 16, tzinfo=UTC).timestamp() * 1000)
    assert (main.name, main.quantity, main.modulus, main.max_rate) == ("wugu/main", Quantity.ENERGY, 1e6, 400.0)
    assert main.ratios == (Ratio(begins, Fraction(40)), Ratio(second, Fraction(200, 7)))
    assert main.exchanges == (Exchange(first, 123456.78, 0.0),)
    assert (main.interval_ms, main.max_gap_ms, main.resolution_ms) == (60_000, 1_800_000, 300_000)


def test_the_largest_power_is_given_in_the_unit_of_the_register(tmp_path: Path) -> None:
    assert load(tmp_path).points[1].max_rate == 0.06


def test_a_single_ratio_holds_from_the_first_day_of_the_site(tmp_path: Path) -> None:
    text = WUGU.replace("[{from: 2025-01-01, ratio: 40}, {from: 2025-06-01T00:00+08:00, ratio: 200/7}]", "200/5")
    (ratio,) = load(tmp_path, text).points[0].ratios
    assert ratio == Ratio(round(datetime(2024, 12, 31, 16, tzinfo=UTC).timestamp() * 1000), Fraction(40))


def test_nested_virtual_points_are_flattened_to_measured_ones_exactly(tmp_path: Path) -> None:
    points = {point.name: point for point in load(tmp_path).points}
    assert points["wugu/rest"].formula == ((Fraction(1), "wugu/main"), (Fraction(-3, 2), "wugu/chiller-1/kwh"))
    half = points["wugu/half"]
    assert half.formula == ((Fraction(1, 3), "wugu/main"),)  # −1/3 · 3/2 + 1/2 of the chiller is nothing
    assert (half.kind, half.resolution_ms) == (PointKind.VIRTUAL, 900_000)


def test_contracts_come_in_order_with_exact_prices_and_coefficients(tmp_path: Path) -> None:
    first, second = load(tmp_path).contracts
    assert (first.from_day, first.average_price_ntd_per_kwh) == (date(2025, 1, 1), Fraction(381, 100))
    assert (second.plan, second.regular_kw, second.off_peak_kw) == ("HV_3T", 300.0, 50.0)
    assert second.industry_coefficient == Fraction(1017, 1000)


def test_a_factor_or_a_plan_that_nobody_knows_is_told_with_the_nearest(tmp_path: Path) -> None:
    text = WUGU.replace("plan: HV_3T", "plan: HV_4T").replace("factor: grid_tw", "factor: grid_tww")
    found = check_site(write(tmp_path, text))
    assert [(item.code, item.hint) for item in found] == [("unknown_plan", "HV_3T"), ("unknown_factor", "grid_tw")]


def test_a_factor_must_fit_its_point_and_its_use(tmp_path: Path) -> None:
    text = WUGU.replace("factor: grid_tw", "factor: R404A").replace("use: stationary, ", "")
    assert [item.code for item in check_site(write(tmp_path, text))] == ["quantity", "scope", "use"]
    text = WUGU.replace("use: stationary, ", "")
    (found,) = check_site(write(tmp_path, text))
    assert str(found).endswith("use: does not fit diesel: expected one of stationary, mobile; found nothing")


def test_days_before_the_first_factor_are_told(tmp_path: Path) -> None:
    found = check_site(write(tmp_path, WUGU.replace("starts_on: 2025-01-01", "starts_on: 2004-12-31")))
    told = [str(item).split(": ", 1)[1] for item in found if item.code == "no_factor"]
    assert told == [
        f"emissions[{name}].factor: days without one: expected days from 2005-01-01; found starts_on 2004-12-31"
        for name in ("grid", "genset")
    ]
    found = check_site(write(tmp_path, WUGU.replace("starts_on: 2025-01-01", "starts_on: 2005-01-01")))
    assert "no_factor" not in [item.code for item in found]


def test_green_energy_is_measured_at_least_as_finely_as_what_it_covers(tmp_path: Path) -> None:
    text = WUGU.replace("green_point: null", "green_point: rest")
    assert check_site(write(tmp_path, text.replace("resolution: 5min", "resolution: 15min"))) == []
    (found,) = check_site(write(tmp_path, text))
    assert str(found).endswith(
        "green_point: longer intervals than those it covers: expected at most 5 min, as main; found 15 min"
    )


def test_six_mistakes_are_six_findings_each_at_its_line(tmp_path: Path) -> None:
    text = (
        WUGU.replace("time_zone: Asia/Taipei", "time_zone: Asia/Taipe")
        .replace("    decimals: 2", "    decimal: 2")
        .replace("kind: gauge", "kind: guage")
        .replace("formula: main - ", "formula: mian - ")
        .replace("[main]", "[room/temp2]")
        .replace("scope: 1, iso_category: 1", "scope: 1, iso_category: 3")
    )
    found = check_site(write(tmp_path, text))
    assert [(item.line, item.code, item.hint) for item in found] == [
        (line_of(text, "time_zone"), "time_zone", "Asia/Taipei"),
        (line_of(text, "decimal: 2"), "unknown_key", "decimals"),
        (line_of(text, "guage"), "bad_word", "gauge"),
        (line_of(text, "mian"), "unknown_point", "main"),
        (line_of(text, "import:"), "unknown_point", "room/temp"),
        (line_of(text, "iso_category: 3"), "scope", None),
    ]


def test_loading_raises_all_errors_but_no_warning(tmp_path: Path) -> None:
    text = WUGU.replace(", max_kw: 60", "").replace("unit: Cel", "unit: Cal").replace("parent: depot", "parent: depto")
    path = write(tmp_path, text)
    with pytest.raises(CatalogError) as raised:
        load_site(path)
    assert [item.code for item in raised.value.findings] == ["unknown_asset", "unknown_unit"]
    assert [item.code for item in check_site(path) if item.severity is Severity.WARNING] == ["no_max_rate"]


def test_a_file_that_is_no_mapping_or_is_missing_is_reported_not_raised(tmp_path: Path) -> None:
    assert [item.code for item in check_site(tmp_path / "none.yaml")] == ["syntax"]
    assert [item.code for item in check_site(write(tmp_path, "- a\n"))] == ["bad_value"]
    assert [item.code for item in check_site(write(tmp_path, ""))] == ["syntax"]


def test_missing_keys_of_the_document_do_not_hide_other_mistakes(tmp_path: Path) -> None:
    text = WUGU.replace("gwp_set: AR5\n", "").replace("starts_on: 2025-01-01\n", "").replace("unit: L}", "unit: l}")
    found = check_site(write(tmp_path, text))
    assert sorted(item.code for item in found) == ["missing_key", "missing_key", "unknown_unit"]
