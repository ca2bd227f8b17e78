"""Key figures of a site's file: a good one is taken, and each mistake is told by its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.catalog.site import check_site, load_site

SITE = """\
site: works
kind: machining
time_zone: Asia/Taipei
starts_on: 2025-01-01
gwp_set: AR5
assets:
  - {name: works}
points:
  - {name: main, asset: works, kind: register, unit: kWh, max_kw: 400}
  - {name: mill/kw, asset: works, kind: power, unit: kW, max_kw: 20}
  - {name: mill/w, asset: works, kind: power, unit: W, max_kw: 20}
  - {name: mill/state, asset: works, kind: state}
  - {name: mill/good, asset: works, kind: register, unit: pcs, max_rate: 100}
  - {name: room/temp, asset: works, kind: gauge, unit: Cel}
  - {name: room/door, asset: works, kind: state}
  - {name: crane/hours, asset: works, kind: register, unit: h, max_rate: 2}
  - {name: crane/fuel, asset: works, kind: amount, unit: L}
  - {name: pv, asset: works, kind: register, unit: kWh, max_kw: 100}
kpis:
  - {kind: machine, asset: works, ideal_s: 30,
     roles: {power: mill/kw, good: mill/good}, idle_kw: 1, setup_kw: 2, cutting_kw: 5, planned_h: 8}
  - {kind: room, asset: works, roles: {temperature: room/temp, door: room/door}, high_c: 7, words: {door: [OPEN]}}
  - {kind: handler, asset: works, roles: {fuel: crane/fuel, hours: crane/hours}}
  - {kind: load, asset: works, system: lights, roles: {energy: main}, from_h: 8, to_h: 18}
  - {kind: solar, asset: works, roles: {generation: pv}, kwp: 90}
"""
LIGHTS = "  - {kind: load, asset: works, system: lights, roles: {energy: main}}"
STATES = "roles: {execution: mill/state, good: mill/good}, words: {cutting: [ACTIVE]}, planned_h: 8"
BY_POWER = "roles: {power: mill/kw, good: mill/good}, idle_kw: 1, setup_kw: 2, cutting_kw: 5, planned_h: 8"


def test_each_kind_is_taken_by_its_roles(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    for text in (SITE, SITE.replace(BY_POWER, STATES)):
        path.write_text(text, encoding="utf-8")
        assert check_site(path) == []
        assert [kpi.kind for kpi in load_site(path).kpis] == ["machine", "room", "handler", "load", "solar"]


@pytest.mark.parametrize(
    ("right", "wrong", "code"),
    [
        ("kind: machine, asset: works", "kind: machine, asset: mill", "unknown_asset"),
        ("power: mill/kw, good", "power: mill/kv, good", "unknown_point"),
        ("power: mill/kw, good", "power: room/temp, good", "unfit_point"),
        ("power: mill/kw, good", "power: mill/w, good", "unit"),
        ("power: mill/kw, good", "power: mill/kw, execution: mill/state, good", "roles"),
        ("good: mill/good", "goods: mill/good", "unknown_role"),
        ("temperature: room/temp", "temperature: main", "unfit_point"),
        ("temperature: room/temp, ", "", "missing_role"),
        ("idle_kw: 1, ", "", "missing_key"),
        ("idle_kw: 1", "idle_kw: 3", "range"),
        ("idle_kw: 1", "idle_kw: -1", "range"),
        ("planned_h: 8", "planned_h: 25", "range"),
        ("planned_h: 8", "planned_h: -8", "range"),
        ("ideal_s: 30", "ideal_s: 0", "range"),
        ("ideal_s: 30", "ideal: 30", "unknown_key"),
        ("ideal_s: 30", "ideal_s: often", "bad_value"),
        ("kwp: 90", "kwp: 0", "range"),
        ("from_h: 8, to_h: 18", "from_h: 25, to_h: 30", "range"),
        ("from_h: 8", "from_h: 8.5", "range"),
        ("from_h: 8, to_h: 18", "from_h: 18, to_h: 8", "range"),
        (", words: {door: [OPEN]}", "", "missing_words"),
        ("words: {door: [OPEN]}", "words: {door: [OPEN], gate: [OPEN]}", "unknown_key"),
        (BY_POWER, STATES.replace(", words: {cutting: [ACTIVE]}", ""), "missing_words"),
        (BY_POWER, STATES.replace("[ACTIVE]", "[ACTIVE], idle: [ACTIVE]"), "twice"),
        ("hours: crane/hours}", "hours: crane/hours, engine: mill/state}, words: {engine: [ON]}", "roles"),
        ("roles: {fuel: crane/fuel, hours: crane/hours}", "roles: {engine: mill/kw}", "missing_key"),
        ("system: lights, ", "", "system"),
        ("  - {kind: solar", f"{LIGHTS}\n  - {{kind: solar", "twice"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_by_its_line(tmp_path: Path, right: str, wrong: str, code: str) -> None:
    assert right in SITE
    path = tmp_path / "site.yaml"
    path.write_text(SITE.replace(right, wrong), encoding="utf-8")
    found = [each for each in check_site(path) if each.code == code]
    assert found, [str(each) for each in check_site(path)]
    assert found[0].line is not None and found[0].line >= SITE.splitlines().index("kpis:") + 1
