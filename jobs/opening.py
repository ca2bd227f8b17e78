"""Stores by their URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from streams.domain.findings import StoreError
from streams.stores.duckdb import DuckDBStore, path_of
from streams.stores.duckdb_as_of import EarlierStore
from streams.stores.postgres import SERVER, PostgresStore
from streams.stores.schema import OPERATES, check_rights, check_schema
from streams.stores.store import Store


def is_server(url: str) -> bool:
    """Whether a URL names a database rather than a file."""
    return url.startswith(SERVER)


def need_file(url: str) -> None:
    """StoreError where a URL names a file that is not there, and that a writer would make."""
    if not is_server(url) and not path_of(url).exists():
        raise StoreError(f"store {path_of(url)}: expected a file; found none")


@contextmanager
def opened(
    url: str, *, read_only: bool = False, as_of: datetime | None = None, operates: bool = False
) -> Iterator[Store]:
    """Open a store, or what it was at a moment (UTC), and close it again, whatever happens.

    Who writes must have the rights of a worker, or with `operates` those of people on duty.
    """
    store = _open(url, read_only=read_only, as_of=as_of, operates=operates)
    try:
        yield store
    finally:
        store.close()


def _open(url: str, *, read_only: bool, as_of: datetime | None, operates: bool) -> Store:
    if is_server(url):
        if as_of:
            raise StoreError(f"{url.partition('@')[2] or url}: --as-of asks a DuckDB file; found a server")
        server = PostgresStore(url, read_only=read_only)
        if not read_only:
            check_schema(server)
            if operates:
                check_rights(server, OPERATES, "kilowatch_operator")
            else:
                check_rights(server)
        return server
    path = path_of(url)
    return EarlierStore(path, as_of.replace(tzinfo=UTC)) if as_of else DuckDBStore(path, read_only=read_only)
