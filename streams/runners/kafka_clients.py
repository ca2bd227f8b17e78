"""kafka-python's clients: made in one way for everybody, so that what is wrong is told in one line.

kafka-python says in its log alone why it does not connect, and gives up with a time-out; so its log is overheard.
And it throws away what came together with the end of a connection, which is where a broker says why it lets nobody in:
that is mended here, so whoever makes a client makes it with this module.
"""

from __future__ import annotations

import logging
import re
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any, Final, Self

from kafka import KafkaAdminClient, KafkaProducer
from kafka.errors import (
    AuthorizationError,
    BrokerResponseError,
    IllegalSaslStateError,
    InvalidReceiveError,
    KafkaError,
    KafkaTimeoutError,
    NoError,
    SaslAuthenticationFailedError,
    UnsupportedSaslMechanismError,
    for_code,
)

from streams.domain.findings import KilowatchError
from streams.ingest.kafka_settings import KafkaSettings

try:
    from kafka.net.transport import KafkaSSLTransport, KafkaTCPTransport
except ImportError:  # another version of kafka-python, built otherwise: a reason may be lost, and nothing else
    TRANSPORTS: tuple[type[Any], ...] = ()
else:
    TRANSPORTS = (KafkaTCPTransport, KafkaSSLTransport)

REACH_S: Final = 2.0
REACH_AGAIN_S: Final = 0.25
TRIES_S: Final = (2.0, 4.0)
"""How long a client may take to connect; a refusal is told after the first time, a slow server gets the second."""
REQUEST_MS: Final = 8_000
LIBRARY: Final = logging.getLogger("kafka")
LIBRARY.addHandler(logging.NullHandler())  # else its lines would stand raw on standard error where no log was begun
TLS_ALERT: Final = 0x15


class KafkaUnusableError(KilowatchError):
    """The brokers refuse, or are none: what was given is to be mended."""


class KafkaAwayError(KafkaUnusableError):
    """The brokers do not answer, or not well: it may be tried again."""


def connected(
    kind: Callable[..., Any],
    settings: KafkaSettings,
    patience_s: float = 0.0,
    **options: Any,  # noqa: ANN401 - kafka-python's
) -> Any:  # noqa: ANN401 - kafka-python has no types
    """A client of a kind (KafkaProducer, KafkaAdminClient, KafkaConsumer) that is connected, with more of its options.

    Servers where nobody listens are waited for with patience. KafkaUnusableError says what is wrong.
    """
    _reach(settings, patience_s)
    for seconds in TRIES_S:
        with _Overheard(settings) as overheard:
            try:
                return kind(**settings.arguments(), bootstrap_timeout_ms=int(seconds * 1000), **options)
            except KafkaError as error:
                found = overheard.found or unusable(settings, error)
        if not isinstance(found, KafkaAwayError):
            break
    raise found


@contextmanager
def kafka_client(
    kind: Callable[..., Any],
    settings: KafkaSettings,
    patience_s: float = 0.0,
    **options: Any,  # noqa: ANN401 - kafka-python's
) -> Iterator[Any]:
    """A connected client, closed in the end; what goes wrong with it meanwhile is a KafkaUnusableError."""
    client = connected(kind, settings, patience_s, **options)
    try:
        yield client
    except KafkaError as error:
        raise lost(settings, client, error) from None
    finally:
        client.close()


def need_topic(settings: KafkaSettings, topic: str) -> None:
    """KafkaUnusableError where a topic may not be written, KafkaAwayError where it is not there yet.

    A producer would wait for it, and then tell of a time-out.
    """
    with kafka_client(KafkaAdminClient, settings, request_timeout_ms=REQUEST_MS) as admin:
        need_rights(settings, admin, {topic: ("WRITE",)})


def need_rights(settings: KafkaSettings, admin: KafkaAdminClient, wanted: Mapping[str, tuple[str, ...]]) -> None:
    """KafkaUnusableError where the user lacks a right to a topic, KafkaAwayError where one is not there yet.

    `wanted` has rights by topic, such as `WRITE`. Brokers that do not tell them are believed to give them.
    """
    where, who = f"Kafka at {settings.servers}", repr(settings.user or "everybody")
    for topic, rights in wanted.items():
        (found,) = admin.describe_topics([topic])
        error = for_code(found["error_code"])
        given = found["authorized_operations"]
        if issubclass(error, AuthorizationError) or (given and not set(rights) <= set(given)):
            raise KafkaUnusableError(
                f"{where}: expected {who} to have the rights to {_listed(rights)} topic {topic}; "
                f"found {_listed(given) if given else 'none'}; give them, or mend --kafka-user"
            )
        if error is not NoError:
            raise KafkaAwayError(
                f"{where}: expected the topic {topic}; found {error.__name__}; a worker makes it at its start, "
                "or make it by hand"
            )


def need_group(settings: KafkaSettings, admin: KafkaAdminClient, group: str) -> None:
    """KafkaUnusableError where the user may not be in a consumer group: a consumer would wait, and tell nobody."""
    try:
        admin.describe_groups([group])
    except AuthorizationError:
        raise KafkaUnusableError(
            f"Kafka at {settings.servers}: expected {settings.user or 'everybody'!r} to have the right to read group "
            f"{group}; found none; give it, or mend --group"
        ) from None
    except KafkaError:  # a cluster that is so new that it has no coordinator yet
        return


def _listed(rights: Iterable[str]) -> str:
    return ", ".join(sorted(each.lower() for each in rights))


