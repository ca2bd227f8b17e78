"""`kilowatch replay --to kafka`: a slice of the archive through the workers again, apart from what is live."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path

import orjson
import polars as pl
from kafka import KafkaConsumer, TopicPartition

from streams.catalog.site import load_site
from streams.runners.embedded import EmbeddedRunner
from streams.runners.kafka_topics import INTERVALS
from streams.stores.postgres import PostgresStore
from tests.live.box import COMMAND
from tests.live.harness import (
    NOW,
    System,
    Views,
    differing,
    messages,
    simulated,
    sites_folder,
    system,
    views,
    without_rules,
)
from tests.servers.kafka import KafkaServer

SITE, RUN = "worm_gear_shop", "again-1"


def told(kafka: str) -> dict[str, int]:
    """How many results others were told of each site."""
    consumer = KafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest", enable_auto_commit=False)
    parts = [TopicPartition(INTERVALS, part) for part in consumer.partitions_for_topic(INTERVALS) or ()]
    consumer.assign(parts)
    ends, found = consumer.end_offsets(parts), dict[str, int]()
    while any(consumer.position(part) < ends[part] for part in parts):
        for batch in consumer.poll(1_000).values():
            for record in batch:
                name = orjson.loads(record.value)["site"]
                found[name] = found.get(name, 0) + 1
    consumer.close()
    return found


def republish(live: System, site: Path, archive: Path, *options: str) -> str:
    """Send the archive under the name of a run; return what the command says."""
    command = [COMMAND, "replay", str(site), "--store", live.dsn, "--archive", str(archive)]
    target = ["--to", "kafka", "--kafka", live.kafka, *options]
    done = subprocess.run([*command, *target], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


def of_run(store: PostgresStore, run: str) -> Views:
    """The rows of a run in the views of schema run, under the names of the site."""
    name, found = f"{SITE}@{run}", {}
    for view, rows in views(store, "run").items():
        texts = [column for column, kind in rows.schema.items() if kind == pl.String]
        mine = rows.filter(
            pl.col("site") == name if "site" in texts else pl.col("payload").str.contains(f'"point":"{name}/')
        )
        again = mine.with_columns(pl.col(texts).str.replace_all(name, SITE, literal=True))
        found[view] = again.sort(again.columns, nulls_last=True)
    return found


def test_a_run_stands_apart_from_what_is_live(
    own_kafka: Callable[..., KafkaServer], database: str, tmp_path: Path
) -> None:
    made = without_rules(simulated(tmp_path / "simulated", 2, (SITE,)))
    archive, site = tmp_path / "archive", load_site(made[SITE].site)
    latest = pl.read_parquet(made[SITE].telemetry)["time"].dt.epoch("ms").max()
    slack = max(point.allowed_lateness_ms + point.resolution_ms for point in site.points)
    with system(own_kafka().bootstrap, database, sites_folder(made, tmp_path / "sites"), tmp_path, archive) as live:
        every = list(messages(made[SITE], 40))
        live.start()
        live.send(SITE, every[: len(every) // 2])
        live.finish()
        with closing(PostgresStore(database)) as store:  # half is in the archive, and half in the store alone
            EmbeddedRunner(site, store, lambda: NOW, archive).write_archive()
            live.send(SITE, every[len(every) // 2 :])
            live.send(SITE, [b""], headers=[("tick", str(latest + slack).encode())])  # as each run ends
            live.finish()
            before, sent, readings = views(store), told(live.kafka), live.readings()
            assert sent.keys() == {SITE}
            said = republish(live, made[SITE].site, archive, "--run", "whole")
            assert f"{readings:,} readings sent as {SITE}@whole" in said
            republish(live, made[SITE].site, archive, "--run", "day.2", "--from", "2026-01-02", "--to", "2026-01-03")
            live.send(
                f"{SITE}@whole", [orjson.dumps({"point": f"{SITE}@whole/none", "time": 0, "value": 1})], "run:whole"
            )
            live.finish()
            assert differing(before, views(store)) == {}
            assert told(live.kafka) == sent

            assert store.rows("select source, reason from run.quarantine where source like 'run:%'") == [
                ("run:whole", "unknown point")
            ]
            whole = of_run(store, "whole")
            assert len(whole.pop("configuration")) == len(before.pop("configuration")) == 1
            decided = pl.col("payload").str.contains('"read_at"')  # a run has only what came through the door
            for each in (before, whole):
                each["quarantine"] = each["quarantine"].filter(decided)
            assert differing(before, whole) == {}
            assert of_run(store, "day.2")["energy_daily"]["day"].unique().to_list() == [date(2026, 1, 2)]
