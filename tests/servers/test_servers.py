"""The servers of the tests do what tests ask of them: start, keep what they were told, stop, die and come back."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from queue import Queue

import psycopg
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from paho.mqtt.client import CallbackAPIVersion, Client, MQTTMessage
from paho.mqtt.enums import MQTTProtocolVersion

from tests.servers.fixtures import MakeTopic
from tests.servers.kafka import KafkaServer, make_topic
from tests.servers.missing import ROOT
from tests.servers.mosquitto import Mosquitto
from tests.servers.ports import LOOPBACK
from tests.servers.postgres import PostgresServer
from tests.servers.server import ServerError

PATIENCE_S = 30.0


def send(bootstrap: str, topic: str, *values: bytes) -> None:
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all")
    try:
        sent = [producer.send(topic, value) for value in values]
        producer.flush(PATIENCE_S)
        for each in sent:
            each.get(PATIENCE_S)
    finally:
        producer.close()


def received(bootstrap: str, topic: str, count: int, group: str | None = None) -> list[bytes]:
    """First `count` values of partition 0; committed if there is a group."""
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap, group_id=group, auto_offset_reset="earliest", enable_auto_commit=False
    )
    try:
        consumer.assign([TopicPartition(topic, 0)])
        values: list[bytes] = []
        deadline = time.monotonic() + PATIENCE_S
        while len(values) < count and time.monotonic() < deadline:
            for records in consumer.poll(timeout_ms=200, max_records=count - len(values)).values():
                values += [record.value for record in records]
        if group:
            consumer.commit()
        return values
    finally:
        consumer.close()


def test_a_topic_takes_and_gives_messages(kafka: str, new_topic: MakeTopic) -> None:
    topic = new_topic("telemetry", partitions=3, config={"retention.ms": "3600000"})
    assert topic.startswith("telemetry_")
    assert topic != new_topic("telemetry")
    send(kafka, topic, *[b"%d" % number for number in range(30)])
    consumer = KafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest", group_id=topic)
    try:
        values: set[bytes] = set()
        deadline = time.monotonic() + PATIENCE_S
        while len(values) < 30 and time.monotonic() < deadline:
            for records in consumer.poll(timeout_ms=200).values():
                values |= {record.value for record in records}
        assert values == {b"%d" % number for number in range(30)}
        assert len(consumer.assignment()) == 3
    finally:
        consumer.close()


def test_kafka_keeps_messages_and_offsets_through_a_restart_and_a_kill(own_kafka: Callable[[], KafkaServer]) -> None:
    server = own_kafka()
    bootstrap, topic = server.bootstrap, make_topic(server.bootstrap)
    send(bootstrap, topic, b"a", b"b", b"c")
    assert received(bootstrap, topic, 1, "readers") == [b"a"]
    server.restart()
    assert server.bootstrap == bootstrap
    send(bootstrap, topic, b"d")
    assert received(bootstrap, topic, 2, "readers") == [b"b", b"c"]
    server.kill()
    server.start()
    assert received(bootstrap, topic, 1, "readers") == [b"d"]
    assert received(bootstrap, topic, 4) == [b"a", b"b", b"c", b"d"]


def test_each_database_is_fresh_and_takes_sql(database: str) -> None:
    assert re.fullmatch(r"postgresql://\S+/kilowatch_[0-9a-f]{12}(\?\S*)?", database)
    with psycopg.connect(database) as session:
        session.execute("create table reading (point text, energy_kwh numeric)")
        session.execute("insert into reading values ('hall', 1.5), ('hall', 2.25)")
        assert str(session.execute("select sum(energy_kwh) from reading").fetchone()[0]) == "3.75"  # type: ignore[index]


def test_a_dropped_database_is_gone_though_somebody_was_in_it(postgres: PostgresServer) -> None:
    dsn = postgres.create_database()
    with psycopg.connect(dsn) as session:
        postgres.drop_database(dsn)
        with pytest.raises(psycopg.OperationalError):
            session.execute("select 1")
        session.close()
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(dsn)


def test_a_role_needs_its_password(own_postgres: Callable[[], PostgresServer]) -> None:
    server = own_postgres()
    with psycopg.connect(server.dsn(), autocommit=True) as session:
        session.execute("create role reader login password 'it''s @home/5'")
    with psycopg.connect(server.dsn(user="reader", password="it's @home/5")) as session:
        assert session.execute("select current_user").fetchone() == ("reader",)
    for wrong in ("", "nonsense"):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(server.dsn(user="reader", password=wrong))


def test_postgres_keeps_what_was_committed_through_a_kill(own_postgres: Callable[[], PostgresServer]) -> None:
    server = own_postgres()
    dsn = server.create_database()
    with psycopg.connect(dsn) as session:
        session.execute("create table reading (energy_kwh int)")
        session.execute("insert into reading select generate_series(1, 1000)")
        session.commit()
        session.execute("insert into reading values (1001)")
        server.kill()
        with pytest.raises(psycopg.OperationalError):
            session.execute("select 1")
        session.close()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(dsn)
    server.start()
    assert server.dsn() in dsn.replace(dsn.rpartition("/")[2], "postgres")
    with psycopg.connect(dsn) as session:
        assert session.execute("select count(*) from reading").fetchone() == (1000,)
        server.restart()
        session.close()
    with psycopg.connect(dsn) as session:
        assert session.execute("select count(*) from reading").fetchone() == (1000,)


class Mqtt:
    """A client with a session that the broker keeps, its messages in a queue."""

    def __init__(self, server: Mosquitto, name: str, user: tuple[str, str] | None = None) -> None:
        self.messages: Queue[bytes] = Queue()
        self.answers: Queue[str] = Queue()
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id=name, clean_session=False, protocol=MQTTProtocolVersion.MQTTv311
        )
        if user:
            self._client.username_pw_set(*user)
        if server.tls:
            self._client.tls_set(ca_certs=str(server.certificate))
        self._client.on_connect = lambda client, data, flags, reason, more: self.answers.put(str(reason))
        self._client.on_subscribe = lambda client, data, mid, reasons, more: self.answers.put(str(reasons[0]))
        self._client.on_message = self._take
        self._client.connect(LOOPBACK, server.port)
        self._client.loop_start()
        self.answer = self.answers.get(timeout=PATIENCE_S)

    def _take(self, client: Client, data: object, message: MQTTMessage) -> None:
        self.messages.put(message.payload)

    def subscribe(self, topic: str) -> None:
        self._client.subscribe(topic, qos=1)
        assert self.answers.get(timeout=PATIENCE_S) == "Granted QoS 1"

    def publish(self, topic: str, payload: bytes) -> None:
        self._client.publish(topic, payload, qos=1).wait_for_publish(PATIENCE_S)

    def __enter__(self) -> Mqtt:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def test_a_message_of_qos_1_arrives(mosquitto: Mosquitto) -> None:
    with Mqtt(mosquitto, "reader") as reader, Mqtt(mosquitto, "gateway") as gateway:
        assert gateway.answer == "Success"
        reader.subscribe("plant/+")
        gateway.publish("plant/hall", b"1")
        assert reader.messages.get(timeout=PATIENCE_S) == b"1"


@pytest.mark.parametrize("end", [Mosquitto.stop, Mosquitto.kill])
def test_a_session_and_its_messages_outlive_the_broker(
    own_mosquitto: Callable[..., Mosquitto], end: Callable[[Mosquitto], None]
) -> None:
    server = own_mosquitto()
    with Mqtt(server, "reader") as reader:
        reader.subscribe("plant/hall")
    with Mqtt(server, "gateway") as gateway:
        gateway.publish("plant/hall", b"while away")
    kept = server.data / "mosquitto.db"
    deadline = time.monotonic() + PATIENCE_S
    while end is Mosquitto.kill and not (kept.exists() and b"while away" in kept.read_bytes()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    end(server)
    server.start()
    with Mqtt(server, "reader") as reader:
        assert reader.messages.get(timeout=PATIENCE_S) == b"while away"


def test_with_users_the_broker_lets_in_nobody_else(own_mosquitto: Callable[..., Mosquitto]) -> None:
    server = own_mosquitto(users={"gateway": "secret", "bridge": "other"})
    with Mqtt(server, "a", ("bridge", "other")) as bridge:
        assert bridge.answer == "Success"
    for user in (("gateway", "wrong"), None):
        with Mqtt(server, "b", user) as stranger:
            assert stranger.answer == "Not authorized"


def test_with_tls_the_broker_shows_its_certificate(own_mosquitto: Callable[..., Mosquitto]) -> None:
    server = own_mosquitto(tls=True, users={"gateway": "secret"})
    with Mqtt(server, "reader", ("gateway", "secret")) as reader:
        reader.subscribe("plant/hall")
        reader.publish("plant/hall", b"1")
        assert reader.messages.get(timeout=PATIENCE_S) == b"1"
    server.tls = False
    assert not server.answers()


def test_a_shared_server_is_not_stopped_by_a_test(postgres: PostgresServer) -> None:
    for stop in (postgres.stop, postgres.kill, postgres.start, postgres.remove):
        with pytest.raises(RuntimeError, match="use own_postgres"):
            stop()


def test_a_server_that_cannot_start_shows_the_end_of_its_log(own_postgres: Callable[..., PostgresServer]) -> None:
    server = own_postgres()
    server.stop()
    with (server.data / "postgresql.conf").open("a", encoding="utf-8") as settings:
        settings.write("max_connections = many\n")
    with pytest.raises(ServerError, match=rf"Postgres {server.address}: .*ended with code(.|\n)*max_connections.*many"):
        server.start()
    assert not server.running


def test_a_server_does_not_start_on_the_port_of_another(own_mosquitto: Callable[..., Mosquitto]) -> None:
    server = own_mosquitto()
    with pytest.raises(ServerError, match=f"{server.address}: expected a free port"):
        own_mosquitto(port=server.port)


def test_a_server_that_ended_by_itself_is_not_stopped_in_silence(own_mosquitto: Callable[..., Mosquitto]) -> None:
    server = own_mosquitto()
    os.kill(server.pid, 9)
    deadline = time.monotonic() + PATIENCE_S
    while server.running:
        assert time.monotonic() < deadline
    with pytest.raises(ServerError, match="ended by itself"):
        server.stop()
    server.start()


def pytest_in(folder: Path, text: str, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run tests in a process and with temporary folders of their own."""
    (folder / "test_inner.py").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "tests.servers.fixtures", "-p", "no:cacheprovider", "-rsfE"]
    kept = {
        key: value for key, value in os.environ.items() if key not in ("CI", "KILOWATCH_TEST_DSN", "PYTEST_ADDOPTS")
    }
    return subprocess.run(
        [*command, f"--rootdir={folder}", f"--basetemp={folder / 'temp'}", *options, str(folder)],
        cwd=ROOT, env={**kept, **environment}, capture_output=True, text=True, timeout=10 * PATIENCE_S, check=False,
    )  # fmt: skip


