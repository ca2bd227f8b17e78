"""A model that is trained while a box or a worker runs is put into use by it, and a replay scores the same."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import polars as pl
import psycopg

from streams.catalog.site import load_site
from streams.runners.audit import replay
from streams.runners.embedded import EmbeddedRunner
from streams.stores.duckdb import DuckDBStore
from streams.stores.postgres import PostgresStore
from streams.stores.store import Store
from tests.jobs import workshop
from tests.live.box import COMMAND, Box, Gateway
from tests.live.harness import BEGINS, ENDS, NOW, PROJECT, encoded, system, wait_for
from tests.servers.kafka import KafkaServer

FIRST_DAYS, DAYS = 12, 14
CONTROLS = "select seq, kind, detail from op.control where kind = 'model'"
SCORED = "select count(score) from fact.model_score"


def trained(site: Path, store: str) -> str:
    """Train a model of the compressor, as a command of its own; what it said."""
    command = [COMMAND, "train", str(site), "--store", store, "--asset", "compressor"]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(PROJECT)}, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def sites(folder: Path) -> Path:
    found = folder / "sites"
    found.mkdir()
    (found / "workshop.yaml").write_text(workshop.SITE, encoding="utf-8")
    return found


def messages() -> tuple[list[bytes], list[bytes]]:
    """What comes before the model, and after it."""
    rows = workshop.telemetry(DAYS, fault_day=DAYS)
    end = workshop.BEGINS.timestamp() * 1000 + FIRST_DAYS * workshop.DAY * workshop.STEP_MS
    early = pl.col("time").dt.epoch("ms") < end
    return list(encoded(rows.filter(early), 200)), list(encoded(rows.filter(~early), 20))


def is_right(store: Store, folder: Path, archive: Path | None, before: int) -> None:
    """It was recorded where it belongs, has scored what came after, and scores the same again."""
    site = load_site(folder / "sites" / "workshop.yaml")
    EmbeddedRunner(site, store, lambda: NOW, archive).finish()
    assert store.rows(CONTROLS) == [(before, "model", "1 compressor")]
    assert store.rows("select version, active_seq from op.model") == [(1, before)]
    assert store.rows(SCORED)[0][0] > 100
    assert replay(site, store, folder / "scratch.duckdb", BEGINS, ENDS, lambda _: None, archive).identical


def test_a_box_puts_a_model_into_use_that_was_trained_on_its_copy(tmp_path: Path) -> None:
    first, rest = messages()
    with Box(sites(tmp_path), tmp_path) as box:
        box.started()
        with Gateway(box.port, "workshop", first) as gateway:
            gateway.finish()
        box.finish()
        assert box.stop() < 10
        box.copy.unlink(missing_ok=True)
        box.started()
        wait_for(box.copy.exists, box.said)
        said = trained(tmp_path / "sites" / "workshop.yaml", f"duckdb:///{box.store}")
        assert "the copy that the process which holds" in said
        assert "compressor: version 1 is trained and will be used" in said
        wait_for(lambda: "model active" in box.log.read_text(), box.said)
        with Gateway(box.port, "workshop", rest) as gateway:
            gateway.finish()
        box.finish()
        assert box.stop() < 10
        with closing(DuckDBStore(box.store)) as store:
            before = store.rows("select count(*) from raw.reading as r where r.read_at < timestamp '2026-01-13'")[0][0]
            is_right(store, tmp_path, box.archive, before)


def test_a_worker_puts_a_model_into_use_that_was_trained_beside_it(
    own_kafka: Callable[..., KafkaServer], database: str, tmp_path: Path
) -> None:
    first, rest = messages()
    archive = tmp_path / "archive"
    with system(own_kafka().bootstrap, database, sites(tmp_path), tmp_path, archive) as live:
        live.send("workshop", first)
        worker = live.start()
        live.finish()
        before = live.readings()
        assert "version 1 is trained" in trained(tmp_path / "sites" / "workshop.yaml", database)

        def is_active() -> bool:
            with psycopg.connect(database) as con:
                return con.execute("select 1 from op.model where active_seq is not null").fetchone() is not None

        wait_for(is_active, live.said)
        live.send("workshop", rest)
        live.finish()
        assert live.stop(worker) < 10
        with closing(PostgresStore(database)) as store:
            is_right(store, tmp_path, archive, before)
