"""Topics from a file: those that are missing are made, those that are there are left as they are."""

from __future__ import annotations

import time
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from kafka import KafkaAdminClient
from kafka.errors import AuthorizationError, NoError, TopicAlreadyExistsError, for_code
from pydantic import Field, RootModel

from streams.catalog.source import Row, read
from streams.domain.findings import KilowatchError
from streams.ingest.kafka_settings import KafkaSettings
from streams.runners.kafka_clients import REQUEST_MS, KafkaUnusableError, kafka_client, need_group, need_rights

TELEMETRY: Final = "telemetry"
DEAD_LETTERS: Final = "telemetry.dlq"
INTERVALS: Final = "energy.interval"
SCORES: Final = "anomaly"
ALERTS: Final = "alerts"
PATIENCE_S: Final = 8.0
TRIES: Final = 50
TRY_S: Final = 0.1
NEEDED: Final = (TELEMETRY, DEAD_LETTERS, INTERVALS, SCORES, ALERTS)


class TopicRow(Row):
    """One topic as the file describes it."""

    partitions: int = Field(ge=1, le=10_000)
    replication: int = Field(default=-1, ge=-1)  # the brokers' own default
    config: dict[str, str | int | bool | Decimal] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Made:
    """Names of topics that were made, sentences on those that are otherwise than the file says, and ids by name."""

    created: tuple[str, ...]
    differing: tuple[str, ...]
    ids: dict[str, str]


def read_topics(path: Path) -> dict[str, TopicRow]:
    """Read the file; KilowatchError says what is wrong with it."""
    rows = read(path, RootModel[dict[str, TopicRow]]).root
    if missing := [name for name in NEEDED if name not in rows]:
        raise KilowatchError(
            f"{path}: expected the topic {missing[0]!r} among those of --topics; found {', '.join(rows) or 'none'}"
        )
    return rows


def ensure_topics(rows: dict[str, TopicRow], kafka: KafkaSettings) -> Made:
    """Make the topics that are missing. KafkaUnusableError where the brokers do not answer, or refuse."""
    with kafka_client(KafkaAdminClient, kafka, PATIENCE_S, request_timeout_ms=REQUEST_MS) as admin:
        known = _described(admin, rows)
        created = [name for name in rows if name not in known and _created(admin, name, rows[name], kafka)]
        for _ in range(TRIES):
            made = _described(admin, rows)
            if len(made) == len(rows):
                break
            time.sleep(TRY_S)
    if missing := [name for name in rows if name not in made]:
        raise KafkaUnusableError(
            f"Kafka at {kafka.servers}: topic {missing[0]} was made and cannot be seen; look at the broker"
        )
    differing = tuple(
        f"topic {name} has {made[name][0]} partitions, the file says {row.partitions}"
        for name, row in rows.items()
        if made[name][0] != row.partitions
    )
    return Made(tuple(created), differing, {name: identity for name, (_, identity) in made.items()})


def need_worker_rights(kafka: KafkaSettings, group: str) -> None:
    """KafkaUnusableError where the user may not do what a worker does; Faust would wait, and tell nobody."""
    wanted = dict.fromkeys(NEEDED, ("WRITE",)) | {TELEMETRY: ("READ", "WRITE")}
    with kafka_client(KafkaAdminClient, kafka, request_timeout_ms=REQUEST_MS) as admin:
        need_rights(kafka, admin, wanted)
        need_group(kafka, admin, group)


def _described(admin: KafkaAdminClient, rows: dict[str, TopicRow]) -> dict[str, tuple[int, str]]:
    """Partitions and id of the topics that are there."""
    described = admin.describe_topics(list(rows))
    return {
        each["name"]: (len(each["partitions"]), str(each["topic_id"])) for each in described if not each["error_code"]
    }


def _created(admin: KafkaAdminClient, name: str, row: TopicRow, kafka: KafkaSettings) -> bool:
    """Make a topic; False where another worker was quicker."""
    config = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in row.config.items()}
    wanted = {"num_partitions": row.partitions, "replication_factor": row.replication, "configs": config}
    (answer,) = admin.create_topics({name: wanted}, raise_errors=False)["topics"]
    error, where = for_code(answer["error_code"]), f"Kafka at {kafka.servers}: topic {name}"
    if error is TopicAlreadyExistsError:
        return False
    if issubclass(error, AuthorizationError):
        raise KafkaUnusableError(
            f"{where} is not there, or not for {kafka.user or 'everybody'!r} to see, who may not make it; "
            "give that user the rights, or make the topic by hand"
        )
    if error is not NoError:
        said = " ".join(str(answer["error_message"] or error.__name__).split()).rstrip(".")
        raise KafkaUnusableError(f"{where} cannot be made: {said}; mend the file of topics, or make the topic by hand")
    return True
