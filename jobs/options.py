"""Options that several commands share, and what they become."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from streams.ingest.kafka_settings import KafkaSettings, read_secret


class KafkaSecurity(StrEnum):
    """How Kafka is spoken to."""

    PLAINTEXT = "plaintext"
    SSL = "ssl"
    SASL_PLAINTEXT = "sasl_plaintext"
    SASL_SSL = "sasl_ssl"


Sites = Annotated[
    Path, typer.Option("--sites", metavar="FOLDER", envvar="KILOWATCH_SITES", help="A folder of site files, or one.")
]
ServerUrl = Annotated[
    str, typer.Option("--store", metavar="URL", envvar="KILOWATCH_STORE", help="postgresql://user@host:port/database")
]
Kafka = Annotated[
    str, typer.Option("--kafka", metavar="HOST:PORT,…", envvar="KILOWATCH_KAFKA", help="Kafka's servers.")
]
Security = Annotated[
    KafkaSecurity, typer.Option("--kafka-security", envvar="KILOWATCH_KAFKA_SECURITY", help="How Kafka is spoken to.")
]
User = Annotated[str | None, typer.Option("--kafka-user", envvar="KILOWATCH_KAFKA_USER", help="The user of SASL.")]
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        "--kafka-password-file",
        metavar="FILE",
        envvar="KILOWATCH_KAFKA_PASSWORD_FILE",
        help="The password in its first line; or KILOWATCH_KAFKA_PASSWORD.",
    ),
]
Mechanism = Annotated[
    str, typer.Option("--kafka-mechanism", envvar="KILOWATCH_KAFKA_MECHANISM", help="The mechanism of SASL.")
]
Ca = Annotated[
    Path | None, typer.Option("--kafka-ca", metavar="FILE", envvar="KILOWATCH_KAFKA_CA", help="Kafka's CA, for ssl.")
]
Password = Annotated[str | None, typer.Option("--kafka-password", envvar="KILOWATCH_KAFKA_PASSWORD", hidden=True)]
MECHANISM = "SCRAM-SHA-512"


def kafka_settings(
    servers: str,
    security: KafkaSecurity,
    user: str | None,
    password_file: Path | None,
    password: str | None,
    mechanism: str,
    ca: Path | None,
) -> KafkaSettings:
    """The servers and how to speak to them; IngestError where the options do not fit together."""
    secret = read_secret(password_file, "the Kafka password") or password
    settings = KafkaSettings(servers, security.value, user, secret, mechanism, ca)
    settings.arguments()
    return settings
