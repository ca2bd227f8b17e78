"""kafka-python's clients as we make them: what a broker says last is heard, and what is wrong is one line."""

from __future__ import annotations

import gc
import logging
import socket
import ssl
import subprocess
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.net.transport import KafkaSSLTransport, KafkaTCPTransport

from streams.ingest.kafka_settings import KafkaSettings
from streams.runners import kafka_clients
from streams.runners.kafka_clients import (
    TRANSPORTS,
    KafkaAwayError,
    KafkaUnusableError,
    kafka_client,
    need_group,
    need_topic,
)
from tests.servers import missing
from tests.servers.certificates import certificate_command
from tests.servers.mosquitto import Mosquitto
from tests.servers.ports import unique_name
from tests.servers.postgres import PostgresServer
from tests.servers.secured_kafka import PASSWORD, PLAIN, SCRAM, STRANGER, STRANGER_PASSWORD, USER, SecuredKafka

LAST_WORDS = b"SASL authentication failed"
WRONG = "quite-another-one"


def said_and_closed(plain: socket.socket, context: ssl.SSLContext | None = None) -> None:
    """A server that says something and closes in one go."""
    line = context.wrap_socket(plain, server_side=True) if context else plain
    line.sendall(LAST_WORDS)
    line.close()


def received(transport: Any) -> list[tuple[bytes, bool]]:
    """What two reads give: the bytes, and whether the end was told with them."""
    return [(data, error is not None) for data, error in (transport._sock_recv(), transport._sock_recv())]


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_what_came_together_with_the_end_is_read_before_the_end(pair: tuple[socket.socket, socket.socket]) -> None:
    assert KafkaTCPTransport in TRANSPORTS
    ours, theirs = pair
    said_and_closed(theirs)
    ours.setblocking(False)
    assert received(KafkaTCPTransport(None, ours)) == [(LAST_WORDS, False), (b"", True)]


def test_so_it_is_under_tls(tmp_path: Path, pair: tuple[socket.socket, socket.socket]) -> None:
    missing.need(missing.openssl())
    ours, theirs = pair
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(certificate_command(certificate, key), check=True, capture_output=True)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate, key)
    server = threading.Thread(target=said_and_closed, args=(theirs, served))
    server.start()
    trusting = ssl.create_default_context(cafile=certificate)
    transport = KafkaSSLTransport(None, ours, ssl_context=trusting, host="localhost")
    with transport._sock as line:
        line.do_handshake()
        server.join()
        line.setblocking(False)
        assert received(transport) == [(LAST_WORDS, False), (b"", True)]


