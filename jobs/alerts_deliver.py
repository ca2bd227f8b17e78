"""`kilowatch alerts deliver`: the sender of a database, as a process of its own."""

from __future__ import annotations

import logging
import os
import random
import signal
import threading
from collections.abc import Sequence
from typing import Final

from prometheus_client import CollectorRegistry

from jobs import options
from jobs.logs import start_logs
from jobs.opening import is_server
from streams.domain.findings import Finding, KilowatchError, StoreError
from streams.runners.delivery.channels import read_channels
from streams.runners.delivery.metrics import DeliveryMetrics
from streams.runners.delivery.sender import Sender, utc_now
from streams.runners.metrics import StatusServer
from streams.stores.postgres import PostgresStore
from streams.stores.schema import SENDS, check_rights, check_schema

LOG: Final = logging.getLogger("kilowatch.alerts")
LOOK_S: Final = 0.5
STOP_S: Final = 7.0


def tell_warnings(warnings: Sequence[Finding], log: logging.Logger) -> None:
    """Log what is odd about a channels file."""
    for finding in warnings:
        log.warning("channels odd", extra={"fields": {"finding": str(finding)}})


def deliver(store: options.ServerUrl, channels: options.Channels, metrics: options.Metrics = options.METRICS) -> None:
    """Send the alerts of a database until SIGTERM; several senders share the channels, and stand in for each other.

    Killed at any moment it sends again, under the same id, what it had not noted as sent.
    """
    if not is_server(store):
        raise StoreError(
            "alerts deliver: expected postgresql://…; found another store; `kilowatch run --channels` sends those of a "
            "DuckDB file"
        )
    ways = read_channels(channels)
    kept = PostgresStore(store, application="kilowatch alerts")
    check_schema(kept)
    check_rights(kept, SENDS, "kilowatch_sender")
    start_logs(frozenset({*ways.hidden, kept.password or ""}))
    tell_warnings(ways.warnings, LOG)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    registry = CollectorRegistry()
    chance = random.Random()  # noqa: S311 - jitter
    sender = Sender(kept, ways, DeliveryMetrics(registry), utc_now, chance, kept.reconnect)
    status = StatusServer(metrics, registry, lambda: "" if sender.thread.is_alive() else sender.wrong(), sender.wrong)
    sender.start()
    LOG.info("started", extra={"fields": {"channels": sorted(ways.by_name), "metrics": status.port}})
    while not stopping.wait(LOOK_S) and sender.thread.is_alive():
        continue
    ended = sender.stop(STOP_S)
    status.close()
    if not stopping.is_set():
        raise KilowatchError(f"alerts deliver: {sender.wrong()}")
    LOG.info("stopped")
    if not ended:  # in a question to the database that would be waited for
        logging.shutdown()
        os._exit(0)
    kept.close()
