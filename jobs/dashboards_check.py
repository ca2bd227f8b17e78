"""`kilowatch dashboards check`: everything that can be wrong with the dashboards, told without Grafana."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from dashboards.checks.found import Checked, read
from dashboards.place import GENERATED
from jobs.dashboards_execute import Ran, Runner, newest_ms
from jobs.extras import part
from jobs.opening import is_server, opened
from jobs.say import say
from streams.domain.findings import Finding
from streams.stores.store import Store

EPILOG = (
    "Examples: kilowatch dashboards check · kilowatch dashboards check --store duckdb:///demo/kilowatch.duckdb · "
    "kilowatch dashboards check --store postgresql://kilowatch_grafana@127.0.0.1/kilowatch --since 30d"
)
SLOWEST = 5

StoreUrl = Annotated[
    str | None,
    typer.Option("--store", metavar="URL", envvar="KILOWATCH_STORE", help="Run every query on this store, too."),
]
Since = Annotated[str | None, typer.Option("--since", help="The range, such as 30d; else each dashboard's own.")]
Until = Annotated[datetime | None, typer.Option("--until", help="Its end (UTC); else how far the store has come.")]
Folder = Annotated[Path, typer.Option("--folder", metavar="FOLDER", help="Dashboards to check.")]
Most = Annotated[int, typer.Option("--most", min=1, help="How many options of each variable are tried.")]


def check(
    store: StoreUrl = None,
    since: Since = None,
    until: Until = None,
    folder: Folder = GENERATED,
    most: Most = 50,
) -> None:
    """Check the dashboards: shape, Grafana's registries, ids and grid, macros, links, both languages, drift.

    With --store also every query of every panel, for what its variables offer: that it runs, that its columns are those
    that the panel names, that times ascend, that states have names, and that a panel has something to show or says why
    not. Exit code 1 where something is wrong.
    """
    boards = read(folder)
    findings: list[Finding] = list(part("dashboards.checks.every").check(boards))
    generate = part("dashboards.generate")
    if folder == GENERATED and generate.is_checkout():
        findings += generate.drift()
    ran = Ran()
    if store:
        with opened(store, read_only=True) as kept:
            to_ms = round(until.replace(tzinfo=UTC).timestamp() * 1000) if until else newest_ms(kept)
            findings += _run(kept, boards, ran, Runner(kept, to_ms, _timescale(store, kept), since, most))
    sys.stderr.writelines(f"{finding.severity.value}: {finding}\n" for finding in findings)
    for name, seconds in ran.slowest(SLOWEST):
        say.print(f"{seconds * 1000:,.0f} ms  {name}", soft_wrap=True)
    queries = f", {ran.queries} queries" if store else ""
    say.print(f"{folder}: {len(boards)} dashboards{queries}, {len(findings)} errors", soft_wrap=True)
    raise typer.Exit(1 if findings else 0)


def _run(kept: Store, boards: list[Checked], ran: Ran, runner: Runner) -> list[Finding]:
    """What is wrong with the answers, and which panels are empty though the store holds something."""
    findings = list(runner.check(boards, ran))
    if kept.query("select 1 as one from mart.site limit 1").height:
        findings += runner.empty(boards, ran)
    return findings


def _timescale(url: str, kept: Store) -> bool:
    """Whether a data source for this store may say `timescaledb`; DuckDB has its own `time_bucket`."""
    if not is_server(url):
        return True
    return bool(kept.query("select 1 as one from pg_extension where extname = 'timescaledb'").height)
