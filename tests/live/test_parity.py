"""Law 6 and law 11: three runners and two stores give the same rows for the same month, every fault kind in it."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from jobs.simulate import Simulated
from streams.catalog.site import load_site
from streams.runners.audit import replay
from streams.stores.duckdb import DuckDBStore
from streams.stores.postgres import PostgresStore
from tests.live.harness import differing, finish, ingest, messages, simulated, sites_folder, system, views
from tests.servers.kafka import KafkaServer

DAYS = int(os.environ.get("KILOWATCH_LIVE_DAYS", "4"))
BEGINS, ENDS = datetime(2025, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
Views = dict[str, pl.DataFrame]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Simulated]:
    return simulated(tmp_path_factory.mktemp("simulated"), DAYS)


@pytest.fixture(scope="module")
def embedded(made: dict[str, Simulated], tmp_path_factory: pytest.TempPathFactory) -> Views:
    with closing(DuckDBStore(tmp_path_factory.mktemp("embedded") / "a.duckdb")) as store:
        ingest(made, store)
        for each in made.values():
            scratch = each.site.parent / "scratch.duckdb"
            assert replay(load_site(each.site), store, scratch, BEGINS, ENDS, lambda _: None).identical
        return views(store)


def test_a_month_through_kafka_into_postgresql_is_the_month_through_files_into_duckdb(
    made: dict[str, Simulated],
    embedded: Views,
    own_kafka: Callable[..., KafkaServer],
    database: str,
    tmp_path: Path,
) -> None:
    broker = own_kafka()
    archive = tmp_path / "archive"
    with system(broker.bootstrap, database, sites_folder(made, tmp_path / "sites"), tmp_path, archive) as live:
        for name, each in made.items():
            live.send(name, messages(each, 40))
        worker = live.start()
        live.finish()
        assert live.stop(worker) < 10
    with closing(PostgresStore(database)) as store:
        finish(made, store, archive)
        assert sum(map(len, embedded.values())) > 1_000
        assert differing(embedded, views(store)) == {}
        for each in made.values():
            scratch = tmp_path / f"{each.site.parent.name}.duckdb"
            site = load_site(each.site)
            assert replay(site, store, scratch, BEGINS, ENDS, lambda _: None, archive).identical


def test_files_into_postgresql_are_files_into_duckdb(
    made: dict[str, Simulated], embedded: Views, database: str, tmp_path: Path
) -> None:
    from streams.stores.schema import migrate

    with closing(PostgresStore(database)) as store:
        migrate(store, {})
        ingest(made, store, tmp_path / "archive")
        assert differing(embedded, views(store)) == {}
        assert differing(embedded, {**embedded, "energy_daily": embedded["energy_daily"][1:]}).keys() == {
            "energy_daily"
        }
