"""What the tests of the live system share: telemetry into Kafka, workers as processes, stores compared view by view."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import psycopg
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

from jobs.simulate import FaultKind, Simulated, simulate
from streams.catalog.site import load_site
from streams.ingest.files import read_blocks, source_id
from streams.ingest.kafka_settings import KafkaSettings
from streams.runners.audit import replay
from streams.runners.embedded import EmbeddedRunner, Source
from streams.runners.kafka_topics import TELEMETRY, ensure_topics, read_topics
from streams.stores.postgres import PostgresStore
from streams.stores.schema import migrate
from streams.stores.store import SQL, Store
from tests.servers.ports import LOOPBACK, free_port

PROJECT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 1, tzinfo=UTC)
SITES = ("worm_gear_shop", "cold_chain_depot", "machine_builder_pv")
RUN_COLUMNS = ("received_at", "configuration_id", "source")
"""Columns that depend on the run and not on the readings: when and from whom they came, and a number of the store's."""
BEGINS, ENDS = datetime(2025, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
PATIENCE_S = 120.0
Views = dict[str, pl.DataFrame]


def simulated(folder: Path, days: int, names: Sequence[str] = SITES, seed: int = 7) -> dict[str, Simulated]:
    """Sites with every kind of fault that they can have; their files lie in `folder/name`."""
    made = {}
    for name in names:
        file = PROJECT / "deploy" / "sites" / f"{name}.yaml"
        site = load_site(file)
        out = folder / name
        out.mkdir(parents=True)
        start = datetime(2026, 1, 1, tzinfo=site.time_zone)
        made[name] = simulate(site, start, days, seed, list(FaultKind), out, file, where_possible=True)
    return made


def without_rules(made: dict[str, Simulated]) -> dict[str, Simulated]:
    """The same sites without key figures, measures and rules, which end their files."""
    for each in made.values():
        text = each.site.read_text(encoding="utf-8")
        each.site.write_text(re.split(r"\n(?:kpis|measures|rules):", text)[0] + "\n", encoding="utf-8")
    return made


def sites_folder(made: dict[str, Simulated], folder: Path) -> Path:
    """The catalog of a worker: the files of the simulated sites."""
    folder.mkdir(exist_ok=True)
    for name, each in made.items():
        (folder / f"{name}.yaml").write_bytes(each.site.read_bytes())
    return folder


def messages(each: Simulated, size: int) -> Iterator[bytes]:
    """The telemetry of a site in order of arrival, so many readings a message, in each form of the contract in turn."""
    yield from encoded(pl.read_parquet(each.telemetry), size)


def encoded(telemetry: pl.DataFrame, size: int) -> Iterator[bytes]:
    """Readings as messages."""
    rows = telemetry.select("point", pl.col("time").dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"), "value")
    for turn, begin in enumerate(range(0, len(rows), size)):
        part = rows[begin : begin + size]
        listed = [{"point": point, "time": moment, "value": _value(value)} for point, moment, value in part.iter_rows()]
        if turn % 3 == 0:
            yield orjson.dumps(listed)
        elif turn % 3 == 1:
            yield b"\n".join(orjson.dumps(reading) for reading in listed)
        else:
            columns = {name: [reading[name] for reading in listed] for name in ("point", "time", "value")}
            yield orjson.dumps(columns)


def _value(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


@dataclass(slots=True)
class System:
    """A broker, a database, and workers over them."""

    kafka: str
    dsn: str
    sites: Path
    folder: Path
    archive: Path | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    ports: dict[int, int] = field(default_factory=dict)
    started: int = 0

    def prepare(self) -> None:
        """Make topics and schema."""
        ensure_topics(read_topics(PROJECT / "deploy" / "topics.yaml"), KafkaSettings(self.kafka))
        store = PostgresStore(self.dsn)
        migrate(store, {})
        store.close()

    def send(
        self,
        key: str | None,
        values: Iterable[bytes],
        gateway: str = "gw1",
        headers: Any = (),
        compression: str | None = None,
    ) -> int:
        """Put messages of a site into the log; return how many."""
        return self.send_from(key, ((gateway, value) for value in values), headers, compression)

    def send_from(
        self, key: str | None, sent: Iterable[tuple[str, bytes]], headers: Any = (), compression: str | None = None
    ) -> int:
        """The same from several gateways."""
        settings = {"acks": "all", "linger_ms": 10, "max_request_size": 8 << 20, "compression_type": compression}
        with KafkaProducer(bootstrap_servers=self.kafka, **settings) as out:
            futures = [
                out.send(
                    TELEMETRY,
                    key=None if key is None else key.encode(),
                    value=value,
                    headers=[("gateway", gateway.encode()), *headers],
                )
                for gateway, value in sent
            ]
            for future in futures:
                future.get(timeout=60)
        return len(futures)

    def start(self, dsn: str | None = None) -> subprocess.Popen[bytes]:
        """Start a worker that records no ticks of its own."""
        self.started += 1
        port = free_port()
        log = self.folder / f"worker{self.started}.log"
        archive = ["--archive", str(self.archive)] if self.archive else []
        command = [
            str(Path(sys.executable).with_name("kilowatch")),
            *("worker", "--sites", str(self.sites), "--store", dsn or self.dsn, "--kafka", self.kafka),
            *("--metrics", f"{LOOPBACK}:{port}", "--tick-s", "100000", *archive),
        ]
        with log.open("wb") as out:
            worker = subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, "PYTHONPATH": str(PROJECT)})
        self.workers.append(worker)
        self.ports[worker.pid] = port
        return worker

    def metric(self, worker: subprocess.Popen[bytes], name: str) -> float:
        """The sum of a worker's metric over its labels."""
        return metric(self.ports[worker.pid], name)

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        """End a worker without a chance to tidy up."""
        worker.send_signal(signal.SIGKILL)
        worker.wait()

    def stop(self, worker: subprocess.Popen[bytes]) -> float:
        """Ask a worker to end, which it must do well; return how many seconds it took."""
        begun = time.monotonic()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=30) == 0, self.said(worker)
        return time.monotonic() - begun

    def behind(self) -> int:
        """Messages in the log that the store does not have."""
        admin = KafkaAdminClient(bootstrap_servers=self.kafka)
        identity = admin.describe_topics([TELEMETRY])[0]["topic_id"]
        admin.close()
        consumer = KafkaConsumer(bootstrap_servers=self.kafka, enable_auto_commit=False)
        parts = [TopicPartition(TELEMETRY, part) for part in consumer.partitions_for_topic(TELEMETRY) or ()]
        ends = consumer.end_offsets(parts)
        consumer.close()
        with psycopg.connect(self.dsn) as con:
            rows = con.execute("select log, part, next_offset from op.log_position").fetchall()
        stored = {part: offset for log, part, offset in rows if log.endswith(str(identity))}
        return sum(end - stored.get(part.partition, 0) for part, end in ends.items())

    def readings(self) -> int:
        """Readings in the store by now."""
        with psycopg.connect(self.dsn) as con:
            return int(con.execute("select coalesce(sum(next_seq), 0)::bigint from op.position").fetchone()[0])  # type: ignore[index]

    def finish(self) -> None:
        """Wait until every message is in the store; AssertionError with what each worker said if that takes long."""
        wait_for(lambda: self.behind() == 0, self.said)

    def said(self, worker: subprocess.Popen[bytes] | None = None) -> str:
        """The end of what a worker said, by default of what each said."""
        of = [worker] if worker else self.workers
        logs = [self.folder / f"worker{self.workers.index(each) + 1}.log" for each in of]
        return "\n".join(f"{log.name}\n{log.read_text()[-3_000:]}" for log in logs)

    def close(self) -> None:
        """End every worker."""
        for worker in self.workers:
            if worker.poll() is None:
                self.kill(worker)


