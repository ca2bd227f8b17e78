"""Who may do what: writer, reader and Grafana, each logged in on a real server, and everybody else.

The roles are the server's, and databases come and go beside each other: no test changes or drops one of the three.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from streams.stores.postgres import PostgresStore
from streams.stores.schema import migrate
from tests.jobs.commands import SITE, begun
from tests.servers import databases
from tests.servers.databases import ROLE_PASSWORDS, as_role
from tests.servers.ports import unique_name
from tests.servers.postgres import PostgresServer

OURS = ("fact", "mart", "op", "raw", "run")
ROLES = tuple(f"kilowatch_{role}" for role in ROLE_PASSWORDS)
SECRETS = {f"KILOWATCH_{role.upper()}_PASSWORD": password for role, password in ROLE_PASSWORDS.items()}
Session = psycopg.Connection[tuple[Any, ...]]
DENIED = psycopg.errors.InsufficientPrivilege


@pytest.fixture(scope="module")
def migrated(database_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database after `kilowatch migrate` with passwords."""
    dsn = databases.create_database(database_server)
    try:
        with begun(tmp_path_factory.mktemp("migrate"), {"migrate": ["migrate", "--store", dsn]}, SECRETS) as commands:
            end = commands["migrate"].ended()
        assert end.code == 0, end
        assert "roles up to date" in end.said[0]
        yield dsn
    finally:
        databases.drop_database(database_server, dsn)


@contextmanager
def session(dsn: str, role: str = "") -> Iterator[Session]:
    """A session of the administrator, or of a role with its password."""
    password = ROLE_PASSWORDS.get(role.removeprefix("kilowatch_"), "")
    with psycopg.connect(as_role(dsn, role, password) if role else dsn, autocommit=True) as made:
        yield made


def relations(dsn: str) -> dict[str, list[str]]:
    """Tables and views of each of our schemas."""
    with session(dsn) as admin:
        rows = admin.execute(
            "select n.nspname, format('%%I.%%I', n.nspname, c.relname) from pg_class c join pg_namespace n "
            "on n.oid = c.relnamespace where c.relkind in ('r', 'v', 'm', 'p') and n.nspname = any(%s) order by 2",
            [list(OURS)],
        ).fetchall()
    found: dict[str, list[str]] = {name: [] for name in OURS}
    for schema, name in rows:
        found[schema].append(name)
    return found


def refused(who: Session, statements: list[str], error: type[psycopg.Error]) -> None:
    """Each of the statements is refused with this error."""
    found = {}
    for statement in statements:
        try:
            who.execute(statement.encode())
        except psycopg.Error as told:
            found[statement] = type(told)
    assert found == dict.fromkeys(statements, error)


def changes(relation: str = "fact.interval") -> list[str]:
    """Statements that only a writer, or an owner, may have."""
    return [
        f"insert into {relation} select * from {relation} limit 0",
        f"update {relation} set point_id = 1",
        f"delete from {relation}",
        *owners(relation),
    ]


def owners(relation: str = "fact.interval") -> list[str]:
    """Statements that are for owners and administrators alone.

    Everybody may change the defaults of his own sessions: it is the rights that hold, the defaults only guide.
    """
    return [
        f"truncate {relation}",
        f"drop table {relation}",
        f"alter table {relation} add column more integer",
        f"create index on {relation} (point_id)",
        "drop view mart.energy_daily",
        "create or replace view mart.energy_daily as select 1 as one",
        *[f"create table {schema}.mine (a integer)" for schema in (*OURS, "public")],
        "create schema mine",
        "create role mine",
        "alter role kilowatch_writer createrole",
    ]


def test_the_reader_reads_everything(migrated: str) -> None:
    with session(migrated, "kilowatch_reader") as reader:
        for names in relations(migrated).values():
            assert names
            for name in names:
                reader.execute(f"select * from {name} limit 1".encode())


def test_the_reader_changes_nothing(migrated: str) -> None:
    temporary = "create temp table mine (a integer)"
    with session(migrated, "kilowatch_reader") as reader:
        refused(reader, changes()[:3], psycopg.errors.ReadOnlySqlTransaction)
        refused(reader, ["update op.migration set sha256 = ''"], psycopg.errors.ReadOnlySqlTransaction)
        for lifted in (
            "set default_transaction_read_only = off",
            "set session characteristics as transaction read write",
        ):
            reader.execute(lifted.encode())
            refused(reader, [*changes(), *changes("raw.reading")[:5], temporary], DENIED)
            refused(reader, ["update op.migration set sha256 = ''", "copy fact.interval from program 'true'"], DENIED)


