"""A site's file is edited while workers work: a good edit is taken up, a bad one is told, and no reading is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import polars as pl
import psycopg
import pytest
import yaml

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
    views,
    wait_for,
    without_rules,
)
from tests.servers.kafka import KafkaServer

SITE = "worm_gear_shop"
ADDED = f"{SITE}/worm-cutter/parts"
"""A point that is added in the middle of the file, so that others change their places."""
SIZE = 20


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    return without_rules(simulated(tmp_path_factory.mktemp("simulated"), 2, (SITE,)))[SITE]


def file_without(point: str, text: str) -> str:
    """A site's file before this point was in it."""
    site = yaml.safe_load(text)
    site["points"] = [each for each in site["points"] if f"{SITE}/{each['name']}" != point]
    return yaml.safe_dump(site, allow_unicode=True, sort_keys=False)


def edit(path: Path, text: str) -> None:
    """Put another file in the place of one, whole."""
    beside = path.with_suffix(".new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def paced(values: list[bytes], a_second: int, hurry: threading.Event) -> Iterator[bytes]:
    """So many a second, until there is no reason to wait any more."""
    for value in values:
        yield value
        hurry.wait(1 / a_second)


def in_versions(made: Simulated, versions: list[str], rows: pl.DataFrame, store: DuckDBStore, folder: Path) -> Views:
    """What the embedded run leaves that takes a third of the readings with each version of the file."""
    third = len(rows) // len(versions) + 1
    for nth, (text, part) in enumerate(zip(versions, rows.iter_slices(third), strict=True)):
        folder.joinpath(f"{nth}").mkdir()
        site, telemetry = folder / f"{nth}" / "site.yaml", folder / f"{nth}" / "telemetry.parquet"
        site.write_text(text, encoding="utf-8")
        part.write_parquet(telemetry)
        ingest({SITE: replace(made, site=site, telemetry=telemetry)}, store, ends=nth == len(versions) - 1)
    return views(store)


def test_an_edited_file_is_taken_up_and_a_wrong_one_told_while_readings_come(
    made: Simulated, own_kafka: Callable[..., KafkaServer], database: str, tmp_path: Path
) -> None:
    rows, whole = pl.read_parquet(made.telemetry), made.site.read_text(encoding="utf-8")
    is_added = pl.col("point") == ADDED
    versions = [file_without(ADDED, whole), whole, whole.replace("Gear hobber", "Gear hobber 2")]
    others, added = list(encoded(rows.filter(~is_added), SIZE)), list(encoded(rows.filter(is_added), SIZE))
    with closing(DuckDBStore(tmp_path / "embedded.duckdb")) as store:
        in_turn = pl.concat([rows.filter(~is_added), rows.filter(is_added)])
        embedded = in_versions(made, versions, in_turn, store, tmp_path)

    sites, archive = sites_folder({SITE: made}, tmp_path / "sites"), tmp_path / "archive"
    file = sites / f"{SITE}.yaml"
    edit(file, versions[0])
    with system(own_kafka().bootstrap, database, sites, tmp_path, archive) as live:
        worker = live.start()
        hurry = threading.Event()
        load = threading.Thread(target=live.send, args=(SITE, paced(others, 25, hurry)), daemon=True)
        load.start()
        wait_for(lambda: live.readings() > 0, live.said)
        live.send(SITE, added[:1], "too early")
        wait_for(lambda: rejected(database) == SIZE, live.said)

        edit(file, versions[1])
        wait_for(lambda: live.said().count("catalog changed") == 1, live.said)
        live.send(SITE, added[: len(added) // 2])

        edit(file, whole.replace("max_kw: 11", "max_kw: eleven", 1))
        wait_for(lambda: "catalog wrong" in live.said(), live.said)
        assert f"{file.name}:{line_of('max_kw: 11', whole)}: " in live.said()
        assert live.metric(worker, "catalog_files_wrong") == 1
        stored = live.readings()
        live.send(SITE, added[len(added) // 2 :])
        wait_for(lambda: live.readings() > stored, live.said)
        late = live.start()
        assert late.wait(30) == 2
        assert f"{file.name}:{line_of('max_kw: 11', whole)}: " in live.said()

        edit(file, versions[2])
        wait_for(lambda: live.metric(worker, "catalog_files_wrong") == 0, live.said)
        assert load.is_alive()
        hurry.set()
        load.join()
        live.finish()
        assert worker.poll() is None
        assert live.stop(worker) < 10
    last = replace(made, site=file)
    with closing(PostgresStore(database)) as store:
        finish({SITE: last}, store, archive)
        found = differing(embedded, views(store))
        early = found.pop("quarantine")
        assert early["reason"].unique().to_list() == ["unknown point"]
        assert early["side"].unique().to_list() == ["other"]
        assert found == {}
        assert replayed(last, store, tmp_path, archive)


def rejected(dsn: str) -> int:
    with psycopg.connect(dsn) as con:
        return int(con.execute("select count(*) from fact.quarantine where source = 'too early'").fetchone()[0])  # type: ignore[index]


def line_of(words: str, text: str) -> int:
    """The line, from 1 on, where these words first stand."""
    return text[: text.index(words)].count("\n") + 1
