"""The slowest panels on a year of six sites, on DuckDB and on PostgreSQL: `python -m tests.dashboards.bench`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from time import perf_counter

from jobs.say import say
from streams.stores.duckdb import DuckDBStore
from tests.dashboards.copying import copy
from tests.dashboards.year import make
from tests.servers import missing
from tests.servers.databases import ROLE_PASSWORDS, as_role, create_database
from tests.servers.postgres import PostgresServer

COMMAND = [sys.executable, "-c", "from jobs.cli import main; main()"]


def main() -> None:
    """Make the stores and let `kilowatch dashboards check` say how long each panel takes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([*COMMAND, "demo", "--output", str(folder / "demo")], check=True, capture_output=True)
        begun = perf_counter()
        readings = make(folder / "demo" / "kilowatch.duckdb", folder / "year.duckdb")
        say.print(f"dashboards: {readings:,} readings made in {perf_counter() - begun:.0f} s")
        _check("DuckDB", f"duckdb:///{folder / 'year.duckdb'}")
        if lack := missing.postgres():
            say.print(f"dashboards: not on PostgreSQL: {lack}")
            return
        with PostgresServer(folder / "postgres") as server:
            dsn = create_database(server.dsn())
            with closing(DuckDBStore(folder / "year.duckdb", read_only=True)) as store:
                copy(store, dsn, ROLE_PASSWORDS)
            _check("PostgreSQL", as_role(dsn, "kilowatch_grafana", ROLE_PASSWORDS["grafana"]))


def _check(what: str, url: str) -> None:
    """Twice, since the first time reads from the disk."""
    for nth in ("first", "again"):
        say.print(f"dashboards: {what}, {nth}")
        subprocess.run([*COMMAND, "dashboards", "check", "--store", url, "--most", "2"], check=True)


if __name__ == "__main__":
    main()