EACH = """
def test_kafka(kafka): pass
def test_own_kafka(own_kafka): pass
def test_database(database): pass
def test_own_postgres(own_postgres): pass
def test_mosquitto(mosquitto): pass
def test_own_mosquitto(own_mosquitto): pass
"""
LACKS = ["Kafka: no java on PATH", "PostgreSQL: no initdb found", "Mosquitto: no mosquitto found"]


def test_without_servers_their_tests_are_skipped_each_with_a_sentence(tmp_path: Path) -> None:
    done = pytest_in(tmp_path, EACH, PATH="", KILOWATCH_SERVER_PATH="")
    assert "6 skipped" in done.stdout
    assert re.findall(r"^SKIPPED \[2\] \S+ (.*)$", done.stdout, re.MULTILINE) == LACKS
    assert done.returncode == 0


def test_with_ci_a_missing_server_is_a_failure(tmp_path: Path) -> None:
    done = pytest_in(tmp_path, EACH, PATH="", KILOWATCH_SERVER_PATH="", CI="true")
    for lack in LACKS:
        assert f" - Failed: {lack}\n" in done.stdout or f" - {lack}\n" in done.stdout
    assert "6 errors" in done.stdout
    assert done.returncode == 1


def test_without_its_jars_kafka_is_missing(tmp_path: Path, own_kafka: Callable[[], KafkaServer]) -> None:
    done = pytest_in(tmp_path, "def test_kafka(kafka): pass", KILOWATCH_KAFKA_JARS=str(tmp_path))
    assert f"Kafka: no jars in {tmp_path}; `make servers` fetches them with Maven" in done.stdout
    assert "1 skipped" in done.stdout


SHARED = """
import pytest, time
@pytest.mark.parametrize("number", range(4))
def test_each(number, postgres, mosquitto, database):
    print("ports", postgres.port, mosquitto.port)
    {deed}
"""


def wait_until_said(process: subprocess.Popen[str], word: str) -> str:
    said = ""
    assert process.stdout is not None
    for line in process.stdout:
        said += line
        if word in line:
            return said
    raise AssertionError(said)


@pytest.mark.parametrize("deed", ["pass", "raise ValueError", "raise KeyboardInterrupt", "import os; os._exit(9)"])
@pytest.mark.parametrize("workers", [0, 2])
def test_workers_share_servers_that_are_gone_after_the_run(
    tmp_path: Path, postgres: PostgresServer, mosquitto: Mosquitto, deed: str, workers: int
) -> None:
    done = pytest_in(tmp_path, SHARED.format(deed=deed), f"-n{workers}", "-rA")
    folder = tmp_path / "temp" / "servers"
    print(done.stdout, done.stderr)
    raise AssertionError(sorted(folder.rglob("*")))
