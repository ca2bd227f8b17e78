"""One change to a good site at a time: the code of the finding, and whether it stops the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.catalog.site import check_site
from streams.domain.findings import Severity

GOOD = """\
site: yard
kind: warehouse
time_zone: Asia/Taipei
starts_on: 2025-01-01
gwp_set: AR5
resolution: 15min
assets:
  - {name: yard}
  - {name: crane, parent: yard}
points:
  - name: main
    asset: yard
    kind: register
    obis: 1-0:1.8.0*255
    unit: kWh
    decimals: 2
    digits: 6
    interval: 60s
    max_gap: 30min
    max_kw: 400
    ct_ratio: [{from: 2025-01-01, ratio: 40}, {from: 2025-06-01, ratio: 80}]
    exchanges: [{at: 2025-03-02T10:15+08:00, closing: 123456.78, opening: 0.00}]
  - {name: kvarh, asset: yard, kind: register, unit: kvarh, max_rate: 100}
  - {name: crane/kwh, asset: crane, kind: register, unit: kWh, modulus: 65536, max_kw: 90, parent: main}
  - {name: crane/kw, asset: crane, kind: power, unit: kW}
  - {name: lights, asset: yard, kind: interval, unit: kWh, interval: 15min}
  - {name: temp, asset: yard, kind: gauge, unit: Cel, minimum: -60, maximum: 60}
  - {name: fuel, asset: crane, kind: amount, unit: L}
  - {name: door, asset: yard, kind: state}
  - {name: rest, asset: yard, kind: virtual, unit: kWh, formula: main - crane/kwh}
  - {name: most, asset: yard, kind: virtual, unit: kWh, formula: rest - lights}
supply:
  import: [main]
  reactive: [kvarh]
  contracts:
    - {from: 2025-01-01, plan: HV_2T, regular_kw: 300, industry: "530"}
    - {from: 2025-07-01, plan: average_price, price_ntd_per_kwh: 3.81}
  off_peak_days: [2025-02-28]
emissions:
  - {name: grid, point: main, factor: grid_tw, scope: 2, iso_category: 2}
  - {name: crane, point: fuel, factor: diesel, use: mobile, scope: 1, iso_category: 1}
