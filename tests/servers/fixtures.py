"""Fixtures that give tests real servers.

`kafka`, `secured_kafka`, `postgres` and `mosquitto` are shared by the whole run, all workers of pytest-xdist included;
names of topics and databases are unique, so tests do not meet there. `own_kafka`, `own_postgres` and `own_mosquitto`
start servers that a test may stop and kill. No server outlives the run.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest

from tests.servers import databases, missing
from tests.servers.kafka import KafkaServer, make_topic
from tests.servers.mosquitto import Mosquitto
from tests.servers.ports import unique_name
from tests.servers.postgres import PostgresServer
from tests.servers.secured_kafka import SecuredKafka
from tests.servers.server import Server
from tests.servers.shared import shared_server, wait_for_keepers

S = TypeVar("S", bound=Server)


class MakeTopic(Protocol):
    """Creates a topic on the shared broker and returns its unique name."""

    def __call__(self, name: str = "topic", partitions: int = 1, config: dict[str, str] | None = None) -> str: ...


def _folder(config: pytest.Config) -> Path:
    """Folder of the run's shared servers: the same one for all of its processes."""
    base: Path = config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
    # A worker's folder lies in that of the process which controls it.
    return (base.parent if hasattr(config, "workerinput") else base) / "servers"


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """The run is over when its servers are gone."""
    if not hasattr(config, "workerinput") and hasattr(config, "_tmp_path_factory"):
        wait_for_keepers(_folder(config))


def _shared(kind: type[S], lack: str | None, config: pytest.Config) -> Iterator[S]:
    missing.need(lack)
    with shared_server(kind, _folder(config) / kind.name) as server:
        yield server


@pytest.fixture(scope="session")
def shared_kafka(pytestconfig: pytest.Config) -> Iterator[KafkaServer]:
    """The run's broker."""
    yield from _shared(KafkaServer, missing.kafka(), pytestconfig)


@pytest.fixture(scope="session")
def secured_kafka(pytestconfig: pytest.Config) -> Iterator[SecuredKafka]:
    """The run's broker that asks who comes, with TLS and without."""
    yield from _shared(SecuredKafka, missing.kafka() or missing.openssl(), pytestconfig)


@pytest.fixture(scope="session")
def postgres(pytestconfig: pytest.Config) -> Iterator[PostgresServer]:
    """The run's PostgreSQL server; superuser without password, other roles with theirs."""
    yield from _shared(PostgresServer, missing.postgres(), pytestconfig)


@pytest.fixture(scope="session")
def mosquitto(pytestconfig: pytest.Config) -> Iterator[Mosquitto]:
    """The run's MQTT broker, which lets everybody in."""
    yield from _shared(Mosquitto, missing.mosquitto(), pytestconfig)


@pytest.fixture
def kafka(shared_kafka: KafkaServer) -> str:
    """The run's broker, as `127.0.0.1:port`."""
    return shared_kafka.bootstrap


@pytest.fixture
def new_topic(kafka: str) -> MakeTopic:
    """Factory of topics with unique names on the run's broker."""

    def make(name: str = "topic", partitions: int = 1, config: dict[str, str] | None = None) -> str:
        return make_topic(kafka, name, partitions, config)

    return make


@pytest.fixture(scope="session")
def database_server(request: pytest.FixtureRequest) -> str:
    """DSN of an administrator, on the server that KILOWATCH_TEST_DSN names, if it names one, and else on the run's."""
    return os.environ.get("KILOWATCH_TEST_DSN") or str(request.getfixturevalue("postgres").dsn())


@pytest.fixture
def database(database_server: str) -> Iterator[str]:
    """DSN of a fresh database on that server, dropped afterwards."""
    dsn = databases.create_database(database_server)
    try:
        yield dsn
    finally:
        databases.drop_database(database_server, dsn)


def _own(kind: type[S], tmp_path: Path) -> Iterator[Callable[..., S]]:
    """Factory of started servers; what a test left running is stopped in the end."""
    with ExitStack() as stack:

        def make(**settings: Any) -> S:
            server = kind(tmp_path / unique_name(kind.name.lower()), **settings)
            stack.callback(server.remove)
            return server.start()

        yield make


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[Callable[..., KafkaServer]]:
    """Factory of brokers of the test's own."""
    missing.need(missing.kafka())
    yield from _own(KafkaServer, tmp_path)


@pytest.fixture
def own_postgres(tmp_path: Path) -> Iterator[Callable[..., PostgresServer]]:
    """Factory of PostgreSQL servers of the test's own."""
    missing.need(missing.postgres())
    yield from _own(PostgresServer, tmp_path)


@pytest.fixture
def own_mosquitto(tmp_path: Path) -> Iterator[Callable[..., Mosquitto]]:
    """Factory of MQTT brokers of the test's own; takes `users` and `tls`."""
    missing.need(missing.mosquitto())
    yield from _own(Mosquitto, tmp_path)