def test_grafana_reads_the_mart_views_and_nothing_else(migrated: str) -> None:
    found = relations(migrated)
    with session(migrated, "kilowatch_grafana") as grafana:
        for name in found["mart"]:
            grafana.execute(f"select * from {name} limit 1".encode())
        grafana.execute("select count(*) from energy_daily")  # without the schema, too
        others = [name for schema in OURS if schema != "mart" for name in found[schema]]
        refused(grafana, [f"select * from {name} limit 1" for name in others], DENIED)
        # What TimescaleDB keeps its chunks in stands elsewhere, and a right to it would be a way round.
        open_ones = grafana.execute(
            "select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace "
            "where c.relkind in ('r', 'v', 'm', 'p', 'f') and has_table_privilege(c.oid, 'select') "
            "and n.nspname not in ('mart', 'information_schema') and n.nspname !~ '^pg_' "
            "and not exists (select 1 from pg_depend d where d.objid = c.oid and d.deptype = 'e')"
        ).fetchall()
        assert open_ones == []
        assert usable(grafana) == ["mart"]


def usable(who: Session) -> list[str]:
    """Our schemas that somebody may use, or make things in."""
    rows = who.execute(
        "select nspname from pg_namespace where nspname = any(%s) "
        "and (has_schema_privilege(oid, 'usage') or has_schema_privilege(oid, 'create'))",
        [list(OURS)],
    )
    return [str(name) for (name,) in rows]


def test_grafana_changes_nothing_and_has_30_s(migrated: str) -> None:
    with session(migrated, "kilowatch_grafana") as grafana:
        assert grafana.execute("show statement_timeout").fetchone() == ("30s",)
        assert grafana.execute("show default_transaction_read_only").fetchone() == ("on",)
        grafana.execute("set statement_timeout = '50ms'")  # what it may make shorter ends a statement
        refused(grafana, ["select pg_sleep(5)"], psycopg.errors.QueryCanceled)
        grafana.execute("set session characteristics as transaction read write")
        refused(grafana, [*changes(), "create temp table mine (a integer)"], DENIED)


def test_the_writer_does_what_an_ingest_does_and_no_more(migrated: str, tmp_path: Path) -> None:
    readings = tmp_path / "readings.csv"
    rows = [f"worm_gear_shop/main,2026-01-05T{hour:02}:00:00+08:00,{1000 + hour}" for hour in range(8)]
    readings.write_text(
        "\n".join(["point,time,value", *rows, "worm_gear_shop/nowhere,2026-01-05T00:00:00+08:00,1"]) + "\n"
    )
    store = as_role(migrated, "kilowatch_writer", ROLE_PASSWORDS["writer"])
    ingest = ["ingest", SITE, readings, "--store", store, "--archive", tmp_path / "archive"]
    replay = [
        "replay",
        SITE,
        "--store",
        store,
        "--archive",
        tmp_path / "archive",
        "--verify",
        "--certificate",
        "c.json",
    ]
    for name, words in {"ingest": ingest, "replay": replay}.items():
        with begun(tmp_path / name, {name: words}) as commands:
            end = commands[name].ended(60)
        assert end.code == 0, end
    with session(migrated) as admin:
        assert admin.execute("select count(*) > 0 from mart.energy_interval where energy_kwh > 0").fetchone() == (True,)
        assert admin.execute("select count(*) from mart.quarantine").fetchone() == (1,)
    with session(migrated, "kilowatch_writer") as writer:
        writer.execute("create temp table staged (a integer)")
        refused(writer, [*owners(), *owners("raw.reading")[:4]], DENIED)
        migration = [
            "update op.migration set sha256 = ''",
            "delete from op.migration",
            "insert into op.migration values ('', '')",
        ]
        refused(writer, [*migration, "drop table op.migration", "truncate op.migration"], DENIED)
        writer.execute("grant select on raw.reading to public")  # PostgreSQL warns, and does nothing
        assert writer.execute("select has_table_privilege('public', 'raw.reading', 'select')").fetchone() == (False,)


RIGHTS = {
    "sender": {
        "select": {
            "op.migration", "op.catalog", "op.alert_outbox", "op.alert_dispatch", "op.alert_channel",
            "fact.alert_episode", "fact.alert_acknowledgement", "fact.alert_silence",
        },
        "insert": {"op.alert_dispatch", "op.alert_channel", "fact.alert_delivery"},
        "select of columns": {f"fact.alert_delivery.{each}" for each in ("message_id", "channel", "attempt", "status")},
        "update of columns": {
            "op.alert_outbox.planned_at",
            *(f"op.alert_dispatch.{each}" for each in ("attempts", "next_at", "status")),
        },
    },
    "operator": {
        "select": {
            "op.migration", "op.catalog", "op.alert_outbox", "op.alert_dispatch", "fact.alert_episode",
            "fact.alert_silence", "mart.alert_episode", "mart.alert_delivery",
        },
        "insert": {"fact.alert_acknowledgement", "fact.alert_silence", "fact.alert_delivery"},
        "select of columns": set(),
        "update of columns": {"fact.alert_silence.ends_at", "op.alert_dispatch.next_at", "op.alert_dispatch.status"},
    },
}  # fmt: skip
"""All that the two roles of alerts may do."""


