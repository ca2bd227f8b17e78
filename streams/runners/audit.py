"""The audit runner: the raw archive through the same pipeline again, compared with what the store holds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path

import numpy as np
import polars as pl

from streams.domain.findings import StoreError
from streams.domain.site import Site
from streams.operators.clean import DECODED
from streams.operators.points import PointTable
from streams.pipeline import Outputs, Pipeline
from streams.runners.embedded import archive_of
from streams.stores import models
from streams.stores.archive import Archive
from streams.stores.duckdb import DuckDBStore
from streams.stores.site import Control, SiteStore
from streams.stores.store import Store, naive

COMPARED = {
    "energy_interval": (
        "interval",
        "p.point, f.starts_at",
        "f.ends_at, f.amount, f.estimated, f.estimated_ms, f.missing_ms, f.quality, f.revision",
    ),
    "register_event": (
        "register_event",
        "p.point, f.happened_at",
        "f.decided_at, f.kind, f.before_value, f.after_value, f.counted_value",
    ),
    "register_day": (
        "register_day",
        "p.point, f.begins_at",
        "f.ends_at, f.register, f.wrapped, f.reset, f.exchanged, f.quarantined",
    ),
    "rolling": (
        "rolling",
        "p.point, f.ends_at",
        "f.amount_15min, f.amount_1h, f.amount_24h, f.missing_15min_ms, f.missing_1h_ms, f.missing_24h_ms",
    ),
    "demand": (
        "demand",
        "f.site, f.starts_at",
        "f.amount, f.estimated, f.missing_ms, f.demand_mw, f.contract_mw, f.quality, f.revision",
    ),
    "cost": (
        "cost",
        "f.site, f.starts_at",
        "f.band, f.amount, f.cost_e8, f.tariff_id, f.missing_ms, f.revision",
    ),
    "anomaly": (
        "anomaly",
        "p.point, f.starts_at",
        "f.ends_at, f.value, f.score, f.expected, f.lower, f.upper, f.cause, f.is_warming",
    ),
    "model_score": (
        "model_score",
        "p.point, f.starts_at",
        "f.ends_at, f.version, f.value, f.score, f.expected, f.lower, f.upper, f.cause",
    ),
    "alert_episode": (
        "alert_episode",
        "f.rule, f.subject, f.opened_at",
        "f.episode_id, f.severity, f.closed_at, f.value, f.worst, f.limit_value, f.unit, f.flaps, f.said_en",
    ),
    "emission": (
        "emission",
        "p.point, f.source, f.starts_at",
        "f.ends_at, f.scope, f.iso_category, f.location_e10, f.market_e10, f.factor_id, f.quality, f.revision",
    ),
}
"""Result name to its table, its key (of which the last is the time) and what else is compared and hashed.

