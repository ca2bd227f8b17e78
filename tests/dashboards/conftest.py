"""A demo's store, an empty one, and the same rows in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jobs.cli import app
from streams.stores.duckdb import DuckDBStore
from tests.dashboards.copying import copy
from tests.servers import databases
from tests.servers.databases import ROLE_PASSWORDS, as_role


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> str:
    """URL of the store that `kilowatch demo` makes of a few days."""
    folder = tmp_path_factory.mktemp("dashboards")
    done = CliRunner().invoke(app, ["demo", "--days", "5", "--output", str(folder / "demo")])
    assert done.exit_code == 0, done.output
    return f"duckdb:///{folder / 'demo' / 'kilowatch.duckdb'}"


@pytest.fixture(scope="session")
def nothing(tmp_path_factory: pytest.TempPathFactory) -> str:
    """URL of a store with a schema and no rows."""
    path = tmp_path_factory.mktemp("dashboards") / "empty.duckdb"
    DuckDBStore(path).close()
    return f"duckdb:///{path}"


@pytest.fixture(scope="session")
def server_demo(database_server: str, demo: str) -> Iterator[str]:
    """URL of a database with the rows of the demo, for the role that Grafana has."""
    yield from _copied(database_server, demo)


@pytest.fixture(scope="session")
def server_nothing(database_server: str, nothing: str) -> Iterator[str]:
    """URL of a database without rows, likewise."""
    yield from _copied(database_server, nothing)


def _copied(server: str, url: str) -> Iterator[str]:
    dsn = databases.create_database(server)
    try:
        with closing(DuckDBStore(Path(url.removeprefix("duckdb:///")), read_only=True)) as store:
            copy(store, dsn, ROLE_PASSWORDS)
        yield as_role(dsn, "kilowatch_grafana", ROLE_PASSWORDS["grafana"])
    finally:
        databases.drop_database(server, dsn)
