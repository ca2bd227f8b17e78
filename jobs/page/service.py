"""What the page asks for: the list of dashboards, one of them, its variables, and the frames of a panel.

A browser names a dashboard, a panel, a range and values of variables. Values must be options of their variables, and
statements are those of the dashboards alone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Final

import polars as pl

from jobs.page.asking import Asker
from jobs.page.dashboards import EVERY, Dashboard, Dashboards, Panel, Query
from jobs.page.frames import Frame, frame_of
from jobs.page.interpolation import Values, interpolated
from jobs.page.intervals import DAY, YEAR, QueryError, interval_of
from jobs.page.macros import Macros, TimeRange
from jobs.page.variables import Chosen, Given, choose
from streams.domain.findings import KilowatchError

REMEMBERED_S: Final = 10.0
"""How long options of variables are remembered: the panels of a dashboard ask for them all at once."""
MOST_POINTS: Final = 10_000
NEWEST: Final = "select max(starts_at) from mart.energy_interval"
STALE_MS: Final = DAY
LONGEST_MS: Final = 100 * YEAR


class UnknownError(KilowatchError):
    """A dashboard or panel that is not there."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a browser asks a panel, or the variables of a dashboard, with."""

    span: TimeRange
    given: Given
    points: int = 1_000


@dataclass
class Service:
    """Dashboards on a store; `clock` gives UTC milliseconds. `is_live`: the store goes on while the page is open."""

    dashboards: Dashboards
    asker: Asker
    clock: Callable[[], int]
    is_live: bool = False

    def __post_init__(self) -> None:
        """Remember nothing yet."""
        self._options: dict[str, tuple[float, asyncio.Task[pl.DataFrame]]] = {}

    async def about(self) -> dict[str, Any]:
        """Languages and dashboards, the clock, and when the newest interval of a store at rest begins."""
        return {
            "languages": self.dashboards.languages,
            "dashboards": {
                language: [
                    {
                        "uid": each.uid,
                        "title": each.title,
                        "description": each.content.get("description") or "",
                        "tags": each.content.get("tags") or [],
                    }
                    for each in self.dashboards.of_language(language)
                ]
                for language in self.dashboards.languages or [EVERY]
            },
            "now_ms": self.clock(),
            "ends_ms": await self._ends_ms(),
        }

    async def _ends_ms(self) -> int | None:
        """Where a store at rest ends, in ms, if that is more than a day ago; None for any other."""
        if self.is_live:
            return None
        newest = (await self.asker.ask(NEWEST)).item()
        if newest is None:
            return None
        ended = round(newest.replace(tzinfo=UTC).timestamp() * 1000)
        return ended if self.clock() - ended > STALE_MS else None

    def dashboard(self, language: str, uid: str) -> Dashboard:
        """One dashboard; UnknownError where there is none."""
        found = self.dashboards.find(language, uid)
        if found is None:
            raise UnknownError(f"expected the uid of a dashboard; found {uid!r}")
        return found

    async def variables(self, dashboard: Dashboard, asked: Asked) -> list[dict[str, Any]]:
        """Options and choice of every variable."""
        chosen = await self._chosen(dashboard, asked)
        return [
            {
                "name": each.variable.name,
                "options": [{"text": text, "value": value} for text, value in each.options],
                "values": list(each.values),
                "text": each.value().text,
                "replaced": each.replaced,
            }
            for each in chosen.values()
        ]

    async def panel(self, dashboard: Dashboard, panel_id: int, asked: Asked) -> dict[str, Any]:
        """The frames of a panel, by the ref id of each query; the first query that fails speaks for the panel."""
        panel = dashboard.panels.get(panel_id)
        if panel is None:
            raise UnknownError(f"dashboard {dashboard.uid}: expected the id of a panel; found {panel_id}")
        if panel.refusal:
            raise QueryError(panel.refusal)
        chosen = await self._chosen(dashboard, asked)
        if any(each.replaced for each in chosen.values()):  # an option may have come since they were asked for
            self._options.clear()
            chosen = await self._chosen(dashboard, asked)
        if wrong := [each.variable.name for each in chosen.values() if each.replaced]:
            raise QueryError(f"variable {wrong[0]}: expected one of its options; found another value")
        values = {name: each.value() for name, each in chosen.items()}
        frames = await asyncio.gather(*(self.frame(panel, each, values, asked) for each in panel.queries))
        return {
            "frames": [frame.as_json(query.ref_id) for query, frame in zip(panel.queries, frames, strict=True)],
        }

    async def frame(self, panel: Panel, query: Query, values: Values, asked: Asked) -> Frame:
        """The frame of one query."""
        points = min(panel.most_points or asked.points, MOST_POINTS)
        interval_ms = interval_of(asked.span.to_ms - asked.span.from_ms, points, panel.least_interval)
        macros = Macros(asked.span, interval_ms, self.clock())
        expanded = macros.expand(interpolated(query.sql, values, asked.span, interval_ms))
        rows = await self.asker.ask(expanded.sql)
        return await asyncio.to_thread(frame_of, rows, query.form, asked.span, expanded.fill)

    async def _chosen(self, dashboard: Dashboard, asked: Asked) -> Mapping[str, Chosen]:
        def ask(statement: str) -> Any:  # noqa: ANN401 - an awaitable
            return self._remembered(Macros(asked.span, interval_of(0, 1), self.clock()).expand(statement).sql)

        return await choose(dashboard.variables, asked.given, asked.span, ask)

    async def _remembered(self, statement: str) -> pl.DataFrame:
        """Answer a statement about options, or take part in the answer to the same one some moments ago."""
        now = time.monotonic()
        self._options = {each: kept for each, kept in self._options.items() if now - kept[0] < REMEMBERED_S}
        if statement not in self._options:
            self._options[statement] = now, asyncio.create_task(self.asker.ask(statement))
        task = self._options[statement][1]
        try:
            return await asyncio.shield(task)
        except KilowatchError:
            self._options.pop(statement, None)
            raise


def asked_of(content: Any) -> Asked:  # noqa: ANN401 - JSON
    """What a browser sent; QueryError where it is not of its form."""
    try:
        span = TimeRange(_whole(content["from"]), _whole(content["to"]))
        given = {str(name): _texts(values) for name, values in content.get("values", {}).items()}
        points = _whole(content.get("points", 1_000))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise QueryError("expected from, to (UTC milliseconds), points and values by variable; found others") from error
    if not (-LONGEST_MS < span.from_ms <= span.to_ms < 2 * LONGEST_MS) or points < 1:
        raise QueryError(
            "expected a range that begins before it ends, from 1870 to 2170 (UTC milliseconds); "
            f"found {span.from_ms} to {span.to_ms}"
        )
    return Asked(span, given, points)


def _whole(number: object) -> int:
    if not isinstance(number, int) or isinstance(number, bool):
        raise TypeError(number)
    return number


def _texts(values: object) -> Sequence[str]:
    if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
        raise TypeError(values)
    return values