Points go by their names and not by the numbers of a store's own.
"""


def compared(name: str) -> str:
    """The statement for the rows of a result; `$site`, `$begins` and `$ends` are its values."""
    table, key, values = COMPARED[name]
    time = key.split(", ")[-1]
    joined = "inner join op.point as p on f.point_id = p.point_id " if "p.point" in key else ""
    site = "p.site" if joined else "f.site"
    after, before = (">", "<=") if time == "f.ends_at" else (">=", "<")
    return (
        f"select {key}, {values} from fact.{table} as f {joined}"  # noqa: S608 - names of this module's own
        f"where {site} = $site and {time} {after} $begins and {time} {before} $ends order by {key}, {values}"
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a replay found: hashes of readings and results, and the rows that differ (`side` stored or recomputed)."""

    readings: int
    readings_sha256: str
    results_sha256: dict[str, str]
    differing: dict[str, pl.DataFrame]

    @property
    def identical(self) -> bool:
        """Whether every compared row is the same."""
        return all(len(rows) == 0 for rows in self.differing.values())


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a replay: what it left, the archived rows that it took, or the recorded tick or end."""

    outputs: Outputs
    rows: pl.DataFrame
    control: tuple[str, datetime] | None


def recomputed(origin: SiteStore, again: DuckDBStore, begins: datetime, archive: Path | None) -> Iterator[Step]:
    """Take everything that a site has archived through its pipeline into another store, step by step.

    StoreError where nothing is archived, or where the catalog refuses what was accepted.
    """
    stored, table = origin.store, origin.table
    listed, beyond = origin.listed(), origin.unarchived()
    if not listed and not len(beyond):
        raise StoreError(f"store {stored.where}: expected archived readings of site {origin.site!r}; found none")
    fresh = SiteStore(again, table)
    pipeline = fresh.pipeline()
    number, done, _, _ = fresh.source("archive", "archive", begins)
    controls = origin.controls()

    def until(seq: int | None) -> Iterator[Step]:
        while controls and (seq is None or controls[0].seq <= seq):
            each = controls.pop(0)
            if each.kind == models.CONTROL:
                outputs = _activated(origin, fresh, pipeline, each)
            else:
                outputs = _control(pipeline, each.kind, int(each.happened_at.timestamp() * 1000))
                fresh.commit(outputs, each.happened_at, control=(each.kind, each.happened_at))
            yield Step(outputs, pl.DataFrame(), (each.kind, each.happened_at))

    for stretch in chain(Archive(archive or archive_of(stored)).read(listed), [beyond] if len(beyond) else []):
        for part in _parts(stretch, [each.seq for each in controls]):
            yield from until(int(part["seq"][0]))
            outputs = pipeline.step(part.select(list(DECODED)), part["received_ms"].to_numpy())
            if len(outputs.raw) != len(part):
                raise StoreError(f"site {origin.site!r}: the catalog refuses readings that the store had accepted")
            fresh.commit(outputs, begins, source=(number, "archive", done, done + len(part)))
            done += len(part)
            yield Step(outputs, part, None)
    yield from until(None)


def _activated(origin: SiteStore, fresh: SiteStore, pipeline: Pipeline, each: Control) -> Outputs:
    """Put a version of a model into use again, with its parameters as they are stored."""
    models.copied(origin.store, origin.site, each.detail, fresh.store)
    asset, version = models.named(each.detail)
    again = models.Wanted(origin.site, asset, version, models.load(origin.store, origin.site, asset, version))
    outputs = pipeline.activate(asset, version, again.model)
    fresh.commit(outputs, each.happened_at, activated=again)
    return outputs


def _control(pipeline: Pipeline, kind: str, time_ms: int) -> Outputs:
    """Give a recorded tick or end of a stream to a pipeline."""
    if kind == "flush":
        return pipeline.flush()
    return pipeline.look(time_ms) if kind == "look" else pipeline.tick(time_ms)


def replay(
    site: Site,
    stored: Store,
    scratch: Path,
    begins: datetime,
    ends: datetime,
    progress: Callable[[int], None],
    archive: Path | None = None,
) -> Verdict:
    """Recompute a site from its archive into a scratch store and compare the results of [begins, ends).

    The whole archive goes through, since what a register showed before decides what it means later.
    """
    origin, again = SiteStore(stored, PointTable.of(site)), DuckDBStore(scratch)
    digest, done = hashlib.sha256(), 0
    for step in recomputed(origin, again, begins, archive):
        digest.update(step.rows.write_csv(include_header=False).encode())
        done += len(step.rows)
        progress(len(step.rows))
    window = {"site": site.name, "begins": naive(begins), "ends": naive(ends)}
    hashes: dict[str, str] = {}
    differing: dict[str, pl.DataFrame] = {}
    for name in COMPARED:
        was, now = stored.query(compared(name), window), again.query(compared(name), window)
        hashes[name] = hashlib.sha256(now.write_csv().encode()).hexdigest()
        differing[name] = pl.concat(
            [
                was.join(now, on=was.columns, how="anti", nulls_equal=True).with_columns(side=pl.lit("stored")),
                now.join(was, on=was.columns, how="anti", nulls_equal=True).with_columns(side=pl.lit("recomputed")),
            ]
        )
    again.close()
    return Verdict(done, digest.hexdigest(), hashes, differing)


def _parts(stretch: pl.DataFrame, cuts: list[int]) -> list[pl.DataFrame]:
    """Cut where a control stands."""
    number = pl.Series("part", np.searchsorted(np.array(cuts), stretch["seq"].to_numpy(), side="right"))
    return stretch.hstack([number]).partition_by("part", maintain_order=True, include_key=False)
