"""Options that several commands share, and what they become."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from streams.domain.findings import IngestError
from streams.ingest.kafka_settings import KafkaSettings, read_secret


class KafkaSecurity(StrEnum):
    """How Kafka is spoken to."""

    PLAINTEXT = "plaintext"
    SSL = "ssl"
    SASL_PLAINTEXT = "sasl_plaintext"
    SASL_SSL = "sasl_ssl"


SiteFile = Annotated[Path, typer.Argument(metavar="SITE.yaml", help="The site's catalog file.")]
StoreUrl = Annotated[
    str,
    typer.Option("--store", metavar="URL", envvar="KILOWATCH_STORE", help="duckdb:///site.duckdb or postgresql://…"),
]
ArchiveFolder = Annotated[
    Path | None,
    typer.Option("--archive", envvar="KILOWATCH_ARCHIVE", help="The raw archive; beside the file of a DuckDB store."),
]
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
TickS = Annotated[
    float, typer.Option("--tick-s", min=0.1, envvar="KILOWATCH_TICK_S", help="Seconds between two records of the time.")
]


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


def need_pairs(command: str, **given: str | Path | None) -> None:
    """IngestError unless `mqtt` stands with `inlets`, or `http` with `tokens`, or both pairs."""
    mqtt, inlets, http, tokens = (given[name] is None for name in ("mqtt", "inlets", "http", "tokens"))
    if mqtt != inlets or http != tokens or (mqtt and http):
        found = " and ".join(f"--{name}" for name, value in given.items() if value)
        raise IngestError(
            f"{command}: expected --mqtt with --inlets, or --http with --tokens, or both pairs; "
            f"found {found or 'none of them'}"
        )


class MqttVersion(StrEnum):
    """Which MQTT is spoken."""

    V5 = "5"
    V311 = "3.1.1"


LEAST_SPOOL_MB = 16
SPOOL_MB = 4_096
Spool = Annotated[
    Path, typer.Option("--spool", metavar="FOLDER", envvar="KILOWATCH_SPOOL", help="Where messages wait.")
]
SpoolMb = Annotated[
    int,
    typer.Option("--spool-mb", min=LEAST_SPOOL_MB, envvar="KILOWATCH_SPOOL_MB", help="The most that may wait on disk."),
]
Inlets = Annotated[
    Path | None,
    typer.Option("--inlets", metavar="INLETS.yaml", envvar="KILOWATCH_INLETS", help="What MQTT topics mean."),
]
Mqtt = Annotated[
    str | None,
    typer.Option("--mqtt", metavar="mqtt[s]://[USER@]HOST[:PORT]", envvar="KILOWATCH_MQTT", help="The broker."),
]
Http = Annotated[
    str | None, typer.Option("--http", metavar="HOST:PORT", envvar="KILOWATCH_HTTP", help="Where gateways push to.")
]
Tokens = Annotated[
    Path | None, typer.Option("--tokens", metavar="FILE", envvar="KILOWATCH_TOKENS", help="Tokens of those gateways.")
]
MqttPasswordFile = Annotated[
    Path | None,
    typer.Option(
        "--mqtt-password-file",
        metavar="FILE",
        envvar="KILOWATCH_MQTT_PASSWORD_FILE",
        help="The password in its first line; or KILOWATCH_MQTT_PASSWORD.",
    ),
]
MqttPassword = Annotated[str | None, typer.Option("--mqtt-password", envvar="KILOWATCH_MQTT_PASSWORD", hidden=True)]
Version = Annotated[
    MqttVersion, typer.Option("--mqtt-version", envvar="KILOWATCH_MQTT_VERSION", help="The version of MQTT.")
]
ClientId = Annotated[
    str,
    typer.Option("--mqtt-client-id", envvar="KILOWATCH_MQTT_CLIENT_ID", help="Our name at the broker, each its own."),
]
MqttCa = Annotated[
    Path | None,
    typer.Option("--mqtt-ca", metavar="FILE", envvar="KILOWATCH_MQTT_CA", help="The CA of the broker, for mqtts."),
]
MqttCert = Annotated[
    Path | None,
    typer.Option("--mqtt-cert", metavar="FILE", envvar="KILOWATCH_MQTT_CERT", help="Our certificate, for mqtts."),
]
MqttKey = Annotated[
    Path | None, typer.Option("--mqtt-key", metavar="FILE", envvar="KILOWATCH_MQTT_KEY", help="Its key.")
]
Channels = Annotated[
    Path,
    typer.Option(
        "--channels", metavar="CHANNELS.yaml", envvar="KILOWATCH_CHANNELS", help="Where alerts go, and which of them."
    ),
]
MaybeChannels = Annotated[
    Path | None,
    typer.Option(
        "--channels", metavar="CHANNELS.yaml", envvar="KILOWATCH_CHANNELS", help="Where alerts go, and which of them."
    ),
]
Metrics = Annotated[
    str, typer.Option("--metrics", metavar="HOST:PORT", envvar="KILOWATCH_METRICS", help="/metrics, /healthz, /readyz.")
]
METRICS = "127.0.0.1:9464"
