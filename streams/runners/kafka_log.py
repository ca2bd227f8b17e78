"""What a partition has, asked of the brokers themselves."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from streams.ingest.kafka_settings import KafkaSettings
from streams.runners.kafka_clients import REQUEST_MS, KafkaAwayError, KafkaUnusableError, connected, lost

POLL_MS: Final = 500
PATIENCE_S: Final = 8.0
CLOSE_MS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Kept:
    """Offsets: of the first message at or after the one asked for (the log's end where none is), and of the earliest.

    Between one that was asked for and the first there may be none though nothing is lost: the marks of transactions
    have offsets, and compaction leaves holes.
    """

    first: int
    earliest: int


@dataclass(slots=True)
class KafkaLog:
    """The partitions of a topic, read beside the consumer group by a client that stays connected."""

    settings: KafkaSettings
    topic: str
    consumer: KafkaConsumer | None = None

    def kept_from(self, part: int, offset: int) -> Kept:
        """What a partition has from an offset on. KafkaUnusableError where the brokers do not tell."""
        if self.consumer is None:
            options = {"enable_auto_commit": False, "max_poll_records": 1, "request_timeout_ms": REQUEST_MS}
            self.consumer = connected(KafkaConsumer, self.settings, **options)
        try:
            return self._kept(self.consumer, TopicPartition(self.topic, part), offset)
        except KafkaError as error:
            found = lost(self.settings, self.consumer, error)
        except KafkaUnusableError as error:
            found = error
        self.close()
        raise found

    def _kept(self, consumer: KafkaConsumer, where: TopicPartition, offset: int) -> Kept:
        earliest, end = (ends[where] for ends in (consumer.beginning_offsets([where]), consumer.end_offsets([where])))
        consumer.assign([where])
        consumer.seek(where, max(offset, earliest))
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            for message in consumer.poll(POLL_MS).get(where, ()):
                return Kept(message.offset, earliest)
            if consumer.position(where) >= end:
                return Kept(end, earliest)
        raise KafkaAwayError(f"Kafka at {self.settings.servers}: {where} does not tell what it has from {offset} on")

    def close(self) -> None:
        """Let go of the connection; it is made again where it is needed."""
        if self.consumer is not None:
            self.consumer.close(autocommit=False, timeout_ms=CLOSE_MS)
            self.consumer = None