"""

ERRORS = [
    ("formula: main - crane/kwh", "formula: main - crane/kw2", "unknown_point"),
    ("formula: main - crane/kwh", "formula: main - temp", "not_summed"),
    ("formula: main - crane/kwh", "formula: main - fuel", "quantity"),
    ("formula: main - crane/kwh", "formula: main * crane/kwh", "formula"),
    ("formula: main - crane/kwh", "formula: main - most", "cycle"),
    (", formula: main - crane/kwh", "", "missing_key"),
    ("import: [main]", "import: [mian]", "unknown_point"),
    ("import: [main]", "import: [kvarh]", "quantity"),
    ("import: [main]", "import: [main, crane/kwh]", "double_count"),
    ("import: [main]", "import: [main, main]", "double_count"),
    ("reactive: [kvarh]", "reactive: [main]", "quantity"),
    ("point: fuel,", "point: fule,", "unknown_point"),
    ("point: fuel,", "point: door,", "not_summed"),
    ("scope: 2, iso_category: 2", "scope: 2, iso_category: 3", "scope"),
    ("scope: 2, iso_category: 2", "scope: 4, iso_category: 2", "bad_value"),
    ("iso_category: 2}", "iso_category: 2, green_point: fuel}", "quantity"),
    ("scope: 2, iso_category: 2", "scope: 1, iso_category: 1", "scope"),
    ("scope: 1, iso_category: 1", "scope: 2, iso_category: 2", "scope"),
    ("iso_category: 1}", "iso_category: 1, green_point: lights}", "green"),
    ("use: mobile", "use: movile", "bad_word"),
    ("use: mobile, ", "", "use"),
    ("factor: grid_tw", "factor: grid_tw, use: mobile", "use"),
    ("factor: diesel", "factor: natural_gas", "use"),
    ("factor: diesel", "factor: diesle", "unknown_factor"),
    ("point: fuel,", "point: main,", "quantity"),
    ("name: door, asset: yard", "name: door, asset: yrd", "unknown_asset"),
    ("parent: yard}", "parent: yrd}", "unknown_asset"),
    ("{name: yard}", "{name: yard, parent: crane}", "cycle"),
    ("{name: yard}", "{name: yard, parent: yard}", "cycle"),
    ("parent: main}", "parent: crane/kwh}", "cycle"),
    ("parent: main}", "parent: fuel}", "quantity"),
    ("parent: main}", "parent: min}", "unknown_point"),
    ("{name: crane, parent: yard}", "{name: crane}\n  - {name: crane}", "duplicate_name"),
    ("{name: door,", "{name: fuel,", "duplicate_name"),
    ("{name: crane, point", "{name: grid, point", "duplicate_name"),
    ("name: door", "name: a b", "bad_value"),
    ("name: door", "name: /door", "bad_value"),
    ("name: door", 'name: "12"', "bad_value"),
    ("site: yard", "site: Yard", "bad_value"),
    ("interval: 60s", "interval: 2h", "interval"),
    ("interval: 60s", "interval: 60", "bad_value"),
    ("resolution: 15min", "resolution: 10min", "resolution"),
    ("maximum: 60}", "maximum: 60, resolution: 7min}", "resolution"),
    ("unit: kWh, formula: rest - lights", "unit: kWh, resolution: 5min, formula: rest - lights", "resolution"),
    ("1-0:1.8.0*255", "1-0:1.8", "obis"),
    ("1-0:1.8.0*255", "1-0:1.8.0*256", "obis"),
    ("modulus: 65536", "modulus: 65536.0001", "modulus"),
    ("modulus: 65536", "digits: 14", "modulus"),
    ("modulus: 65536", "modulus: 65536, digits: 5", "two_widths"),
    ("modulus: 65536", "modulus: 0", "bad_value"),
    ("closing: 123456.78", "closing: 1000000", "modulus"),
    ("closing: 123456.78", "closing: -1", "bad_value"),
    ("at: 2025-03-02T10:15+08:00", "at: 2025-03-02T10:15", "bad_value"),
    ("opening: 0.00}]", "opening: 0}, {at: 2025-03-01, closing: 1, opening: 0}]", "order"),
    ("{from: 2025-06-01, ratio: 80}", "{from: 2025-01-01, ratio: 80}", "order"),
    ("{from: 2025-06-01, ratio: 80}", "{ratio: 80}", "missing_key"),
    ("ratio: 80", "ratio: 0", "bad_value"),
    ("ratio: 80", "ratio: 5/0", "bad_value"),
    ("max_kw: 90", "max_kw: 90, max_rate: 90", "two_limits"),
    ("max_rate: 100", "max_kw: 100", "quantity"),
    ("unit: Cel", "unit: Cell", "unknown_unit"),
    ("unit: L}", "unit: L, quantity: energy}", "quantity"),
    ("kind: power, unit: kW}", "kind: power, unit: kWh}", "unit_kind"),
    ("kind: amount, unit: L}", "kind: amount, unit: L/h}", "unit_kind"),
    ("kind: amount, unit: L}", "kind: amount}", "missing_key"),
    ("kind: interval, unit: kWh, interval: 15min", "kind: interval, unit: kWh", "missing_key"),
    ("unit: Cel, ", "unit: Cel, digits: 5, ", "useless_key"),
    ("unit: Cel, ", "unit: Cel, formula: main, ", "useless_key"),
    ("minimum: -60", "minimum: 61", "range"),
    ("minimum: -60", "minimum: .nan", "bad_value"),
    ("from: 2025-07-01", "from: 2025-01-01", "overlap"),
    (", price_ntd_per_kwh: 3.81", "", "missing_key"),
    ("regular_kw: 300,", "regular_kw: 300, price_ntd_per_kwh: 3,", "useless_key"),
    ("regular_kw: 300,", "regular_kw: -1,", "bad_value"),
    ('industry: "530"', 'industry: "999"', "unknown_industry"),
    ('industry: "530"', "industry: 530", "bad_value"),
    ("time_zone: Asia/Taipei", "time_zone: ../etc", "time_zone"),
    ("time_zone: Asia/Taipei", "time_zone: Asia", "time_zone"),
    ("gwp_set: AR5", "gwp_set: AR7", "bad_word"),
    ("starts_on: 2025-01-01", "starts_on: 2025-02-30", "bad_value"),
    ("kind: warehouse", "kind: warehous", "bad_word"),
]

WARNINGS = [
    ("max_kw: 90, ", "", "no_max_rate"),
    ("1-0:1.8.0*255", "1-0:3.8.0*255", "obis_quantity"),
    ("closing: 123456.78", "closing: 123456.789", "decimals"),
    ("at: 2025-03-02T10:15+08:00", "at: 2024-12-31", "before_start"),
    ("[{from: 2025-01-01, ratio: 40}, ", "[", "no_ratio"),
    ("from: 2025-01-01, plan", "from: 2025-02-01, plan", "no_contract"),
    ("regular_kw: 300, ", "", "no_capacity"),
    ("import: [main]", "import: []", "no_import"),
    ("[2025-02-28]", "[2025-02-28, 2025-02-28]", "duplicate_day"),
    ("price_ntd_per_kwh: 3.81", 'price_ntd_per_kwh: 3.81, industry: "530"', "useless_key"),
    (
        "emissions:\n",
        "emissions:\n  - {name: grid-2, point: main, factor: grid_tw, scope: 2, iso_category: 2}\n",
        "double_claim",
    ),
    (
        "emissions:\n",
        "emissions:\n  - {name: part, point: crane/kwh, factor: grid_tw, scope: 2, iso_category: 2}\n",
        "double_claim",
    ),
]


def mistakes(folder: Path, old: str, new: str) -> list[tuple[str, Severity]]:
    assert GOOD.count(old) >= 1, old
    path = folder / "yard.yaml"
    path.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    found = check_site(path)
    assert all(item.line is not None and item.expected and item.found for item in found)
    return [(item.code, item.severity) for item in found]


def test_the_good_site_has_no_finding(tmp_path: Path) -> None:
    assert mistakes(tmp_path, "site: yard", "site: yard") == []


@pytest.mark.parametrize(("old", "new", "code"), ERRORS, ids=[f"{code}: {new}" for _, new, code in ERRORS])
def test_a_mistake_that_would_make_a_wrong_number_is_an_error(tmp_path: Path, old: str, new: str, code: str) -> None:
    found = mistakes(tmp_path, old, new)
    assert (code, Severity.ERROR) in found
    assert {other for other, severity in found if severity is Severity.ERROR} == {code}


@pytest.mark.parametrize(("old", "new", "code"), WARNINGS, ids=[code for _, _, code in WARNINGS])
def test_what_is_only_doubtful_is_a_warning(tmp_path: Path, old: str, new: str, code: str) -> None:
    assert mistakes(tmp_path, old, new) == [(code, Severity.WARNING)]


def test_a_refused_limit_is_not_reported_a_second_time_as_missing(tmp_path: Path) -> None:
    assert mistakes(tmp_path, "max_kw: 90", "max_kw: abc") == [("bad_value", Severity.ERROR)]
