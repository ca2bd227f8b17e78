"""What Grafana keeps by id: units, reducers, matchers, transformations, colours (lists made from @grafana/data)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Final

from dashboards.checks.found import Checked, properties
from streams.domain.findings import Finding

REGISTRIES: Final = Path(__file__).parents[1] / "grafana" / "registries.json"
OWN_UNIT: Final = re.compile(r"(prefix|suffix|currency|count|si|time|bool):.+")
"""Units of one's own, by their prefixes in Grafana."""
OWN_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}|rgba?\([\d., ]+\)|transparent|text")


@cache
def registries() -> dict[str, frozenset[str]]:
    """Ids by registry."""
    found = json.loads(REGISTRIES.read_text(encoding="utf-8"))
    return {name: frozenset(ids) for name, ids in found.items() if isinstance(ids, list)}


def check(board: Checked) -> Iterator[Finding]:
    """Ids that no registry of Grafana has."""
    for panel in board.panels:
        defaults = panel.get("fieldConfig", {}).get("defaults", {})
        settings = [("default", name, value) for name, value in defaults.items()]
        settings += [(str(matcher.get("options")), name, value) for matcher, name, value in properties(panel)]
        for where, name, value in settings:
            yield from _setting(board, panel, where, name, value)
        for override in panel.get("fieldConfig", {}).get("overrides", []):
            yield from _known(board, panel, "field_matchers", override.get("matcher", {}).get("id"))
        options = panel.get("options", {})
        for reducer in [
            *options.get("reduceOptions", {}).get("calcs", []),
            *options.get("legend", {}).get("calcs", []),
        ]:
            yield from _known(board, panel, "reducers", reducer)
        for each in panel.get("transformations", []):
            yield from _known(board, panel, "transformations", each.get("id"))


def _setting(board: Checked, panel: dict[str, Any], where: str, name: str, value: Any) -> Iterator[Finding]:  # noqa: ANN401 - JSON
    if name == "unit" and not OWN_UNIT.fullmatch(str(value)):
        yield from _known(board, panel, "units", value, where)
    elif name == "color":
        yield from _known(board, panel, "colour_modes", value.get("mode"), where)
        if "fixedColor" in value:
            yield from _colour(board, panel, value["fixedColor"])
    elif name == "thresholds":
        yield from _thresholds(board, panel, value.get("steps", []))
    elif name == "mappings":
        for mapping in value:
            for result in mapping.get("options", {}).values():
                if isinstance(result, dict) and result.get("color"):
                    yield from _colour(board, panel, result["color"])


def _thresholds(board: Checked, panel: dict[str, Any], steps: list[dict[str, Any]]) -> Iterator[Finding]:
    for step in steps:
        yield from _colour(board, panel, step.get("color"))
    limits = [step.get("value") for step in steps]
    above = [limit for limit in limits if limit is not None]
    if limits[:1] != [None] or len(above) != len(limits) - 1 or above != sorted(above):
        yield board.wrong(
            "thresholds", "thresholds out of order", panel, expected="null, then rising", found=str(limits)
        )


def _colour(board: Checked, panel: dict[str, Any], colour: Any) -> Iterator[Finding]:  # noqa: ANN401 - JSON
    if not OWN_COLOUR.fullmatch(str(colour)):
        yield from _known(board, panel, "colours", colour)


def _known(board: Checked, panel: dict[str, Any], registry: str, name: Any, where: str = "") -> Iterator[Finding]:  # noqa: ANN401 - JSON
    known = registries()[registry]
    if name not in known:
        near = get_close_matches(str(name), known, 1)
        what = f"unknown {registry.removesuffix('s').replace('_', ' ')}{f' of {where}' if where else ''}"
        hint = f"{near[0]!r}?" if near else "an id of dashboards/grafana/registries.json"
        yield board.wrong(registry, what, panel, expected=hint, found=repr(name))
