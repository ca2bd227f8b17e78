"""Topics from a file: those that are missing are made, those that are there are left as they are."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml
from kafka import KafkaAdminClient
from kafka.errors import AuthorizationError, NoError, TopicAlreadyExistsError, for_code
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from streams.domain.findings import KilowatchError
from streams.ingest.kafka_settings import KafkaSettings
from streams.runners.kafka_clients import KafkaUnusableError, kafka_client

TELEMETRY: Final = "telemetry"
DEAD_LETTERS: Final = "telemetry.dlq"
INTERVALS: Final = "energy.interval"
PATIENCE_S: Final = 8.0
REQUEST_MS: Final = 8_000
TRIES: Final = 50
TRY_S: Final = 0.1
NEEDED: Final = (TELEMETRY, DEAD_LETTERS, INTERVALS)


class TopicRow(BaseModel):
    """One topic as the file describes it."""

    model_config = ConfigDict(extra="forbid")
    partitions: int = Field(ge=1, le=10_000)
    replication: int = Field(default=-1, ge=-1)  # the brokers' own default
    config: dict[str, str | int | bool] = {}


@dataclass(frozen=True, slots=True)
class Made:
    """Names of topics that were made, sentences on those that are otherwise than the file says, and ids by name."""

    created: tuple[str, ...]
    differing: tuple[str, ...]
    ids: dict[str, str]


def read_topics(path: Path) -> dict[str, TopicRow]:
    """Read the file; KilowatchError says what is wrong with it."""
    try:
        rows = TypeAdapter(dict[str, TopicRow]).validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(each) for each in first["loc"])
        raise KilowatchError(f"{path}: {where}: {first['msg']}; found {first['input']!r}") from None
    except yaml.YAMLError as error:
        raise KilowatchError(f"{path}: expected YAML; {' '.join(str(error).split())}") from None
    if missing := [name for name in NEEDED if name not in rows]:
        raise KilowatchError(f"{path}: expected the topic {missing[0]!r}; found {', '.join(rows) or 'none'}")
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
    error = for_code(answer["error_code"])
    if error is TopicAlreadyExistsError:
        return False
    if issubclass(error, AuthorizationError):
        raise KafkaUnusableError(
            f"Kafka at {kafka.servers}: topic {name} is missing, and {kafka.user or 'nobody'!r} may not make it; "
            "give that user the right, or make the topic by hand"
        )
    if error is not NoError:
        raise KafkaUnusableError(
            f"Kafka at {kafka.servers}: topic {name} cannot be made: {answer['error_message'] or error.__name__} "
            "Mend the file of topics, or make the topic by hand"
        )
    return True
