"""`kilowatch run`: MQTT and HTTP in, pipeline, store and archive, in one process on one box."""

from __future__ import annotations

import asyncio
import logging
import random
import signal
from contextlib import AsyncExitStack, ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from jobs import options
from jobs.alerts_deliver import tell_warnings
from jobs.bridge_run import address_of, listen, mqtt_settings, now_ms
from jobs.logs import start_logs
from jobs.page.asking import FileConnection, asker_of
from jobs.page.dashboards import GENERATED, Dashboards
from jobs.page.serve import Folder, Public
from jobs.page.service import Service
from jobs.page.web import check_address, page_runner
from streams.catalog.folder import SiteFolder
from streams.domain.findings import IngestError, KilowatchError
from streams.ingest.inlets import read_inlets
from streams.ingest.kafka_settings import read_secret
from streams.ingest.mqtt import MqttInlet
from streams.ingest.push import Tokens, push_app, push_runner
from streams.ingest.spool import Spool
from streams.ingest.tally import Tally
from streams.ingest.topics import Topics
from streams.runners.box import TICK_S, Box, copy_of
from streams.runners.control import Control, Desks
from streams.runners.delivery.channels import Channels, read_channels
from streams.runners.delivery.fitting import misfits
from streams.runners.delivery.metrics import DeliveryMetrics
from streams.runners.delivery.sender import Sender
from streams.runners.embedded import archive_of, utc_now
from streams.runners.keeping import Keeping
from streams.runners.metrics import LiveMetrics, StatusServer
from streams.stores.alert_desk import StoreDesk
from streams.stores.archive import Archive
from streams.stores.duckdb import DuckDBStore, path_of
from streams.stores.model_desk import VERBS, ModelDesk

EPILOG = (
    "Examples: kilowatch run --sites deploy/sites --store duckdb:///site.duckdb --spool spool "
    "--mqtt mqtt://127.0.0.1:1883 --inlets inlets.yaml · kilowatch run --sites site.yaml "
    "--store duckdb:///site.duckdb --spool spool --http 127.0.0.1:8080 --tokens tokens"
)
LOG: Final = logging.getLogger("kilowatch.run")
FIRST_WAIT_S: Final = 4.0
MQTT_STOP_S: Final = 3.0
BOX_STOP_S: Final = 5.0
SENDER_STOP_S: Final = 4.0
WOKEN_POLL_S: Final = 1.0
LOOK_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Parts:
    """What the process is made of; `mqtt`, `tokens`, `sender` and `page` only where they were asked for."""

    box: Box
    tally: Tally
    mqtt: MqttInlet | None
    tokens: Tokens | None
    desk: Desks
    sender: Sender | None
    page: Service | None


@dataclass(frozen=True, slots=True)
class Doors:
    """Addresses that the process listens on, and the names by which other machines may reach the page."""

    http: tuple[str, int] | None
    page: tuple[str, int] | None
    public: tuple[str, ...]
    metrics: str


