"""`kilowatch simulate`: what its user asks for, in words, and what came of it."""

from __future__ import annotations

import difflib
from contextlib import closing
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated

import polars as pl
import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jobs.simulate import FaultKind, Form, Simulated, SimulationError, simulate, simulated_in
from jobs.simulation.score import NO_FAULT, errors
from streams.catalog.site import load_site
from streams.stores.duckdb import DuckDBStore, path_of

ALL = "all"
FAULTS = "\n".join(f"- {kind.value}: {kind.help}" for kind in FaultKind)
HELP = (
    "Make up the telemetry of a site, with faults on request and the answer key beside it.\n\n"
    "The site's processes are simulated minute by minute (chillers, machines, furnaces, sun, doors, shifts, weather) "
    "and its meters read on their own beat. What a measure of the site's file names runs the old way before its day "
    "and the new way after it. Everything is made up and says so; the same arguments give the same files, byte for "
    "byte.\n\n"
    "Into the folder go telemetry.parquet (or .ndjson), in the order in which it arrives, for `kilowatch ingest`; "
    "site.yaml, the catalog to ingest it with (exchanges of meters are declared in it); truth.parquet, what each "
    "quarter-hour really is and whether the readings sent can tell it; faults.json, what was done to which point and "
    "when.\n\n"
    "Faults (give --fault once for each, the same again for one more of it, `all` for every kind that the site can "
    f"have):\n\n{FAULTS}\n\n"
    "With --score nothing is simulated: the energy in a store is compared with the answer key in the folder."
)
EPILOG = (
    "Examples: kilowatch simulate deploy/sites/worm_gear_shop.yaml --output shop · "
    "kilowatch simulate deploy/sites/cold_chain_depot.yaml --days 30 --from 2026-01-01 --seed 7 "
    "--fault gap --fault rollover --output depot · "
    "kilowatch simulate deploy/sites/tap_forge.yaml --days 181 --from 2025-01-01 --beat 60 --output forge · "
    "then: kilowatch ingest depot/site.yaml depot/telemetry.parquet "
    "--store duckdb:///depot.duckdb · and: kilowatch simulate depot/site.yaml --output depot "
    "--score duckdb:///depot.duckdb"
)
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
say = Console(stderr=True, highlight=False, markup=False)


def simulate_site(
    site: Annotated[Path, typer.Argument(metavar="SITE.yaml", help="The site's catalog file.")],
    output: Annotated[Path, typer.Option("--output", metavar="FOLDER", help="Where the files go.")],
    days: Annotated[int, typer.Option(help="How many days.")] = 30,
    begins: Annotated[
        datetime, typer.Option("--from", help="First local day.", formats=["%Y-%m-%d"], show_default="2026-01-01")
    ] = FIRST,
    seed: Annotated[int, typer.Option(help="Another number, another course of things.")] = 7,
    fault: Annotated[list[str] | None, typer.Option(metavar="KIND|all", help="A fault; may be repeated.")] = None,
    form: Annotated[Form, typer.Option("--format", help="How telemetry is written.")] = Form.PARQUET,
    beat: Annotated[
        int, typer.Option(min=1, metavar="SECONDS", help="Read no point more often than this; the site.yaml says so.")
    ] = 1,
    score: Annotated[
        str | None, typer.Option(metavar="URL", help="Compare this store with the answer key in the folder.")
    ] = None,
) -> None:
    """Make up the telemetry of a site."""
    if score:
        _print_score(score, output)
        return
    kinds, every = asked_for(fault or [])
    loaded = load_site(site)
    first = datetime.combine(begins.date(), time.min, tzinfo=loaded.time_zone)
    with say.status(f"{loaded.name}: simulating {days:,} days"):
        made = simulate(loaded, first, days, seed, kinds, output, site, form=form, where_possible=every, beat_s=beat)
    report(made)


def asked_for(words: list[str]) -> tuple[list[FaultKind], bool]:
    """The faults that words name, and whether `all` was among them; SimulationError says which word is none."""
    names = [kind.value for kind in FaultKind]
    for word in words:
        if word not in (*names, ALL):
            near = difflib.get_close_matches(word, (*names, ALL), 1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise SimulationError(f"--fault: expected {', '.join(names)} or all; got {word!r}{hint}")
    if ALL not in words:
        return [FaultKind[word.upper()] for word in words], False
    more = [
        FaultKind[word.upper()] for word in dict.fromkeys(words) for _ in range(words.count(word) - 1) if word != ALL
    ]
    return [*FaultKind, *more], True


def report(made: Simulated) -> None:
    """One line a file, one a fault."""
    rows = {
        made.telemetry: f"{made.readings:,} readings in order of arrival",
        made.site: "the catalog to ingest them with",
        made.truth: f"what is true of {pl.scan_parquet(made.truth).select(pl.len()).collect().item():,} quarter-hours",
        made.faults: f"{len(made.injected)} faults that took place",
    }
    for path, what in rows.items():
        say.print(f"{path}: {what}", soft_wrap=True)
    for each in made.injected:
        say.print(f"  {each.kind:<10} {each.point} {each.at[:16]}Z: {each.detail}", soft_wrap=True)
    for kind in made.impossible:
        say.print(f"  {kind.value:<10} not possible here: {kind.help}", soft_wrap=True)


def _print_score(url: str, folder: Path) -> None:
    made = simulated_in(folder)
    with closing(DuckDBStore(path_of(url), read_only=True)) as store:
        found = errors(store, made)
    console().print(score_table(found))


def score_table(found: pl.DataFrame) -> Table:
    """A frame of `simulation.score.ERRORS` to read."""
    table = plain_table("Energy in the store against the answer key, kWh")
    table.add_column("fault", no_wrap=True)
    names = ("", "true", "stored", "error:\nknowable", "error:\nunknowable", "of it\nmissing", "of it\nmoved")
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    for row in found.iter_rows(named=True):
        large, small = (f"{row[name]:,.1f}" for name in found.columns[2:4]), found.columns[4:]
        times = f"{row['faults']}×" if row["faults"] else ""
        style = "bold red" if row["kwh_error_knowable"] else None
        kind = "(no fault)" if row["kind"] == NO_FAULT else row["kind"]
        table.add_row(kind, times, *large, *(f"{row[name]:,.3f}" for name in small), style=style)
    return table


def plain_table(title: str) -> Table:
    """A table without columns yet, narrow enough for a terminal of eighty."""
    return Table(
        title=Text(title, style="bold"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        show_edge=False,
    )


def console() -> Console:
    """Standard output: as wide as the terminal, wide enough for the tables where there is none."""
    found = Console(highlight=False, markup=False)
    return found if found.is_terminal else Console(highlight=False, markup=False, width=max(found.width, 100))
