"""`kilowatch worker`: one process of the group that reads Kafka and writes the store."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from jobs import options
from jobs.logs import start_logs
from streams.catalog.folder import SiteFolder
from streams.ingest.kafka_settings import KafkaSettings
from streams.runners.kafka import Worker
from streams.runners.kafka_app import TICK_S, Group
from streams.runners.kafka_topics import TELEMETRY, ensure_topics, need_worker_rights, read_topics
from streams.runners.keeping import Keeping
from streams.runners.metrics import LiveMetrics, StatusServer
from streams.stores.archive import Archive
from streams.stores.postgres import PostgresStore
from streams.stores.schema import check_rights, check_schema

EPILOG = (
    "Example: kilowatch worker --sites deploy/sites --store postgresql://kilowatch_writer@127.0.0.1/kilowatch "
    "--kafka 127.0.0.1:9092"
)
LOG: Final = logging.getLogger("kilowatch.worker")
TOPICS = Path(__file__).parents[1] / "deploy" / "topics.yaml"


def worker(
    sites: options.Sites,
    store: options.ServerUrl,
    kafka: options.Kafka,
    group: Annotated[str, typer.Option(envvar="KILOWATCH_GROUP", help="The consumer group.")] = "kilowatch",
    topics: Annotated[
        Path, typer.Option(metavar="FILE", envvar="KILOWATCH_TOPICS", help="The topics to make where they are missing.")
    ] = TOPICS,
    archive: Annotated[
        Path | None, typer.Option(metavar="FOLDER", envvar="KILOWATCH_ARCHIVE", help="The raw archive, for audits.")
    ] = None,
    metrics: Annotated[
        str, typer.Option(metavar="HOST:PORT", envvar="KILOWATCH_METRICS", help="/metrics, /healthz and /readyz.")
    ] = "127.0.0.1:9464",
    tick_s: options.TickS = TICK_S,
    kafka_security: options.Security = options.KafkaSecurity.PLAINTEXT,
    kafka_user: options.User = None,
    kafka_password_file: options.PasswordFile = None,
    kafka_mechanism: options.Mechanism = options.MECHANISM,
    kafka_ca: options.Ca = None,
    kafka_password: options.Password = None,
) -> None:
    """Read Kafka, compute, and write the store: one of as many as there are partitions.

    Killed at any moment it goes on where its last commit stood. It waits for a database that went away.
    """
    brokers = options.kafka_settings(
        kafka, kafka_security, kafka_user, kafka_password_file, kafka_password, kafka_mechanism, kafka_ca
    )
    folder = SiteFolder.of(sites)
    rows = read_topics(topics)
    raw = Archive(archive) if archive else None
    if raw:
        raw.need_room()
    kept = PostgresStore(store, application="kilowatch worker")
    check_schema(kept)
    check_rights(kept)
    start_logs(frozenset(secret for secret in (brokers.password, kept.password) if secret))
    made = ensure_topics(rows, brokers)
    need_worker_rights(brokers, group)
    for sentence in made.differing:
        LOG.warning("topic_differs", extra={"fields": {"reason": sentence}})
    members = Group(group, made.ids[TELEMETRY], tick_s)
    asyncio.run(_work(brokers, members, kept, folder, Keeping(raw), metrics))


async def _work(
    kafka: KafkaSettings, group: Group, store: PostgresStore, folder: SiteFolder, keeping: Keeping, address: str
) -> None:
    told = LiveMetrics()
    told.store_up.set(1)
    made = Worker(kafka, group, store, folder, told, lambda: datetime.now(UTC), keeping)
    status = StatusServer(address, told.registry, lambda: "", made.not_ready)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, made.ended.set)
    LOG.info("started", extra={"fields": {"sites": sorted(folder.sites), "metrics": status.port}})
    try:
        await made.run()
    finally:
        status.close()
        if made.is_stuck:  # in a thread that would be waited for
            logging.shutdown()
            os._exit(1 if made.failure else 0)
        store.close()
    LOG.info("stopped")
