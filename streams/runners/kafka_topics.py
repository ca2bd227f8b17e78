"""Topics from a file: those that are missing are made, those that are there are left as they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from streams.domain.findings import KilowatchError

TELEMETRY: Final = "telemetry"
DEAD_LETTERS: Final = "telemetry.dlq"
INTERVALS: Final = "energy.interval"
NEEDED: Final = (TELEMETRY, DEAD_LETTERS, INTERVALS)


class KafkaUnusableError(KilowatchError):
    """The brokers do not answer, or refuse."""


class TopicRow(BaseModel):
    """One topic as the file describes it."""

    model_config = ConfigDict(extra="forbid")
    partitions: int = Field(ge=1, le=10_000)
    replication: int = Field(default=-1, ge=-1)  # the brokers' own default
    config: dict[str, str | int | bool] = {}


@dataclass(frozen=True, slots=True)
class Made:
    """Names of topics that were made, and sentences on those that are otherwise than the file says."""

    created: tuple[str, ...]
    differing: tuple[str, ...]


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


def ensure_topics(rows: dict[str, TopicRow], client: dict[str, Any]) -> Made:
    """Make the topics that are missing. `client` are kafka-python's arguments; KafkaUnusableError where they fail."""
    brokers = client["bootstrap_servers"]
    try:
        admin = KafkaAdminClient(**client)
    except KafkaError as error:
        raise KafkaUnusableError(
            f"Kafka {brokers}: no answer; start the broker, or mend --kafka and its security settings ({error!r})"
        ) from None
    try:
        known = {
            each["name"]: len(each["partitions"])
            for each in admin.describe_topics(list(rows))
            if not each["error_code"]
        }
        created = []
        for name, row in rows.items():
            if name in known:
                continue
            config = {
                key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in row.config.items()
            }
            try:
                admin.create_topics(
                    [
                        NewTopic(
                            name,
                            num_partitions=row.partitions,
                            replication_factor=row.replication,
                            topic_configs=config,
                        )
                    ]
                )
                created.append(name)
            except TopicAlreadyExistsError:  # another worker was quicker
                continue
    except KafkaError as error:
        raise KafkaUnusableError(f"Kafka {brokers}: topics cannot be made: {error!r}") from None
    finally:
        admin.close()
    differing = tuple(
        f"topic {name} has {known[name]} partitions, the file says {row.partitions}"
        for name, row in rows.items()
        if known.get(name, row.partitions) != row.partitions
    )
    return Made(tuple(created), differing)
