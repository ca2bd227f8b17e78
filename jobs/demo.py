"""`kilowatch demo`: simulated sites with faults, through the pipeline into one store, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer
from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from jobs.demo_measures import measures_table
from jobs.demo_summary import conservation, hints, sight, summary
from jobs.simulate import FILES, SHIPPED, FaultKind, Simulated, simulate
from jobs.simulation.command import console
from streams.catalog.site import load_site
from streams.domain.findings import KilowatchError
from streams.domain.site import Site
from streams.ingest.files import read_blocks, source_id
from streams.runners.embedded import EmbeddedRunner, Source
from streams.stores.duckdb import DuckDBStore


@dataclass(frozen=True)
class Play:
    """What a demo plays: up to which local day, how many days, with which faults; `block_rows` go into a commit."""

    ends_on: date
    days: int
    faults: tuple[FaultKind, ...]
    block_rows: int


SITES = ("cold_chain_depot", "machine_builder_pv", "container_yard", "worm_gear_shop", "tap_forge", "bicycle_parts")
MONTH = Play(date(2025, 6, 10), 30, tuple(FaultKind), 50_000)
"""`ends_on` is the day after the last: the thirty days before it change the tariff's season and the month."""
CASES = Play(date(2025, 7, 1), 181, (FaultKind.GAP, FaultKind.LATE, FaultKind.DUPLICATE, FaultKind.GLITCH), 400_000)
"""Half a year, each site's measures in its middle."""
BEAT_S = 60
"""No point is read more often: a reading a minute is as fine as the simulation is."""
STORE = "kilowatch.duckdb"
MARKS = {
    "README.txt": "Simulated data, written by `kilowatch demo`; a new demo replaces what it wrote here.\n",
    ".gitignore": "*\n",
}
"""What tells a folder of the demo from one that is somebody's."""
EPILOG = "Examples: kilowatch demo · kilowatch demo --days 7 --seed 8 --output trial · kilowatch demo --cases"


class DemoError(KilowatchError):
    """The demo cannot take place as it was asked for."""


@dataclass
class Steps:
    """Shows on standard error what is done now, and adds up how long each part took, in seconds."""

    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, part: str, text: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
        """One step of a part; call what is given with the count of what is done, up to `total`."""
        begun = perf_counter()
        task = self.progress.add_task(text, total=total)
        yield partial(self.progress.advance, task)
        self.progress.remove_task(task)
        took = perf_counter() - begun
        self.seconds[part] = self.seconds.get(part, 0.0) + took
        self.progress.console.print(f"{text}: {took:.1f} s", soft_wrap=True)


def demo(
    output: Annotated[Path, typer.Option("--output", metavar="FOLDER", help="Where the demo's files go.")] = Path(
        "demo"
    ),
    days: Annotated[
        int | None,
        typer.Option(
            min=2, max=160, help=f"How many days, up to {MONTH.ends_on}; with --cases, up to {CASES.ends_on}."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another number, another course of things.")] = 7,
    cases: Annotated[
        bool,
        typer.Option("--cases", help=f"Half a year ({CASES.days} days), with each site's measures in its middle."),
    ] = False,
) -> None:
    """Simulate six example sites with every fault, take them through the pipeline, and say what the store found.

    All of it is made up, and the same each time. An earlier demo in the folder is replaced; a folder that holds
    anything else is left alone. With --cases it is half a year of each site with a few faults, and what its measures
    changed.
    """
    play = CASES if cases else MONTH
    length = days or play.days
    clear(output)
    begun, made = perf_counter(), []
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True, highlight=False, markup=False), transient=True) as progress:
        steps = Steps(progress)
        with closing(DuckDBStore(output / STORE)) as store:
            for name in SITES:
                made.append(_simulated(play, name, output / name, length, seed, steps))
                _ingested(play, made[-1], store, steps)
        tables: list[RenderableType] = []
        span = (play.ends_on - timedelta(days=length), play.ends_on)
        with closing(DuckDBStore(output / STORE, read_only=True)) as store:
            if cases:
                with steps.step("summarize", "the measures"):
                    sites = [load_site(each.site) for each in made]
                    tables = [measures_table(store, sites, span), "", conservation(store)]
            else:
                with steps.step("summarize", "the store against the answer key"):
                    tables = summary(store, made, span)
    out = console()
    out.print(*tables, sep="\n")
    url = f"duckdb:///{(output / STORE).resolve()}"
    parts = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in steps.seconds.items())
    out.print(f"\n{sum(each.readings for each in made):,} readings in {perf_counter() - begun:.1f} s: {parts}.\n")
    out.print("Ask it yourself:", *(f"  {hint}" for hint in hints(url)), "", sep="\n", soft_wrap=True)
    out.print("See its dashboards in a browser:", f"  {sight(url)}", "", sep="\n", soft_wrap=True)
    print(f"store: {url}")


def _simulated(play: Play, name: str, folder: Path, days: int, seed: int, steps: Steps) -> Simulated:
    source = SHIPPED / f"{name}.yaml"
    site = load_site(source)
    first = datetime.combine(play.ends_on - timedelta(days=days), time.min, tzinfo=site.time_zone)
    with steps.step("simulate", f"{name}: {days} days simulated"):
        faults = list(play.faults)
        return simulate(site, first, days, seed, faults, folder, source, where_possible=True, beat_s=BEAT_S)


def _ingested(play: Play, made: Simulated, store: DuckDBStore, steps: Steps) -> None:
    site = load_site(made.site)
    runner = EmbeddedRunner(site, store, partial(received_at, site, play.ends_on))
    blocks = partial(read_blocks, made.telemetry, None, block_rows=play.block_rows)
    source = Source(source_id(made.telemetry), f"{site.name}/{made.telemetry.name}", blocks)
    text = f"{site.name}: {made.readings:,} readings through the pipeline"
    with steps.step("ingest", text, made.readings) as advance:
        runner.ingest(source, advance)
        runner.finish()


def received_at(site: Site, ends_on: date) -> datetime:
    """The time of arrival that the demo records: always the same, so that its numbers are."""
    return datetime.combine(ends_on, time.min, tzinfo=site.time_zone)


def clear(folder: Path) -> None:
    """Make a folder ready: remove what an earlier demo made; DemoError where there is something else."""
    marked = all(
        (folder / name).is_file() and (folder / name).read_bytes() == text.encode() for name, text in MARKS.items()
    )
    if folder.is_dir() and any(folder.iterdir()) and not marked:
        raise DemoError(
            f"{folder}: expected a folder that `kilowatch demo` made, an empty one or none; got other files"
        )
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in MARKS.items():
        (folder / name).write_text(text, encoding="utf-8")
    for name in (STORE, f"{STORE}.wal"):
        (folder / name).unlink(missing_ok=True)
    for name in SITES:
        for file in FILES:
            (folder / name / file).unlink(missing_ok=True)
        for stale in sorted((folder / f"{STORE}.archive" / f"site={name}").glob("day=*/[0-9]*.pa*")):
            stale.unlink()
