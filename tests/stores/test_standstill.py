"""What a stopped worker has begun holds others up for a bounded time, also where it stopped while sending rows."""

from __future__ import annotations

import time
from contextlib import closing

import polars as pl
import pytest

from streams.domain.findings import StoreAwayError
from streams.stores.binary_copy import encoded
from streams.stores.postgres import PostgresStore
from tests.servers.ports import unique_name
from tests.servers.postgres import PostgresServer

BOUND_S = 1


def test_rows_that_stop_coming_end_the_transaction_and_free_its_locks(postgres: PostgresServer) -> None:
    name = unique_name("stopped")
    with (
        closing(PostgresStore(postgres.dsn(), statement_s=BOUND_S)) as stale,
        closing(PostgresStore(postgres.dsn(), statement_s=4 * BOUND_S)) as fresh,
    ):
        fresh.execute(f"create table {name} (n integer)")
        fresh.execute(f"insert into {name} values (1)")
        with pytest.raises(StoreAwayError), stale.transaction():
            stale.execute(f"update {name} set n = 2")
            with (
                stale._heard(),
                stale.con.cursor() as cursor,
                cursor.copy(f"copy {name} from stdin (format binary)") as rows,
            ):
                time.sleep(2 * BOUND_S)
                for piece in encoded(pl.DataFrame({"n": [3]}, schema={"n": pl.Int32})):
                    rows.write(piece)
        with fresh.transaction():
            assert fresh.execute(f"update {name} set n = 4") == 1
        assert fresh.rows(f"select n from {name}") == [(4,)]
        fresh.execute(f"drop table {name}")


def test_who_waits_for_a_lock_gives_up_like_one_whose_server_went_away_and_may_try_again(
    postgres: PostgresServer,
) -> None:
    name = unique_name("held")
    with (
        closing(PostgresStore(postgres.dsn())) as holder,
        closing(PostgresStore(postgres.dsn(), statement_s=BOUND_S)) as waiter,
    ):
        holder.execute(f"create table {name} (n integer)")
        holder.execute(f"insert into {name} values (1)")
        with holder.transaction():
            holder.execute(f"update {name} set n = 2")
            with pytest.raises(StoreAwayError), waiter.transaction():
                waiter.execute(f"update {name} set n = 3")
        waiter.reconnect()
        with waiter.transaction():
            waiter.execute(f"update {name} set n = n + 10")
        assert waiter.rows(f"select n from {name}") == [(12,)]
        holder.execute(f"drop table {name}")
