"""`kilowatch bridge`: MQTT and HTTP to Kafka, by way of a disk; `kilowatch token`: a gateway's token."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import signal
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import typer
from aiohttp import web

from jobs import options
from jobs.bridge_pages import pages
from jobs.bridge_sender import Sender
from jobs.logs import start_logs
from streams.domain.findings import IngestError, KilowatchError
from streams.ingest.inlets import read_inlets
from streams.ingest.kafka_settings import read_secret
from streams.ingest.mqtt import MqttInlet, MqttSettings
from streams.ingest.push import Tokens, push_app, push_runner, token_line
from streams.ingest.spool import Spool
from streams.ingest.tally import Tally
from streams.ingest.topics import Topics

EPILOG = (
    "Examples: kilowatch bridge --inlets inlets.yaml --mqtt mqtt://127.0.0.1:1883 --kafka 127.0.0.1:9092 "
    "--spool spool · kilowatch bridge --http 127.0.0.1:8080 --tokens tokens --kafka 127.0.0.1:9092 --spool spool"
)
TOKEN_EPILOG = "Example: kilowatch token gw7 --sites wugu,depot"  # noqa: S105 - an example of the command
LOG: Final = logging.getLogger("kilowatch.bridge")
FIRST_WAIT_S: Final = 4.0
LOOK_S: Final = 0.5
LEAST_SPOOL_MB: Final = 16
MQTT_STOP_S: Final = 3.0
SENDER_STOP_S: Final = 3.5


class MqttVersion(StrEnum):
    """Which MQTT is spoken."""

    V5 = "5"
    V311 = "3.1.1"


@dataclass(frozen=True, slots=True)
class Parts:
    """What a bridge is made of; `mqtt` and `tokens` only where they were asked for."""

    spool: Spool
    sender: Sender
    tally: Tally
    mqtt: MqttInlet | None
    tokens: Tokens | None


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
    mqtt_secret = read_secret(mqtt_password_file, "the MQTT password") or mqtt_password
    settings_of_kafka = options.kafka_settings(
        kafka, kafka_security, kafka_user, kafka_password_file, kafka_password, kafka_mechanism, kafka_ca
    )
    if (mqtt is None) != (inlets is None) or (http is None) != (tokens is None) or (mqtt is None and http is None):
        raise IngestError(
            "bridge: expected --mqtt with --inlets, or --http with --tokens, or both; found something else"
        )
    listening = [address_of(text, option) for text, option in ((http, "--http"), (metrics, "--metrics")) if text]
    if len(set(listening)) < len(listening):
        raise IngestError(f"bridge: expected two addresses for --http and --metrics; found {http} twice")
    tally = Tally()
    settings, topics, keys = None, None, Tokens(tokens) if tokens else None
    if mqtt and inlets:
        settings = mqtt_settings(mqtt, mqtt_secret, mqtt_version.value, mqtt_client_id, (mqtt_ca, mqtt_cert, mqtt_key))
        topics = Topics(read_inlets(inlets), tally)
    start_logs(frozenset(secret for secret in (mqtt_secret, settings_of_kafka.password) if secret))
    with Spool(spool / "bridge.spool", spool_mb << 20) as kept:
        sender = Sender(kept, settings_of_kafka, topic, tally)
        inlet = MqttInlet(settings, topics, sender.append, now_ms, tally) if settings and topics else None
        parts = Parts(kept, sender, tally, inlet, keys)
        asyncio.run(_run(parts, address_of(http, "--http"), address_of(metrics, "--metrics")))


def token(
    gateway: Annotated[str, typer.Argument(metavar="GATEWAY", help="The gateway's name.")],
    sites: Annotated[str, typer.Option(metavar="SITE,SITE|*", help="The sites that it may send for.")],
) -> None:
    """Make a token for a gateway that pushes over HTTP, and its line for the bridge's file of tokens.

    The token is shown this once; the file keeps its SHA-256 alone.
    """
    made = secrets.token_urlsafe(32)
    line = token_line(gateway, made, sites)
    typer.echo(f"token for the gateway:   {made}\nline for the token file: {line}")


async def _run(parts: Parts, http: tuple[str, int] | None, metrics: tuple[str, int] | None) -> None:
    """Run until SIGTERM or SIGINT; KilowatchError where a part gives up."""
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    sender, mqtt = parts.sender, parts.mqtt
    await asyncio.to_thread(sender.check)
    if stopping.is_set():
        return
    async with AsyncExitStack() as open_doors:
        sender.start()
        open_doors.push_async_callback(asyncio.to_thread, sender.stop, SENDER_STOP_S)
        if metrics:
            app = pages(parts.tally, parts.spool, sender, mqtt)
            await _listen(open_doors, web.AppRunner(app, access_log=None), metrics)
        if mqtt is not None:
            mqtt.start()
            open_doors.push_async_callback(asyncio.to_thread, mqtt.stop, MQTT_STOP_S)
            await asyncio.to_thread(mqtt.wait, FIRST_WAIT_S)
            if mqtt.refusal is not None:
                raise IngestError(mqtt.refusal)
        if http and parts.tokens:
            await _listen(open_doors, push_runner(push_app(sender.append, parts.tokens, now_ms, parts.tally)), http)
        LOG.info("bridge_started", extra={"fields": {"waiting_records": parts.spool.waiting().records}})
        while not stopping.is_set():
            if not sender.alive or (mqtt is not None and not mqtt.alive):
                raise KilowatchError("bridge: expected all of its threads at work; found one that ended (see the log)")
            try:
                await asyncio.wait_for(stopping.wait(), LOOK_S)
            except TimeoutError:
                continue
    LOG.info("bridge_stopped", extra={"fields": {"waiting_records": parts.spool.waiting().records}})


async def _listen(open_doors: AsyncExitStack, runner: web.AppRunner, address: tuple[str, int]) -> None:
    await runner.setup()
    open_doors.push_async_callback(runner.cleanup)
    try:
        await web.TCPSite(runner, *address, shutdown_timeout=2.0).start()
    except OSError as error:
        raise IngestError(
            f"{address[0]}:{address[1]}: expected a free address to listen on; found {error.strerror}"
        ) from error
    LOG.info("listening", extra={"fields": {"host": address[0], "port": address[1]}})


def now_ms() -> int:
    """UTC milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def address_of(text: str | None, option: str) -> tuple[str, int] | None:
    """Host and port of an address to listen on; None for None."""
    if text is None:
        return None
    match = re.fullmatch(r"(\[[0-9A-Fa-f:]+\]|[^\s:/@]+):([0-9]{1,5})", text)
    if match is None or int(match[2]) > 65_535:
        raise IngestError(f"{option}: expected HOST:PORT such as 127.0.0.1:8080; found {text!r}")
    return match[1].strip("[]"), int(match[2])


def mqtt_settings(
    url: str, password: str | None, version: str, client_id: str, files: tuple[Path | None, Path | None, Path | None]
) -> MqttSettings:
    """The broker of a URL; IngestError for one that is none, or that holds a password, which is not repeated."""
    expected = "--mqtt: expected mqtt://HOST[:PORT] or mqtts://USER@HOST[:PORT]"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise IngestError(f"{expected}; found another thing") from error
    if parts.password is not None:
        raise IngestError(
            "--mqtt: expected the password in KILOWATCH_MQTT_PASSWORD or --mqtt-password-file; found it in the URL"
        )
    if parts.scheme not in ("mqtt", "mqtts") or not host or parts.path.strip("/") or parts.query:
        raise IngestError(f"{expected}; found {url!r}")
    if password is not None and not parts.username:
        raise IngestError(f"{expected}, with a user beside a password; found no user in {url!r}")
    tls = parts.scheme == "mqtts"
    if any(files) and not tls:
        raise IngestError(f"--mqtt: expected mqtts:// beside certificates; found {url!r}")
    settings = MqttSettings(
        host, port or (8883 if tls else 1883), client_id, version, parts.username, password, tls, *files
    )
    settings.context()
    return settings
