"""Telemetry whose sender uses transactions: their marks have offsets, and are no messages, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
from kafka import KafkaProducer

from streams.runners.kafka_topics import TELEMETRY
from streams.stores.duckdb import DuckDBStore
from streams.stores.postgres import PostgresStore
from tests.live.harness import differing, finish, ingest, messages, simulated, sites_folder, system, views, wait_for
from tests.servers.kafka import KafkaServer

SITE = "worm_gear_shop"
SIZE, EACH = 400, 6


def test_the_marks_of_transactions_stop_nobody(
    own_kafka: Callable[..., KafkaServer], database: str, tmp_path: Path
) -> None:
    made = simulated(tmp_path / "simulated", 1, (SITE,))
    values = list(messages(made[SITE], SIZE))
    with closing(DuckDBStore(tmp_path / "whole.duckdb")) as store:
        ingest(made, store)
        whole = views(store)
    archive, kafka = tmp_path / "archive", own_kafka().bootstrap
    with system(kafka, database, sites_folder(made, tmp_path / "sites"), tmp_path, archive) as live:
        worker = live.start()
        options = {"transactional_id": "sender", "transaction_timeout_ms": 10_000}
        with KafkaProducer(bootstrap_servers=kafka, **options) as producer:
            producer.init_transactions()
            for begin in range(0, len(values), EACH):
                producer.begin_transaction()
                for value in values[begin : begin + EACH]:
                    producer.send(TELEMETRY, key=SITE.encode(), value=value, headers=[("gateway", b"gw1")])
                producer.commit_transaction()
        wait_for(lambda: live.behind() <= 1, live.said)  # the last mark comes after the last message
        with psycopg.connect(database) as con:
            assert con.execute("select sum(next_offset) from op.log_position").fetchone()[0] > len(values)  # type: ignore[index]
        assert worker.poll() is None
        assert live.stop(worker) < 10
        assert "lost" not in live.said(worker)
    with closing(PostgresStore(database)) as store:
        finish(made, store, archive)
        assert differing(whole, views(store)) == {}
