"""Rules over what a site has archived: what they would have told, had they been there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from streams.catalog.reference import load_reference
from streams.domain.alerts import Episode, Rule
from streams.domain.quality import FactQuality
from streams.domain.quantities import UNITS
from streams.domain.site import PointKind, Site
from streams.operators import watch
from streams.operators.aligning import INTERVALS
from streams.operators.clean import event_time
from streams.operators.heard import in_units
from streams.operators.points import PointTable
from streams.operators.readings import NEVER
from streams.operators.rulebook import Watch
from streams.runners.audit import Step, recomputed
from streams.stores.duckdb import DuckDBStore
from streams.stores.site import SiteStore
from streams.stores.store import Store

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Trial:
    """What rules would have told: their episodes by time of opening, and how many readings and ticks they had.

    `until_ms` is the latest time heard, up to which an open episode has lasted.
    """

    episodes: tuple[Episode, ...]
    readings: int
    ticks: int
    until_ms: int


class Trier:
    """Gives the rules what each step of a replay knows, and keeps their episodes by id."""

    def __init__(self, table: PointTable) -> None:
        """Begin with nothing seen."""
        self.table = table
        self.watch = Watch.of(table, load_reference().tariffs)
        self.state = self.watch.empty()
        self.highest_ms = np.full(len(table.every), NEVER)
        self.episodes: dict[str, Episode] = {}
        self.readings = self.ticks = 0

    def take(self, step: Step) -> None:
        """Look at its readings, then at the intervals that it closes, then at its tick."""
        if len(step.rows):
            raw = step.outputs.raw
            place, ticks = raw["place"].to_numpy(), raw["ticks"].to_numpy()
            time_ms = event_time(self.table, place, raw["time_ms"].to_numpy())
            np.maximum.at(self.highest_ms, place, time_ms)
            self._keep(watch.readings(self.watch, self.state, place, time_ms, in_units(self.table, place, ticks)))
            self.readings += len(step.rows)
        self._keep(watch.intervals(self.watch, self.state, closed_rows(self.table, step.outputs.facts)))
        if step.control is not None and step.control[0] == "tick":
            now_ms = int(step.control[1].timestamp() * 1000)
            self._keep(watch.tick(self.watch, self.state, now_ms, self.highest_ms))
            self.ticks += 1

    def _keep(self, told: watch.Told) -> None:
        self.state, _, changed = told
        self.episodes |= {each.episode_id: each for each in changed}


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
    trier, again = Trier(table), DuckDBStore(scratch)
    try:
        for step in recomputed(SiteStore(stored, table), again, window[0], archive):
            trier.take(step)
            progress(len(step.rows))
    finally:
        again.close()
    begin_ms, end_ms = (int(each.timestamp() * 1000) for each in window)
    kept = [each for each in trier.episodes.values() if begin_ms <= each.opened_ms < end_ms]
    in_order = sorted(kept, key=lambda each: (each.opened_ms, each.rule, each.subject))
    return Trial(tuple(in_order), trier.readings, trier.ticks, int(trier.highest_ms.max(initial=NEVER)))


def closed_rows(table: PointTable, facts: pl.DataFrame) -> pl.DataFrame:
    """Facts that are new as intervals for rules (INTERVALS); one of which a part is missing is unknown."""
    point = pl.DataFrame(
        {
            "place": pl.Series(range(len(table.every)), dtype=pl.Int64),
            "base": [float(UNITS[each.unit][1]) for each in table.every],
            "is_event": [each.kind is PointKind.AMOUNT for each in table.every],
        }
    )
    whole = pl.col("quality").is_in([int(FactQuality.MEASURED), int(FactQuality.ESTIMATED)])
    hours = (pl.col("ends_ms") - pl.col("starts_ms")) / HOUR_MS
    rows = (
        facts.filter(pl.col("revision") == 0)
        .join(point, on="place", maintain_order="left")
        .filter(~pl.col("is_event"))
        .with_columns(
            pl.when(whole).then(pl.col("amount") / pl.col("base")).alias("amount"),
            whole.cast(pl.Int64).alias("readings"),
            (pl.col("quality") == int(FactQuality.ESTIMATED)).alias("estimated"),
            pl.lit(None, pl.Float64).alias("score"),
        )
    )
    mean = pl.col("amount") / hours
    return rows.with_columns(mean.alias(name) for name in ("mean", "low", "high", "last")).select(
        pl.col(name).cast(kind) for name, kind in INTERVALS.items()
    )
