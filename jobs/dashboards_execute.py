"""Every query of every dashboard on a store, for the choices that its variables offer, and what comes back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, Final

from dashboards.checks.found import Checked, targets
from jobs import dashboards_answer
from jobs.dashboards_expand import Expand, ExpandError, Span, interval_of, length_ms
from streams.domain.findings import Finding, StoreError
from streams.stores.store import Store

POINTS: Final = 1000
"""Width of a panel in points, as on a large screen."""
SINCE: Final = re.compile(r"now-(\d+(?:m|h|d))")


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
    expand: Expand
    to_ms: int
    length: str | None = None
    most: int = 50

    def check(self, boards: Sequence[Checked], ran: Ran) -> Iterator[Finding]:
        """What is wrong with the answers; each statement is run once, whatever the languages."""
        done: set[str] = set()
        for board in boards:
            span = Span(self.to_ms - length_ms(self.length or _since(board)), self.to_ms)
            for choice in self._choices(board, span):
                for panel, target in targets(board):
                    yield from self._panel(board, panel, target, choice, span, done, ran)

    def empty(self, boards: Sequence[Checked], ran: Ran) -> Iterator[Finding]:
        """Panels that had nothing to show for any choice, and do not say why that may be."""
        for board in boards:
            for panel in board.panels:
                if _key(board, panel) not in ran.shown and not panel["fieldConfig"]["defaults"].get("noValue"):
                    yield board.wrong("empty", "nothing to show, and no word why", panel, expected="rows, or noValue")

    def _panel(
        self,
        board: Checked,
        panel: dict[str, Any],
        target: dict[str, Any],
        choice: Mapping[str, Sequence[str]],
        span: Span,
        done: set[str],
        ran: Ran,
    ) -> Iterator[Finding]:
        points = round(POINTS * panel.get("gridPos", {}).get("w", 24) / 24)
        try:
            sql = self.expand(
                str(target.get("rawSql", "")), choice, span, interval_of(span, points, panel.get("interval"))
            )
            key = f"{_key(board, panel)} {sql}"
            if key in done:
                return
            done.add(key)
            begun = perf_counter()
            rows = self.store.query(sql)
        except (ExpandError, StoreError) as error:
            yield board.wrong("query", f"with {_said(choice)}: {str(error).splitlines()[0]}", panel)
            return
        ran.queries += 1
        name = f"{_key(board, panel)} {panel.get('title')}"
        ran.seconds[name] = max(ran.seconds.get(name, 0.0), perf_counter() - begun)
        if not dashboards_answer.is_empty(rows):
            ran.shown.add(_key(board, panel))
        yield from dashboards_answer.check(board, panel, rows)

    def _choices(self, board: Checked, span: Span) -> Iterator[dict[str, list[str]]]:
        """What may be chosen: each option of a variable with one choice, all of one with several."""
        yield from self._further(list(board.variables.items()), {}, span)

    def _further(
        self, variables: list[tuple[str, dict[str, Any]]], chosen: dict[str, list[str]], span: Span
    ) -> Iterator[dict[str, list[str]]]:
        if not variables:
            yield chosen
            return
        (name, variable), *rest = variables
        sql = self.expand(str(variable.get("query", "")), chosen, span, interval_of(span, POINTS, None))
        options = [str(row[0]) for row in self.store.query(sql).rows()] or [""]
        picks = [options] if variable.get("multi") else [[each] for each in options[: self.most]]
        for pick in picks:
            yield from self._further(rest, {**chosen, name: pick}, span)


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


def _said(choice: Mapping[str, Sequence[str]]) -> str:
    return ", ".join(f"{name} {' '.join(picked)[:60]}" for name, picked in choice.items()) or "no choice"