def lost(settings: KafkaSettings, client: Any, error: KafkaError) -> KafkaUnusableError:  # noqa: ANN401 - as above
    """What is wrong where a client was let in, and then its work failed."""
    cluster = client._metadata if isinstance(client, KafkaProducer) else client._manager.cluster
    named = {f"{broker.host}:{broker.port}" for broker in cluster.brokers()}
    if isinstance(error, BrokerResponseError) or named <= {f"{host}:{port}" for host, port in settings.addresses}:
        return unusable(settings, error)
    return KafkaAwayError(
        f"Kafka at {settings.servers}: expected to reach the brokers that it names, {', '.join(sorted(named))}; found "
        f"{_said(error)}; mend advertised.listeners of the brokers, or the way to them"
    )


def unusable(settings: KafkaSettings, error: Exception) -> KafkaUnusableError:
    """An error of kafka-python as one line that says what is wrong and how to mend it."""
    who, said = f"Kafka at {settings.servers}", _said(error)
    for kind, sentence in {
        SaslAuthenticationFailedError: f"expected to be let in as {settings.user!r}; found {said}; "
        "mend --kafka-user or its password (--kafka-password-file)",
        UnsupportedSaslMechanismError: f"expected the mechanism {settings.mechanism}; found brokers without it; "
        "mend --kafka-mechanism",
        IllegalSaslStateError: f"expected to be asked for a password, as {settings.security} has it; found brokers "
        "that ask for none; mend --kafka-security, or the port",
        AuthorizationError: f"expected {settings.user or 'everybody'!r} to have the right; found {said}; give it to "
        "that user",
    }.items():
        if isinstance(error, kind):
            return KafkaUnusableError(f"{who}: {sentence}")
    if certificate := re.search(r"certificate verify failed: (.*?)(?: \(_ssl.*)?$", said):
        known = f"by {settings.ca}" if settings.ca else "by an authority that this machine trusts"
        return KafkaUnusableError(
            f"{who}: expected a certificate signed {known}; found: {certificate[1]}; mend --kafka-ca, or --kafka"
        )
    if isinstance(error, InvalidReceiveError) and (length := re.search(r"frame length: (-?\d+)", said)):
        if int(length[1]) >> 24 == TLS_ALERT:
            return KafkaUnusableError(
                f"{who}: expected Kafka without TLS, as {settings.security} has it; found a server that speaks TLS; "
                "mend --kafka-security, or the port"
            )
        return KafkaUnusableError(f"{who}: expected Kafka; found a server that speaks something else; mend --kafka")
    if "Handshake failed" in said:
        return KafkaAwayError(f"{who}: expected TLS; found {said}; mend --kafka-security, or the port")
    if "disconnected" in said or "reset by peer" in said:
        return KafkaAwayError(
            f"{who}: expected an answer by {settings.security}; found a server that hangs up ({said}); "
            "mend --kafka-security, or --kafka if that is no Kafka"
        )
    return KafkaAwayError(f"{who}: no answer; start the brokers, or mend --kafka and its security settings ({said})")


def _said(error: Exception) -> str:
    """The reason of an error, without kafka-python's numbers and names before it."""
    text = " ".join(str(error).split()) or type(error).__name__
    return re.sub(r"^(\[Error -?\d+\] )?(\w+Error: )+(?=.)", "", text)


def _reach(settings: KafkaSettings, patience_s: float) -> None:
    """Wait until somebody listens at one of the servers: a client would try by itself, and leave sockets behind."""
    deadline = time.monotonic() + patience_s
    while True:
        problems = []
        for host, port in settings.addresses:
            try:
                socket.create_connection((host, port), REACH_S).close()
            except OSError as error:
                problems.append(f"{host}:{port}: {error.strerror or error}")
            else:
                return
        if time.monotonic() >= deadline:
            raise KafkaAwayError(
                f"Kafka at {settings.servers}: expected brokers; found nobody who listens ({'; '.join(problems)}); "
                "start them, or mend --kafka"
            )
        time.sleep(REACH_AGAIN_S)


class _Overheard(logging.Handler):
    """Why kafka-python did not connect, out of the log of its connections."""

    def __init__(self, settings: KafkaSettings) -> None:
        super().__init__(logging.WARNING)
        self.settings = settings
        self.found: KafkaUnusableError | None = None
        self._log = logging.getLogger("kafka.net.manager")
        self._before = (self._log.level, self._log.propagate)

    def emit(self, record: logging.LogRecord) -> None:
        """Remember the error of a line: the last one, but a refusal rather than what follows it."""
        given = record.args if isinstance(record.args, tuple) else ()
        found = next((each for each in given if isinstance(each, KafkaError)), None)
        if found is None and (
            told := re.match(r"Bootstrap attempt to \S+ failed: (.+) \(backoff", record.getMessage())
        ):
            found = KafkaError(told[1])
        if found is None or isinstance(found, KafkaTimeoutError):  # which the others lead to
            return
        if self.found is None or isinstance(self.found, KafkaAwayError):
            self.found = unusable(self.settings, found)

    def __enter__(self) -> Self:
        self._log.addHandler(self)
        self._log.setLevel(logging.WARNING)
        self._log.propagate = False
        return self

    def __exit__(self, *_: object) -> None:
        self._log.removeHandler(self)
        self._log.setLevel(self._before[0])
        self._log.propagate = self._before[1]


Received = tuple[bytes, Exception | None]


def _keeping_last_words(receive: Callable[[Any], Received]) -> Callable[[Any], Received]:
    """Reads until nothing is there; bytes that came before an end are handed over first, the end with the next read."""

    @wraps(receive)
    def kept(transport: Any) -> Received:  # noqa: ANN401 - kafka-python has no types
        data, end = receive(transport)
        return (data, None) if data else (data, end)

    return kept


for _transport in TRANSPORTS:
    _transport._sock_recv = _keeping_last_words(_transport._sock_recv)
