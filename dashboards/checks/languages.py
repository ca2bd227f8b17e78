"""Both languages are one dashboard: the same panels, places, queries and settings, and a text wherever there is one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from dashboards.checks.found import Checked
from dashboards.words import Language
from streams.domain.findings import Finding

TEXTS: Final = frozenset({"title", "description", "label", "text", "noValue", "displayName", "fields"})
"""Keys whose values are texts; `fields` is a pattern of them, in an override `value` of `displayName` is one."""
NAMES: Final = frozenset({"displayName", "custom.fillBelowTo"})
"""Properties of overrides whose values are texts."""
LANGUAGE: Final = re.compile(rf"([-_])({'|'.join(Language)})\b")


def check(every: Mapping[str, Checked]) -> Iterator[Finding]:
    """Dashboards, by uid, that one language lacks or has otherwise."""
    for uid, board in every.items():
        name, _, language = uid.rpartition("-")
        if language not in set(Language):
            yield board.wrong("language", "a uid without its language", expected=f"{uid}-zh", found=uid)
            continue
        for other in Language:
            beside = every.get(f"{name}-{other}")
            if beside is None:
                yield board.wrong("language", f"no dashboard {name}-{other}")
            elif other > language and (place := _first(_bare(board.whole), _bare(beside.whole), "$")):
                yield board.wrong("language", f"is otherwise built than {beside.uid}", found=place)


def _bare(node: Any) -> Any:  # noqa: ANN401 - JSON
    """Without its texts: whether there is one is all that counts. Columns in a language are looked at by name alone."""
    if isinstance(node, list):
        made = [_bare(each) for each in node]
        return (
            sorted(made, key=json.dumps) if any("matcher" in each for each in made if isinstance(each, dict)) else made
        )
    if not isinstance(node, dict):
        return LANGUAGE.sub(r"\1*", node) if isinstance(node, str) else node
    if node.get("id") in NAMES:
        return {"id": node["id"], "value": bool(node.get("value"))}
    matcher = node.get("matcher")
    if isinstance(matcher, dict) and str(matcher.get("options", "")).endswith(tuple(f"_{each}" for each in Language)):
        return {"matcher": {"id": matcher["id"], "options": _bare(matcher["options"])}}
    kept = {}
    for key, value in node.items():
        if key in TEXTS and isinstance(value, str):
            kept[key] = bool(value)
        else:
            kept[key] = [] if key == "tags" else _bare(value)
    return kept


def _first(one: Any, other: Any, place: str) -> str | None:  # noqa: ANN401 - JSON
    """The first place at which two differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys()):
            if (key in one) != (key in other):
                return f"{place}.{key}"
            if found := _first(one[key], other[key], f"{place}.{key}"):
                return found
        return None
    if isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            return f"{place} of {len(one)} and {len(other)}"
        pairs = (
            _first(left, right, f"{place}[{nth}]") for nth, (left, right) in enumerate(zip(one, other, strict=True))
        )
        return next((found for found in pairs if found), None)
    return None if one == other else f"{place}: {one!r} and {other!r}"
