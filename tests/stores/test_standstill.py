"""A worker that stands still within a transaction holds others up for a bounded time, also while it sends rows."""

from __future__ import annotations

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
        with ThreadPoolExecutor(1) as aside, mine.transaction():
            waiting = aside.submit(mine.alone, purpose)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=BOUND_S)
            other.con.rollback()
            waiting.result(timeout=10 * BOUND_S)
        assert other.rows("select 1") == [(1,)]
