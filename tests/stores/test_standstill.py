"""A worker that stands still within a transaction holds others up for a bounded time, also while it sends rows."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import polars as pl
import pytest

from streams.domain.findings import StoreAwayError
from streams.stores import postgres as module
from streams.stores.binary_copy import encoded
from streams.stores.postgres import PostgresStore
from tests.servers.ports import unique_name
from tests.servers.postgres import PostgresServer

BOUND_S = 1.0
ROWS, BREAKS = 2_000, 60


def test_a_session_that_stops_while_it_sends_rows_is_ended_by_who_waits_for_it(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, purpose = unique_name("stopped"), unique_name("lane")
    with (
        closing(PostgresStore(postgres.dsn(), application="kilowatch worker")) as stale,
        closing(PostgresStore(postgres.dsn(), application="kilowatch worker")) as fresh,
    ):
        monkeypatch.setattr(module, "STANDSTILL_S", BOUND_S)
        fresh.execute(f"create table {name} (n integer)")
        fresh.execute(f"insert into {name} values (1)")
        row = pl.DataFrame({"n": [3]}, schema={"n": pl.Int32})
        with pytest.raises(StoreAwayError), stale.transaction():
            stale.alone(purpose)
            stale.execute(f"update {name} set n = 2")
            with (
                stale._heard(),
                stale.con.cursor() as cursor,
                cursor.copy(f"copy {name} from stdin (format binary)") as copy,
            ):
                begun = time.monotonic()
                with fresh.transaction():
                    fresh.alone(purpose)
                    fresh.execute(f"update {name} set n = 4")
                assert BOUND_S <= time.monotonic() - begun < 10 * BOUND_S
                for piece in encoded(row):
                    copy.write(piece)
        assert fresh.rows(f"select n from {name}") == [(4,)]
        stale.reconnect()
        with stale.transaction():
            stale.alone(purpose)
        fresh.execute(f"drop table {name}")


def test_a_session_of_another_application_is_waited_for(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    purpose = unique_name("lane")
    with (
        closing(PostgresStore(postgres.dsn(), application="kilowatch migrate")) as other,
        closing(PostgresStore(postgres.dsn(), application="kilowatch worker")) as mine,
    ):
        monkeypatch.setattr(module, "STANDSTILL_S", 0.0)
        other.con.execute("begin")
        other.alone(purpose)

        def take() -> None:
            with mine.transaction():
                mine.alone(purpose)

        with ThreadPoolExecutor(1) as aside:
            waiting = aside.submit(take)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=BOUND_S)
            other.con.rollback()
            waiting.result(timeout=10 * BOUND_S)
        assert other.rows("select 1") == [(1,)]


def test_threads_share_a_connection_that_breaks_again_and_again(postgres: PostgresServer) -> None:
    name = unique_name("shared")
    rows = pl.DataFrame({"n": list(range(ROWS))}, schema={"n": pl.Int32})
    with (
        closing(PostgresStore(postgres.dsn(), application="kilowatch worker")) as store,
        closing(PostgresStore(postgres.dsn(), application="kilowatch test")) as breaker,
    ):
        breaker.execute(f"create table {name} (n integer)")
        ended = threading.Event()

        def write() -> int:
            stored = 0
            while not ended.is_set():
                try:
                    with store.transaction():
                        store.append(name, rows)
                    stored += 1
                except StoreAwayError:
                    store.reconnect()
            return stored

        with ThreadPoolExecutor(2) as aside:
            writing = [aside.submit(write) for _ in range(2)]
            for _ in range(BREAKS):
                breaker.rows(
                    "select pg_terminate_backend(pid), pg_sleep(0.02) from pg_stat_activity "
                    "where application_name = 'kilowatch worker' and datname = current_database()"
                )
                store.reconnect()
            ended.set()
            stored = sum(each.result(timeout=30) for each in writing)
        found = breaker.rows(f"select count(*) from {name}")[0][0]
        assert stored > 0
        assert stored * ROWS <= found <= (stored + BREAKS) * ROWS  # the answer to a commit may be lost
        assert found % ROWS == 0
        breaker.execute(f"drop table {name}")
