"""MQTT to a log: nothing is acknowledged to the broker before it is safe.

The session outlives the connection, so the broker keeps QoS 1 messages while nobody listens; what was not acknowledged
comes again, and duplicates change nothing. When the log is full, nothing is acknowledged and reading stops: the broker
keeps what comes. MQTT 3.1.1 and 5.
"""

from __future__ import annotations

import logging
import ssl
import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from streams.domain.findings import KilowatchError
from streams.ingest.records import Append, Message, unreadable
from streams.ingest.spool import SpoolFull
from streams.ingest.tally import Tally
from streams.ingest.topics import Topics

LOG: Final = logging.getLogger("kilowatch.mqtt")
MOST_AT_ONCE: Final = 5_000
MOST_PENDING: Final = 20_000
MOST_MESSAGE_BYTES: Final = 4 << 20
MOST_BATCH_BYTES: Final = 4 << 20
RECEIVE_MAXIMUM: Final = 2_000
SESSION_S: Final = 7 * 86_400
RETRY_S: Final = 0.25
NOT_WELCOME: Final = frozenset({133, 134, 135, 138, 140})
"""Reason codes that waiting does not mend: client id, user name or password, authorization, ban, method."""


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """Where the broker is and who we are there. `certificate` and `key` are a client's own, for TLS."""

    host: str
    port: int = 1883
    client_id: str = "kilowatch-bridge"
    version: str = "5"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    keepalive_s: int = 30

    @property
    def server(self) -> str:
        """The broker as an error names it."""
        return f"mqtt{'s' if self.tls else ''}://{self.host}:{self.port}"

    @property
    def status_topic(self) -> str:
        """Where `online` or `offline` is kept."""
        return f"kilowatch/{self.client_id}/status"

    def context(self) -> ssl.SSLContext | None:
        """TLS as asked for; KilowatchError where a file cannot be used."""
        if not self.tls:
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca)
            if self.certificate:
                context.load_cert_chain(self.certificate, self.key)
        except OSError as error:
            files = ", ".join(str(path) for path in (self.ca, self.certificate, self.key) if path)
            raise KilowatchError(
                f"{self.server}: expected usable certificate files; found {error} ({files})"
            ) from error
        return context


@dataclass(frozen=True, slots=True)
class _Pending:
    """A message that came and is not acknowledged; `connection` counts the connections, `mid` holds only on its own."""

    message: Message | None
    mid: int
    qos: int
    connection: int


