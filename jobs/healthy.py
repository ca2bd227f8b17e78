"""What the rules of example sites tell in a healthy year: simulated without a fault, through the whole pipeline.

Each alarm is one too many. `python -m jobs.healthy` prints how many there are a week and site, how many by rule and
cause, and every episode. The simulated people know no public holidays, and no gateway falls silent.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path

import polars as pl

from jobs.say import progress_bar
from jobs.simulate import SHIPPED, simulate
from streams.catalog.rule_kinds import SCORE
from streams.catalog.site import load_site
from streams.domain.findings import KilowatchError
from streams.domain.site import Site
from streams.ingest.files import read_blocks
from streams.operators.points import PointTable
from streams.stores.duckdb import DuckDBStore
from streams.stores.site import SiteStore

SITES = ("cold_chain_depot", "worm_gear_shop", "container_yard")
"""A cold store, a machining shop and a warehouse."""
CHOSEN_SEEDS = (1, 2, 3)
"""Years that were looked at while the sites' rules were written."""
REPORTED_SEEDS = (41, 42)
"""Years that nobody looked at before the rules stood."""
BEGINS = date(2026, 1, 1)
DAYS = 365
WEEK = 7.0

EPISODES = """
select
    e.rule, e.subject, e.opened_at, e.closed_at, e.said_en,
    (
        select max_by(a.cause, a.score) from mart.anomaly as a
        where a.point = e.subject and a.ends_at > e.opened_at and a.starts_at <= coalesce(e.closed_at, e.updated_at)
    ) as cause
from mart.alert_episode as e
where e.site = $1
order by e.opened_at, e.rule, e.subject
"""


@dataclass(frozen=True)
class Year:
    """A site's simulated days, and what its rules told of them.

    `episodes` has a row each: rule, kind, subject, opened_at, closed_at (local), said_en, and of a score its cause.
    """

    site: str
    seed: int
    days: int
    points: int
    rules: int
    readings: int
    episodes: pl.DataFrame

    @property
    def per_week(self) -> float:
        """Alarms a week."""
        return len(self.episodes) / (self.days / WEEK)


def lived(file: Path, begins: date, days: int, seed: int, folder: Path, advance: Callable[[int], None]) -> Year:
    """Simulate a site's days without a fault, and take them day by day through the pipeline into a store in `folder`.

    `advance` is called with the count of readings taken. CatalogError, SimulationError: see `load_site`, `simulate`.
    """
    source = load_site(file)
    first = datetime.combine(begins, time.min, tzinfo=source.time_zone)
    made = simulate(source, first, days, seed, [], folder, file)
    site = load_site(made.site)
    with closing(DuckDBStore(folder / "healthy.duckdb")) as store:
        _take(site, store, made.telemetry, max(made.readings // days, 1), advance)
        found = store.frame(EPISODES, [site.name])
    kinds = {rule.name: rule.kind for rule in site.rules}
    episodes = found.select(
        "rule",
        pl.col("rule").replace_strict(kinds, return_dtype=pl.String).alias("kind"),
        pl.col("subject").str.strip_prefix(f"{site.name}/"),
        pl.col("opened_at", "closed_at").dt.replace_time_zone("UTC").dt.convert_time_zone(site.time_zone.key),
        "said_en",
        "cause",
    ).with_columns(pl.when(pl.col("kind") == SCORE).then("cause"))
    return Year(site.name, seed, days, len(site.points), len(site.rules), made.readings, episodes)


def _take(site: Site, store: DuckDBStore, telemetry: Path, block_rows: int, advance: Callable[[int], None]) -> None:
    """Readings in blocks, each with a tick after it that the rules look at, and the end of the stream."""
    kept = SiteStore(store, PointTable.of(site))
    pipeline = kept.pipeline()
    now = datetime.fromtimestamp(0, tz=UTC)
    number, done, _, _ = kept.source(telemetry.name, telemetry.name, now)
    for block in read_blocks(telemetry, None, block_rows=block_rows):
        now_ms = int(block.readings["time_ms"].max())  # type: ignore[arg-type]  # never empty
        now = datetime.fromtimestamp(now_ms / 1000, tz=UTC)
        outputs = pipeline.step(block.readings, now_ms)
        kept.commit(outputs, now, source=(number, telemetry.name, done, block.position))
        done = block.position
        looked = pipeline.look(now_ms)
        kept.commit(looked, now, control=("look", now) if looked.saw else None)
        advance(len(block.readings))
    kept.commit(pipeline.flush(), now, control=("flush", now))


def report(year: Year) -> None:
    """Print a site's alarms: how many, by rule and cause, then each."""
    print(
        f"\n{year.site}, seed {year.seed}: {year.per_week:.2f} alarms a week ({len(year.episodes)} in {year.days} days "
        f"of {year.points} points under {year.rules} rules, {year.readings:,} readings)",
        flush=True,
    )
    groups = year.episodes.group_by("rule", "kind", "subject", "cause").agg(pl.len(), pl.col("opened_at").min())
    for rule, kind, subject, cause, count, first in groups.sort("len", "opened_at", descending=[True, False]).rows():
        why = f": {cause}" if cause else ""
        print(f"  {count:>3} {rule} ({kind}) {subject}{why}; first {first:%m-%d %H:%M}")
    for rule, _, subject, opened, _, said, cause in year.episodes.rows():
        print(f"    {opened:%a %m-%d %H:%M} {rule} {subject}: {said}{f' [{cause}]' if cause else ''}")


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(prog="python -m jobs.healthy", description=__doc__)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--from", dest="begins", type=date.fromisoformat, default=BEGINS, help="first local day")
    parser.add_argument("--seed", type=int, action="append", help="a year's seed; may be repeated")
    parser.add_argument("--site", type=Path, action="append", metavar="SITE.yaml", help="may be repeated")
    given = parser.parse_args()
    files = given.site or [SHIPPED / f"{name}.yaml" for name in SITES]
    years = []
    try:
        for seed in given.seed or REPORTED_SEEDS:
            for file in files:
                with tempfile.TemporaryDirectory() as folder, progress_bar("readings") as advance:
                    years.append(lived(file, given.begins, given.days, seed, Path(folder), advance))
                report(years[-1])
    except KilowatchError as error:
        raise SystemExit(f"healthy: {error}") from None
    print(f"\nalarms a week and site; rules were written on seeds {CHOSEN_SEEDS}")
    for year in years:
        print(f"  {year.site:<24} seed {year.seed:<4} {year.per_week:.2f}")


if __name__ == "__main__":
    main()
