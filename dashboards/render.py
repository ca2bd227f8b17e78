"""Dashboards as JSON: placed in the grid, built by the SDK, without what the SDK adds and Grafana does not know."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from dashboards.kinds import built
from dashboards.links import top_links, uid_of
from dashboards.parts import WIDTH, Board, Panel, Section, Variable
from dashboards.query import BuildError, source, sql_of
from dashboards.sdk import JSONEncoder, dashboard, model
from dashboards.words import Language, said

TAG: Final = "kilowatch"
MARK: Final = "generated"
"""Every generated dashboard has these tags and that of its language."""
ALL: Final = model.VariableOption(text=["All"], value=["$__all"])
AUTO: Final = ("auto", "auto_min", "auto_count")
"""Keys of interval variables, which the SDK writes into every variable."""


def rendered(board: Board, boards: Sequence[Board], language: Language) -> dict[str, Any]:
    """A dashboard in a language as JSON; `boards` are those that its links lead to."""
    made = dashboard.Dashboard(said(board.title, language)).uid(uid_of(board.name, language))
    made.description(said(board.question, language)).tags([TAG, MARK, language.value]).editable()
    made.time(board.since, "now").refresh(board.refresh).timezone("browser").week_start("monday")
    made.tooltip(model.DashboardCursorSync.CROSSHAIR)
    whole = made.build()
    whole.templating = model.DashboardDashboardTemplating(
        list_val=[_variable(each, language) for each in board.variables]
    )
    whole.panels = _placed(board, language)
    named = {each.name: each.title for each in boards if not each.name.startswith(("asset", "point"))}
    whole.links = top_links(named, board.name, language)
    return plain(json.loads(json.dumps(whole, cls=JSONEncoder)))


def text_of(whole: dict[str, Any]) -> str:
    """JSON as it is kept: stable, readable in a diff."""
    return json.dumps(whole, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def plain(whole: dict[str, Any]) -> dict[str, Any]:
    """Without the keys that the SDK writes whether they mean anything or not."""
    for link in whole.get("links", []):
        link.pop("placement", None)  # it would hide the links in a menu
    for variable in whole.get("templating", {}).get("list", []):
        for key in AUTO:
            variable.pop(key, None)
    for panel in whole.get("panels", []):
        if "repeat" not in panel:
            panel.pop("repeatDirection", None)
        panel.get("options", {}).pop("footer", None)  # of tables, until Grafana 12
        defaults = panel.get("fieldConfig", {}).get("defaults", {})
        if not defaults.get("custom", True):
            del defaults["custom"]
    return whole


def _variable(variable: Variable, language: Language) -> model.VariableModel:
    statement = sql_of(f"variables/{variable.query}")
    made = dashboard.QueryVariable(variable.name).label(said(variable.label, language)).datasource(source())
    made.query(statement).refresh(model.VariableRefresh.ON_DASHBOARD_LOAD)
    made.sort(model.VariableSort.DISABLED).multi(variable.is_multiple).include_all(variable.is_multiple)
    if variable.is_multiple:
        made.current(ALL)
    if variable.is_hidden:
        made.hide(model.VariableHide.HIDE_VARIABLE)
    return made.build()


def _placed(board: Board, language: Language) -> list[model.Panel | model.RowPanel]:
    """Panels from left to right, a new line where one does not fit; ids in that order, so that links to them hold."""
    made: list[model.Panel | model.RowPanel] = []
    top = 0
    for section in board.sections:
        number = len(made) + 1
        place = model.GridPos(h=1, w=WIDTH, x=0, y=top)
        made.append(dashboard.Row(said(section.question, language)).id(number).grid_pos(place).collapsed(False).build())
        top += 1
        for line in _lines(section):
            left, height = 0, max(panel.rows for panel in line)
            for panel in line:
                place = model.GridPos(h=height, w=panel.width, x=left, y=top)
                made.append(built(panel, len(made) + 1, place, language))
                left += panel.width
            top += height
    return made


def _lines(section: Section) -> list[list[Panel]]:
    lines: list[list[Panel]] = []
    left = WIDTH
    for panel in section.panels:
        if not 0 < panel.width <= WIDTH:
            raise BuildError(f"panel {panel.title.en!r}: expected a width of 1 to {WIDTH}; found {panel.width}")
        if left + panel.width > WIDTH:
            lines.append([])
            left = 0
        lines[-1].append(panel)
        left += panel.width
    return lines
