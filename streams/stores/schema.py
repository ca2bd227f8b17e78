"""The schema of a PostgreSQL store: brought up to date by `kilowatch migrate`, and checked by everyone else."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from streams.domain.findings import StoreError
from streams.domain.quantities import OFFSET, UNITS
from streams.stores.postgres import PostgresStore
from streams.stores.store import SQL, views

ROLES = ("writer", "reader", "grafana", "sender", "operator")
TRIES = 50
TRY_S = 0.1


@dataclass(frozen=True, slots=True)
class Right:
    """Something that a user must be allowed: `insert` into a table, or `update` of one of its columns."""

    what: str
    table: str
    column: str = ""

    def asked(self) -> str:
        """The question to the server."""
        if self.column:
            return f"select has_column_privilege('{self.table}', '{self.column}', '{self.what}')"
        return f"select has_table_privilege('{self.table}', '{self.what}')"


SENDS = (
    Right("insert", "op.alert_dispatch"),
    Right("insert", "op.alert_channel"),
    Right("insert", "fact.alert_delivery"),
    Right("update", "op.alert_outbox", "planned_at"),
    Right("update", "op.alert_dispatch", "status"),
)
"""What a sender of alerts must be allowed (sql/roles/sender.sql)."""
OPERATES = (
    Right("insert", "fact.alert_acknowledgement"),
    Right("insert", "fact.alert_silence"),
    Right("insert", "fact.alert_delivery"),
    Right("update", "fact.alert_silence", "ends_at"),
    Right("update", "op.alert_dispatch", "status"),
)
"""What people on duty must be allowed (sql/roles/operator.sql)."""


@dataclass(frozen=True, slots=True)
class Migrated:
    """What `migrate` did: the files it applied, what the server is, and whether it made the roles.

    `missing` are roles that it could not make and that are not there.
    """

    applied: tuple[str, ...]
    server: str
    has_roles: bool
    missing: tuple[str, ...] = ()


def files() -> list[Path]:
    """The files that run once, in order."""
    return [path for folder in ("migrations", "postgres") for path in sorted((SQL / folder).glob("*.sql"))]


def migrate(store: PostgresStore, passwords: Mapping[str, str]) -> Migrated:
    """Apply what is missing: tables, indexes, views, roles, and chunks where TimescaleDB is there.

    `passwords` by role, of ROLES. StoreError where the schema is of another version of a file, or newer
    than all of them: its views are not to become older again.
    """
    _refuse_newer(store, _done(store))
    timescale, server = _extension(store)
    with store.transaction():
        store.alone("migrate")
        applied = _once(store)
        _units(store)
        _views(store)
        if timescale:
            _run(store, (SQL / "timescale" / "hypertables.sql").read_text(encoding="utf-8"))
        has_roles, missing = _roles(store, passwords)
    return Migrated(tuple(applied), server, has_roles, missing)


def check_schema(store: PostgresStore) -> None:
    """StoreError unless the schema is the one of this version."""
    mend = f"run kilowatch migrate --store postgresql://…/{store.where.rpartition('/')[2]}"
    if not store.rows("select 1 from pg_namespace where nspname = 'op'"):
        raise StoreError(f"store {store.where}: expected the schema of Kilowatch; found none; {mend}")
    done = _done(store)
    for path in files():
        if path.name not in done:
            raise StoreError(
                f"store {store.where}: the schema is older than this version ({path.name} is missing); {mend}"
            )
        if done[path.name] != _digest(path):
            raise _otherwise(store, path, done[path.name])
    _refuse_newer(store, done)


def check_rights(store: PostgresStore, rights: Sequence[Right] = (), role: str = "kilowatch_writer") -> None:
    """StoreError unless the user has these rights of `role`; without any, unless he may write what a worker writes."""
    expected = f"store {store.where}: expected a user who may write; found {store.user!r}, who"
    mend = f"connect as {role}, or as the database's owner"
    if store.rows("show default_transaction_read_only")[0][0] == "on":
        raise StoreError(f"{expected} may only read; {mend}")
    if store.rows("select pg_is_in_recovery()")[0][0]:
        raise StoreError(f"store {store.where}: expected a server that takes writes; found a standby; mend --store")
    for right in rights:
        if not store.rows(right.asked())[0][0]:
            raise StoreError(f"{expected} may not {right.what} {right.table}; {mend}")
    closed = store.rows(
        "select schemaname || '.' || tablename from pg_tables where schemaname in ('op', 'raw', 'fact') "
        "and schemaname || '.' || tablename <> 'op.migration' "
        "and not (has_table_privilege(schemaname || '.' || tablename, 'insert') "
        "and has_table_privilege(schemaname || '.' || tablename, 'delete')) limit 1"
    )
    if closed and not rights:
        raise StoreError(f"{expected} may not write {closed[0][0]}; {mend}")


def _refuse_newer(store: PostgresStore, done: Mapping[str, str]) -> None:
    if newer := sorted(done.keys() - {path.name for path in files()}):
        raise StoreError(f"store {store.where}: the schema is newer than this version ({newer[0]}); upgrade Kilowatch")


def _otherwise(store: PostgresStore, path: Path, found: str) -> StoreError:
    return StoreError(
        f"store {store.where}: expected {path.name} applied as this version has it ({_digest(path)[:8]}); found "
        f"another version of it ({found[:8]}); use the Kilowatch that applied it, or a new database"
    )


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _done(store: PostgresStore) -> dict[str, str]:
    if not store.rows("select to_regclass('op.migration') is not null")[0][0]:
        return {}
    return dict(store.rows("select name, sha256 from op.migration"))


def _once(store: PostgresStore) -> list[str]:
    applied = []
    done = _done(store)
    for path in files():
        digest = _digest(path)
        if path.name not in done:
            _run(store, path.read_text(encoding="utf-8"))
            store.execute("insert into op.migration values ($1, $2)", [path.name, digest])
            applied.append(path.name)
        elif done[path.name] != digest:
            raise _otherwise(store, path, done[path.name])
    return applied


def _run(store: PostgresStore, text: str) -> None:
    """Many statements of our own, which go together only where no value is bound."""
    with psycopg.ClientCursor(store.con) as cursor:
        cursor.execute(text)


def _units(store: PostgresStore) -> None:
    store.execute("delete from op.unit")
    for name, (_, base) in UNITS.items():
        store.execute("insert into op.unit values ($1, $2, $3)", [name, float(base), OFFSET.get(name, 0.0)])


def _views(store: PostgresStore) -> None:
    """Replace each view; where its columns changed it is dropped first, unless somebody's own view stands on it."""
    for name, text in views():
        try:
            with store.con.transaction():
                _run(store, text)
        except psycopg.errors.InvalidTableDefinition:
            try:
                store.execute(f"drop view {name}")
            except psycopg.errors.DependentObjectsStillExist as error:
                raise StoreError(
                    f"store {store.where}: {name} has other columns now; drop what stands on it first: "
                    f"{error.diag.message_detail}"
                ) from error
            _run(store, text)


