"""From the spool to Kafka: packed, in order, forgotten only when Kafka has acknowledged."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import Any, Final

from kafka import KafkaProducer
from kafka.errors import KafkaError

from streams.ingest.kafka_settings import KafkaSettings
from streams.ingest.packing import Packed, pack
from streams.ingest.records import Message
from streams.ingest.spool import Spool
from streams.ingest.tally import Tally
from streams.runners.kafka_clients import KafkaAwayError, KafkaUnusableError, connected, lost, need_topic

LOG: Final = logging.getLogger("kilowatch.kafka")
MOST_AT_ONCE: Final = 50_000
PAUSES_S: Final = (0.25, 0.5, 1.0, 2.0, 5.0)
SAY_AGAIN_S: Final = 60.0
DELIVERY_MS: Final = 30_000
STOP_WAIT_S: Final = 2.5
SLOW_S: Final = 3.0


class Sender:
    """Sends what waits; a thread of its own. `append` is the spool's, and wakes it."""

    def __init__(self, spool: Spool, settings: KafkaSettings, topic: str, tally: Tally, gather_s: float = 0.05) -> None:
        """After it has sent all that waited it gathers for `gather_s`, so that small messages are packed."""
        self.spool, self.settings, self.topic, self._tally, self._gather_s = spool, settings, topic, tally, gather_s
        self.connected = False
        self.trouble: str | None = None
        self._producer: KafkaProducer | None = None
        self._stopping, self._came = threading.Event(), threading.Event()
        self._said_s = -SAY_AGAIN_S
        self._failures = 0
        self._thread = threading.Thread(target=self._run, name="kafka-sender", daemon=True)

    @property
    def alive(self) -> bool:
        """Whether the thread does its work."""
        return self._thread.is_alive()

    def append(self, messages: Sequence[Message]) -> int:
        """Put messages into the spool, and wake the sender."""
        last = self.spool.append(messages)
        self._came.set()
        return last

    def check(self) -> None:
        """Try to connect once. KafkaUnusableError where waiting does not help; a server that is away is none."""
        try:
            self._producer = self._made()
            self.connected = True
        except KafkaAwayError as error:
            self._failed(error)
            self._say_what_waits()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Wait for what is under way; the rest stays in the spool."""
        self._stopping.set()
        self._came.set()
        self._thread.join(seconds)
        self._let_go(min(1.0, seconds))

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._came.clear()
            records = self.spool.read(0, MOST_AT_ONCE)
            if not records:
                self._came.wait(1.0)
                continue
            if self._sent(pack(records)):
                self.spool.drop(records[-1].offset)
                self._tally.add("sent", more=len(records))
                self._stopping.wait(self._gather_s)
            else:
                self._say_what_waits()
                self._stopping.wait(PAUSES_S[min(self._failures, len(PAUSES_S)) - 1])

    def _sent(self, messages: list[Packed]) -> bool:
        """Send, and wait until all are acknowledged; False, and the producer let go, if one was not."""
        latch = _Latch(len(messages))
        try:
            if self._producer is None:
                self._producer = self._made()
            futures = [self._send(self._producer, message) for message in messages]
            for future in futures:
                future.add_both(latch.count)
            while not latch.wait(0.2):
                if latch.waited_s > SLOW_S:
                    self.connected, self.trouble = False, f"no acknowledgement for {latch.waited_s:.0f} s"
                    self._say_what_waits()
                if self._stopping.is_set() and latch.waited_s > STOP_WAIT_S:
                    return False
            for future in futures:
                future.get(timeout=0)
        except (KafkaError, KafkaUnusableError) as error:
            self._failed(error)
            return False
        self._failures, self.trouble = 0, None
        if not self.connected:
            LOG.info("kafka_connected", extra={"fields": {"servers": self.settings.servers}})
        self.connected, self._said_s = True, -SAY_AGAIN_S
        self._tally.add("packed", more=len(messages))
        return True

    def _send(self, producer: KafkaProducer, message: Packed) -> Any:  # noqa: ANN401
        headers = [("gateway", message.gateway.encode()), ("received", str(message.received_ms).encode())]
        if message.tick_ms is not None:
            headers.append(("tick", str(message.tick_ms).encode()))
        return producer.send(
            self.topic,
            key=message.site.encode(),
            value=message.value,
            headers=headers,
            timestamp_ms=message.received_ms,
        )

    def _made(self) -> KafkaProducer:
        need_topic(self.settings, self.topic)
        return connected(
            KafkaProducer,
            self.settings,
            client_id="kilowatch-bridge",
            acks="all",
            enable_idempotence=True,
            compression_type="zstd",
            batch_size=512 << 10,
            linger_ms=0,
            delivery_timeout_ms=DELIVERY_MS,
            request_timeout_ms=10_000,
            max_block_ms=10_000,
            reconnect_backoff_max_ms=1_000,
        )

    def _failed(self, error: Exception) -> None:
        """Let the producer go; what it had in hand is sent again by the next one."""
        if isinstance(error, KafkaError):
            self.trouble = str(lost(self.settings, self._producer, error))
        else:
            self.trouble = str(error)
        self._tally.add("send_errors", type(error).__name__)
        self._failures += 1
        if self.connected:
            self._said_s = -SAY_AGAIN_S
        self.connected = False
        self._let_go(0.5)

    def _let_go(self, seconds: float) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.close(timeout=seconds)

    def _say_what_waits(self) -> None:
        """Say it at once, and then once a minute."""
        now_s = time.monotonic()
        if now_s - self._said_s < SAY_AGAIN_S:
            return
        self._said_s = now_s
        waiting = self.spool.waiting()
        age_s = 0.0 if waiting.oldest_ms is None else max(0.0, time.time() - waiting.oldest_ms / 1_000)
        fields = {
            "servers": self.settings.servers,
            "topic": self.topic,
            "reason": self.trouble,
            "waiting_records": waiting.records,
            "waiting_bytes": waiting.bytes,
            "waiting_oldest_s": round(age_s, 1),
        }
        LOG.warning("kafka_away", extra={"fields": fields})


class _Latch:
    """Opens when so many have counted."""

    def __init__(self, many: int) -> None:
        self._left, self._lock, self._open = many, threading.Lock(), threading.Event()
        self._since = time.monotonic()

    def count(self, _: object) -> None:
        with self._lock:
            self._left -= 1
            if self._left <= 0:
                self._open.set()

    def wait(self, seconds: float) -> bool:
        return self._open.wait(seconds)

    @property
    def waited_s(self) -> float:
        return time.monotonic() - self._since
