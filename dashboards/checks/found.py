"""A dashboard that is checked, and what is found wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streams.domain.findings import Finding, KilowatchError


class CheckError(KilowatchError):
    """There is nothing that could be checked."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A dashboard as its file has it."""

    path: Path
    whole: dict[str, Any]

    @property
    def uid(self) -> str:
        """Its uid, empty where it has none."""
        return str(self.whole.get("uid", ""))

    @property
    def variables(self) -> dict[str, dict[str, Any]]:
        """Its variables by name, in their order."""
        return {str(each.get("name")): each for each in self.whole.get("templating", {}).get("list", [])}

    @property
    def panels(self) -> list[dict[str, Any]]:
        """Its panels without the rows that head a section."""
        return [panel for panel in self.whole.get("panels", []) if panel.get("type") != "row"]

    def wrong(
        self, code: str, sentence: str, panel: dict[str, Any] | None = None, *, expected: str = "", found: str = ""
    ) -> Finding:
        """A finding about the dashboard, or one of its panels."""
        where = f"panel {panel.get('id')} {str(panel.get('title', ''))!r}: " if panel is not None else ""
        return Finding(code, f"{where}{sentence}", file=self.path, expected=expected or None, found=found or None)


def read(folder: Path) -> list[Checked]:
    """Every dashboard of a folder and the folders in it; CheckError where there is none, or one is no JSON."""
    every = []
    for path in sorted(folder.rglob("*.json")):
        try:
            whole = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise CheckError(f"{path}: expected the JSON of a dashboard; found {error}; build it again") from error
        if not isinstance(whole, dict):
            raise CheckError(f"{path}: expected the JSON of a dashboard; found {type(whole).__name__}")
        every.append(Checked(path, whole))
    if not every:
        raise CheckError(f"{folder}: expected dashboards; found none; run kilowatch dashboards build")
    return every


def targets(board: Checked) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each panel with each of its queries."""
    for panel in board.panels:
        for target in panel.get("targets", []):
            yield panel, target


def properties(panel: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str, Any]]:
    """Each property that an override sets: its matcher, id and value."""
    for override in panel.get("fieldConfig", {}).get("overrides", []):
        for each in override.get("properties", []):
            yield override.get("matcher", {}), str(each.get("id", "")), each.get("value")


def named_columns(panel: dict[str, Any]) -> list[str]:
    """Columns that overrides name one by one."""
    overrides = panel.get("fieldConfig", {}).get("overrides", [])
    return [str(each["matcher"].get("options")) for each in overrides if each.get("matcher", {}).get("id") == "byName"]
