"""Ids and places of panels: unique, within the grid, none over another, each with what a reader needs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

from dashboards.checks.found import Checked
from dashboards.parts import WIDTH
from streams.domain.findings import Finding


def check(board: Checked) -> Iterator[Finding]:
    """What is wrong with ids, places and texts."""
    every = board.whole.get("panels", [])
    ids = [panel.get("id") for panel in every]
    for panel in every:
        number = panel.get("id")
        if not isinstance(number, int) or number < 1:
            yield board.wrong("id", "no id", panel, expected="a whole number from 1", found=repr(number))
        elif ids.count(number) > 1:
            yield board.wrong("id", "an id that another panel has, too", panel, found=str(number))
        yield from _place(board, panel)
        if not panel.get("title"):
            yield board.wrong("text", "no title", panel)
        if panel.get("type") != "row" and not panel.get("description"):
            yield board.wrong("text", "no description", panel, expected="what the number means and what to do")
    for one, other in combinations(every, 2):
        if _overlap(one.get("gridPos", {}), other.get("gridPos", {})):
            yield board.wrong("grid", f"lies over panel {one.get('id')}", other)


def _place(board: Checked, panel: dict[str, Any]) -> Iterator[Finding]:
    place = panel.get("gridPos", {})
    if set(place) != {"h", "w", "x", "y"} or not all(isinstance(each, int) for each in place.values()):
        yield board.wrong("grid", "no place", panel, expected="gridPos with h, w, x, y", found=str(place))
    elif min(place["x"], place["y"]) < 0 or min(place["h"], place["w"]) < 1 or place["x"] + place["w"] > WIDTH:
        yield board.wrong("grid", "a place outside the grid", panel, expected=f"x + w up to {WIDTH}", found=str(place))


def _overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    if not set("hwxy") <= one.keys() & other.keys():
        return False
    beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
    above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
    return not (beside or above)
