"""The audit runner: the raw archive through the same pipeline again, compared with what the store holds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import polars as pl

from streams.domain.findings import StoreError
from streams.domain.site import Site
from streams.operators.clean import DECODED
from streams.operators.points import PointTable
from streams.runners.embedded import archive_of
from streams.stores.archive import Archive
from streams.stores.duckdb import DuckDBStore
from streams.stores.site import SiteStore

COMPARED = {
    "energy_interval": (
        "select i.ends_at, i.amount, i.estimated, i.estimated_ms, i.missing_ms, i.quality, i.revision, p.point, "
        "i.starts_at from fact.interval as i inner join op.point as p using (point_id) "
        "where p.site = $site and i.starts_at >= $begins and i.starts_at < $ends order by p.point, i.starts_at"
    ),
    "register_event": (
        "select p.point, e.decided_at, e.happened_at, e.kind, e.before_value, e.after_value, e.counted_value "
        "from fact.register_event as e inner join op.point as p using (point_id) "
        "where p.site = $site and e.happened_at >= $begins and e.happened_at < $ends "
        "order by p.point, e.decided_at, e.happened_at, e.kind"
    ),
    "register_day": (
        "select d.begins_at, d.ends_at, d.register, d.wrapped, d.reset, d.exchanged, d.quarantined, p.point "
        "from fact.register_day as d inner join op.point as p using (point_id) "
        "where p.site = $site and d.begins_at >= $begins and d.begins_at < $ends order by p.point, d.begins_at"
    ),
    "rolling": (
        "select p.point, r.* exclude (point_id) from fact.rolling as r inner join op.point as p using (point_id) "
        "where p.site = $site and r.ends_at > $begins and r.ends_at <= $ends order by p.point, r.ends_at"
    ),
    "demand": (
        "select d.* exclude (catalog_id, recorded_at) from fact.demand as d "
        "where d.site = $site and d.starts_at >= $begins and d.starts_at < $ends order by d.starts_at"
    ),
    "cost": (
        "select c.* exclude (catalog_id, recorded_at) from fact.cost as c "
        "where c.site = $site and c.starts_at >= $begins and c.starts_at < $ends order by c.starts_at"
    ),
    "emission": (
        "select e.* exclude (point_id, catalog_id, recorded_at), p.point from fact.emission as e "
        "inner join op.point as p using (point_id) "
        "where e.site = $site and e.starts_at >= $begins and e.starts_at < $ends order by e.source, e.starts_at"
    ),
}
"""Result name to the rows that are compared and hashed, by names and not by numbers of a store's own."""


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


def replay(
    site: Site, stored: DuckDBStore, scratch: Path, begins: datetime, ends: datetime, progress: Callable[[int], None]
) -> Verdict:
    """Recompute a site from its archive into a scratch store and compare the results of [begins, ends).

    The whole archive goes through, since what a register showed before decides what it means later.
    """
    table = PointTable.of(site)
    origin = SiteStore(stored, table)
    listed, beyond = origin.listed(), origin.unarchived()
    if not listed and not len(beyond):
        raise StoreError(f"store {stored.path}: expected archived readings of site {site.name!r}; found none")
    again = DuckDBStore(scratch)
    fresh = SiteStore(again, table)
    pipeline = fresh.pipeline()
    number, done, _, _ = fresh.source("archive", "archive", begins)
    controls = origin.controls()
    digest = hashlib.sha256()

    def until(seq: int | None) -> None:
        while controls and (seq is None or controls[0][0] <= seq):
            _, kind, moment = controls.pop(0)
            outputs = pipeline.flush() if kind == "flush" else pipeline.tick(int(moment.timestamp() * 1000))
            fresh.commit(outputs, moment, control=(kind, moment))

    for stretch in chain(Archive(archive_of(stored)).read(listed), [beyond] if len(beyond) else []):
        digest.update(stretch.write_csv().encode())
        for part in _parts(stretch, [seq for seq, _, _ in controls]):
            until(int(part["seq"][0]))
            received_ms = int(part["received_ms"][0])
            outputs = pipeline.step(part.select(list(DECODED)), received_ms)
            if len(outputs.raw) != len(part):
                raise StoreError(f"site {site.name!r}: the catalog refuses readings that the store had accepted")
            fresh.commit(outputs, begins, source=(number, "archive", done, done + len(part)))
            done += len(part)
            progress(len(part))
    until(None)
    window = {"site": site.name, "begins": _naive(begins), "ends": _naive(ends)}
    hashes: dict[str, str] = {}
    differing: dict[str, pl.DataFrame] = {}
    for name, statement in COMPARED.items():
        was, now = stored.query(statement, window), again.query(statement, window)
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
    """Cut where a control stands and where the time of arrival changes."""
    numbered = stretch.with_columns(
        (pl.col("received_ms").rle_id() + sum((pl.col("seq") >= cut).cast(pl.UInt32) for cut in cuts)).alias("part")
        if cuts
        else pl.col("received_ms").rle_id().alias("part")
    )
    return numbered.partition_by("part", maintain_order=True, include_key=False)


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
