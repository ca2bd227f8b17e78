"""Nothing listens beyond loopback unless told to, and no password or token comes into anything that others read."""

from __future__ import annotations

import logging
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from jobs.bridge_run import Wanted
from jobs.logs import JsonLines
from streams.ingest.kafka_settings import KafkaSettings
from streams.ingest.mqtt import MqttSettings
from streams.ingest.push import token_line
from streams.runners.kafka_app import credentials
from streams.stores.postgres import PostgresStore
from streams.stores.schema import migrate
from tests.jobs.bridge_process import until
from tests.jobs.commands import SITE, Command, begun
from tests.jobs.processes import is_loopback, listening, titles
from tests.servers.databases import as_role
from tests.servers.mosquitto import Mosquitto
from tests.servers.ports import LOOPBACK, free_port, is_free, unique_name
from tests.servers.postgres import PostgresServer
from tests.servers.secured_kafka import PASSWORD, USER, SecuredKafka

STORE, MQTT, TOKEN, WRONG_TOKEN = "secret-of-the-store", "secret-of-mqtt", "secret-of-a-gateway", "secret-of-nobody"
SECRETS = (STORE, MQTT, TOKEN, WRONG_TOKEN, PASSWORD)
METRICS = 9464
"""Where a worker and `kilowatch run` tell their metrics, unless told otherwise."""
DEFAULT = f"{LOOPBACK}:{METRICS}"


@dataclass(slots=True)
class System:
    """Real servers that ask for passwords, the options that fit them, and all that could be read of secrets."""

    folder: Path
    postgres: PostgresServer
    mosquitto: Mosquitto
    kafka: SecuredKafka
    read: list[str] = field(default_factory=list)

    def file(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        return path

    def inlets(self, http: str) -> list[object]:
        """MQTT and HTTP."""
        rules = self.file("inlets.yaml", "topics:\n  - {topic: 'from/{gateway}', site: worm_gear_shop}\n")
        tokens = self.file("tokens", token_line("gw7", TOKEN, "*") + "\n")
        mqtt = ["--mqtt", f"mqtt://gateways@{self.mosquitto.address}", "--inlets", rules]
        return [*mqtt, "--http", http, "--tokens", tokens]

    def kafka_options(self) -> list[object]:
        return ["--kafka", self.kafka.at("SASL_PLAINTEXT"), "--kafka-security", "sasl_plaintext", "--kafka-user", USER]

    def worker(self, database: str, *more: object) -> list[object]:
        store = as_role(database, "kilowatch_writer", "")
        words = ["worker", "--sites", SITE, "--store", store, "--group", unique_name("group"), "--tick-s", "0.2"]
        return [*words, *self.kafka_options(), *more]

    def bridge(self, http: str, *more: object) -> list[object]:
        return ["bridge", "--spool", "spool", *self.kafka_options(), *self.inlets(http), *more]

    def run(self, http: str, *more: object) -> list[object]:
        words = ["run", "--sites", SITE, "--store", "duckdb:///here.duckdb", "--spool", "spool"]
        return [*words, *self.inlets(http), *more]

    def page(self, address: str, path: str, body: bytes | None = None, token: str = "") -> int:
        """Ask for a page, keep what it says, and return its code."""
        request = urllib.request.Request(f"http://{address}{path}", data=body)
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                self.read.append(f"{answer.headers}\n{answer.read().decode()}")
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                self.read.append(f"{error.headers}\n{error.read().decode()}")
                return error.code

    def send(self, http: str) -> None:
        """A reading by HTTP and one by MQTT; and somebody who is not let in."""
        reading = {"point": "worm_gear_shop/main", "time": "2026-01-05T08:00:00+08:00", "value": 1000.0}
        assert self.page(http, "/telemetry/worm_gear_shop", orjson.dumps(reading), TOKEN) == 202
        assert self.page(http, "/telemetry/worm_gear_shop", orjson.dumps(reading), WRONG_TOKEN) == 401
        assert self.page(http, f"/telemetry/worm_gear_shop?token={WRONG_TOKEN}", b"{}") == 401
        client = Client(CallbackAPIVersion.VERSION2)
        client.username_pw_set("gateways", MQTT)
        client.connect(LOOPBACK, self.mosquitto.port)
        client.loop_start()
        said = client.publish("from/gw1", orjson.dumps(reading | {"time": "2026-01-05T08:15:00+08:00"}), qos=1)
        said.wait_for_publish(10)
        client.disconnect()
        client.loop_stop()

    def pages(self, address: str) -> None:
        for path in ("/metrics", "/healthz", "/readyz"):
            self.page(address, path)

    def known(self, commands: dict[str, Command]) -> list[str]:
        """The secrets that stand in something that others may read."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        texts = [*self.read, *(path.read_bytes().decode(errors="replace") for path in files)]
        assert all(command.out in files and command.err in files for command in commands.values())
        return [secret for secret in SECRETS if any(secret in text for text in texts)]


@pytest.fixture
def system(
    tmp_path: Path,
    own_postgres: Callable[..., PostgresServer],
    own_mosquitto: Callable[..., Mosquitto],
    secured_kafka: SecuredKafka,
) -> System:
    secured_kafka.need_topics("telemetry", "telemetry.dlq", "energy.interval", "anomaly", "alerts")
    folder = tmp_path / "readable"
    folder.mkdir()
    return System(folder, own_postgres(), own_mosquitto(users={"gateways": MQTT}), secured_kafka)


@pytest.fixture
def database(system: System) -> Iterator[str]:
    """A database whose writer has a password of this test's own."""
    dsn = system.postgres.create_database()
    store = PostgresStore(dsn)
    migrate(store, {"writer": STORE})
    store.close()
    yield dsn


def readings(address: str) -> float:
    """How many usable readings a process has stored."""
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("kilowatch_readings_total ")))


