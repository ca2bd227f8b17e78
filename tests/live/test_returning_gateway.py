"""A gateway that was away for days and returns with its buffer: what it brings is late, counted, and never lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from jobs.simulate import Simulated
from streams.stores.duckdb import DuckDBStore
from streams.stores.postgres import PostgresStore
from tests.live.harness import (
    Views,
    differing,
    encoded,
    finish,
    ingest,
    replayed,
    simulated,
    sites_folder,
    system,
    tick,
    views,
)
from tests.servers.kafka import KafkaServer

SITE = "worm_gear_shop"
DAYS, LEFT, AWAY = 6, timedelta(days=1), timedelta(days=3)
MINE = ("worm_gear_shop/main", "worm_gear_shop/hobber/kwh", "worm_gear_shop/worm-cutter/kw")
"""The points behind the gateway that goes away; the others have one of their own."""
BLOCK, SIZE = 600, 60
Sent = list[tuple[str, pl.DataFrame]]


def sent(rows: pl.DataFrame) -> tuple[Sent, Sent]:
    """What each gateway sends in order of arrival, and what one of them holds back for three days."""
    begun = rows["time"].min()
    left = pl.lit(begun) + LEFT  # type: ignore[operator]  # not empty
    is_mine = pl.col("point").is_in(MINE)
    is_held = is_mine & pl.col("time").is_between(left, left + AWAY, closed="left")
    blocks = list(rows.filter(~is_held).iter_slices(BLOCK))
    parts = [("gw1", block.filter(~is_mine)) for block in blocks], [("gw2", block.filter(is_mine)) for block in blocks]
    live = [each for pair in zip(*parts, strict=True) for each in pair]
    return live, [("gw2", block) for block in rows.filter(is_held).iter_slices(BLOCK)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    return simulated(tmp_path_factory.mktemp("simulated"), DAYS, (SITE,))[SITE]


@pytest.fixture(scope="module")
def arrivals(made: Simulated) -> tuple[Sent, Sent]:
    """What arrives while the gateway is away, and its buffer."""
    return sent(pl.read_parquet(made.telemetry))


def in_order(made: Simulated, parts: Sent, file: Path) -> Simulated:
    """The site with these readings alone, in this order."""
    pl.concat([rows for _, rows in parts]).write_parquet(file)
    return replace(made, telemetry=file)


def test_a_gateway_that_returns_after_three_days_leaves_what_the_embedded_run_makes_of_the_same_order(
    made: Simulated,
    arrivals: tuple[Sent, Sent],
    own_kafka: Callable[..., KafkaServer],
    database: str,
    tmp_path: Path,
) -> None:
    live, buffer = arrivals
    held = pl.concat([rows for _, rows in buffer])
    assert len(held) > 20_000
    now = (held["time"].max() + (timedelta(days=DAYS) - LEFT - AWAY)).replace(microsecond=0)  # type: ignore[union-attr, operator]
    with closing(DuckDBStore(tmp_path / "embedded.duckdb")) as store:
        ingest({SITE: in_order(made, live, tmp_path / "live.parquet")}, store, ends=False)
        tick(made, store, now)
        away = known(views(store))
        ingest({SITE: in_order(made, buffer, tmp_path / "buffer.parquet")}, store)
        embedded = views(store)
        assert replayed(made, store, tmp_path)
    returned = known(embedded)
    assert away["missing_s"] - returned["missing_s"] > 2.5 * 86_400  # a power meter has no register that counts on
    assert away["estimated_kwh"] > 5 * returned["estimated_kwh"]
    again = embedded["energy_interval"].filter(pl.col("revision") > 0)
    for point in MINE:
        assert again.filter(pl.col("point") == point)["starts_at"].dt.date().n_unique() >= 3

    archive = tmp_path / "archive"
    sites = sites_folder({SITE: made}, tmp_path / "sites")
    with system(own_kafka().bootstrap, database, sites, tmp_path, archive) as running:
        worker = running.start()
        running.send_from(SITE, as_messages(live))
        running.send(SITE, [b""], headers=[("tick", str(int(now.timestamp() * 1000)).encode())])
        running.send_from(SITE, as_messages(buffer))
        running.finish()
        assert running.stop(worker) < 10
    with closing(PostgresStore(database)) as store:
        finish({SITE: made}, store, archive)
        assert differing(embedded, views(store)) == {}
        assert replayed(made, store, tmp_path, archive)


def as_messages(parts: Sent) -> Iterator[tuple[str, bytes]]:
    return ((gateway, value) for gateway, rows in parts for value in encoded(rows, SIZE))


def known(found: Views) -> dict[str, float]:
    """How much of the points of the gateway is missing, and how much estimated."""
    mine = found["energy_daily"].filter(pl.col("point").is_in(MINE))
    return mine.select(pl.col("missing_s", "estimated_kwh").sum()).row(0, named=True)
