"""Stores that a sender works over, and the receiver that it sends to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from streams.stores.duckdb import DuckDBStore
from streams.stores.postgres import PostgresStore
from streams.stores.schema import migrate
from streams.stores.store import Store
from tests.runners.deliveries import Connect
from tests.servers.receiver import Receiver


@pytest.fixture(params=["duckdb", "postgres"])
def connect(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Connect]:
    """Connections to one store, each for a thread of its own."""
    with ExitStack() as stack:
        if request.param == "duckdb":
            first = DuckDBStore(tmp_path / "a.duckdb")
            stack.callback(first.close)
            yield first.beside
            return
        dsn = request.getfixturevalue("database")
        with closing(PostgresStore(dsn)) as admin:
            migrate(admin, {})

        def connected() -> Store:
            made = PostgresStore(dsn)
            stack.callback(made.close)
            return made

        yield connected


@pytest.fixture
def store(connect: Connect) -> Store:
    """A connection for the test itself."""
    return connect()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that takes everything."""
    with Receiver() as made:
        yield made
