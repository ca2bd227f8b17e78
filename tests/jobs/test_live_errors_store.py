"""What is wrong with the database is one line, whichever command is pointed at it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from streams.stores.postgres import PostgresStore
from streams.stores.schema import files, migrate
from tests.jobs.commands import SECRET, SITE, begun, faults
from tests.servers.databases import ROLE_PASSWORDS, url
from tests.servers.kafka import KafkaServer
from tests.servers.mosquitto import Mosquitto
from tests.servers.ports import LOOPBACK, free_port, unique_name
from tests.servers.postgres import PostgresServer

LAST = files()[-1].name


@dataclass(frozen=True, slots=True)
class Databases:
    """Databases of a server, by what is right or wrong with them."""

    server: PostgresServer
    made: dict[str, str]

    def url(self, database: str, role: str = "") -> str:
        """URL of a database, as the superuser or as a role with its password."""
        name = str(conninfo_to_dict(self.made[database])["dbname"])
        who = {"user": f"kilowatch_{role}", "password": ROLE_PASSWORDS[role]} if role else {}
        return self.server.dsn(name, **who)

    def where(self, database: str) -> str:
        """The database as an error names it."""
        return f"store {self.server.address}/{conninfo_to_dict(self.made[database])['dbname']}"


WRONG = {
    "empty": "",
    "right": "",
    "older": f"delete from op.migration where name = '{LAST}'",
    "newer": "insert into op.migration values ('9999_later.sql', 'of a later version')",
    "altered": f"update op.migration set sha256 = 'of another file' where name = '{LAST}'",
}


@pytest.fixture(scope="module")
def databases(postgres: PostgresServer) -> Iterator[Databases]:
    made = {name: postgres.create_database() for name in WRONG}
    try:
        for name, statement in WRONG.items():
            if name != "empty":
                store = PostgresStore(made[name])
                migrate(store, ROLE_PASSWORDS)
                store.close()
            with psycopg.connect(made[name], autocommit=True) as session:
                session.execute(statement.encode())
        yield Databases(postgres, made)
    finally:
        for dsn in made.values():
            postgres.drop_database(dsn)


def command(name: str, store: str, kafka: str = f"{LOOPBACK}:1") -> list[object]:
    """A command on a store, which gets no further than to Kafka."""
    days = ["--from", "2026-01-01", "--to", "2026-01-02"]
    words: dict[str, list[object]] = {
        "worker": ["worker", "--sites", SITE, "--kafka", kafka, "--metrics", f"{LOOPBACK}:0"],
        "migrate": ["migrate"],
        "replay": ["replay", SITE, "--archive", "archive", *days],
        "ingest": ["ingest", SITE, "nothing.csv", "--archive", "archive"],
        "doctor": ["doctor"],
    }
    return [*words[name], "--store", store]


@pytest.fixture
def unreachable(databases: Databases, shared_kafka: KafkaServer, mosquitto: Mosquitto) -> dict[str, tuple[str, str]]:
    """URLs that lead to no database, and what is to be said of each."""
    nobody, unknown = free_port(), unique_name("unknown")
    server, name = databases.server, str(conninfo_to_dict(databases.made["right"])["dbname"])
    refused = (
        f"{databases.where('right')}: the password of user 'kilowatch_writer' is refused or missing; set KILOWATCH"
    )
    mend = "wait for it, or mend --store if that is another server"
    return {
        "nobody there": (
            url(dbname="a", host=LOOPBACK, port=nobody),
            f"store {LOOPBACK}:{nobody}/a: no answer; start the server, or mend --store (Connection refused)",
        ),
        "no such host": (
            url(dbname="a", host="nowhere.invalid"),
            "store nowhere.invalid:5432/a: no answer; start the server, or mend --store (failed to resolve host ",
        ),
        "a server that is silent": (
            url(dbname="a", host=LOOPBACK, port=shared_kafka.port),
            f"store {shared_kafka.address}/a: expected an answer of PostgreSQL; found nothing within 10 s; {mend}",
        ),
        "a server that hangs up": (
            url(dbname="a", host=LOOPBACK, port=mosquitto.port),
            f"store {mosquitto.address}/a: expected an answer of PostgreSQL; found a server that hangs up; {mend}",
        ),
        "no such database": (
            server.dsn(unknown),
            f'store {server.address}/{unknown}: database "{unknown}" does not exist; create it, or mend --store',
        ),
        "a wrong password": (server.dsn(name, user="kilowatch_writer", password=SECRET), refused),
        "no password": (server.dsn(name, user="kilowatch_writer"), refused),
        "an unknown user": (
            server.dsn(name, user=unknown, password=SECRET),
            f"{databases.where('right')}: the password of user '{unknown}' is refused or missing; set ",
        ),
        "a password that breaks the URL": (
            f"postgresql://u:{SECRET}@{SECRET}@{LOOPBACK}/a",
            "store: expected postgresql://user@host:port/database, and its password in KILOWATCH_STORE_PASSWORD; found",
        ),
        "a port that is none": (
            f"postgresql://u:{SECRET}/x@{LOOPBACK}:5432/a",
            "store: expected postgresql://user@host:port/database, and its password in KILOWATCH_STORE_PASSWORD; found",
        ),
        "TLS where there is none": (
            f"{server.dsn(name)}?sslmode=require",
            f"{databases.where('right')}: expected to be let in as 'postgres'; found: server does not support SSL",
        ),
    }


def test_a_database_that_cannot_be_reached_is_told(tmp_path: Path, unreachable: dict[str, tuple[str, str]]) -> None:
    cases = {
        f"{name}: {case}": (command(name, store), said)
        for name in ("worker", "migrate", "replay")
        for case, (store, said) in unreachable.items()
    }
    looked_at = {case: command("doctor", store) for case, (store, _) in unreachable.items()}
    with begun(tmp_path / "looks", looked_at) as looks:
        assert not faults(tmp_path / "out", cases)
        ends = {case: look.ended() for case, look in looks.items()}
    # The doctor goes on: it is asked what is wrong, and so that is its result.
    wrong = {
        case: end
        for case, end in ends.items()
        if (end.code, end.said) != (1, []) or unreachable[case][1] not in end.out or SECRET in end.out
    }
    assert not wrong


def test_a_schema_of_another_version_is_told(tmp_path: Path, databases: Databases) -> None:
    run = "run kilowatch migrate"
    empty = f"{databases.where('empty')}: expected the schema of Kilowatch; found none; {run} --store postgresql://"
    older = f"{databases.where('older')}: the schema is older than this version ({LAST} is missing); {run} "
    newer = f"{databases.where('newer')}: the schema is newer than this version (9999_later.sql); upgrade Kilowatch"
    altered = f"{databases.where('altered')}: expected {LAST} applied as this version has it ("
    cases: dict[str, tuple[list[object], str]] = {
        f"{name}: {what}": (command(name, databases.url(what)), said)
        for name in ("worker", "ingest")
        for what, said in {"empty": empty, "older": older, "newer": newer, "altered": altered}.items()
    }
    cases |= {
        "migrate: newer": (command("migrate", databases.url("newer")), newer),
        "migrate: altered": (command("migrate", databases.url("altered")), altered),
        "replay: empty": (
            command("replay", databases.url("empty", "reader")),
            f"{databases.where('empty')}: ",
        ),
    }
    assert not faults(tmp_path / "out", cases)
    with begun(tmp_path / "looks", {what: command("doctor", databases.url(what)) for what in WRONG}) as looks:
        ends = {what: look.ended() for what, look in looks.items()}
    said = {"empty": empty, "older": older, "newer": newer, "altered": altered}
    assert not {what: end for what, end in ends.items() if end.said or said.get(what, "") not in end.out}
    assert {what: end.code for what, end in ends.items()} == dict.fromkeys(WRONG, 1) | {"right": 0}


def test_a_role_that_may_not_is_told(tmp_path: Path, databases: Databases) -> None:
    where = databases.where("right")
    denied = f"{where}: user 'kilowatch_grafana' may not do this: permission denied for schema "
    mend = "connect as kilowatch_writer, or as the database's owner"
    cases = {
        "worker as the reader": (
            command("worker", databases.url("right", "reader")),
            f"{where}: expected a user who may write; found 'kilowatch_reader', who may only read; {mend}",
        ),
        "ingest as the reader": (
            command("ingest", databases.url("right", "reader")),
            f"{where}: expected a user who may write; found 'kilowatch_reader', who may only read; {mend}",
        ),
        "migrate as the reader": (
            command("migrate", databases.url("right", "reader")),
            f"{where}: user 'kilowatch_reader' may not do this: ",
        ),
        "migrate as the writer": (
            command("migrate", databases.url("right", "writer")),
            f"{where}: user 'kilowatch_writer' may not do this: ",
        ),
        "worker as Grafana": (command("worker", databases.url("right", "grafana")), denied),
        "replay as Grafana": (command("replay", databases.url("right", "grafana")), denied),
        "migrate as Grafana": (command("migrate", databases.url("right", "grafana")), denied),
    }
    assert not faults(tmp_path / "out", cases)


def test_and_a_role_that_may_goes_on(tmp_path: Path, databases: Databases) -> None:
    commands = {
        "worker as the writer": command("worker", databases.url("right", "writer"), kafka=databases.server.address),
        "query as Grafana": ["query", "select 1 as one", "--store", databases.url("right", "grafana")],
        "query as the reader": ["query", "select 1 as one", "--store", databases.url("right", "reader")],
        "doctor as the reader": command("doctor", databases.url("right", "reader")),
    }
    with begun(tmp_path / "out", commands) as each:
        ends = {name: one.ended() for name, one in each.items()}
    assert "expected Kafka; found a server that speaks something else" in ends.pop("worker as the writer").said[0]
    assert {name: (end.code, end.said) for name, end in ends.items()} == dict.fromkeys(ends, (0, []))
