"""Dashboards read from a folder: what is in them, what is told of them, and what is wrong with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jobs.page.dashboards import DashboardError, Dashboards
from tests.page.conftest import BOARDS

SOURCE = {"type": "grafana-postgresql-datasource", "uid": "kilowatch"}


def panel(panel_id: Any = 1, **more: Any) -> dict[str, Any]:
    targets = [{"refId": "A", "rawSql": "select 1", "format": "table", "datasource": SOURCE}]
    return {"id": panel_id, "type": "stat", "title": "one", "targets": targets, **more}


def written(folder: Path, content: Any, name: str = "en/one.json") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return folder


def board(*panels: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"uid": "one", "title": "One", "panels": list(panels), **more}


def test_every_file_of_every_language_is_found() -> None:
    found = Dashboards(BOARDS)
    assert found.languages == ["en", "zh"]
    assert [each.uid for each in found.of_language("zh")] == ["test-asset-zh", "test-overview-zh"]
    assert found.find("en", "test-asset-zh") is found.find("zh", "test-asset-zh") is not None
    assert found.find("en", "none") is None


def test_files_in_the_folder_itself_belong_to_every_language(tmp_path: Path) -> None:
    written(written(tmp_path, board(panel()), "plain.json"), board(panel(), uid="two"), "zh/two.json")
    found = Dashboards(tmp_path)
    assert [each.uid for each in found.of_language("zh")] == ["one", "two"]
    assert [each.uid for each in found.of_language("en")] == ["one"]


def test_panels_within_a_closed_row_are_panels_too_and_hidden_queries_are_none(tmp_path: Path) -> None:
    inside = panel(3)
    inside["targets"].append({"refId": "B", "rawSql": "select 2", "hide": True, "datasource": SOURCE})
    row = {"type": "row", "id": 2, "collapsed": True, "panels": [inside]}
    found = Dashboards(written(tmp_path, board(panel(), row))).find("en", "one")
    assert found is not None
    assert sorted(found.panels) == [1, 3]
    assert [each.ref_id for each in found.panels[3].queries] == ["A"]


def test_a_browser_is_told_no_statement(tmp_path: Path) -> None:
    variable = {"name": "site", "type": "query", "query": "select secret", "definition": "select secret"}
    row = {"type": "row", "id": 2, "panels": [panel(3)]}
    content = board(panel(), row, templating={"list": [variable]})
    found = Dashboards(written(tmp_path, content)).find("en", "one")
    assert found is not None
    assert "select" not in json.dumps(found.content)
    assert found.content["templating"]["list"] == [{"name": "site", "type": "query"}]
    assert all("select" not in json.dumps(each.content) for each in Dashboards(BOARDS).of_language("en"))


def test_a_query_of_another_data_source_is_refused_where_it_stands(tmp_path: Path) -> None:
    other = panel(2, targets=[{"refId": "A", "expr": "up", "datasource": {"type": "prometheus"}}])
    found = Dashboards(written(tmp_path, board(panel(), other))).find("en", "one")
    assert found is not None
    assert found.panels[1].refusal is None
    assert found.panels[2].refusal == "expected the data source grafana-postgresql-datasource; found 'prometheus'"
    assert found.panels[2].queries == ()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "expected a dashboard as JSON"),
        ([], "expected a dashboard in Grafana's classic schema"),
        ({"uid": "one", "elements": {}}, "expected a dashboard in Grafana's classic schema"),
        (board(panel(), uid="no uid"), "expected a uid"),
        (board(panel(), panel()), "expected an id of its own; found 1 twice"),
        (board(panel(None)), "expected an id that is a whole number; found None"),
        (board(panel(), templating={"list": [{"name": "x", "type": "textbox"}]}), "found 'textbox'"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_what_is_wrong(tmp_path: Path, content: Any, said: str) -> None:
    with pytest.raises(DashboardError, match=said) as raised:
        Dashboards(written(tmp_path, content))
    assert str(raised.value).startswith(str(tmp_path / "en" / "one.json"))


def test_two_files_of_one_uid_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DashboardError, match="found none"):
        Dashboards(tmp_path)
    written(written(tmp_path, board(panel())), board(panel()), "en/two.json")
    with pytest.raises(DashboardError, match="expected a uid of its own"):
        Dashboards(tmp_path)
