"""A worker that stood still while another took its partition over wakes up, is fenced, and harms nothing.

It stands still within a transaction, whose locks whoever takes over must get round; with `KILOWATCH_LIVE_KILLS` above
the default also between two.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from jobs.simulate import Simulated
from streams.stores.duckdb import DuckDBStore
from streams.stores.postgres import PostgresStore
from tests.live.harness import (
    Views,
    differing,
    finish,
    ingest,
    messages,
    replayed,
    simulated,
    sites_folder,
    system,
    views,
    wait_for,
)
from tests.servers.kafka import KafkaServer

SITE = "worm_gear_shop"
SIZE = 4
WITHIN = (True, False) if int(os.environ.get("KILOWATCH_LIVE_KILLS", "3")) > 3 else (True,)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Simulated]:
    return simulated(tmp_path_factory.mktemp("simulated"), 2, (SITE,))


@pytest.fixture(scope="module")
def undisturbed(made: dict[str, Simulated], tmp_path_factory: pytest.TempPathFactory) -> Views:
    with closing(DuckDBStore(tmp_path_factory.mktemp("undisturbed") / "a.duckdb")) as store:
        ingest(made, store)
        return views(store)


def stop_still(worker: subprocess.Popen[bytes], dsn: str, *, in_transaction: bool) -> None:
    """Let a worker stand still, its session within a transaction or between two."""
    wanted = "idle in transaction" if in_transaction else "idle"
    while True:
        worker.send_signal(signal.SIGSTOP)
        time.sleep(0.05)  # what it has sent by now, the server works off
        if session(dsn) == wanted:
            return
        worker.send_signal(signal.SIGCONT)
        time.sleep(0.01)


def session(dsn: str) -> str:
    with psycopg.connect(dsn) as con:
        rows = con.execute(
            "select state from pg_stat_activity "
            "where application_name = 'kilowatch worker' and datname = current_database()"
        ).fetchall()
    assert len(rows) == 1
    return str(rows[0][0])


@pytest.mark.parametrize("in_transaction", WITHIN)
def test_a_worker_that_stood_still_is_fenced_by_the_one_that_took_over(
    in_transaction: bool,
    made: dict[str, Simulated],
    undisturbed: Views,
    own_kafka: Callable[..., KafkaServer],
    database: str,
    tmp_path: Path,
) -> None:
    archive, sites = tmp_path / "archive", sites_folder(made, tmp_path / "sites")
    with system(own_kafka().bootstrap, database, sites, tmp_path, archive) as live:
        values = list(messages(made[SITE], SIZE))
        half = len(values) // 2
        live.send(SITE, values[:half])
        stale = live.start()
        wait_for(lambda: live.readings() > 0, live.said, pause_s=0.02)
        stop_still(stale, database, in_transaction=in_transaction)
        stored = live.readings()
        assert live.behind() > 0
        live.send(SITE, values[half:])  # when the stale one wakes up, the log is longer than it knows
        fresh = live.start()
        # A session of 15 s, and locks that nobody holds for more than 20.
        wait_for(lambda: live.readings() > stored, live.said, 45)
        stale.send_signal(signal.SIGCONT)
        live.finish()
        wait_for(lambda: live.metric(stale, "fenced_total") + live.metric(stale, "redelivered_total") > 0, live.said)
        assert live.metric(stale, "fenced_total") >= in_transaction
        for worker in (stale, fresh):
            assert worker.poll() is None
            assert live.stop(worker) < 10
    with closing(PostgresStore(database)) as store:
        finish(made, store, archive)
        assert differing(undisturbed, views(store)) == {}
        assert replayed(made[SITE], store, tmp_path, archive)
