"""Each kind of mistake in a dashboard is caught by a check, and the dashboards that are committed have none."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dashboards.checks.every import check
from dashboards.checks.found import Checked, CheckError, read
from dashboards.checks.registries import REGISTRIES, registries
from dashboards.checks.shape import SCHEMA
from dashboards.place import GENERATED
from streams.domain.findings import Finding

BOARDS = read(GENERATED)
Json = dict[str, Any]


BESIDE = {"kw-energy-zh", "kw-energy-en", "kw-asset-zh", "kw-overview-zh"}
"""The dashboard that is changed, and what its mistakes can be seen by."""


def mutated(change: Callable[[Json], None], uid: str = "kw-energy-zh") -> list[Finding]:
    """What is found when one dashboard is changed."""
    boards = [Checked(board.path, copy.deepcopy(board.whole)) for board in BOARDS if board.uid in BESIDE]
    (chosen,) = [board for board in boards if board.uid == uid]
    change(chosen.whole)
    return list(check(boards))


def of_kind(whole: Json, kind: str) -> Json:
    return next(panel for panel in whole["panels"] if panel["type"] == kind)


def sql(whole: Json, old: str, new: str) -> None:
    """Change the SQL of the first panel whose SQL has the text."""
    target = next(each for panel in whole["panels"] for each in panel.get("targets", []) if old in each["rawSql"])
    target["rawSql"] = target["rawSql"].replace(old, new)


def test_the_committed_dashboards_are_sound() -> None:
    assert list(check(BOARDS)) == []


def unit(whole: Json) -> None:
    of_kind(whole, "timeseries")["fieldConfig"]["defaults"]["unit"] = "kwat"


def unit_of_override(whole: Json) -> None:
    of_kind(whole, "gauge")["fieldConfig"]["overrides"][0]["properties"][1]["value"] = "percentunits"


def reducer(whole: Json) -> None:
    of_kind(whole, "gauge")["options"]["reduceOptions"]["calcs"] = ["lastest"]


def matcher(whole: Json) -> None:
    of_kind(whole, "gauge")["fieldConfig"]["overrides"][0]["matcher"]["id"] = "byNme"


def transformation(whole: Json) -> None:
    of_kind(whole, "table")["transformations"] = [{"id": "organise", "options": {}}]


def colour(whole: Json) -> None:
    of_kind(whole, "gauge")["fieldConfig"]["defaults"]["thresholds"]["steps"][1]["color"] = "amber"


def thresholds(whole: Json) -> None:
    of_kind(whole, "gauge")["fieldConfig"]["defaults"]["thresholds"]["steps"].reverse()


def misspelt_key(whole: Json) -> None:
    panel = of_kind(whole, "timeseries")
    panel["fieldConfig"]["defaults"]["custom"]["lineWidht"] = 2


def misspelt_key_of_the_dashboard(whole: Json) -> None:
    whole["refreshh"] = whole.pop("refresh")


def misspelt_key_of_a_query(whole: Json) -> None:
    target = of_kind(whole, "table")["targets"][0]
    target["rawSQL"] = target.pop("rawSql")


def wrong_type(whole: Json) -> None:
    of_kind(whole, "table")["options"]["showHeader"] = "yes"


def wrong_word(whole: Json) -> None:
    of_kind(whole, "stat")["options"]["colorMode"] = "colour"


def kind(whole: Json) -> None:
    of_kind(whole, "bargauge")["type"] = "barchart"


def override(whole: Json) -> None:
    of_kind(whole, "table")["fieldConfig"]["overrides"][0]["properties"].append({"id": "custom.widht", "value": 90})


def value_of_override(whole: Json) -> None:
    of_kind(whole, "table")["fieldConfig"]["overrides"][0]["properties"].append({"id": "custom.width", "value": "90px"})


def fill_to_nowhere(whole: Json) -> None:
    text = json.dumps(whole).replace('"custom.width"', '"custom.fillBelowTo"')
    whole.update(json.loads(text))


def values_that_are_not_there(whole: Json) -> None:
    panel = next(each for each in whole["panels"] if each.get("options", {}).get("reduceOptions", {}).get("fields"))
    panel["options"]["reduceOptions"]["fields"] = "/^(購電|流動電價)$/"


def no_id(whole: Json) -> None:
    del whole["panels"][2]["id"]


def same_id(whole: Json) -> None:
    whole["panels"][3]["id"] = whole["panels"][2]["id"]


def beyond_the_grid(whole: Json) -> None:
    whole["panels"][1]["gridPos"]["x"] = 20


def overlap(whole: Json) -> None:
    whole["panels"][2]["gridPos"]["x"] = whole["panels"][1]["gridPos"]["x"]


def no_description(whole: Json) -> None:
    del whole["panels"][1]["description"]


def missing_macro(whole: Json) -> None:
    sql(whole, "$__timeFilter(d.starts_at)", "true")


def macro_without_brackets(whole: Json) -> None:
    sql(whole, "$__timeFilter(d.starts_at)", "$__timeFilter")


def unknown_macro(whole: Json) -> None:
    sql(whole, "$__timeFilter(", "$__timesFilter(")


def nested_brackets(whole: Json) -> None:
    sql(whole, "$__timeFilter(d.starts_at)", "$__timeFilter(date_trunc('hour', d.starts_at))")


def group_before_a_comma(whole: Json) -> None:
    sql(whole, "$__timeGroupAlias(d.starts_at, $__interval)", "$__timeGroup(d.starts_at, $__interval)")


def no_time(whole: Json) -> None:
    sql(whole, "$__timeGroupAlias(d.starts_at, $__interval)", "max(d.starts_at) as at")


def unknown_variable(whole: Json) -> None:
    sql(whole, "${site:sqlstring}", "${sites:sqlstring}")


def unquoted_variable(whole: Json) -> None:
    sql(whole, "${site:sqlstring}", "${site}")


def raw_table(whole: Json) -> None:
    sql(whole, "mart.demand_15min", "fact.demand")


def function_of_one_store(whole: Json) -> None:
    sql(whole, "max(d.demand_kw / nullif(d.contract_kw, 0))", "last(d.demand_kw, d.starts_at)")


def other_source(whole: Json) -> None:
    of_kind(whole, "stat")["targets"][0]["datasource"]["uid"] = "other"


def link_to_nowhere(whole: Json) -> None:
    whole["links"][0]["url"] = "/d/kw-overwiew-zh"


def link_with_a_variable_that_is_not_there(whole: Json) -> None:
    text = json.dumps(whole).replace("/d/kw-asset-zh?var-site=", "/d/kw-asset-zh?var-sites=")
    whole.update(json.loads(text))


def link_that_takes_a_column_that_is_not_there(whole: Json) -> None:
    whole.update(json.loads(json.dumps(whole).replace("${__data.fields.asset}", "${__data.fields.machine}")))


def link_that_loses_the_range(whole: Json) -> None:
    whole.update(json.loads(json.dumps(whole).replace("${__url_time_range}", "")))


def other_language_lacks_a_panel(whole: Json) -> None:
    whole["panels"].pop()


def other_language_has_another_query(whole: Json) -> None:
    sql(whole, "limit 10", "limit 11")


def other_language_has_another_place(whole: Json) -> None:
    whole["panels"][-1]["gridPos"]["h"] += 1


def other_language_has_another_unit(whole: Json) -> None:
    of_kind(whole, "timeseries")["fieldConfig"]["defaults"]["unit"] = "watt"


def no_uid(whole: Json) -> None:
    whole["uid"] = "kw-overview-zh"


MUTATIONS: list[tuple[Callable[[Json], None], str, str]] = [
    (unit, "units", "unknown unit of default: expected 'kwatt'?; found 'kwat'"),
    (unit_of_override, "units", "unknown unit of contract_share: expected 'percentunit'?"),
    (reducer, "reducers", "unknown reducer: expected"),
    (matcher, "field_matchers", "unknown field matcher: expected 'byName'?"),
    (transformation, "transformations", "unknown transformation: expected 'organize'?"),
    (colour, "colours", "unknown colour: expected"),
    (thresholds, "thresholds", "thresholds out of order"),
    (misspelt_key, "schema", "'lineWidht' was unexpected"),
    (misspelt_key, "round_trip", "custom.lineWidht does not survive the SDK"),
    (misspelt_key_of_the_dashboard, "schema", "'refreshh' was unexpected"),
    (misspelt_key_of_the_dashboard, "round_trip", "$.refreshh does not survive the SDK"),
    (misspelt_key_of_a_query, "schema", "'rawSQL' was unexpected"),
    (misspelt_key_of_a_query, "round_trip", "rawSQL does not survive the SDK"),
    (wrong_type, "schema", "'yes' is not of type 'boolean'"),
    (wrong_word, "schema", "'colour' is not one of"),
    (kind, "kind", "unknown kind: expected timeseries, stat"),
    (override, "override", "unknown property of an override: found 'custom.widht'"),
    (value_of_override, "override", "custom.width: '90px' is not of type 'number'"),
    (fill_to_nowhere, "override", "fills down to a series that is not there"),
    (values_that_are_not_there, "fields", "shows values that are not there"),
    (no_id, "id", "no id"),
    (same_id, "id", "an id that another panel has, too"),
    (beyond_the_grid, "grid", "a place outside the grid"),
    (overlap, "grid", "lies over panel 2"),
    (no_description, "text", "no description"),
    (missing_macro, "macro", "mart.demand_15min without the time range"),
    (macro_without_brackets, "macro", "a macro without brackets"),
    (unknown_macro, "macro", "unknown macro"),
    (nested_brackets, "macro", "brackets within a macro"),
    (group_before_a_comma, "macro", "$__timeGroup(…) before a comma"),
    (no_time, "macro", "a time series without a column `time`"),
    (unknown_variable, "variable", "unknown variable: found $sites"),
    (unquoted_variable, "variable", "a variable that is not quoted: expected ${site:sqlstring}"),
    (raw_table, "view", "a table that is no mart view: found fact.demand"),
    (function_of_one_store, "function", "a function that not both stores have: found last"),
    (other_source, "source", "another data source"),
    (link_to_nowhere, "link", "leads nowhere: found kw-overwiew-zh"),
    (link_with_a_variable_that_is_not_there, "link", "kw-asset-zh has no variable sites"),
    (link_that_takes_a_column_that_is_not_there, "link", "takes a column that the query has not: found machine"),
    (link_that_loses_the_range, "link", "loses the time range"),
    (other_language_lacks_a_panel, "language", "is otherwise built than"),
    (other_language_has_another_query, "language", "is otherwise built than"),
    (other_language_has_another_place, "language", "gridPos.h"),
    (other_language_has_another_unit, "language", "defaults.unit"),
    (no_uid, "uid", "a uid that another dashboard has, too"),
    (no_uid, "language", "no dashboard kw-energy-zh"),
]


@pytest.mark.parametrize(
    ("change", "code", "said"), MUTATIONS, ids=[f"{each[0].__name__}-{each[1]}" for each in MUTATIONS]
)
def test_a_mistake_is_caught(change: Callable[[Json], None], code: str, said: str) -> None:
    found = [str(finding) for finding in mutated(change) if finding.code == code]
    assert any(said in each for each in found), found


def test_a_finding_names_the_file_the_panel_and_what_was_expected() -> None:
    (found,) = [finding for finding in mutated(unit) if finding.code == "units"]
    assert str(found) == (
        f"{GENERATED / 'zh' / 'kw-energy-zh.json'}: panel 4 '需量與契約容量': unknown unit of default: "
        "expected 'kwatt'?; found 'kwat'"
    )


def test_what_is_no_dashboard_is_told(tmp_path: Path) -> None:
    with pytest.raises(CheckError, match="expected dashboards; found none; run kilowatch dashboards build"):
        read(tmp_path)
    (tmp_path / "x.json").write_text("{", encoding="utf-8")
    with pytest.raises(CheckError, match=r"x\.json: expected the JSON of a dashboard; found Expecting"):
        read(tmp_path)


def test_the_facts_of_grafana_are_marked_as_generated_and_of_one_version() -> None:
    package = json.loads((REGISTRIES.parent / "package.json").read_text(encoding="utf-8"))
    version = package["dependencies"]["@grafana/data"]
    assert package["dependencies"]["@grafana/schema"] == version == "12.4.10"
    for path, name in ((SCHEMA, "@grafana/schema"), (REGISTRIES, "@grafana/data")):
        said = json.loads(path.read_text(encoding="utf-8"))["$comment"]
        assert said == f"Generated by dashboards/grafana/generate.mjs from {name} {version} (Apache-2.0). Do not edit."
    lock = json.loads((REGISTRIES.parent / "package-lock.json").read_text(encoding="utf-8"))
    assert all("integrity" in each for name, each in lock["packages"].items() if name)
    assert {"kwatt", "kwatth", "celsius", "percentunit"} <= registries()["units"]
    assert {"byName", "byType"} <= registries()["field_matchers"]
