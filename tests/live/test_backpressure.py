"""Backpressure: while the database is away Kafka keeps what comes, and the worker takes no more than it can hold."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from streams.stores.duckdb import DuckDBStore
from streams.stores.postgres import PostgresStore
from tests.live.harness import differing, finish, ingest, messages, simulated, sites_folder, system, views, wait_for
from tests.servers.databases import create_database
from tests.servers.kafka import KafkaServer
from tests.servers.postgres import PostgresServer

SITE = "worm_gear_shop"
SIZE, MESSAGE_BYTES = 30, 700_000
BOUND_MB = 120
"""For what was read and not worked off, and all that working it off needs; the backlog is more than twice that."""


def memory_mb(worker: subprocess.Popen[bytes], name: str) -> int:
    """What a process takes now (VmRSS), or at most took (VmHWM)."""
    found = re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{worker.pid}/status").read_text())
    assert found
    return int(found[1]) // 1024


def test_a_backlog_waits_in_kafka_and_not_in_memory(
    own_kafka: Callable[..., KafkaServer], own_postgres: Callable[..., PostgresServer], tmp_path: Path
) -> None:
    made, server = simulated(tmp_path / "simulated", 1, (SITE,)), own_postgres()
    padded = [value + b" " * (MESSAGE_BYTES - len(value)) for value in messages(made[SITE], SIZE)]
    assert len(padded) * MESSAGE_BYTES > 2 * BOUND_MB * 1_000_000
    with closing(DuckDBStore(tmp_path / "embedded.duckdb")) as store:
        ingest(made, store)
        embedded = views(store)
    sites = sites_folder(made, tmp_path / "sites")
    with system(own_kafka().bootstrap, create_database(server.dsn()), sites, tmp_path) as live:
        worker = live.start()
        live.send(SITE, padded[:50], compression="gzip")
        live.finish()
        before = memory_mb(worker, "VmRSS")
        server.kill()
        live.send(SITE, padded[50:], compression="gzip")
        wait_for(lambda: live.metric(worker, "store_up") == 0, live.said)
        server.start()
        live.finish()
        most = memory_mb(worker, "VmHWM")
        assert live.stop(worker) < 10
        with closing(PostgresStore(live.dsn)) as store:
            finish(made, store, tmp_path / "archive")
            assert differing(embedded, views(store)) == {}
    assert most - before < BOUND_MB