def rights(dsn: str, role: str) -> dict[str, set[str]]:
    """What a role may do in our schemas, to whole relations and to single columns of others."""
    whole = (
        "select p, format('%%I.%%I', n.nspname, c.relname) from pg_class c join pg_namespace n "
        "on n.oid = c.relnamespace, "
        "unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) p "
        "where n.nspname = any(%s) and c.relkind in ('r', 'v', 'm', 'p') and has_table_privilege(%s, c.oid, p)"
    )
    single = (
        "select p, format('%%I.%%I.%%I', n.nspname, c.relname, a.attname) from pg_attribute a join pg_class c "
        "on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace, "
        "unnest(array['select', 'insert', 'update', 'references']) p where n.nspname = any(%s) and a.attnum > 0 "
        "and not a.attisdropped and c.relkind in ('r', 'v', 'm', 'p') "
        "and has_column_privilege(%s, c.oid, a.attnum, p) and not has_table_privilege(%s, c.oid, p)"
    )
    name = f"kilowatch_{role}"
    found: dict[str, set[str]] = {"select of columns": set(), "update of columns": set()}
    with session(dsn) as admin:
        for what, relation in admin.execute(whole.encode(), [list(OURS), name]):
            found.setdefault(what, set()).add(relation)
        for what, column in admin.execute(single.encode(), [list(OURS), name, name]):
            found.setdefault(f"{what} of columns", set()).add(column)
    return found


@pytest.mark.parametrize("role", RIGHTS)
def test_a_role_of_alerts_may_do_its_part_and_nothing_else(migrated: str, role: str) -> None:
    with session(migrated) as admin:
        admin.execute(f"grant select on raw.reading, mart.energy_daily to kilowatch_{role}".encode())
        admin.execute(f"grant delete on fact.alert_delivery to kilowatch_{role}".encode())
    remigrated(migrated)  # takes back what somebody gave by hand
    assert rights(migrated, role) == RIGHTS[role]
    with session(migrated, f"kilowatch_{role}") as who:
        denied = [*owners(), *changes(), *owners("fact.alert_delivery")[:4], "create temp table mine (a integer)"]
        denied += ["delete from fact.alert_delivery", "update fact.alert_delivery set status = 'sent'"]
        refused(who, [*denied, "select * from raw.reading limit 1", "select * from fact.interval limit 1"], DENIED)
        refused(who, ["select * from mart.energy_daily limit 1", "update op.migration set sha256 = ''"], DENIED)


def test_everybody_else_has_nothing(migrated: str, database_server: str) -> None:
    who, secret = unique_name("somebody"), "of-somebody"
    with session(database_server) as admin:
        admin.execute(sql.SQL("create role {} login password {}").format(sql.Identifier(who), sql.Literal(secret)))
    try:
        with psycopg.connect(as_role(migrated, who, secret), autocommit=True) as somebody:
            names = [name for each in relations(migrated).values() for name in each]
            refused(somebody, [f"select * from {name} limit 1" for name in names], DENIED)
            refused(somebody, [f"create table {schema}.mine (a integer)" for schema in (*OURS, "public")], DENIED)
            refused(somebody, ["create temp table mine (a integer)", "create schema mine"], DENIED)
            assert usable(somebody) == []
    finally:
        with session(database_server) as admin:
            admin.execute(sql.SQL("drop role {}").format(sql.Identifier(who)))


@pytest.fixture
def owned(database_server: str) -> Iterator[str]:
    """An empty database whose owner may not make roles."""
    owner = unique_name("owner")
    dsn = databases.create_database(database_server)
    name = sql.Identifier(owner)
    try:
        with session(dsn) as admin:
            admin.execute(sql.SQL("create role {} login password 'of-the-owner'").format(name))
            database = sql.Identifier(str(conninfo_to_dict(dsn)["dbname"]))
            admin.execute(sql.SQL("alter database {} owner to {}").format(database, name))
        yield as_role(dsn, owner, "of-the-owner")
    finally:
        databases.drop_database(database_server, dsn)
        with session(database_server) as admin:
            admin.execute(sql.SQL("drop role if exists {}").format(name))


