"""What is wrong with Kafka is one line, whichever command is pointed at it; a bridge waits where waiting may help."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from streams.ingest.push import token_line
from streams.stores.postgres import PostgresStore
from streams.stores.schema import migrate
from tests.jobs.bridge_process import until
from tests.jobs.commands import SECRET, SITE, begun, faults
from tests.servers.mosquitto import Mosquitto
from tests.servers.ports import LOOPBACK, unique_name
from tests.servers.postgres import PostgresServer
from tests.servers.secured_kafka import (
    PASSWORD,
    PLAIN,
    SCRAM,
    STRANGER,
    STRANGER_PASSWORD,
    USER,
    SecuredKafka,
)

Case = tuple[list[object], str]
NEEDED = ("telemetry", "telemetry.dlq", "energy.interval", "anomaly", "alerts")


@dataclass(frozen=True, slots=True)
class Place:
    """A store, a folder for files, and the brokers."""

    folder: Path
    store: str
    kafka: SecuredKafka

    def file(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        return path

    def options(self, at: str, security: str = "", user: str = "", password: str = "", *more: object) -> list[object]:
        """How Kafka is to be spoken to."""
        given: list[object] = ["--kafka", at]
        given += ["--kafka-security", security] if security else []
        if user:
            secret = self.file(unique_name("password"), password + "\n")
            given += ["--kafka-user", user, "--kafka-password-file", secret]
        return [*given, *more]

    def case(self, said: str, at: str, *how: Any) -> Case:
        """Options, and what is to be said of them."""
        return self.options(at, *how), f"Kafka at {at}: {said}"

    def command(self, name: str, kafka: list[object]) -> list[object]:
        """A command that goes as far as to Kafka."""
        tokens = self.file("tokens", token_line("gw", "open sesame", "*") + "\n")
        again = ["--to", "kafka", "--run", "again"]
        words: dict[str, list[object]] = {
            "worker": ["worker", "--sites", SITE, "--store", self.store, "--metrics", f"{LOOPBACK}:0"],
            "bridge": ["bridge", "--spool", "spool", "--http", f"{LOOPBACK}:0", "--tokens", tokens],
            "replay": ["replay", SITE, "--store", self.store, "--archive", "archive", *again],
            "doctor": ["doctor"],
        }
        return [*words[name], *kafka]


@pytest.fixture(scope="module")
def store(postgres: PostgresServer) -> Iterator[str]:
    dsn = postgres.create_database()
    try:
        made = PostgresStore(dsn)
        migrate(made, {})
        made.close()
        yield dsn
    finally:
        postgres.drop_database(dsn)


@pytest.fixture
def place(tmp_path: Path, store: str, secured_kafka: SecuredKafka) -> Place:
    secured_kafka.need_topics(*NEEDED)
    return Place(tmp_path, store, secured_kafka)


@pytest.fixture
def refusals(place: Place, postgres: PostgresServer) -> dict[str, Case]:
    """Options that no waiting mends."""
    kafka, sasl, tls = place.kafka, place.kafka.at("SASL_PLAINTEXT"), place.kafka.at("SASL_SSL")
    ca, other, plain = ("--kafka-ca", kafka.certificate), ("--kafka-ca", kafka.other_certificate), "--kafka-mechanism"
    password = f"expected to be let in as '{USER}'; found Authentication failed"
    return {
        "wrong password, SCRAM": place.case(password, sasl, "sasl_plaintext", USER, SECRET),
        "wrong password, PLAIN, TLS": place.case(password, tls, "sasl_ssl", USER, SECRET, plain, PLAIN, *ca),
        "wrong mechanism": place.case(
            "expected the mechanism SCRAM-SHA-256; found brokers without it; mend --kafka-mechanism",
            *(sasl, "sasl_plaintext", USER, PASSWORD, "--kafka-mechanism", "SCRAM-SHA-256"),
        ),
        "wrong authority": place.case(
            f"expected a certificate signed by {kafka.other_certificate}; found: self-signed certificate; mend ",
            *(tls, "sasl_ssl", USER, PASSWORD, *other),
        ),
        "no authority": place.case(
            "expected a certificate signed by an authority that this machine trusts; found: self-signed certificate",
            *(tls, "sasl_ssl", USER, PASSWORD),
        ),
        "no TLS where there is TLS": place.case(
            "expected Kafka without TLS, as plaintext has it; found a server that speaks TLS; mend --kafka-security",
            kafka.at("SSL"),
        ),
        "another server": place.case(
            "expected Kafka; found a server that speaks something else; mend --kafka", postgres.address
        ),
        "no rights": place.case("", sasl, "sasl_plaintext", STRANGER, STRANGER_PASSWORD),
    }


@pytest.fixture
def away(place: Place, mosquitto: Mosquitto) -> dict[str, Case]:
    """Options with which there is no answer."""
    nobody, lost = place.kafka.at("NOBODY"), place.kafka.at("LOST")
    return {
        "nobody there": place.case(
            f"expected brokers; found nobody who listens ({nobody}: Connection refused); start them, or mend --", nobody
        ),
        "no such host": place.case(
            "expected brokers; found nobody who listens (nowhere.invalid:9092: ", "nowhere.invalid:9092"
        ),
        "brokers that send us elsewhere": place.case(
            f"expected to reach the brokers that it names, {nobody}; found 111 ECONNREFUSED; mend advertised.", lost
        ),
        "no password where one is asked for": place.case(
            "expected an answer by plaintext; found a server that hangs up (socket disconnected); mend --kafka-",
            place.kafka.at("SASL_PLAINTEXT"),
        ),
        "another server": place.case(
            "expected an answer by plaintext; found a server that hangs up (", mosquitto.address
        ),
    }


def test_a_kafka_that_refuses_is_told(place: Place, refusals: dict[str, Case]) -> None:
    cases = {
        f"{name}: {case}": (place.command(name, kafka), said)
        for name in ("worker", "bridge", "replay")
        for case, (kafka, said) in refusals.items()
    }
    assert not faults(place.folder / "out", cases)


def test_a_kafka_that_is_away_is_told(place: Place, away: dict[str, Case]) -> None:
    cases = {
        f"{name}: {case}": (place.command(name, kafka), said)
        for name in ("worker", "replay")
        for case, (kafka, said) in away.items()
    }
    assert not faults(place.folder / "out", cases)


def test_a_bridge_waits_for_it_and_says_why(place: Place, away: dict[str, Case]) -> None:
    with begun(
        place.folder / "out", {case: place.command("bridge", kafka) for case, (kafka, _) in away.items()}
    ) as all_:
        reasons = {case: bridge.has("kafka_away")["reason"] for case, bridge in all_.items()}
        for bridge in all_.values():
            bridge.has("bridge_started")
        assert {case: bridge.stop() for case, bridge in all_.items()} == dict.fromkeys(away, 0)
    assert not {case: reason for case, reason in reasons.items() if not reason.startswith(away[case][1])}


def test_the_doctor_tells_of_both_and_goes_on(place: Place, refusals: dict[str, Case], away: dict[str, Case]) -> None:
    cases = {f"refused: {case}": found for case, found in refusals.items()}
    cases |= {f"away: {case}": found for case, found in away.items()}
    with begun(
        place.folder / "out", {case: place.command("doctor", kafka) for case, (kafka, _) in cases.items()}
    ) as all_:
        ends = {case: look.ended() for case, look in all_.items()}
    stranger = ends.pop("refused: no rights")
    assert stranger.code == 1 and stranger.out.count("missing") == len(NEEDED)
    wrong = {
        case: end
        for case, end in ends.items()
        if (end.code, end.said) != (1, []) or cases[case][1] not in end.out or SECRET in end.out
    }
    assert not wrong


def test_topics_that_cannot_be_made_are_told(place: Place) -> None:
    new, sasl = unique_name("topic"), place.kafka.at("SASL_PLAINTEXT")
    rows = "".join(f"{name}: {{partitions: 1}}\n" for name in NEEDED)
    many = place.file("many.yaml", f"{new}: {{partitions: 1, replication: 3}}\n{rows}")
    odd = place.file("odd.yaml", f"{new}: {{partitions: 1, config: {{retention.mss: 1}}}}\n{rows}")
    more = place.file("more.yaml", f"{new}: {{partitions: 1}}\n{rows}")
    fails = f"topic {new} cannot be made: "
    hidden = f"topic {new} is not there, or not for '{STRANGER}' to see, who may not make it; give "
    cases = {
        "more brokers than there are": (many, fails + "Unable to replicate the partition 3 time(s): ", USER, PASSWORD),
        "an unknown setting": (odd, fails + "Unknown topic config name: retention.mss", USER, PASSWORD),
        "no right": (more, hidden, STRANGER, STRANGER_PASSWORD),
    }
    commands = {}
    for name, (topics, said, user, password) in cases.items():
        words = place.command("worker", place.options(sasl, "sasl_plaintext", user, password))
        commands[name] = ([*words, "--topics", topics], said)
    assert not faults(place.folder / "out", commands)


def test_a_port_that_is_taken_is_told_by_a_worker_too(place: Place) -> None:
    words = place.command("worker", place.options(place.kafka.bootstrap))
    said = f"--metrics {place.kafka.bootstrap}: expected a free address of this machine; found: Address already in use;"
    assert not faults(place.folder / "out", {"worker": ([*words, "--metrics", place.kafka.bootstrap], said)})


def test_a_topic_that_nobody_made_is_told(place: Place) -> None:
    name = unique_name("nowhere")
    words, said = place.case(f"expected the topic {name}; found UnknownTopicOrPartitionError; ", place.kafka.bootstrap)
    with begun(place.folder / "out", {"bridge": [*place.command("bridge", words), "--topic", name]}) as all_:
        assert all_["bridge"].has("kafka_away")["reason"].startswith(said)


def ticks(port: int) -> float:
    """Ticks that a worker has written, read again and committed."""
    with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/metrics", timeout=5) as answer:
        return sum(map(float, re.findall(r"^kilowatch_ticks_total (\S+)$", answer.read().decode(), re.MULTILINE)))


@pytest.mark.parametrize("security", ["sasl_plaintext", "sasl_ssl"])
def test_a_worker_works_with_scram_with_and_without_tls(place: Place, security: str) -> None:
    """By aiokafka, of which Faust is made, after kafka-python has looked at topics and rights."""
    ca = ["--kafka-ca", place.kafka.certificate] if security == "sasl_ssl" else []
    at = place.kafka.at(security.upper())
    kafka = place.options(at, security, USER, PASSWORD, "--kafka-mechanism", SCRAM, *ca, "--group", security)
    with begun(place.folder / "out", {"worker": [*place.command("worker", kafka), "--tick-s", "0.2"]}) as all_:
        worker = all_["worker"]
        port = worker.has("started")["metrics"]
        until(lambda: ticks(port) >= 2, "ticks")
        assert worker.stop() == 0, worker.everything()
        assert PASSWORD not in worker.everything()