@contextmanager
def system(kafka: str, dsn: str, sites: Path, folder: Path, archive: Path | None = None) -> Iterator[System]:
    """A prepared system, whose workers end with it."""
    made = System(kafka, dsn, sites, folder, archive)
    made.prepare()
    try:
        yield made
    finally:
        made.close()


def wait_for(
    condition: Callable[[], bool],
    said: Callable[[], str] = lambda: "",
    seconds: float = PATIENCE_S,
    pause_s: float = 0.1,
) -> None:
    """Wait until something holds."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, said()
        time.sleep(pause_s)


def metric(port: int, name: str) -> float:
    """The sum of a metric over its labels."""
    with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    return sum(map(float, re.findall(rf"^kilowatch_{name}(?:\{{.*\}})? (\S+)$", text, re.MULTILINE)))


def ingest(made: dict[str, Simulated], store: Store, archive: Path | None = None, *, ends: bool = True) -> None:
    """Take the telemetry of the sites into a store by the embedded runner, and record the end unless more comes."""
    for each in made.values():
        runner = EmbeddedRunner(load_site(each.site), store, lambda: NOW, archive)
        blocks = partial(read_blocks, each.telemetry, None)
        runner.ingest(Source(source_id(each.telemetry), each.telemetry.name, blocks), lambda _: None)
        if ends:
            runner.finish()


def tick(each: Simulated, store: Store, moment: datetime) -> None:
    """Record the time in a store that the embedded runner has written."""
    runner = EmbeddedRunner(load_site(each.site), store, lambda: NOW)
    runner.site.commit(runner.pipeline.tick(int(moment.timestamp() * 1000)), NOW, control=("tick", moment))


def finish(made: dict[str, Simulated], store: Store, archive: Path) -> None:
    """Record the end of every site's stream in a store that workers have written."""
    for each in made.values():
        EmbeddedRunner(load_site(each.site), store, lambda: NOW, archive).finish()


def replayed(each: Simulated, store: Store, folder: Path, archive: Path | None = None) -> bool:
    """Recompute a site from the archive; tell whether every row that is compared is the same."""
    site = load_site(each.site)
    return replay(site, store, folder / f"{site.name}.scratch.duckdb", BEGINS, ENDS, lambda _: None, archive).identical


def views(store: Store, schema: str = "mart") -> Views:
    """Every mart view, or every view of runs, without the columns of the run, sorted by all the others.

    Those of positions are left out: in a log, of ticks and of the archive, each way has its own.
    """
    found = {}
    for path in sorted(each for each in (SQL / "views").glob("*.sql") if not each.stem.endswith("_position")):
        rows = store.query(f"select * from {schema}.{path.stem}")
        kept = [name for name in rows.columns if name not in RUN_COLUMNS]
        shown = rows.select(kept)
        if path.stem == "reading":  # a message that came twice leaves its readings twice, the second time maybe late
            shown = shown.group_by(pl.exclude("is_late")).agg(pl.col("is_late").min()).select(kept)
        found[path.stem] = shown.sort(kept, nulls_last=True)
    return found


def differing(one: Views, other: Views) -> Views:
    """Rows that only one side has, by view; empty where all are equal."""
    found = {}
    for name, mine in one.items():
        theirs = other[name]
        assert mine.schema == theirs.schema, (name, mine.schema, theirs.schema)
        if not mine.equals(theirs):
            alone = mine.join(theirs, on=mine.columns, how="anti", nulls_equal=True).with_columns(side=pl.lit("one"))
            theirs = theirs.join(mine, on=mine.columns, how="anti", nulls_equal=True)
            found[name] = pl.concat([alone, theirs.with_columns(side=pl.lit("other"))])
    return found
