"""The bridge at work: its parts, their start, their end."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import signal
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from jobs.bridge_pages import pages
from jobs.bridge_sender import Sender
from jobs.logs import start_logs
from streams.domain.findings import IngestError, KilowatchError
from streams.ingest.inlets import read_inlets
from streams.ingest.kafka_settings import KafkaSettings
from streams.ingest.mqtt import MqttInlet, MqttSettings
from streams.ingest.push import Tokens, push_app, push_runner
from streams.ingest.spool import Spool
from streams.ingest.tally import Tally
from streams.ingest.topics import Topics

LOG: Final = logging.getLogger("kilowatch.bridge")
FIRST_WAIT_S: Final = 4.0
LOOK_S: Final = 0.5
MQTT_STOP_S: Final = 3.0
SENDER_STOP_S: Final = 3.5


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for; an inlet that is not asked for is None."""

    kafka: KafkaSettings
    topic: str
    spool: Path
    spool_bytes: int
    mqtt: MqttSettings | None
    inlets: Path | None
    http: tuple[str, int] | None
    tokens: Path | None
    metrics: tuple[str, int] | None


@dataclass(frozen=True, slots=True)
class Parts:
    """What a bridge is made of; `mqtt` and `tokens` only where they were asked for."""

    spool: Spool
    sender: Sender
    tally: Tally
    mqtt: MqttInlet | None
    tokens: Tokens | None


def run(wanted: Wanted) -> None:
    """Read the files, open the spool, and run until SIGTERM or SIGINT. KilowatchError for what cannot be."""
    wanted.kafka.arguments()
    tally = Tally()
    tokens = Tokens(wanted.tokens) if wanted.tokens else None
    topics = Topics(read_inlets(wanted.inlets), tally) if wanted.inlets else None
    secrets = (wanted.kafka.password, wanted.mqtt.password if wanted.mqtt else None)
    start_logs(frozenset(secret for secret in secrets if secret))
    with Spool(wanted.spool / "bridge.spool", wanted.spool_bytes) as spool:
        sender = Sender(spool, wanted.kafka, wanted.topic, tally)
        mqtt = MqttInlet(wanted.mqtt, topics, sender.append, now_ms, tally) if wanted.mqtt and topics else None
        asyncio.run(_run(Parts(spool, sender, tally, mqtt, tokens), wanted.http, wanted.metrics))


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
            await listen(open_doors, web.AppRunner(app, access_log=None), "--metrics", metrics)
        if mqtt is not None:
            mqtt.start()
            open_doors.push_async_callback(asyncio.to_thread, mqtt.stop, MQTT_STOP_S)
            await asyncio.to_thread(mqtt.wait, FIRST_WAIT_S)
            if mqtt.refusal is not None:
                raise IngestError(mqtt.refusal)
        if http and parts.tokens:
            app = push_app(sender.append, parts.tokens, now_ms, parts.tally)
            await listen(open_doors, push_runner(app), "--http", http)
        LOG.info("bridge_started", extra={"fields": {"waiting_records": parts.spool.waiting().records}})
        while not stopping.is_set():
            if not sender.alive or (mqtt is not None and not mqtt.alive):
                raise KilowatchError("bridge: expected all of its threads at work; found one that ended (see the log)")
            try:
                await asyncio.wait_for(stopping.wait(), LOOK_S)
            except TimeoutError:
                continue
    LOG.info("bridge_stopped", extra={"fields": {"waiting_records": parts.spool.waiting().records}})


async def listen(open_doors: AsyncExitStack, runner: web.AppRunner, option: str, address: tuple[str, int]) -> None:
    """Open a door at the address of an option; IngestError where that cannot be."""
    await runner.setup()
    open_doors.push_async_callback(runner.cleanup)
    try:
        await web.TCPSite(runner, *address).start()
    except OSError as error:
        raise IngestError(
            f"{option} {address[0]}:{address[1]}: expected a free address of this machine; "
            f"found: {os.strerror(error.errno or 0)}; stop what listens there, or choose another"
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