def test_worker_and_bridge_tell_nobody(system: System, database: str) -> None:
    env = {"KILOWATCH_STORE_PASSWORD": STORE, "KILOWATCH_KAFKA_PASSWORD": PASSWORD, "KILOWATCH_MQTT_PASSWORD": MQTT}
    http, page, other = (f"{LOOPBACK}:{free_port()}" for _ in range(3))
    commands = {
        "worker": system.worker(database, "--metrics", page, "--archive", "archive"),
        "bridge": system.bridge(http, "--metrics", other),
    }
    with begun(system.folder, commands, env) as all_:
        worker, bridge = all_["worker"], all_["bridge"]
        worker.has("started")
        bridge.has("bridge_started")
        system.send(http)
        until(lambda: readings(page) >= 2, "two readings in the database")
        for address in (page, other):
            system.pages(address)
        system.read += [titles(command.process.pid or 0) for command in all_.values()]
        with psycopg.connect(database) as admin:
            system.read.append(str(admin.execute("select * from pg_stat_activity").fetchall()))
        system.postgres.stop()
        system.mosquitto.stop()
        worker.has("store away")
        bridge.has("mqtt_away")
        for address in (page, other):
            system.pages(address)
        system.postgres.start()
        system.mosquitto.start()
        worker.has("store back")
        until(lambda: len(bridge.events("mqtt_connected")) > 1, "MQTT again")
        system.pages(page)
        assert [command.stop() for command in all_.values()] == [0, 0], worker.everything() + bridge.everything()
        assert system.known(all_) == []


def test_a_box_tells_nobody(system: System) -> None:
    http, page = (f"{LOOPBACK}:{free_port()}" for _ in range(2))
    with begun(
        system.folder, {"run": system.run(http, "--metrics", page)}, {"KILOWATCH_MQTT_PASSWORD": MQTT}
    ) as commands:
        box = commands["run"]
        box.has("started")
        system.send(http)
        until(lambda: readings(page) >= 2, "two readings in the store")
        system.pages(page)
        system.read.append(titles(box.process.pid or 0))
        system.mosquitto.stop()
        box.has("mqtt_away")
        system.pages(page)
        assert box.stop() == 0, box.everything()
        assert system.known(commands) == []