def test_views_and_tables_that_came_later_follow_with_the_next_migration(migrated: str) -> None:
    with session(migrated) as admin:
        admin.execute("create view mart.later as select 1 as one; create table fact.later (a integer)")
    try:
        with session(migrated, "kilowatch_grafana") as grafana:
            refused(grafana, ["select * from mart.later"], DENIED)
        remigrated(migrated)
        with session(migrated, "kilowatch_grafana") as grafana:
            grafana.execute("select * from mart.later")
            refused(grafana, ["select * from fact.later"], DENIED)
        with session(migrated, "kilowatch_reader") as reader:
            reader.execute("select * from mart.later; select * from fact.later")
        with session(migrated, "kilowatch_writer") as writer:
            writer.execute("insert into fact.later values (1)")
    finally:
        with session(migrated) as admin:
            admin.execute("drop view mart.later; drop table fact.later")


def remigrated(dsn: str, passwords: dict[str, str] | None = None) -> bool:
    store = PostgresStore(dsn)
    try:
        return migrate(store, passwords or {}).has_roles
    finally:
        store.close()


def test_rights_that_were_given_by_hand_to_grafana_are_taken_back(migrated: str) -> None:
    with session(migrated) as admin:
        admin.execute("grant usage on schema raw, fact, run to kilowatch_grafana")
        admin.execute("grant select on raw.reading, fact.interval, run.energy_interval to kilowatch_grafana")
        admin.execute("grant usage on schema mart to public; grant select on mart.energy_daily to public")
    remigrated(migrated)
    test_grafana_reads_the_mart_views_and_nothing_else(migrated)


def test_an_owner_who_may_not_make_roles_gives_rights_to_those_that_are_there(migrated: str, owned: str) -> None:
    assert not remigrated(owned)
    assert rights(owned, "sender") == RIGHTS["sender"]
    with session(owned, "kilowatch_grafana") as grafana:
        grafana.execute("select * from mart.energy_daily")
        refused(grafana, ["select * from raw.reading"], DENIED)
    with session(owned, "kilowatch_writer") as writer:
        writer.execute("insert into op.log_position values ('a', 0, 1)")


def test_roles_that_are_not_there_are_named_and_the_others_have_their_rights(
    own_postgres: Callable[[], PostgresServer], tmp_path: Path
) -> None:
    """A server whose administrator has made the roles of an earlier version."""
    server = own_postgres()
    dsn = server.create_database()
    with session(dsn) as admin:
        for role in ("writer", "reader", "grafana"):
            admin.execute(f"create role kilowatch_{role} login".encode())
        admin.execute("create role owning login password 'of-the-owner'")
        name = sql.Identifier(str(conninfo_to_dict(dsn)["dbname"]))
        admin.execute(sql.SQL("alter database {} owner to owning").format(name))
    words = ["migrate", "--store", as_role(dsn, "owning", "of-the-owner")]
    with begun(tmp_path / "migrate", {"migrate": words}) as commands:
        end = commands["migrate"].ended()
    assert (end.code, len(end.said)) == (0, 1), end
    assert end.said[0].endswith(
        "roles left alone: this user may not make roles, and there is no kilowatch_sender, kilowatch_operator"
    )
    assert rights(dsn, "writer")["insert"] and rights(dsn, "grafana")["select"]


def test_databases_of_one_server_are_migrated_beside_each_other(database_server: str, tmp_path: Path) -> None:
    """The roles are the same ones, and two that alter a role at once are told `tuple concurrently updated`."""
    made = [databases.create_database(database_server) for _ in range(6)]
    try:
        words = {dsn: ["migrate", "--store", dsn] for dsn in made}
        with begun(tmp_path / "out", words, SECRETS) as commands:
            ends = {dsn: command.ended(60) for dsn, command in commands.items()}
        assert not {dsn: end for dsn, end in ends.items() if end.code}
    finally:
        for dsn in made:
            databases.drop_database(database_server, dsn)


def test_no_password_comes_into_the_log_of_the_server(postgres: PostgresServer, tmp_path: Path) -> None:
    dsn = postgres.create_database()
    try:
        with session(dsn) as admin:
            name = sql.Identifier(str(conninfo_to_dict(dsn)["dbname"]))
            admin.execute(sql.SQL("alter database {} set log_statement = 'all'").format(name))
        remigrated(dsn, ROLE_PASSWORDS)
        log = postgres.log.read_text(errors="replace")
        assert "alter role" in log and "password 'SCRAM-SHA-256$" in log
        assert not [password for password in ROLE_PASSWORDS.values() if password in log]
    finally:
        postgres.drop_database(dsn)
