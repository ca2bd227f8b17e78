"""Every query of every dashboard on a store, for the choices that its variables offer, and what comes back."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, Final

import polars as pl

from dashboards.checks.found import Checked, targets
from jobs import dashboards_answer
from jobs.page.frames import Format, frame_of
from jobs.page.interpolation import Values, interpolated
from jobs.page.intervals import QueryError, interval_of, seconds_of
from jobs.page.macros import Expanded, Macros, TimeRange
from jobs.page.variables import Chosen, Variable, choose, variables_of
from streams.domain.findings import Finding, StoreError
from streams.stores.store import Store

POINTS: Final = 1000
"""Width of a panel in points, as on a large screen."""
SINCE: Final = re.compile(r"now-(\d+[mhd])")


@dataclass
class Ran:
    """What running the queries of dashboards showed: seconds by panel, and which panels had something to show."""

    seconds: dict[str, float] = field(default_factory=dict)
    shown: set[str] = field(default_factory=set)
    queries: int = 0

    def slowest(self, count: int) -> list[tuple[str, float]]:
        """The panels that took longest."""
        return sorted(self.seconds.items(), key=lambda each: -each[1])[:count]


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs dashboards on a store; of each variable with one choice at most `most` options are tried."""

    store: Store
    to_ms: int
    timescale: bool = False
    length: str | None = None
    most: int = 50

    def check(self, boards: Sequence[Checked], ran: Ran) -> Iterator[Finding]:
        """What is wrong with the answers; each statement is run once, whatever the languages."""
        done: set[str] = set()
        for board in boards:
            length_s = seconds_of(self.length or _since(board), self.to_ms)
            span = TimeRange(self.to_ms - round(length_s * 1000), self.to_ms)
            for choice in self._choices(board, span):
                for panel, target in targets(board):
                    yield from self._panel(board, panel, target, choice, span, done, ran)

    def empty(self, boards: Sequence[Checked], ran: Ran) -> Iterator[Finding]:
        """Panels that had nothing to show for any choice, and do not say why that may be."""
        for board in boards:
            for panel in board.panels:
                if _key(board, panel) not in ran.shown and not panel["fieldConfig"]["defaults"].get("noValue"):
                    yield board.wrong("empty", "nothing to show, and no word why", panel, expected="rows, or noValue")

    def expanded(self, sql: str, values: Values, span: TimeRange, interval_ms: int) -> Expanded:
        """A statement as the store takes it; QueryError where Grafana would refuse it."""
        macros = Macros(span, interval_ms, self.to_ms, self.timescale)
        return macros.expand(interpolated(sql, values, span, interval_ms))

    def _panel(
        self,
        board: Checked,
        panel: dict[str, Any],
        target: dict[str, Any],
        choice: Mapping[str, Chosen],
        span: TimeRange,
        done: set[str],
        ran: Ran,
    ) -> Iterator[Finding]:
        points = round(POINTS * panel.get("gridPos", {}).get("w", 24) / 24)
        interval_ms = interval_of(span.to_ms - span.from_ms, points, panel.get("interval"))
        values = {name: each.value() for name, each in choice.items()}
        form: Format = "table" if target.get("format") == "table" else "time_series"
        try:
            expanded = self.expanded(str(target.get("rawSql", "")), values, span, interval_ms)
            key = f"{_key(board, panel)} {expanded.sql}"
            if key in done:
                return
            done.add(key)
            begun = perf_counter()
            rows = self.store.query(expanded.sql)
            took = perf_counter() - begun
            yield from dashboards_answer.check(board, panel, rows)
            frame_of(rows, form, span, expanded.fill)
        except (QueryError, StoreError) as error:
            yield board.wrong("query", f"with {_said(choice)}: {str(error).splitlines()[0]}", panel)
            return
        ran.queries += 1
        name = f"{_key(board, panel)} {panel.get('title')}"
        ran.seconds[name] = max(ran.seconds.get(name, 0.0), took)
        if not dashboards_answer.is_empty(rows):
            ran.shown.add(_key(board, panel))

    def _choices(self, board: Checked, span: TimeRange) -> Iterator[Mapping[str, Chosen]]:
        """What may be chosen: each option of a variable with one choice, all of one with several."""
        yield from self._further(list(variables_of(board.whole)), (), {}, span)

    def _further(
        self, variables: list[Variable], before: tuple[Variable, ...], given: dict[str, list[str]], span: TimeRange
    ) -> Iterator[Mapping[str, Chosen]]:
        chosen = asyncio.run(choose(before, given, span, self._ask_of(span)))
        if not variables:
            yield chosen
            return
        variable, *rest = variables
        known = (*before, variable)
        options = [
            value for _, value in asyncio.run(choose(known, given, span, self._ask_of(span)))[variable.name].options
        ]
        picks = [options] if variable.multi or not options else [[each] for each in options[: self.most]]
        for pick in picks:
            yield from self._further(rest, known, {**given, variable.name: pick}, span)

    def _ask_of(self, span: TimeRange) -> Any:  # noqa: ANN401 - an Ask
        async def ask(statement: str) -> pl.DataFrame:
            return self.store.query(self.expanded(statement, {}, span, interval_of(0, 1)).sql)

        return ask


def newest_ms(store: Store) -> int:
    """How far the time of a store has come, now where it holds nothing (UTC milliseconds)."""
    newest = store.query(
        "select greatest(max(p.ends_at), max(s.ticked_at)) as newest_at "
        "from mart.point_state as p left join mart.site_position as s on p.site = s.site"
    ).item()
    moment = newest.replace(tzinfo=UTC) if isinstance(newest, datetime) else datetime.now(UTC)
    return round(moment.timestamp() * 1000)


def _since(board: Checked) -> str:
    found = SINCE.fullmatch(str(board.whole.get("time", {}).get("from", "")))
    return found[1] if found else "7d"


def _key(board: Checked, panel: dict[str, Any]) -> str:
    """A panel in any language."""
    return f"{board.uid.rpartition('-')[0]} {panel.get('id')}"


def _said(choice: Mapping[str, Chosen]) -> str:
    return ", ".join(f"{name} {' '.join(each.values)[:60]}" for name, each in choice.items()) or "no choice"
