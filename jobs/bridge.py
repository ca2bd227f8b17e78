"""`kilowatch bridge`: MQTT and HTTP to Kafka, by way of a disk; `kilowatch token`: a gateway's token."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from jobs import options
from streams.domain.findings import IngestError

EPILOG = (
    "Examples: kilowatch bridge --inlets inlets.yaml --mqtt mqtt://127.0.0.1:1883 --kafka 127.0.0.1:9092 "
    "--spool spool · kilowatch bridge --http 127.0.0.1:8080 --tokens tokens --kafka 127.0.0.1:9092 --spool spool"
)
LEAST_SPOOL_MB: Final = 16


class MqttVersion(StrEnum):
    """Which MQTT is spoken."""

    V5 = "5"
    V311 = "3.1.1"


def bridge(
    kafka: options.Kafka,
    spool: Annotated[
        Path, typer.Option("--spool", metavar="FOLDER", envvar="KILOWATCH_SPOOL", help="Where messages wait.")
    ],
    inlets: Annotated[
        Path | None, typer.Option(metavar="INLETS.yaml", envvar="KILOWATCH_INLETS", help="What MQTT topics mean.")
    ] = None,
    mqtt: Annotated[
        str | None, typer.Option(metavar="mqtt[s]://[USER@]HOST[:PORT]", envvar="KILOWATCH_MQTT", help="The broker.")
    ] = None,
    http: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", envvar="KILOWATCH_HTTP", help="Where gateways push to.")
    ] = None,
    tokens: Annotated[
        Path | None, typer.Option(metavar="FILE", envvar="KILOWATCH_TOKENS", help="Tokens of those gateways.")
    ] = None,
    metrics: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", envvar="KILOWATCH_METRICS", help="Metrics and health.")
    ] = None,
    topic: Annotated[str, typer.Option(envvar="KILOWATCH_TOPIC", help="Kafka's topic.")] = "telemetry",
    spool_mb: Annotated[
        int, typer.Option(min=LEAST_SPOOL_MB, envvar="KILOWATCH_SPOOL_MB", help="The most that may wait on disk.")
    ] = 4_096,
    mqtt_password_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The password in its first line; or KILOWATCH_MQTT_PASSWORD.")
    ] = None,
    mqtt_version: Annotated[
        MqttVersion, typer.Option(envvar="KILOWATCH_MQTT_VERSION", help="The version of MQTT.")
    ] = MqttVersion.V5,
    mqtt_client_id: Annotated[
        str, typer.Option(envvar="KILOWATCH_MQTT_CLIENT_ID", help="Our name at the broker, of each bridge its own.")
    ] = "kilowatch-bridge",
    mqtt_ca: Annotated[Path | None, typer.Option(metavar="FILE", help="The CA of the broker, for mqtts.")] = None,
    mqtt_cert: Annotated[Path | None, typer.Option(metavar="FILE", help="Our certificate, for mqtts.")] = None,
    mqtt_key: Annotated[Path | None, typer.Option(metavar="FILE", help="Its key.")] = None,
    kafka_security: options.Security = options.KafkaSecurity.PLAINTEXT,
    kafka_user: options.User = None,
    kafka_password_file: options.PasswordFile = None,
    kafka_mechanism: options.Mechanism = options.MECHANISM,
    kafka_ca: options.Ca = None,
    mqtt_password: Annotated[str | None, typer.Option(envvar="KILOWATCH_MQTT_PASSWORD", hidden=True)] = None,
    kafka_password: options.Password = None,
) -> None:
    """Take telemetry from MQTT and HTTP to Kafka; what was acknowledged is on disk until Kafka has it.

    It waits for servers that are away. Nothing listens beyond the address that is given.
    """
    # Kafka, MQTT and HTTP are imported where they are used: no other command should wait for them.
    from jobs import bridge_run  # noqa: PLC0415
    from streams.ingest.kafka_settings import read_secret  # noqa: PLC0415

    given = {"--mqtt": mqtt, "--inlets": inlets, "--http": http, "--tokens": tokens}
    if (mqtt is None) != (inlets is None) or (http is None) != (tokens is None) or (mqtt is None and http is None):
        found = [name for name, value in given.items() if value]
        raise IngestError(
            "bridge: expected --mqtt with --inlets, or --http with --tokens, or both pairs; "
            f"found {' and '.join(found) or 'none of them'}"
        )
    mqtt_secret = read_secret(mqtt_password_file, "the MQTT password") or mqtt_password
    settings_of_kafka = options.kafka_settings(
        kafka, kafka_security, kafka_user, kafka_password_file, kafka_password, kafka_mechanism, kafka_ca
    )
    files = (mqtt_ca, mqtt_cert, mqtt_key)
    wanted = bridge_run.Wanted(
        kafka=settings_of_kafka,
        topic=topic,
        spool=spool,
        spool_bytes=spool_mb << 20,
        mqtt=bridge_run.mqtt_settings(mqtt, mqtt_secret, mqtt_version.value, mqtt_client_id, files) if mqtt else None,
        inlets=inlets,
        http=bridge_run.address_of(http, "--http"),
        tokens=tokens,
        metrics=bridge_run.address_of(metrics, "--metrics"),
    )
    if wanted.http is not None and wanted.http == wanted.metrics:
        raise IngestError(f"bridge: expected two addresses for --http and --metrics; found {http} twice")
    bridge_run.run(wanted)
