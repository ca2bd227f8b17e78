"""A person's statement: each column of the answer has a name of its own, on every store."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from streams.domain.findings import StoreError
from streams.stores.duckdb import DuckDBStore
from streams.stores.postgres import PostgresStore
from streams.stores.store import Store


@pytest.mark.parametrize("kind", ["duckdb", "postgres"])
def test_two_columns_of_one_name_are_told(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    made: dict[str, Callable[[], Store]] = {
        "duckdb": lambda: DuckDBStore(tmp_path / "a.duckdb"),
        "postgres": lambda: PostgresStore(request.getfixturevalue("database")),
    }
    with closing(made[kind]()) as store:
        with pytest.raises(StoreError, match="found 'a' twice"):
            store.query("select 1 as a, 2 as a")
        assert store.query("select 1 as a, 2 as b").rows() == [(1, 2)]
