"""A store that many panels ask at once: some connections, a limit of time, and nothing but reading.

One statement a connection at a time; whoever finds none waits. What takes longer than the limit, or is not wanted any
more, is interrupted.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

import polars as pl

from jobs.page.intervals import QueryError
from streams.domain.findings import StoreAwayError
from streams.stores.duckdb import DuckDBStore
from streams.stores.postgres import PostgresStore

LIMIT_S: Final = 20.0
CONNECTIONS: Final = 2
LEADING: Final = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:(?:select|with)\b|\()", re.IGNORECASE | re.DOTALL)


class Connection(Protocol):
    """One way into a store, used by one thread at a time; `interrupt` may come from another."""

    def query(self, statement: str) -> pl.DataFrame:
        """Answer one statement that only reads; StoreError carries what the database says."""

    def interrupt(self) -> None:
        """End what is running."""

    def close(self) -> None:
        """Let go of it."""


class FileConnection:
    """Of a DuckDB file."""

    def __init__(self, store: DuckDBStore) -> None:
        """Ask beside whoever else uses the store."""
        self._store = store.beside()

    def query(self, statement: str) -> pl.DataFrame:
        """See `Connection`."""
        if not self._store.is_one_select(statement):
            raise QueryError("expected one statement that selects; found something else")
        with self._store.only_reading():
            return self._store.query(statement)

    def interrupt(self) -> None:
        """See `Connection`."""
        self._store.con.interrupt()

    def close(self) -> None:
        """See `Connection`."""
        self._store.close()


class ServerConnection:
    """Of a PostgreSQL server; a session that is lost is begun again by the next statement."""

    def __init__(self, url: str) -> None:
        """Connect."""
        self._store = PostgresStore(url, read_only=True, application="kilowatch page")
        self._is_lost = False

    def query(self, statement: str) -> pl.DataFrame:
        """See `Connection`."""
        if self._is_lost:
            self._store.reconnect()
            self._is_lost = False
        try:
            return self._store.query(statement)
        except StoreAwayError:
            self._is_lost = True
            raise

    def interrupt(self) -> None:
        """See `Connection`."""
        self._store.con.cancel()

    def close(self) -> None:
        """See `Connection`."""
        self._store.close()


class Asker:
    """Connections to one store."""

    def __init__(self, connections: list[Connection], limit_s: float = LIMIT_S) -> None:
        """Ask by these."""
        self.limit_s = limit_s
        self._all = connections
        self._free: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()
        for each in connections:
            self._free.put_nowait(each)

    async def ask(self, statement: str) -> pl.DataFrame:
        """The answer; QueryError where it takes too long or is no reading, StoreError with what the store says."""
        if not LEADING.match(statement):
            raise QueryError("expected a statement that begins with select or with; found something else")
        connection = await self._free.get()
        running = asyncio.get_running_loop().run_in_executor(None, connection.query, statement)
        running.add_done_callback(lambda ended: self._release(connection, ended))
        try:
            return await asyncio.wait_for(asyncio.shield(running), self.limit_s)
        except TimeoutError as error:
            raise QueryError(
                f"expected an answer within {self.limit_s:g} s; found none; choose a shorter range"
            ) from error
        finally:
            if not running.done():
                connection.interrupt()

    def _release(self, connection: Connection, ended: asyncio.Future[pl.DataFrame]) -> None:
        """Give a connection to whoever waits; what it failed for is told to whoever asked, if he still waits."""
        if not ended.cancelled():
            ended.exception()
        self._free.put_nowait(connection)

    def interrupt(self) -> None:
        """End what is running."""
        for each in self._all:
            each.interrupt()


@contextmanager
def asker_of(open_one: Callable[[], Connection], count: int = CONNECTIONS) -> Iterator[Asker]:
    """An asker of so many connections, which are closed with it."""
    made: list[Connection] = []
    try:
        made.extend(open_one() for _ in range(count))
        asker = Asker(made)
        yield asker
        asker.interrupt()
    finally:
        for each in made:
            each.close()