def test_doctor_and_migrate_tell_nobody(system: System, database: str) -> None:
    env = {f"KILOWATCH_{name}_PASSWORD": STORE for name in ("WRITER", "READER", "GRAFANA", "STORE", "KAFKA")}
    store = as_role(database, "kilowatch_writer", STORE)
    words = {
        "migrate": ["migrate", "--store", database],
        "doctor": ["doctor", "--store", store, *system.kafka_options()],
        "migrate, no right": ["migrate", "--store", store],
    }
    for name, code in {"migrate": 0, "doctor": 1, "migrate, no right": 2}.items():
        with begun(system.folder / name, {name: words[name]}, env) as commands:
            assert commands[name].ended().code == code, commands[name].everything()  # Kafka has another password
            assert system.known(commands) == []


def test_nothing_listens_beyond_loopback_unless_told_to(system: System, database: str) -> None:
    if not is_free(METRICS):
        pytest.skip(f"port {METRICS}, where metrics are told unless told otherwise, is taken on this machine")
    env = {"KILOWATCH_STORE_PASSWORD": STORE, "KILOWATCH_KAFKA_PASSWORD": PASSWORD, "KILOWATCH_MQTT_PASSWORD": MQTT}
    http, every = f"{LOOPBACK}:{free_port()}", (f"0.0.0.0:{free_port()}", f"0.0.0.0:{METRICS}")
    started = {"worker": "started", "bridge": "bridge_started", "run": "started"}
    cases: dict[str, tuple[list[object], set[str]]] = {
        "worker": (system.worker(database), {DEFAULT}),
        "bridge": (system.bridge(http), {http}),
        "run": (system.run(http), {DEFAULT, http}),
        "run, told to": (system.run(every[0], "--metrics", every[1]), set(every)),
    }
    for name, (words, expected) in cases.items():
        with begun(system.folder / name.replace(" ", "_"), {name: words}, env) as commands:
            commands[name].has(started[name.partition(",")[0]])
            found = listening(commands[name].process.pid or 0)
            more = found - expected
            assert found >= expected, name
            assert len(more) == name.startswith("run"), name  # the door for commands of this machine
            assert all(map(is_loopback, more)), name
            assert all(map(is_loopback, found)) == (name != "run, told to")
            assert commands[name].stop() == 0, commands[name].everything()


def test_what_is_shown_of_settings_holds_no_secret(system: System, database: str) -> None:
    kafka = KafkaSettings(system.kafka.at("SASL_PLAINTEXT"), "sasl_plaintext", USER, PASSWORD)
    mqtt = MqttSettings("h", user="gateways", password=MQTT)
    store = PostgresStore(as_role(database, "kilowatch_writer", STORE))
    wanted = Wanted(kafka, "telemetry", Path("spool"), 1, mqtt, None, None, None, None)
    try:
        shown: list[Any] = [kafka, mqtt, store, wanted, credentials(kafka), store.where, store.con]
        texts = [text for each in shown for text in (repr(each), str(each), f"{each}")]
        assert not [text for text in texts if any(secret in text for secret in SECRETS)]
    finally:
        store.close()


def test_a_log_hides_what_it_was_told_to_hide() -> None:
    secret = 'of "two" parts\n'
    record = logging.LogRecord("kilowatch", logging.ERROR, __file__, 1, "it was %s", (secret,), None)
    record.fields = {"reason": f"<{secret}>"}
    line = JsonLines(frozenset({secret})).format(record)
    assert "two" not in line and orjson.loads(line)["reason"] == "<***>"


def test_a_socket_that_everybody_reaches_is_seen() -> None:
    with socket.create_server(("0.0.0.0", 0)) as open_, socket.create_server(("::1", 0), family=socket.AF_INET6) as own:
        from os import getpid

        found = listening(getpid())
        assert f"0.0.0.0:{open_.getsockname()[1]}" in found and not is_loopback(f"0.0.0.0:{open_.getsockname()[1]}")
        assert f"::1:{own.getsockname()[1]}" in found and is_loopback(f"::1:{own.getsockname()[1]}")