def run(
    sites: options.Sites,
    store: Annotated[
        str, typer.Option("--store", metavar="URL", envvar="KILOWATCH_STORE", help="duckdb:///path/file.duckdb")
    ],
    spool: options.Spool,
    inlets: options.Inlets = None,
    mqtt: options.Mqtt = None,
    http: options.Http = None,
    tokens: options.Tokens = None,
    channels: options.MaybeChannels = None,
    metrics: options.Metrics = options.METRICS,
    page: Annotated[
        str | None,
        typer.Option("--page", metavar="HOST:PORT", envvar="KILOWATCH_PAGE", help="Where browsers see dashboards."),
    ] = None,
    public: Public = None,
    dashboards: Folder = GENERATED,
    keep_raw_days: Annotated[
        int | None,
        typer.Option(min=7, envvar="KILOWATCH_KEEP_RAW_DAYS", help="Leave older raw rows to the archive alone."),
    ] = None,
    spool_mb: options.SpoolMb = options.SPOOL_MB,
    tick_s: options.TickS = TICK_S,
    mqtt_password_file: options.MqttPasswordFile = None,
    mqtt_version: options.Version = options.MqttVersion.V5,
    mqtt_client_id: options.ClientId = "kilowatch-run",
    mqtt_ca: options.MqttCa = None,
    mqtt_cert: options.MqttCert = None,
    mqtt_key: options.MqttKey = None,
    mqtt_password: options.MqttPassword = None,
) -> None:
    """Run live on one box, without Kafka: what comes is on disk before it is acknowledged.

    Killed at any moment it goes on where its last commit stood. Once a day it makes a copy of the store
    (FILE.copy.duckdb) that other programs can open; the store itself belongs to this process, which answers
    `kilowatch alerts` and `kilowatch train` on it. With --channels it sends alerts; with --page it shows the dashboards
    in a browser, as `kilowatch serve` does of a store at rest.
    """
    options.need_pairs("run", mqtt=mqtt, inlets=inlets, http=http, tokens=tokens)
    secret = read_secret(mqtt_password_file, "the MQTT password") or mqtt_password
    folder = SiteFolder.of(sites)
    tally = Tally()
    keys = Tokens(tokens) if tokens else None
    doors = Doors(address_of(http, "--http"), address_of(page, "--page"), tuple(public or ()), metrics)
    if doors.page:
        check_address("--page", doors.page[0], doors.public)
    boards = Dashboards(dashboards) if page else None
    settings, topics = None, None
    if mqtt and inlets:
        settings = mqtt_settings(mqtt, secret, mqtt_version.value, mqtt_client_id, (mqtt_ca, mqtt_cert, mqtt_key))
        topics = Topics(read_inlets(inlets), tally)
    ways = read_channels(channels) if channels else None
    start_logs(frozenset(each for each in (secret, *(ways.hidden if ways else ())) if each))
    if ways and channels:
        tell_warnings([*ways.warnings, *misfits(channels, ways.routes, list(folder.sites.values()))], LOG)
    with (
        closing(DuckDBStore(path_of(store))) as kept,
        closing(kept.beside()) as for_people,
        closing(kept.beside()) as for_sender,
        ExitStack() as more,
        Spool(Path(spool) / "run.spool", spool_mb << 20) as waiting,
    ):
        archive = Archive(archive_of(kept))
        archive.need_room()
        keeping = Keeping(archive, copy_of(kept.path), kept.copy_to, keep_raw_days, is_alone=True)
        told = LiveMetrics()
        told.store_up.set(1)
        sender = _sender(for_sender, ways, told) if ways else None
        wake = sender.wake if sender else lambda: None
        box = Box(waiting, kept, folder, told, utc_now, keeping, tick_s, wake)
        inlet = MqttInlet(settings, topics, box.append, now_ms, tally) if settings and topics else None
        desk = Desks(StoreDesk(for_people, utc_now, wake), (VERBS, ModelDesk(for_people, box.came.set)))
        service = None
        if boards:
            service = Service(boards, more.enter_context(asker_of(lambda: FileConnection(kept))), now_ms, is_live=True)
        asyncio.run(_run(Parts(box, tally, inlet, keys, desk, sender, service), doors))


def _sender(store: DuckDBStore, channels: Channels, metrics: LiveMetrics) -> Sender:
    """The sender of the process that holds a file, over a connection of its own; it is woken by commits."""
    told = DeliveryMetrics(metrics.registry)
    return Sender(store, channels, told, utc_now, random.Random(), poll_s=WOKEN_POLL_S)  # noqa: S311 - jitter


async def _run(parts: Parts, given: Doors) -> None:
    """Run until SIGTERM or SIGINT; what a part gave up for goes up."""
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    box, mqtt = parts.box, parts.mqtt
    async with AsyncExitStack() as doors:
        box.start()
        doors.push_async_callback(asyncio.to_thread, box.stop, BOX_STOP_S)
        if parts.sender is not None:
            parts.sender.start()
            doors.push_async_callback(asyncio.to_thread, parts.sender.stop, SENDER_STOP_S)
        control = Control(box.store.path, parts.desk)
        doors.callback(control.close)
        status = StatusServer(given.metrics, box.metrics.registry, lambda: _trouble(parts), lambda: _unready(parts))
        doors.callback(status.close)
        if mqtt is not None:
            mqtt.start()
            doors.push_async_callback(asyncio.to_thread, mqtt.stop, MQTT_STOP_S)
            await asyncio.to_thread(mqtt.wait, FIRST_WAIT_S)
            if mqtt.refusal is not None:
                raise IngestError(mqtt.refusal)
        if given.http and parts.tokens:
            app = push_app(box.append, parts.tokens, now_ms, parts.tally)
            await listen(doors, push_runner(app), "--http", given.http)
        if given.page and parts.page:
            doors.callback(parts.page.asker.interrupt)
            await listen(doors, page_runner(parts.page, given.page, given.public), "--page", given.page)
        LOG.info("started", extra={"fields": {"sites": sorted(box.folder.sites), "metrics": status.port}})
        while not stopping.is_set() and not _trouble(parts):
            try:
                await asyncio.wait_for(stopping.wait(), LOOK_S)
            except TimeoutError:
                continue
        if parts.sender is not None:
            parts.sender.ask_to_stop()
        box.ask_to_stop()
    if box.failure:
        raise box.failure
    if not stopping.is_set():
        raise KilowatchError(f"run: {_trouble(parts)} (see the log)")
    LOG.info("stopped", extra={"fields": {"waiting_records": box.spool.waiting().records}})


def _trouble(parts: Parts) -> str:
    """Why the process is not well; empty where it is."""
    if parts.box.failure:
        return f"the pipeline gave up: {parts.box.failure}"
    if parts.mqtt is not None and not parts.mqtt.alive:
        return "the MQTT inlet ended"
    return ""


def _unready(parts: Parts) -> str:
    """Why the process does not do all of its work; empty where it does."""
    return _trouble(parts) or (parts.sender.wrong() if parts.sender is not None else "")