def _extension(store: PostgresStore) -> tuple[str | None, str]:
    """TimescaleDB's version, made in this database where it can be; else None, and why."""
    known = store.rows("select installed_version from pg_available_extensions where name = 'timescaledb'")
    if not known:
        return None, "plain PostgreSQL: TimescaleDB is not on this server"
    if known[0][0] is None:
        if not store.rows("select 1 from pg_settings where name like 'timescaledb.%'"):  # else making it would end us
            return None, "plain PostgreSQL: TimescaleDB is on this server, but not in its shared_preload_libraries"
        try:
            store.execute("create extension timescaledb")
        except psycopg.Error as error:
            said = str(error).splitlines()[0]
            return None, f"plain PostgreSQL: TimescaleDB is on this server and cannot be used ({said})"
    version = str(store.rows("select extversion from pg_extension where extname = 'timescaledb'")[0][0])
    return version, f"TimescaleDB {version}"


def _roles(store: PostgresStore, passwords: Mapping[str, str]) -> tuple[bool, tuple[str, ...]]:
    """Make the roles and give them their rights in this database.

    A user who may not make roles leaves them to the administrator, and gives rights to those that are there. Return
    whether this one may, and the roles that are not there.
    """
    may = bool(store.rows("select rolcreaterole or rolsuper from pg_roles where rolname = current_user")[0][0])
    if may:
        _again(store, lambda: _make_roles(store, passwords))
    named = [f"kilowatch_{role}" for role in ROLES]
    there = {name for (name,) in store.rows("select rolname from pg_roles where rolname = any($1)", [named])}
    for role in ("everybody", *ROLES) if there else ():
        if role == "everybody" or f"kilowatch_{role}" in there:
            _run(store, (SQL / "roles" / f"{role}.sql").read_text(encoding="utf-8"))
    owned = "select datname from pg_database where datname = current_database() and pg_has_role(datdba, 'usage')"
    for (name,) in store.rows(owned):
        statement = sql.SQL("alter database {} set timezone = 'UTC'").format(sql.Identifier(name))
        store.execute(statement.as_string(store.con))
    return may, tuple(name for name in named if name not in there)


def _make_roles(store: PostgresStore, passwords: Mapping[str, str]) -> None:
    """The roles and their passwords, which go hashed: a server may log its statements."""
    _run(store, (SQL / "roles" / "roles.sql").read_text(encoding="utf-8"))
    for role in ROLES:
        if password := passwords.get(role):
            name = f"kilowatch_{role}"
            hashed = store.con.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
            _run(store, sql.SQL("alter role {} password {}").format(sql.Identifier(name), hashed).as_string(store.con))


def _again(store: PostgresStore, work: Callable[[], None]) -> None:
    """Roles belong to the server: what the migration of another database changes at this moment is tried again."""
    for _ in range(TRIES):
        try:
            with store.con.transaction():
                work()
        except (psycopg.errors.InternalError_, psycopg.errors.UniqueViolation, psycopg.errors.DuplicateObject):
            store.rows("select pg_sleep($1)", [TRY_S])
        else:
            return
    work()