class MqttInlet:
    """Listens to the topics of the rules and appends what comes, in order; acknowledges after that."""

    def __init__(
        self, settings: MqttSettings, topics: Topics, append: Append, clock: Callable[[], int], tally: Tally
    ) -> None:
        """`clock` gives UTC milliseconds. Counts `messages_in`, `bytes_in`, `held_back` and `refused`."""
        self.settings, self._topics, self._append, self._clock, self._tally = settings, topics, append, clock, tally
        self.refusal: str | None = None
        """Why the broker does not want us, where waiting does not help."""
        self.connected = False
        self.subscribed = False
        self._known = threading.Event()
        self._stopping = threading.Event()
        self._change = threading.Condition()
        self._pending: deque[_Pending] = deque()
        self._acknowledging = threading.Lock()
        self._connection = 0
        self._writer = threading.Thread(target=self._write, name="mqtt-writer", daemon=True)
        self._client = self._made()

    def start(self) -> None:
        """Connect, and go on trying for ever."""
        self._writer.start()
        host, port, keepalive_s = self.settings.host, self.settings.port, self.settings.keepalive_s
        if self.settings.version == "5":
            self._client.connect_async(host, port, keepalive_s, clean_start=False, properties=_session())
        else:
            self._client.connect_async(host, port, keepalive_s)
        self._client.loop_start()

    def wait(self, seconds: float) -> None:
        """Wait until it is known whether the broker can be reached, wants us, and knows what we listen to."""
        self._known.wait(seconds)

    @property
    def alive(self) -> bool:
        """Whether its threads do their work."""
        network = self._client._thread
        return self._writer.is_alive() and network is not None and network.is_alive()

    @property
    def pending(self) -> int:
        """Messages that came and are not safe yet."""
        return len(self._pending)

    def stop(self, seconds: float = 5.0) -> None:
        """Store and acknowledge what came, say goodbye, and end. The broker keeps what comes from now on."""
        self._stopping.set()
        with self._change:
            self._change.notify_all()
        self._writer.join(seconds / 2)
        if self.connected:
            said = self._client.publish(self.settings.status_topic, b"offline", qos=1, retain=True)
            if not self._writer.is_alive():
                said.wait_for_publish(seconds / 5)
            self._client.disconnect()
        ending = threading.Thread(target=self._client.loop_stop, daemon=True)
        ending.start()
        ending.join(seconds / 4)
        LOG.info("mqtt_stopped", extra={"fields": {"not_stored": len(self._pending)}})

    def _made(self) -> Client:
        version = MQTTv5 if self.settings.version == "5" else MQTTv311
        clean = None if version == MQTTv5 else False
        client = Client(CallbackAPIVersion.VERSION2, self.settings.client_id, clean, protocol=version, manual_ack=True)
        client.connect_timeout = 3.0
        client.reconnect_delay_set(1, 60)
        if self.settings.user is not None:
            client.username_pw_set(self.settings.user, self.settings.password)
        context = self.settings.context()
        if context is not None:
            client.tls_set_context(context)
        client.will_set(self.settings.status_topic, b"offline", qos=1, retain=True)
        client.on_connect, client.on_connect_fail = self._on_connect, self._on_connect_fail
        client.on_disconnect, client.on_subscribe = self._on_disconnect, self._on_subscribe
        client.on_message = self._on_message
        return client

    def _on_connect(self, client: Client, _: Any, flags: ConnectFlags, code: ReasonCode, __: Any) -> None:  # noqa: ANN401
        if code.is_failure:
            if code.value in NOT_WELCOME:
                self.refusal = f"{self.settings.server}: expected to be let in as {self.settings.user or 'nobody'!r}"
                self.refusal += f"; found {code.getName()!r} (check user, password and client id)"
            LOG.error("mqtt_refused", extra={"fields": {"server": self.settings.server, "reason": code.getName()}})
            self._known.set()
            return
        with self._acknowledging:
            self._connection += 1
        self.refusal, self.connected = None, True
        if self.settings.version == "5":
            options = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
            client.subscribe([(each, options) for each in self._topics.filters])
        else:
            client.subscribe([(each, 1) for each in self._topics.filters])
        client.publish(self.settings.status_topic, b"online", qos=1, retain=True)
        fields = {"server": self.settings.server, "session": "kept" if flags.session_present else "new"}
        LOG.info("mqtt_connected", extra={"fields": fields})

    def _on_connect_fail(self, _: Client, __: Any) -> None:  # noqa: ANN401
        error = sys.exc_info()[1]  # paho calls this while it handles the error, and does not hand it over
        if isinstance(error, ssl.SSLCertVerificationError):
            self.refusal = (
                f"{self.settings.server}: expected a certificate that the CA signed; found {error.verify_message}"
            )
        if self.settings.tls and isinstance(error, ssl.SSLError | ConnectionResetError):
            reason = f"expected TLS; found {error}; mend --mqtt (mqtt://?)"
        else:
            reason = f"no answer; start the broker, or mend --mqtt ({error})"
        LOG.warning("mqtt_away", extra={"fields": {"server": self.settings.server, "reason": reason}})
        self._known.set()

    def _on_disconnect(self, _: Client, __: Any, ___: DisconnectFlags, code: ReasonCode, ____: Any) -> None:  # noqa: ANN401
        with self._acknowledging:  # from here on no number of the lost connection is acknowledged on the next one
            self._connection += 1
        was, self.connected, self.subscribed = self.connected, False, False
        if self._stopping.is_set() or self.refusal is not None:
            return
        if was:
            LOG.warning("mqtt_lost", extra={"fields": {"server": self.settings.server, "reason": code.getName()}})
            return
        reason = (
            f"expected an answer of MQTT {self.settings.version}; found a server that hangs up ({code.getName()}); "
        )
        reason += f"mend --mqtt ({'mqtt' if self.settings.tls else 'mqtts'}://?) if that is none"
        LOG.warning("mqtt_away", extra={"fields": {"server": self.settings.server, "reason": reason}})
        self._known.set()

    def _on_subscribe(self, _: Client, __: Any, ___: int, codes: list[ReasonCode], ____: Any) -> None:  # noqa: ANN401
        for topic, code in zip(self._topics.filters, codes, strict=False):
            if code.is_failure:
                self._tally.add("refused", "subscription refused by the broker")
                LOG.error("mqtt_subscription_refused", extra={"fields": {"topic": topic, "reason": code.getName()}})
        self.subscribed = True
        self._known.set()

    def _on_message(self, client: Client, _: Any, came: MQTTMessage) -> None:  # noqa: ANN401
        """Translate and queue; waits, and so stops reading from the broker, when too much is pending."""
        if self._stopping.is_set():
            return
        now_ms = self._clock()
        self._tally.add("messages_in", "mqtt")
        self._tally.add("bytes_in", "mqtt", len(came.payload))
        try:
            topic = came.topic
        except UnicodeDecodeError:
            self._tally.add("refused", "topic is not UTF-8")
            line = unreadable("?", "topic is not UTF-8", bytes(came.payload))
            message: Message | None = Message("", "mqtt:?", line, now_ms)
        else:
            message = self._translated(client, topic, came, now_ms)
        with self._change:
            while len(self._pending) >= MOST_PENDING and not self._stopping.is_set():
                self._change.wait(1.0)
            self._pending.append(_Pending(message, came.mid, came.qos, self._connection))
            self._change.notify_all()

    def _translated(self, client: Client, topic: str, came: MQTTMessage, now_ms: int) -> Message | None:
        if len(came.payload) > MOST_MESSAGE_BYTES:
            self._tally.add("refused", "message too large")
            LOG.error("mqtt_too_large", extra={"fields": {"topic": topic, "bytes": len(came.payload)}})
            reason = f"expected at most {MOST_MESSAGE_BYTES:,} bytes; found {len(came.payload):,}"
            return Message("", f"mqtt:{topic}", unreadable(topic, reason, bytes(came.payload[:2_000])), now_ms)
        taken = self._topics.take(topic, bytes(came.payload), now_ms, retained=came.retain)
        for request in taken.requests:
            client.publish(request.topic, request.payload, qos=0)
        return taken.message

    def _write(self) -> None:
        """Append what is pending, as much as came while the last append was under way; then acknowledge it."""
        while True:
            with self._change:
                while not self._pending and not self._stopping.is_set():
                    self._change.wait()
                batch = _bounded(self._pending)
            stored = self._stored(batch)
            if not stored:
                return
            with self._change:
                for _ in stored:
                    self._pending.popleft()
                self._change.notify_all()
            with self._acknowledging:
                for each in stored:
                    if each.qos and each.connection == self._connection:
                        self._client.ack(each.mid, each.qos)

    def _stored(self, batch: list[_Pending]) -> list[_Pending]:
        """Append the batch, or as much of its beginning as there is room for; empty where the end comes first."""
        told = False
        while batch:
            try:
                self._append([each.message for each in batch if each.message is not None])
                break
            except KilowatchError as error:
                if isinstance(error, SpoolFull) and len(batch) > 1:
                    batch = batch[: len(batch) // 2]
                    continue
                if self._stopping.is_set():
                    return []
                if not told:
                    why = "spool full" if isinstance(error, SpoolFull) else "spool error"
                    self._tally.add("held_back", why, len(self._pending))
                    LOG.error("mqtt_held_back", extra={"fields": {"reason": str(error)}})
                told = True
                self._stopping.wait(RETRY_S)
        if told:
            LOG.info("mqtt_goes_on", extra={"fields": {"pending": len(self._pending)}})
        return batch


def _session() -> Properties:
    """A session that outlives its connection, in the words of MQTT 5."""
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = SESSION_S
    properties.ReceiveMaximum = RECEIVE_MAXIMUM
    return properties


def _bounded(pending: deque[_Pending]) -> list[_Pending]:
    """The first of what is pending: so much as one commit should take."""
    batch: list[_Pending] = []
    size = 0
    for each in islice(pending, MOST_AT_ONCE):
        size += len(each.message.value) if each.message else 0
        if batch and size > MOST_BATCH_BYTES:
            break
        batch.append(each)
    return batch
