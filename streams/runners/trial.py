"""Rules over what a site has archived: what they would have told, had they been there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from streams.domain.alerts import Episode, Rule
from streams.domain.site import Site
from streams.operators.points import PointTable
from streams.operators.readings import NEVER
from streams.runners.audit import recomputed
from streams.stores.duckdb import DuckDBStore
from streams.stores.site import SiteStore
from streams.stores.store import Store


@dataclass(frozen=True, slots=True)
class Trial:
    """What rules would have told: their episodes by time of opening, and how many readings and ticks they had.

    `until_ms` is the latest time heard, up to which an open episode has lasted.
    """

    episodes: tuple[Episode, ...]
    readings: int
    ticks: int
    until_ms: int


def try_rules(
    site: Site,
    rules: tuple[Rule, ...],
    stored: Store,
    scratch: Path,
    window: tuple[datetime, datetime],
    progress: Callable[[int], None],
    archive: Path | None = None,
) -> Trial:
    """Run rules over the whole archive and keep the episodes that open within the window (from, to).

    The whole archive goes through, since rules learn from what came before.
    """
    table = PointTable.of(replace(site, rules=rules))
    again = DuckDBStore(scratch)
    episodes: dict[str, Episode] = {}
    readings, ticks, until_ms = 0, 0, NEVER
    try:
        for step in recomputed(SiteStore(stored, table), again, window[0], archive):
            episodes |= {each.episode_id: each for each in step.outputs.told.episodes}
            readings += len(step.rows)
            if len(step.rows):
                until_ms = max(until_ms, int(step.rows["time_ms"].max()))  # type: ignore[arg-type]  # not empty
            ticks += step.control is not None and step.control[0] in ("tick", "look")
            progress(len(step.rows))
    finally:
        again.close()
    begin_ms, end_ms = (int(each.timestamp() * 1000) for each in window)
    kept = [each for each in episodes.values() if begin_ms <= each.opened_ms < end_ms]
    in_order = sorted(kept, key=lambda each: (each.opened_ms, each.rule, each.subject))
    return Trial(tuple(in_order), readings, ticks, until_ms)
