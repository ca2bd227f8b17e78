"""One DuckDB file: opened, brought up to date, asked; all or nothing in a transaction (law 7)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from streams.domain.findings import StoreError, StoreHeldError
from streams.domain.quantities import OFFSET, UNITS
from streams.stores.store import SQL, need_names, views


def path_of(url: str) -> Path:
    """The file that a `duckdb:///…` URL names; StoreError for any other URL."""
    prefix = "duckdb:///"
    if not url.startswith(prefix) or len(url) == len(prefix):
        scheme, slashes, _ = url.partition("://")  # no more of it: another URL may hold a password
        found = f"{scheme}://…" if slashes else "another thing"
        raise StoreError(f"store: expected duckdb:///path/to/file.duckdb; found {found}; mend --store")
    return Path(url[len(prefix) :])


class DuckDBStore:
    """A store in one file. One process at a time can hold it."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open or create the file and bring its schema up to date; StoreError says what is in the way."""
        self.path = path
        self.where = str(path)
        self.read_only = read_only
        self.copier: duckdb.DuckDBPyConnection | None = None
        if read_only and not path.exists():
            raise StoreError(f"store {path}: expected a file; found none")
        if not path.parent.is_dir():
            hint = "" if path.is_absolute() else f" (an absolute path has four slashes: duckdb:////{path})"
            raise StoreError(f"store {path}: expected the folder {path.parent} to exist; found none{hint}")
        try:
            self.con = duckdb.connect(str(path), read_only=read_only)
        except duckdb.IOException as error:
            if "not a valid DuckDB" in str(error):
                raise StoreError(f"store {path}: expected a DuckDB file; found something else") from error
            if "lock" in str(error).lower():
                raise StoreHeldError(f"store {path}: another process holds it; stop that one first") from error
            raise StoreError(f"store {path}: cannot be opened: {_first_line(error)}") from error
        except duckdb.Error as error:
            raise StoreError(f"store {path}: cannot be opened: {_first_line(error)}") from error
        self.con.execute("set global TimeZone = 'UTC'")  # for connections beside, once nothing can be set any more
        self.con.execute("set TimeZone = 'UTC'")
        if read_only:
            self._confine()
            if not self.rows("select 1 from duckdb_tables() where schema_name = 'op' and table_name = 'migration'"):
                self.close()
                raise StoreError(f"store {path}: expected a store of Kilowatch; found a DuckDB file without its tables")
        else:
            self._migrate()

    def beside(self) -> DuckDBStore:
        """The same store for another thread of this process, with transactions of its own."""
        other = copy(self)
        other.con, other.copier = self.con.cursor(), None
        if not self.read_only:
            other.con.execute("set TimeZone = 'UTC'")
        return other

    def _confine(self) -> None:
        """No statement reads or writes any other file from now on."""
        self.con.execute("set enable_external_access = false")
        self.con.execute("set lock_configuration = true")

    def close(self) -> None:
        """Let go of the file."""
        self.con.close()

    @contextmanager
    def only_reading(self) -> Iterator[None]:
        """Statements that change nothing, even of a file that this process may write."""
        self.con.execute("begin transaction read only")
        try:
            yield
        finally:
            self._rollback()

    def query(self, statement: str, values: dict[str, object] | None = None) -> pl.DataFrame:
        """Run a statement, with its named values; StoreError carries what DuckDB says."""
        try:
            rows = self.con.sql(statement, params=values)
            if rows is None:
                raise StoreError("query: expected a statement that returns rows; found none")
            need_names(rows.columns)
            return pl.DataFrame(rows.to_arrow_table())
        except duckdb.Error as error:
            raise StoreError(f"query: {error}") from error

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """See `Store`."""
        return self.con.execute(statement, list(values)).fetchall()

    def frame(self, statement: str, values: Sequence[object] = ()) -> pl.DataFrame:
        """See `Store`."""
        return pl.DataFrame(self.con.sql(statement, params=list(values)).to_arrow_table())

    def execute(self, statement: str, values: Sequence[object] = ()) -> int:
        """See `Store`."""
        changed = self.con.execute(statement, list(values)).fetchall()
        return int(changed[0][0]) if changed else 0

    def append(self, table: str, rows: pl.DataFrame) -> None:
        """See `Store`."""
        with self.stage("incoming", rows):
            self.con.execute(f"insert into {table} by name select * from incoming")  # noqa: S608 - a name of our own

    @contextmanager
    def stage(self, name: str, rows: pl.DataFrame) -> Iterator[None]:
        """See `Store`."""
        self.con.register(name, rows)
        try:
            yield
        finally:
            self.con.unregister(name)

    def derive(self, name: str, statement: str, values: Sequence[object] = ()) -> None:
        """See `Store`."""
        self.con.execute(f"create or replace temp table {name} as {statement}", list(values))

    def copy_to(self, path: Path) -> bool:
        """Write a copy of the store as it is now, which another process can open; it appears whole or not at all.

        False where `leave_copy` was called meanwhile.
        """
        beside = path.with_name(f"{path.name}.part")
        beside.unlink(missing_ok=True)
        quoted = str(beside).replace("'", "''")
        try:
            name = self.rows("select current_database()")[0][0]
            self.con.execute(f"attach '{quoted}' as copied")
            self.copier = self.con.cursor()
            try:
                self.copier.execute(f'copy from database "{name}" to copied')
            finally:
                copier, self.copier = self.copier, None
                copier.close()
                self.con.execute("detach copied")
            beside.replace(path)
        except duckdb.InterruptException:
            beside.unlink(missing_ok=True)
            return False
        except (duckdb.Error, OSError) as error:
            raise StoreError(f"store {self.path}: cannot be copied to {path}: {_first_line(error)}") from error
        return True

    def is_one_select(self, statement: str) -> bool:
        """Whether a text is a single statement that selects; True where DuckDB cannot read it, which `query` tells."""
        try:
            found = self.con.extract_statements(statement)
        except duckdb.Error:
            return True
        return len(found) == 1 and found[0].type == duckdb.StatementType.SELECT

    def leave_copy(self) -> None:
        """Give up a copy that another thread is making; nothing to do where none is made."""
        copier = self.copier
        if copier is not None:
            with suppress(duckdb.ConnectionException):  # it came to its end meanwhile
                copier.interrupt()

    def alone(self, purpose: str) -> None:
        """See `Store`; one process alone can hold the file."""

    def hold(self, purpose: str) -> bool:  # noqa: ARG002 - the store's signature
        """See `Store`; one process alone can hold the file."""
        return True

    def let_go(self, purpose: str) -> None:
        """See `Store`."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; a full disk or a broken file becomes a StoreError and nothing is stored."""
        self.con.begin()
        try:
            yield
            self.con.commit()
        except duckdb.Error as error:
            self._rollback()
            raise StoreError(f"store {self.path}: nothing of this batch was stored: {_first_line(error)}") from error
        except BaseException:
            self._rollback()
            raise

    def _rollback(self) -> None:
        try:
            self.con.rollback()
        except duckdb.Error as error:  # DuckDB has rolled back by itself already
            if "no transaction" not in str(error):
                raise

    def _migrate(self) -> None:
        known = self.rows(
            "select 1 from information_schema.tables where table_schema = 'op' and table_name = 'migration'"
        )
        try:
            rows = self.con.execute("select name, sha256 from op.migration").fetchall() if known else []
        except duckdb.Error as error:
            raise StoreError(f"store {self.path}: expected a store of Kilowatch; {_first_line(error)}") from error
        done = dict(rows)
        with self.transaction():
            for file in sorted((SQL / "migrations").glob("*.sql")):
                content = file.read_text(encoding="utf-8")
                digest = hashlib.sha256(content.encode()).hexdigest()
                if file.name not in done:
                    self.con.execute(content)
                    self.con.execute("insert into op.migration values (?, ?)", [file.name, digest])
                elif done[file.name] != digest:
                    raise StoreError(f"store {self.path}: {file.name} was applied in another version of it")
            self.con.execute("delete from op.unit")
            for name, (_, base) in UNITS.items():
                self.con.execute("insert into op.unit values (?, ?, ?)", [name, float(base), OFFSET.get(name, 0.0)])
            for _, text in views():
                self.con.execute(text)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
