"""The shape of a dashboard: what the SDK reads of it again, and the JSON Schema made from @grafana/schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft7Validator

from dashboards.checks.found import Checked, properties
from dashboards.query import register
from dashboards.render import plain
from dashboards.sdk import JSONEncoder, model, plugins
from streams.domain.findings import Finding

SCHEMA: Final = Path(__file__).parents[1] / "grafana" / "schema.json"
DEFINED: Final = {
    "timeseries": "TimeSeriesPanel",
    "stat": "StatPanel",
    "gauge": "GaugePanel",
    "bargauge": "BarGaugePanel",
    "table": "TablePanel",
    "state-timeline": "StateTimelinePanel",
    "row": "Row",
}
"""The kinds of panels that are allowed, by the definition of each in the schema."""


@cache
def schema() -> dict[str, Any]:
    """The schema that dashboards/grafana/generate.mjs made."""
    return dict(json.loads(SCHEMA.read_text(encoding="utf-8")))


@cache
def _validator(definition: str) -> Draft7Validator:
    return Draft7Validator({**schema(), "$ref": f"#/definitions/{definition}"})


def check(board: Checked) -> Iterator[Finding]:
    """What a round trip through the SDK loses, and what the schema refuses."""
    yield from _lost(board)
    for error in _validator("Dashboard").iter_errors({**board.whole, "panels": []}):
        yield board.wrong("schema", f"{error.json_path}: {error.message}")
    for panel in board.whole.get("panels", []):
        kind = str(panel.get("type"))
        if kind not in DEFINED:
            yield board.wrong("kind", "unknown kind", panel, expected=", ".join(DEFINED), found=repr(kind))
            continue
        for error in _validator(DEFINED[kind]).iter_errors(panel):
            yield board.wrong("schema", f"{error.json_path}: {error.message}", panel)
        yield from _overrides(board, panel, DEFINED[kind])


def _overrides(board: Checked, panel: dict[str, Any], definition: str) -> Iterator[Finding]:
    """Properties that overrides set are those of a field, or of this kind of panel."""
    whole = schema()["definitions"]
    standard = whole["Properties"]["properties"]
    config = whole[definition]["properties"].get("fieldConfig", {})
    own = config.get("properties", {}).get("defaults", {}).get("properties", {}).get("custom", {}).get("properties", {})
    shown = {value for _, name, value in properties(panel) if name == "displayName"}
    wanted = panel.get("options", {}).get("reduceOptions", {}).get("fields", "").strip("/")
    if wanted and sum(bool(re.search(wanted, each)) for each in shown) != len(wanted.split("|")):
        yield board.wrong("fields", "shows values that are not there", panel, found=repr(wanted))
    for _, name, value in properties(panel):
        if name == "custom.fillBelowTo" and value not in shown:
            yield board.wrong("override", "fills down to a series that is not there", panel, found=repr(value))
        known = own.get(name.removeprefix("custom.")) if name.startswith("custom.") else standard.get(name)
        if known is None:
            yield board.wrong("override", "unknown property of an override", panel, found=repr(name))
            continue
        for error in Draft7Validator({"definitions": whole, **known}).iter_errors(value):
            yield board.wrong("override", f"{name}: {error.message}", panel)


def _lost(board: Checked) -> Iterator[Finding]:
    register()
    plugins.register_default_plugins()
    try:
        decoded = model.Dashboard.from_json(json.loads(json.dumps(board.whole)))
        again = plain(json.loads(json.dumps(decoded, cls=JSONEncoder)))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        yield board.wrong("round_trip", "the SDK cannot read it", found=f"{type(error).__name__}: {error}")
        return
    for place, expected, found in _differences(plain(json.loads(json.dumps(board.whole))), again, "$"):
        yield board.wrong("round_trip", f"{place} does not survive the SDK", expected=expected, found=found)


def _differences(one: Any, other: Any, place: str) -> Iterator[tuple[str, str, str]]:  # noqa: ANN401 - JSON
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one.keys() | other.keys():
            if key not in other:
                yield f"{place}.{key}", "", "nothing"
            elif key not in one:
                yield f"{place}.{key}", "nothing", json.dumps(other[key])[:60]
            else:
                yield from _differences(one[key], other[key], f"{place}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for nth, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _differences(left, right, f"{place}[{nth}]")
    elif one != other:
        yield place, json.dumps(one)[:60], json.dumps(other)[:60]
