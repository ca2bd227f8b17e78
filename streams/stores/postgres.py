"""A PostgreSQL database as a store, with TimescaleDB where the server has it: binary COPY in and out."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import polars as pl
import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from streams.domain.findings import StoreAwayError, StoreError
from streams.ingest.kafka_settings import read_secret
from streams.stores.binary_copy import FIXED, decoded, encoded
from streams.stores.store import need_names

PASSWORD: Final = "KILOWATCH_STORE_PASSWORD"  # noqa: S105 - the name of a variable
CONNECT_S: Final = 10
SERVER: Final = ("postgresql://", "postgres://")
FAILED: Final = re.compile(r"failed: (?!.*failed: )(.+)")
"""Why each attempt to connect failed, without what libpq guesses of it in the next lines."""
UNFIT: Final = (
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.ReadOnlySqlTransaction,
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.InvalidSchemaName,
)
STANDSTILL_S: Final = 20
"""A process that stands still within a transaction holds locks that whoever takes its work over waits for."""
OTHERS: Final[dict[int, pl.DataType | type[pl.DataType]]] = {
    17: pl.Binary,
    25: pl.String,
    700: pl.Float32,
    1043: pl.String,
    1184: pl.Datetime("us", "UTC"),
    1700: pl.Float64,  # what extract and avg give here, and are doubles in DuckDB
}
COLUMNS: Final = {
    pl.Boolean: "boolean",
    pl.Int16: "smallint",
    pl.Int32: "integer",
    pl.Int64: "bigint",
    pl.Float64: "double precision",
    pl.String: "varchar",
    pl.Binary: "bytea",
    pl.Date: "date",
    pl.Datetime: "timestamp",
}
LOOK_S: Final = 0.05
END_HOLDER: Final = """
select pg_terminate_backend(l.pid)
from pg_locks as l
inner join pg_stat_activity as a on l.pid = a.pid
where
    l.locktype = 'advisory' and l.objsubid = 1 and l.granted and a.datname = current_database()
    and (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended($1, 0) and a.application_name = $2
"""
NUMBERED: Final = re.compile(r"\$(\d+)")
NAMED: Final = re.compile(r"\$([a-z_]+)")


class PostgresStore:
    """A store in a database. Many processes may hold it; each writes the sites that are its own.

    Threads may share it.
    """

    def __init__(self, url: str, *, read_only: bool = False, application: str = "kilowatch") -> None:
        """Connect; StoreAwayError where nothing answers, StoreError where the server refuses."""
        self.url, self.read_only, self.application = url, read_only, application
        try:
            named = conninfo_to_dict(url)
        except psycopg.ProgrammingError:  # what it says repeats the URL, and perhaps a password in it
            named = {}
        host, port = str(named.get("host") or ""), str(named.get("port") or 0)
        if not url.startswith(SERVER) or not named or "@" in host or not port.replace(",", "").isdecimal():
            raise StoreError(
                f"store: expected postgresql://user@host:port/database, and its password in {PASSWORD}; "
                "found something else; mend --store"
            )
        self.user = named.get("user") or os.environ.get("PGUSER") or "the user of this process"
        self.password = str(named["password"]) if named.get("password") else _secret()
        self.where = f"{named.get('host') or 'localhost'}:{named.get('port') or 5432}/{named.get('dbname') or ''}"
        self.turn = threading.RLock()
        self.con = self._connected()

    def _connected(self) -> psycopg.Connection[tuple[Any, ...]]:
        url = make_conninfo(self.url, password=self.password) if self.password else self.url
        modes = " -c default_transaction_read_only=on" if self.read_only else ""
        try:
            return psycopg.connect(
                url,
                autocommit=True,
                cursor_factory=psycopg.RawCursor,
                connect_timeout=CONNECT_S,
                application_name=self.application,
                options="-c TimeZone=UTC -c DateStyle=ISO -c client_min_messages=warning "
                f"-c idle_in_transaction_session_timeout={STANDSTILL_S}s{modes}",
            )
        except psycopg.OperationalError as error:
            raise self._refused(str(error)) from None

    def _refused(self, text: str) -> StoreError:
        """Why there is no connection: a refusal, or an answer that may still come."""
        found = (FAILED.findall(text) or [_said_in(text)])[-1].strip()
        said = found.rpartition("FATAL:")[2].strip()
        if "authentication failed" in text or "no password supplied" in text:
            return StoreError(
                f"store {self.where}: the password of user {self.user!r} is refused or missing; set {PASSWORD}"
            )
        if "does not exist" in text:
            return StoreError(f"store {self.where}: {said}; create it, or mend --store")
        if "pg_hba.conf" in text or "permission denied" in text or "SSL was required" in text:
            return StoreError(
                f"store {self.where}: expected to be let in as {self.user!r}; found: {said}; mend --store "
                "(user, ?sslmode=), or let that user in"
            )
        if "timeout expired" in text:
            found = f"nothing within {CONNECT_S} s"
        elif "closed the connection" in found or "invalid response" in found:
            found = "a server that hangs up"
        elif "FATAL" not in text:
            return StoreAwayError(f"store {self.where}: no answer; start the server, or mend --store ({found})")
        return StoreAwayError(
            f"store {self.where}: expected an answer of PostgreSQL; found {found}; wait for it, or mend --store if "
            "that is another server"
        )

    def reconnect(self) -> None:
        """Connect anew where the server went away; StoreAwayError where it still is."""
        with self.turn:
            if not self._answers():
                self.con.close()
                self.con = self._connected()

    def _answers(self) -> bool:
        """Whether the connection is well, perhaps since another thread has mended it."""
        try:
            self.con.execute("select 1")
        except psycopg.Error:
            return False
        return True

    def close(self) -> None:
        """Let go of the connection."""
        self.con.close()

    def query(self, statement: str, values: dict[str, object] | None = None) -> pl.DataFrame:
        """See `Store`."""
        try:
            with self.turn, psycopg.ClientCursor(self.con) as cursor:
                if values is None:
                    cursor.execute(statement)
                else:
                    cursor.execute(NAMED.sub(r"%(\1)s", statement.replace("%", "%%")), values)
                if cursor.description is None:
                    raise StoreError("query: expected a statement that returns rows; found none")
                need_names([column.name for column in cursor.description])
                return _columns(cursor.fetchall(), cursor.description)
        except psycopg.OperationalError as error:
            raise self._away(error) from error
        except psycopg.Error as error:
            raise StoreError(f"query: {str(error).strip()}") from error

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """See `Store`."""
        with self._heard():
            cursor = self.con.execute(statement, values)
            return cursor.fetchall()

    def frame(self, statement: str, values: Sequence[object] = ()) -> pl.DataFrame:
        """See `Store`."""
        with self._heard(), self.con.cursor(binary=True) as cursor:
            cursor.execute(f"select * from ({statement}) as described limit 0", values)  # noqa: S608 - a statement of our own
            described = cursor.description or []
            if all(column.type_code in FIXED for column in described):
                with cursor.copy(self._bound(statement, values)) as copy:
                    whole = decoded(copy, [(each.name, each.type_code) for each in described])
                if whole is not None:
                    return whole
            cursor.execute(statement, values)
            return _columns(cursor.fetchall(), described)

    def _bound(self, statement: str, values: Sequence[object]) -> sql.SQL:
        """A COPY of a statement, which takes no values, with them written into it."""
        text = NUMBERED.sub(lambda found: sql.Literal(values[int(found[1]) - 1]).as_string(self.con), statement)
        return sql.SQL(f"copy ({text}) to stdout (format binary)")

    def execute(self, statement: str, values: Sequence[object] = ()) -> int:
        """See `Store`."""
        with self._heard():
            return int(self.con.execute(statement, values).rowcount)

    def append(self, table: str, rows: pl.DataFrame) -> None:
        """See `Store`."""
        names = ", ".join(f'"{name}"' for name in rows.columns)
        with (
            self._heard(),
            self.con.cursor() as cursor,
            cursor.copy(f"copy {table} ({names}) from stdin (format binary)") as copy,
        ):
            for piece in encoded(rows):
                copy.write(piece)

    @contextmanager
    def stage(self, name: str, rows: pl.DataFrame) -> Iterator[None]:
        """See `Store`."""
        columns = ", ".join(f'"{column}" {COLUMNS[dtype.base_type()]}' for column, dtype in rows.schema.items())
        self.execute(f"create temp table {name} ({columns}) on commit drop")
        self.append(name, rows)
        yield
        self.execute(f"drop table pg_temp.{name}")

    def derive(self, name: str, statement: str, values: Sequence[object] = ()) -> None:
        """See `Store`."""
        self.execute(f"drop table if exists pg_temp.{name}")
        bound = NUMBERED.sub(lambda found: sql.Literal(values[int(found[1]) - 1]).as_string(self.con), statement)
        self.execute(f"create temp table {name} on commit drop as {bound}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See `Store`."""
        try:
            with self._heard(), self.con.transaction():
                yield
        except StoreAwayError:
            raise
        except psycopg.Error as error:
            raise StoreError(f"store {self.where}: nothing of this batch was stored: {_said(error)}") from error

    def alone(self, purpose: str) -> None:
        """See `Store`. A session of this application that stands still with it for too long is ended.

        PostgreSQL itself ends those that are idle within a transaction, but none that has stopped while sending rows.
        """
        key, waited_s = f"kilowatch {purpose}", 0.0
        while not self.rows("select pg_try_advisory_xact_lock(hashtextextended($1, 0))", [key])[0][0]:
            self.rows("select pg_sleep($1)", [LOOK_S])
            waited_s += LOOK_S
            if waited_s > STANDSTILL_S:
                self.rows(END_HOLDER, [key, self.application])

    def hold(self, purpose: str) -> bool:
        """See `Store`."""
        return bool(self.rows("select pg_try_advisory_lock(hashtextextended($1, 0))", [f"kilowatch {purpose}"])[0][0])

    def let_go(self, purpose: str) -> None:
        """See `Store`."""
        self.rows("select pg_advisory_unlock(hashtextextended($1, 0))", [f"kilowatch {purpose}"])

    @contextmanager
    def _heard(self) -> Iterator[None]:
        """A server that went away becomes a StoreAwayError; a missing right, and another schema, a StoreError.

        Threads take turns, by whole transactions: libpq is not made for two at once, least of all while one closes.
        """
        with self.turn, self._told(self.con):
            yield

    @contextmanager
    def _told(self, con: psycopg.Connection[tuple[Any, ...]]) -> Iterator[None]:
        try:
            yield
        except UNFIT as error:
            raise self._unfit(error) from error
        except psycopg.Error as error:
            if con.closed or isinstance(error, psycopg.errors.OperatorIntervention):
                raise self._away(error) from error
            raise

    def _unfit(self, error: psycopg.Error) -> StoreError:
        """What to mend, where a user lacks a right or the schema is another one."""
        if isinstance(error, psycopg.errors.InsufficientPrivilege | psycopg.errors.ReadOnlySqlTransaction):
            return StoreError(
                f"store {self.where}: user {self.user!r} may not do this: {_said(error)}; connect as one who may "
                "(kilowatch_writer writes, kilowatch_reader reads all, the database's owner migrates)"
            )
        return StoreError(
            f"store {self.where}: expected the schema of this version; found: {_said(error)}; run kilowatch migrate"
        )

    def _away(self, error: psycopg.Error) -> StoreError:
        return StoreAwayError(f"store {self.where}: the server went away: {_said(error)}")


def _secret() -> str | None:
    """The password of the environment, or of the file that it names."""
    if given := os.environ.get(PASSWORD):
        return given
    path = os.environ.get(f"{PASSWORD}_FILE")
    return read_secret(Path(path), "the password of the store") if path else None


def _columns(rows: list[tuple[Any, ...]], described: Sequence[psycopg.Column]) -> pl.DataFrame:
    """Rows with the types that the database gave them; those that have no fellow here become text."""
    schema: dict[str, Any] = {}
    for at, column in enumerate(described):
        kind = FIXED[column.type_code][1] if column.type_code in FIXED else OTHERS.get(column.type_code)
        if kind is None and not any(isinstance(row[at], int | float | datetime) for row in rows):
            kind = pl.String
            rows = [(*row[:at], None if row[at] is None else str(row[at]), *row[at + 1 :]) for row in rows]
        schema[column.name] = kind
    return pl.DataFrame(rows, schema=schema, orient="row", infer_schema_length=None)


def _said(error: Exception) -> str:
    return _said_in(str(error) or type(error).__name__)


def _said_in(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "no reason given")
