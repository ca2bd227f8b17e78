"""The Faust app of a worker: what it is told, and how its messages become records."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import faust
from faust.types.auth import AuthProtocol

from streams.ingest.kafka_settings import KafkaSettings
from streams.ingest.records import Record, unreadable
from streams.runners.faust_consumer import Intake, Positions, transport
from streams.stores.alerts import NUL, REPLACED

WITHIN_S: Final = 0.02
TICK_S: Final = 60.0
SESSION_S: Final = 15.0
HEARTBEAT_S: Final = 3.0
"""A worker that is silent for a session's time loses its partitions to the others."""
REBALANCE_S: Final = 20.0
"""So long the others wait for one that was about to join and was killed."""
POLLED: Final = 500
BUFFERED: Final = 2_000
FETCHED_BYTES: Final = 2 * 1024 * 1024
AHEAD_MS: Final = 3_600_000
"""So far a worker's clock may be ahead of the brokers' for its ticks to count."""
GATEWAY_CHARS: Final = 200
LONGEST_TIME: Final = 15


@dataclass(frozen=True, slots=True)
class Group:
    """The consumer group of the workers, how often time is recorded, and how long a batch may gather.

    `topic_id` is that of the topic `telemetry`: positions hold for that topic and not for a later one of its name.
    """

    name: str
    topic_id: str
    tick_s: float = TICK_S
    within_s: float = WITHIN_S


def app_of(
    kafka: KafkaSettings, group: Group, positions: Positions, intake: Intake, is_busy: Callable[[], bool]
) -> faust.App:
    """The app, which is connected to nothing yet; it reads on where `positions` says, what `intake` has room for."""
    app = faust.App(
        group.name,
        broker=[f"kafka://{host}:{port}" for host, port in kafka.addresses],
        broker_credentials=credentials(kafka),
        autodiscover=False,
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        datadir=str(Path(tempfile.gettempdir()) / "kilowatch-worker"),
        consumer_auto_offset_reset="earliest",
        broker_max_poll_records=POLLED,
        stream_buffer_maxsize=BUFFERED,
        stream_wait_empty=False,
        broker_session_timeout=SESSION_S,
        broker_heartbeat_interval=HEARTBEAT_S,
        broker_rebalance_timeout=REBALANCE_S,
        consumer_max_fetch_size=FETCHED_BYTES,
        producer_acks=-1,
        producer_max_request_size=4 * 1024 * 1024,
        loop=None,
    )
    app.transport = transport(app, positions, intake, is_busy)
    return app


def topic_of(app: faust.App, name: str) -> Any:  # noqa: ANN401 - Faust's own types are open
    """A topic whose keys and values are bytes."""
    return app.topic(
        name, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw", internal=False
    )


def credentials(kafka: KafkaSettings) -> Any:  # noqa: ANN401 - Faust's own types are open
    """What Faust wants of the settings; None for plaintext without a user."""
    given = kafka.arguments()
    context = given.get("ssl_context")
    if kafka.security.startswith("sasl"):
        made = faust.SASLCredentials(
            mechanism=given["sasl_mechanism"],
            username=given["sasl_plain_username"],
            password=given["sasl_plain_password"],
            ssl_context=context,
        )
        made.protocol = AuthProtocol(given["security_protocol"])
        return made
    return faust.SSLCredentials(context=context) if context else None


def record_of(message: Any) -> Record:  # noqa: ANN401 - Faust's own types are open
    """A Kafka message as a record; its time of arrival is the log's, the same whenever it is read.

    A tick whose time cannot be believed becomes a value that cannot be read, so that it is told and harms nobody.
    """
    headers = dict(message.headers or ())
    received_ms = round(message.timestamp * 1000)
    gateway = (headers.get("gateway") or b"").decode("utf-8", "replace").replace(NUL, REPLACED)
    tick, value = headers.get("tick"), message.value or b""
    tick_ms = _time_ms(tick)
    if tick and (tick_ms is None or tick_ms > received_ms + AHEAD_MS):
        value, tick_ms = unreadable("tick", "expected UTC milliseconds that are not ahead of the log", tick[:99]), None
    return Record(
        offset=message.offset,
        site=(message.key or b"").decode("utf-8", "replace"),
        gateway=gateway[:GATEWAY_CHARS] or "kafka",
        value=value,
        received_ms=received_ms,
        tick_ms=tick_ms,
        sent_ms=_time_ms(headers.get("received")),
    )


def _time_ms(header: bytes | None) -> int | None:
    """UTC milliseconds in a header; None where they are none."""
    return int(header) if header and header.isdigit() and len(header) <= LONGEST_TIME else None
