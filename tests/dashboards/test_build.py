"""What the builders make: the same each time, in both languages, with what a reader needs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from dashboards import generate
from dashboards.boards import BOARDS
from dashboards.parts import WIDTH, Kind
from dashboards.place import GENERATED
from dashboards.query import SQL, BuildError, sql_of
from dashboards.rules import RULES as ALERT_RULES
from dashboards.words import Language

EVERY = {name: json.loads(text) for name, text in generate.dashboards().items()}
NAMES = [
    "overview",
    "energy",
    "carbon",
    "cold",
    "machining",
    "furnaces",
    "warehouse",
    "solar",
    "measures",
    "alerts",
    "quality",
    "pipeline",
    "asset",
    "point",
]


def panels(whole: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in whole["panels"] if panel["type"] != "row"]


def test_every_dashboard_is_there_in_both_languages() -> None:
    assert [board.name for board in BOARDS] == NAMES
    assert set(EVERY) == {f"{language}/kw-{name}-{language}.json" for name in NAMES for language in Language}
    assert {name: whole["uid"] for name, whole in EVERY.items()} == {name: Path(name).stem for name in EVERY}


def test_what_is_committed_is_what_the_builders_make() -> None:
    assert generate.drift() == []


def test_drift_and_files_that_no_builder_makes_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "GENERATED", tmp_path)
    monkeypatch.setattr(generate, "RULES", tmp_path / "rules.yaml")
    assert len(generate.drift()) == len(generate.files())
    assert generate.write() == (len(generate.files()), 0)
    assert generate.write() == (0, 0) and generate.drift() == []
    changed = tmp_path / "zh" / "kw-energy-zh.json"
    changed.write_text(changed.read_text(encoding="utf-8").replace("kwatt", "watt"), encoding="utf-8")
    (tmp_path / "en" / "kw-gone-en.json").write_text("{}", encoding="utf-8")
    assert [finding.file for finding in generate.drift()] == [changed, tmp_path / "en" / "kw-gone-en.json"]
    assert generate.write() == (1, 1) and generate.drift() == []


def test_what_is_generated_says_so() -> None:
    assert all({"kilowatch", "generated"} <= set(whole["tags"]) for whole in EVERY.values())
    assert "Do not edit" in (GENERATED / "kustomization.yaml").read_text(encoding="utf-8")
    assert "Do not edit" in generate.RULES.read_text(encoding="utf-8")


def test_each_dashboard_answers_questions_in_their_order() -> None:
    for whole in EVERY.values():
        assert re.search("[？?]$", whole["description"])
        assert whole["panels"][0]["type"] == "row"
        assert all(re.search("[？?]$", panel["title"]) for panel in whole["panels"] if panel["type"] == "row")


def test_panels_are_of_six_kinds_and_of_widths_that_stack() -> None:
    kinds = {panel["type"] for whole in EVERY.values() for panel in panels(whole)}
    assert kinds == {kind.value for kind in Kind}
    for whole in EVERY.values():
        lines: dict[int, int] = {}
        for panel in panels(whole):
            lines[panel["gridPos"]["y"]] = lines.get(panel["gridPos"]["y"], 0) + panel["gridPos"]["w"]
            assert panel["gridPos"]["w"] >= 4 and panel["gridPos"]["h"] <= 12
        assert set(lines.values()) == {WIDTH}


def test_every_total_says_how_much_of_it_is_estimated_or_missing() -> None:
    for whole in EVERY.values():
        for panel in panels(whole):
            columns = {each["matcher"]["options"] for each in panel["fieldConfig"]["overrides"]}
            if panel["type"] == "stat" and columns & {"energy_kwh", "scope1_kgco2e"}:
                assert {"estimated_share"} < columns, panel["title"]
                assert columns & {"missing_share", "unknown_share"}, panel["title"]


def test_no_sql_lies_about_that_no_panel_asks() -> None:
    asked = {panel.query for board in BOARDS for section in board.sections for panel in section.panels}
    asked |= {f"variables/{variable.query}" for board in BOARDS for variable in board.variables}
    asked |= {rule.query for rule in ALERT_RULES}
    written = {path.relative_to(SQL).with_suffix("").as_posix() for path in SQL.rglob("*.sql")}
    assert written == asked


def test_a_missing_query_is_told_with_its_place() -> None:
    with pytest.raises(BuildError, match=r"sql/energy/nothing\.sql: expected the SQL of a panel; found no file"):
        sql_of("energy/nothing")


def test_one_drills_from_site_to_asset_to_point() -> None:
    links = {name: json.dumps(whole) for name, whole in EVERY.items()}
    for name in ("energy", "cold", "machining", "furnaces", "warehouse", "solar"):
        assert "/d/kw-asset-zh?var-site=${__data.fields.site}&var-asset=" in links[f"zh/kw-{name}-zh.json"]
        assert f"/d/kw-{name}-zh?var-site=${{__data.fields.site}}&" in links["zh/kw-overview-zh.json"]
    assert "/d/kw-point-zh?var-site=${__data.fields.site}&var-point=" in links["zh/kw-asset-zh.json"]
    assert "mart.reading" in links["zh/kw-point-zh.json"]


def test_the_page_of_dashboards_lists_each_with_its_question() -> None:
    page = (generate.HERE.parent / "docs" / "dashboards.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"(?m)^\| `kw-(\w+)-…` \| (.*?) \|", page))
    assert list(listed) == NAMES
    assert list(listed.values()) == [board.question.en for board in BOARDS]
