"""`kilowatch worker`: one process of the group that reads Kafka and writes the store."""

from __future__ import annotations

import asyncio
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from streams.catalog.folder import SiteFolder
from streams.runners.kafka import KafkaSettings, Worker
from streams.runners.metrics import LiveMetrics, StatusServer
from streams.runners.topics import ensure_topics, read_topics
from streams.stores.postgres import PostgresStore
from streams.stores.schema import check_schema

TOPICS = Path(__file__).parents[1] / "deploy" / "topics.yaml"


def worker(
    sites: Annotated[Path, typer.Option(envvar="KILOWATCH_SITES", help="Folder of site files, or one file.")],
    store: Annotated[str, typer.Option(envvar="KILOWATCH_STORE", metavar="URL", help="postgresql://…")],
    kafka: Annotated[str, typer.Option(envvar="KILOWATCH_KAFKA", metavar="HOST:PORT[,…]", help="Brokers.")],
    group: Annotated[str, typer.Option(envvar="KILOWATCH_GROUP", help="Consumer group.")] = "kilowatch",
    topics: Annotated[Path, typer.Option(envvar="KILOWATCH_TOPICS", help="File of topics.")] = TOPICS,
    metrics: Annotated[
        str, typer.Option(envvar="KILOWATCH_METRICS", metavar="HOST:PORT", help="/metrics, /healthz and /readyz.")
    ] = "127.0.0.1:9464",
) -> None:
    """Read Kafka, compute, and write the store; as many of these as there are partitions."""
    folder = SiteFolder.of(sites)
    kept = PostgresStore(store, application="kilowatch worker")
    check_schema(kept)
    ensure_topics(read_topics(topics), {"bootstrap_servers": kafka})
    asyncio.run(_work(KafkaSettings(kafka, group), kept, folder, metrics))


async def _work(settings: KafkaSettings, store: PostgresStore, folder: SiteFolder, address: str) -> None:
    told = LiveMetrics()
    told.store_up.set(1)
    made = Worker(settings, store, folder, told, lambda: datetime.now(UTC))
    status = StatusServer(
        address, told.registry, lambda: "", lambda: made.trouble or ("" if made.assigned else "no partition yet")
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, made.ended.set)
    try:
        await made.run()
    finally:
        status.close()
        store.close()
