"""Law 6 for the box: what gateways push to `kilowatch run` becomes what the same files become in the embedded run."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path

import polars as pl
import pytest

from jobs.simulate import Simulated
from streams.stores.duckdb import DuckDBStore
from tests.live.box import Box, Gateway, asked
from tests.live.harness import (
    Views,
    differing,
    finish,
    ingest,
    messages,
    replayed,
    simulated,
    sites_folder,
    views,
    wait_for,
)

SIZE = 200


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Simulated]:
    return simulated(tmp_path_factory.mktemp("simulated"), 1)


@pytest.fixture(scope="module")
def embedded(made: dict[str, Simulated], tmp_path_factory: pytest.TempPathFactory) -> Views:
    with closing(DuckDBStore(tmp_path_factory.mktemp("embedded") / "a.duckdb")) as store:
        ingest(made, store)
        return views(store)


def test_what_is_pushed_to_the_box_is_what_the_files_are_to_the_embedded_run(
    made: dict[str, Simulated], embedded: Views, tmp_path: Path
) -> None:
    with Box(sites_folder(made, tmp_path / "sites"), tmp_path) as box:
        box.started()
        with ExitStack() as gateways:
            for gateway in [
                gateways.enter_context(Gateway(box.port, name, list(messages(each, SIZE))))
                for name, each in made.items()
            ]:
                gateway.finish()
        box.finish()
        assert box.metric("readings_total") == sum(each.readings for each in made.values()) - rejected(embedded)
        assert box.stop() < 10
        with closing(DuckDBStore(box.store)) as store:
            finish(made, store, box.archive)
            assert sum(map(len, embedded.values())) > 1_000
            assert differing(embedded, views(store)) == {}
            for each in made.values():
                assert replayed(each, store, tmp_path)


def test_the_store_belongs_to_the_box_and_its_copy_opens_elsewhere(made: dict[str, Simulated], tmp_path: Path) -> None:
    name = "worm_gear_shop"
    with Box(sites_folder({name: made[name]}, tmp_path / "sites"), tmp_path) as box:
        box.started()
        with Gateway(box.port, name, list(messages(made[name], SIZE))) as gateway:
            gateway.finish()
        box.finish()
        held = asked(box.store, "select 1")
        assert held.returncode != 0
        assert "another process holds it" in held.stderr
        assert box.stop() < 10
        box.copy.unlink(missing_ok=True)
        box.started()
        wait_for(box.copy.exists, box.said)
        daily = "select point, day, energy_kwh from mart.energy_daily order by all"
        copied = asked(box.copy, daily).stdout
        assert box.stop() < 10
        assert copied == asked(box.store, daily).stdout
        assert len(copied.splitlines()) > 4


def rejected(found: Views) -> int:
    """Readings that did not get through the door."""
    return found["quarantine"].filter(~pl.col("payload").str.contains("read_at")).height