@pytest.fixture(autouse=True)
def tidied() -> Iterator[None]:
    """kafka-python leaves the socket of a connection that failed to the garbage collector."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def secured(secured_kafka: SecuredKafka, monkeypatch: pytest.MonkeyPatch) -> SecuredKafka:
    """The broker, to clients that have less patience than those of the product."""
    monkeypatch.setattr(kafka_clients, "TRIES_S", (0.7, 0.3))
    secured_kafka.need_topics("telemetry")
    return secured_kafka


@pytest.mark.parametrize("mechanism", [PLAIN, SCRAM])
@pytest.mark.parametrize("security", ["sasl_plaintext", "sasl_ssl"])
def test_the_right_password_works(secured: SecuredKafka, security: Any, mechanism: str) -> None:
    ca = secured.certificate if security == "sasl_ssl" else None
    settings = KafkaSettings(secured.at(security.upper()), security, USER, PASSWORD, mechanism, ca)
    need_topic(settings, "telemetry")
    with kafka_client(KafkaProducer, settings) as producer:
        written = producer.send("telemetry", mechanism.encode()).get(timeout=10).offset
    with kafka_client(KafkaConsumer, settings) as consumer:
        assert consumer.partitions_for_topic("telemetry") == {0}
    assert written >= 0


def test_the_right_authority_works(secured: SecuredKafka) -> None:
    need_topic(KafkaSettings(secured.at("SSL"), "ssl", ca=secured.certificate), "telemetry")


REFUSED = {
    "wrong password, SCRAM": (
        ("SASL_PLAINTEXT", "sasl_plaintext", USER, WRONG, SCRAM, None),
        (
            "expected to be let in as 'kilowatch'; found Authentication failed during authentication due to invalid "
            "credentials with SASL mechanism SCRAM-SHA-512; mend --kafka-user or its password (--kafka-password-file)"
        ),
    ),
    "wrong password, PLAIN": (
        ("SASL_PLAINTEXT", "sasl_plaintext", USER, WRONG, PLAIN, None),
        (
            "expected to be let in as 'kilowatch'; found Authentication failed: Invalid username or password; "
            "mend --kafka-user or its password (--kafka-password-file)"
        ),
    ),
    "wrong password under TLS": (
        ("SASL_SSL", "sasl_ssl", USER, WRONG, PLAIN, "certificate"),
        (
            "expected to be let in as 'kilowatch'; found Authentication failed: Invalid username or password; "
            "mend --kafka-user or its password (--kafka-password-file)"
        ),
    ),
    "wrong mechanism": (
        ("SASL_PLAINTEXT", "sasl_plaintext", USER, PASSWORD, "SCRAM-SHA-256", None),
        "expected the mechanism SCRAM-SHA-256; found brokers without it; mend --kafka-mechanism",
    ),
    "wrong authority": (
        ("SSL", "ssl", None, None, SCRAM, "other_certificate"),
        (
            "expected a certificate signed by {other_certificate}; found: self-signed certificate; "
            "mend --kafka-ca, or --kafka"
        ),
    ),
    "no authority": (
        ("SASL_SSL", "sasl_ssl", USER, PASSWORD, SCRAM, None),
        (
            "expected a certificate signed by an authority that this machine trusts; found: self-signed certificate; "
            "mend --kafka-ca, or --kafka"
        ),
    ),
    "no TLS where there is TLS": (
        ("SSL", "plaintext", None, None, SCRAM, None),
        (
            "expected Kafka without TLS, as plaintext has it; found a server that speaks TLS; "
            "mend --kafka-security, or the port"
        ),
    ),
    "a password where none is asked for": (
        ("PLAINTEXT", "sasl_plaintext", USER, PASSWORD, SCRAM, None),
        (
            "expected to be asked for a password, as sasl_plaintext has it; found brokers that ask for none; "
            "mend --kafka-security, or the port"
        ),
    ),
    "no right to the topic": (
        ("SASL_PLAINTEXT", "sasl_plaintext", STRANGER, STRANGER_PASSWORD, SCRAM, None),
        "expected 'stranger' to have the rights to write topic telemetry; found none; give them, or mend --kafka-user",
    ),
}
AWAY = {
    "nobody there": (
        ("NOBODY", "plaintext", None, None, SCRAM, None),
        "expected brokers; found nobody who listens ({at}: Connection refused); start them, or mend --kafka",
    ),
    "brokers that send us elsewhere": (
        ("LOST", "plaintext", None, None, SCRAM, None),
        (
            "expected to reach the brokers that it names, {nobody}; found 111 ECONNREFUSED; "
            "mend advertised.listeners of the brokers, or the way to them"
        ),
    ),
    "TLS where there is none": (
        ("PLAINTEXT", "ssl", None, None, SCRAM, "certificate"),
        "expected TLS; found Handshake failed: [SSL: ",
    ),
    "no password where one is asked for": (
        ("SASL_PLAINTEXT", "plaintext", None, None, SCRAM, None),
        (
            "expected an answer by plaintext; found a server that hangs up (socket disconnected); "
            "mend --kafka-security, or --kafka if that is no Kafka"
        ),
    ),
}


def told(secured: SecuredKafka, listener: str, security: Any, who: Any, *, expected: str, is_away: bool) -> None:
    """Ask for the topic, and hold what is said against what is expected."""
    user, password, mechanism, ca = who
    files = {name: getattr(secured, name) for name in ("certificate", "other_certificate")}
    at = secured.bootstrap if listener == "PLAINTEXT" else secured.at(listener)
    settings = KafkaSettings(at, security, user, password, mechanism, files.get(ca))
    with pytest.raises(KafkaUnusableError) as error:
        need_topic(settings, "telemetry")
    whole = f"Kafka at {at}: " + expected.format(at=at, nobody=secured.at("NOBODY"), **files)
    assert str(error.value)[: len(whole)] == whole
    assert "\n" not in str(error.value)
    assert isinstance(error.value, KafkaAwayError) is is_away
    assert WRONG not in str(error.value)


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_is_told_in_one_line(secured: SecuredKafka, case: str) -> None:
    (listener, security, *who), expected = REFUSED[case]
    told(secured, listener, security, who, expected=expected, is_away=False)


@pytest.mark.parametrize("case", AWAY)
def test_what_may_pass_by_itself_is_told_and_is_no_refusal(secured: SecuredKafka, case: str) -> None:
    (listener, security, *who), expected = AWAY[case]
    told(secured, listener, security, who, expected=expected, is_away=True)


def test_another_server_at_that_port_is_told(secured: SecuredKafka, postgres: PostgresServer) -> None:
    with pytest.raises(KafkaUnusableError, match=r"expected Kafka; found a server that speaks something else; mend"):
        need_topic(KafkaSettings(postgres.address), "telemetry")


def test_and_one_that_hangs_up(secured: SecuredKafka, mosquitto: Mosquitto) -> None:
    with pytest.raises(KafkaAwayError, match=r"found a server that hangs up \(.*\); mend --kafka-security, or --kafka"):
        need_topic(KafkaSettings(mosquitto.address), "telemetry")


def test_a_topic_that_is_missing_is_told_at_once(secured: SecuredKafka) -> None:
    name = unique_name("nowhere")
    with pytest.raises(KafkaAwayError, match=rf"expected the topic {name}; found UnknownTopicOrPartitionError; a work"):
        need_topic(KafkaSettings(secured.bootstrap), name)


def test_a_group_that_the_user_may_not_join_is_told(secured: SecuredKafka) -> None:
    allowed = KafkaSettings(secured.at("SASL_PLAINTEXT"), "sasl_plaintext", USER, PASSWORD)
    with kafka_client(KafkaAdminClient, allowed) as admin:
        need_group(allowed, admin, "kilowatch")
    refused = KafkaSettings(secured.at("SASL_PLAINTEXT"), "sasl_plaintext", STRANGER, STRANGER_PASSWORD)
    with (
        pytest.raises(
            KafkaUnusableError, match=r"expected 'stranger' to have the right to read group kilowatch; found"
        ),
        kafka_client(KafkaAdminClient, refused) as admin,
    ):
        need_group(refused, admin, "kilowatch")


def test_of_two_servers_one_is_enough(secured: SecuredKafka) -> None:
    need_topic(KafkaSettings(f"{secured.at('NOBODY')},{secured.bootstrap}"), "telemetry")


def test_kafka_python_itself_stays_silent_where_no_log_was_begun() -> None:
    assert any(isinstance(handler, logging.NullHandler) for handler in logging.getLogger("kafka").handlers)


def test_a_client_is_closed_whatever_happens(secured: SecuredKafka) -> None:
    with pytest.raises(ZeroDivisionError), kafka_client(KafkaAdminClient, KafkaSettings(secured.bootstrap)) as admin:
        raise ZeroDivisionError
    assert admin._closed
