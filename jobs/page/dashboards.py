"""Dashboards as Grafana's JSON (classic schema): a folder of them, their panels, queries and variables.

`FOLDER/LANGUAGE/*.json`; files in the folder itself belong to every language. What stands in them is all that can be
asked of a store: a browser names a panel, never a statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import orjson

from jobs.page.frames import Format
from jobs.page.intervals import QueryError
from jobs.page.variables import Variable, variables_of
from streams.domain.findings import KilowatchError

GENERATED: Final = Path(__file__).parents[2] / "dashboards" / "generated"
SOURCE_TYPES: Final = ("grafana-postgresql-datasource", "postgres")
SOURCE_UID: Final = "kilowatch"
EVERY: Final = "any"
"""The language of what belongs to all of them."""


class DashboardError(KilowatchError):
    """A dashboard's file cannot be used."""


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a panel."""

    ref_id: str
    sql: str
    form: Format


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel: its queries, those that are hidden left out, and why it cannot be asked, if so."""

    panel_id: int
    title: str
    queries: tuple[Query, ...]
    least_interval: str | None
    most_points: int | None
    refusal: str | None


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One dashboard: its JSON without statements, its panels by id, its variables in order."""

    uid: str
    title: str
    language: str
    content: dict[str, Any]
    panels: Mapping[int, Panel]
    variables: tuple[Variable, ...]


class Dashboards:
    """Those of a folder, by language and uid."""

    def __init__(self, folder: Path = GENERATED) -> None:
        """Read them all; DashboardError for the first file that cannot be used, or where there is none."""
        self.folder = folder
        self._found: dict[tuple[str, str], Dashboard] = {}
        for language, path in _files(folder):
            made = dashboard_of(path, language)
            if (language, made.uid) in self._found:
                raise DashboardError(f"{path}: expected a uid of its own; found that of another file: {made.uid}")
            self._found[language, made.uid] = made
        if not self._found:
            raise DashboardError(
                f"{folder}: expected dashboards as LANGUAGE/UID.json; found none; mend --dashboards, or run "
                "`kilowatch dashboards build`"
            )

    @property
    def languages(self) -> list[str]:
        """Languages in which there are dashboards."""
        return sorted({language for language, _ in self._found} - {EVERY})

    def of_language(self, language: str) -> list[Dashboard]:
        """Dashboards of a language and those of every language, in the order of their files."""
        return [each for (spoken, _), each in self._found.items() if spoken in (language, EVERY)]

    def find(self, language: str, uid: str) -> Dashboard | None:
        """A dashboard by its uid: of the language, else of any."""
        found = self._found.get((language, uid)) or self._found.get((EVERY, uid))
        return found or next((each for (_, other), each in self._found.items() if other == uid), None)


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.glob("*.json")):
        yield EVERY, path
    for path in sorted(folder.glob("*/*.json")):
        yield path.parent.name, path


def dashboard_of(path: Path, language: str) -> Dashboard:
    """The dashboard in a file; DashboardError with the file where it is none, or a panel has no id of its own."""
    try:
        content = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise DashboardError(f"{path}: expected a dashboard as JSON; found: {error}") from error
    if not isinstance(content, dict) or not isinstance(content.get("panels"), list):
        raise DashboardError(f"{path}: expected a dashboard in Grafana's classic schema, with panels; found none")
    uid = content.get("uid")
    if not isinstance(uid, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", uid):
        raise DashboardError(f"{path}: expected a uid of up to 40 letters, digits, - and _; found {uid!r}")
    panels: dict[int, Panel] = {}
    try:
        for each in _panels(content):
            made = _panel(each)
            if made.panel_id in panels:
                raise QueryError(f"panel {made.title!r}: expected an id of its own; found {made.panel_id} twice")
            panels[made.panel_id] = made
        variables = variables_of(content)
    except (AttributeError, TypeError) as error:
        raise DashboardError(f"{path}: expected a dashboard as Grafana writes it; found {error}") from error
    except QueryError as error:
        raise DashboardError(f"{path}: {error}") from error
    return Dashboard(uid, str(content.get("title") or uid), language, _told(content), panels, variables)


def _panels(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Panels that show something, those within rows too."""
    for each in content["panels"]:
        if each.get("type") == "row":
            yield from each.get("panels") or []
        else:
            yield each


def _panel(content: dict[str, Any]) -> Panel:
    title, panel_id = str(content.get("title") or ""), content.get("id")
    if not isinstance(panel_id, int) or isinstance(panel_id, bool):
        raise QueryError(f"panel {title!r}: expected an id that is a whole number; found {panel_id!r}")
    targets = [each for each in content.get("targets") or [] if not each.get("hide")]
    refusal = next((text for each in targets if (text := _refusal(each, content))), None)
    queries = [
        Query(str(each.get("refId") or "A"), str(each.get("rawSql") or ""), _format(each))
        for each in targets
        if each.get("rawSql") and refusal is None
    ]
    least, most = content.get("interval"), content.get("maxDataPoints")
    return Panel(
        panel_id,
        title,
        tuple(queries),
        least if isinstance(least, str) and least else None,
        most if isinstance(most, int) else None,
        refusal,
    )


def _format(target: dict[str, Any]) -> Format:
    return "table" if target.get("format") == "table" else "time_series"


def _refusal(target: dict[str, Any], panel: dict[str, Any]) -> str | None:
    """Why a query is not one for the store; None where it is."""
    source = target.get("datasource") or panel.get("datasource")
    kind = source.get("type") if isinstance(source, dict) else None
    if kind is not None and kind not in SOURCE_TYPES:
        return f"expected the data source {SOURCE_TYPES[0]}; found {kind!r}"
    if not target.get("rawSql"):
        return f"query {target.get('refId')}: expected rawSql; found none"
    return None


def _told(content: dict[str, Any]) -> dict[str, Any]:
    """A dashboard as a browser is told it: without its statements."""
    copy = cast("dict[str, Any]", orjson.loads(orjson.dumps(content)))
    for panel in [*copy["panels"], *_panels(copy)]:
        panel["targets"] = [
            {"refId": each.get("refId"), "hide": bool(each.get("hide"))} for each in panel.get("targets") or []
        ]
    for variable in (copy.get("templating") or {}).get("list") or []:
        for key in ("query", "definition"):
            variable.pop(key, None)
    return copy
