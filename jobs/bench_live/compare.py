"""Kilowatch's worker, one and two, beside its rivals: on one machine, broker, server and run.

The broker and the server are given; each contestant gets a database of its own, dropped in the end. Kilowatch reads the
topic `telemetry`, which must not exist yet; the rivals read a shorter stretch of the same load from a topic of their
own, since they take minutes for what it takes seconds for. All topics that this makes go in the end.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit, urlunsplit
from urllib.request import urlopen

import psycopg
from kafka import KafkaAdminClient
from psycopg import sql

from jobs.bench_live import alerts
from jobs.bench_live.latency import WARM_UP_S, latency
from jobs.bench_live.load import Load, create_topic, fill, write_sites
from jobs.bench_live.measure import ROOT, BenchError, Contestant, Memory, Result, Run, measure, table
from streams.domain.findings import KilowatchError

KILOWATCH = (sys.executable, "-c", "from jobs.cli import main; main()")
TELEMETRY = "telemetry"
OURS_COMMITTED = "select coalesce(sum(next_seq), 0) from op.position"
RIVAL_COMMITTED = "select count(*) from (select from {}.reading limit 1) as any_row"
METRICS_PORT = 9_470
DAY = Load(10, 10, 100)
DAY_S = 86_400
PARTITIONS = 4
READINGS = {1: 300_000, 10: 1_000_000, 100: 5_000_000}
RIVAL_READINGS = {1: 30_000, 10: 60_000, 100: 100_000}
START_LIMIT_S = 60.0
MINUTE_S = 60.0
SPARE_S = 5


@dataclass(frozen=True, slots=True)
class Place:
    """Where to measure: broker, server (URL of a database in which others may be made) and the rival's Python."""

    kafka: str
    server: str
    quix_python: Path | None
    sites: Path


@contextmanager
def database(server: str) -> Iterator[str]:
    """URL of a fresh database, dropped in the end."""
    name = f"kilowatch_bench_{uuid.uuid4().hex[:8]}"
    with closing(psycopg.connect(server, autocommit=True)) as admin:
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        try:
            yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
        finally:
            admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@contextmanager
def topic(kafka: str, name: str) -> Iterator[str]:
    """A topic made here and deleted in the end."""
    create_topic(kafka, name, PARTITIONS)
    try:
        yield name
    finally:
        with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
            admin.delete_topics([name])
            while name in admin.list_topics():
                time.sleep(0.1)


def migrate(store: str) -> None:
    """`kilowatch migrate`; BenchError with its message where it fails."""
    done = subprocess.run(  # noqa: S603 - this project's own command
        [*KILOWATCH, "migrate"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "KILOWATCH_STORE": store},
    )
    if done.returncode:
        raise BenchError(f"bench: kilowatch migrate: expected exit code 0; found {done.returncode}: {done.stderr}")


def ours(place: Place, store: str, workers: int) -> Contestant:
    """So many workers of Kilowatch in one group."""
    group = f"bench-{uuid.uuid4().hex[:8]}"
    commands = tuple(
        (
            *(*KILOWATCH, "worker", "--sites", str(place.sites), "--store", store, "--kafka", place.kafka),
            *("--group", group, "--metrics", metrics_address(nth)),
        )
        for nth in range(workers)
    )
    return Contestant(f"kilowatch, {workers} worker{'s' * (workers > 1)}", commands, store, OURS_COMMITTED)


def metrics_address(nth: int) -> str:
    """Where worker `nth` answers."""
    return f"127.0.0.1:{METRICS_PORT + nth}"


def rivals(place: Place, store: str, name: str, readings: int) -> Iterator[Contestant]:
    """Plain Faust in its two forms, and Quix where its environment is there."""
    common = ("--kafka", place.kafka, "--topic", name, "--store", store, "--readings", str(readings))
    for state in ("point", "site"):
        schema = f"faust_{state}"
        given = ("--group", f"{name}-{schema}", "--schema", schema, "--state", state, "--partitions", str(PARTITIONS))
        command = (sys.executable, "-m", "jobs.bench_live.faust_table", *common, *given)
        yield Contestant(f"faust, table by {state}", (command,), store, RIVAL_COMMITTED.format(schema), True)
    if place.quix_python is not None:
        names = ("--group", f"{name}-quix", "--schema", "quix_windows")
        windows = (str(place.quix_python), "-m", "jobs.bench_live.quix_windows", *common, *names)
        yield Contestant("quix, windows", (windows,), store, RIVAL_COMMITTED.format("quix_windows"), True)


def compare(
    place: Place, per_message: int, readings: int, rival_readings: int, load: Load
) -> tuple[list[Result], list[str]]:
    """Every contestant at one message size: the results, and the failures of those that have none."""
    results: list[Result] = []
    failures: list[str] = []

    def run(contestant: Contestant, count: int, exact: bool) -> None:
        try:
            result = measure(contestant, per_message, count)
            if exact:
                _agree(contestant.store, count)
            results.append(result)
        except BenchError as error:
            failures.append(str(error))

    with topic(place.kafka, TELEMETRY) as name:
        asyncio.run(fill(place.kafka, name, load, readings))
        for workers in (1, 2):
            with database(place.server) as store:
                migrate(store)
                run(ours(place, store, workers), readings, True)
    with topic(place.kafka, f"bench-rival-{uuid.uuid4().hex[:8]}") as name, database(place.server) as store:
        asyncio.run(fill(place.kafka, name, load, rival_readings))
        for each in rivals(place, store, name, rival_readings):
            run(each, rival_readings, False)
    return results, failures


def _agree(store: str, readings: int) -> None:
    """The progress that was watched is that of the raw rows; BenchError where a reading is missing or doubled."""
    with closing(psycopg.connect(store)) as connection:
        row = connection.execute("select count(*) from raw.reading").fetchone()
    if row is None or row[0] != readings:
        raise BenchError(f"bench: raw.reading: expected {readings:,} rows; found {row[0] if row else 0:,}")


def catch_up(place: Place, share: float) -> None:
    """A worker that comes back after a day of a hundred registers at one reading a second; prints its line."""
    readings = int(DAY.a_second * DAY_S * share)
    sites = place.sites.with_name("day")
    write_sites(DAY, sites)
    with topic(place.kafka, TELEMETRY) as name, database(place.server) as store:
        migrate(store)
        asyncio.run(fill(place.kafka, name, DAY, readings))
        result = measure(ours(replace(place, sites=sites), store, 1), DAY.per_message, readings)
        _agree(store, readings)
    print(
        f"a backlog of {readings:,} readings, a day of {DAY.a_second} registers at 1 s: first commit after "
        f"{result.start_s:.1f} s, all after {result.whole_s:.1f} s; {result.a_second:,.0f} readings/s; "
        f"peak {result.peak_mb[0]:,.0f} MB",
        flush=True,
    )


def paced(place: Place, load: Load, seconds: int) -> None:
    """Latency and memory of one worker under the paced load, and how soon alarms arrive; prints their lines."""
    sites = place.sites.with_name("paced")
    write_sites(load, sites)
    count = max(1, int((seconds - SPARE_S) / alerts.EVERY_S))
    alerts.write_site(sites, count)
    place = replace(place, sites=sites)
    with (
        topic(place.kafka, TELEMETRY) as name,
        database(place.server) as store,
        alerts.receiver() as (url, told),
        ThreadPoolExecutor(1) as aside,
    ):
        migrate(store)
        channels = alerts.write_channels(sites.parent, url)
        worker = ours(place, store, 1)
        deliver = (*KILOWATCH, "alerts", "deliver", "--store", store, "--channels", str(channels))
        sender = replace(worker, commands=((*deliver, "--metrics", metrics_address(1)),))
        with Run(worker) as run, Run(sender) as delivery, Memory([each.pid for each in run.processes]) as memory:
            _wait_ready(run, metrics_address(0))
            _wait_ready(delivery, metrics_address(1))
            with Minutes(memory) as minutes:
                later = aside.submit(_alarm_later, place.kafka, name, count)
                print(latency(place.kafka, name, load, seconds, [metrics_address(0)], store), flush=True)
                print(alerts.line(later.result(), told), flush=True)
        by_minute = " ".join(f"{each:,.0f}" for each in minutes.seen)
        print(f"memory of the worker meanwhile, MB, minute by minute: {by_minute}; peak {memory.peak_mb[0]:,.0f}")


def _alarm_later(kafka: str, name: str, count: int) -> dict[str, float]:
    """Alarms that begin when the load has warmed up."""
    time.sleep(WARM_UP_S)
    return asyncio.run(alerts.alarm(kafka, name, count))


class Minutes:
    """What memory was last seen to be, once a minute."""

    def __init__(self, memory: Memory) -> None:
        """Nothing is seen yet."""
        self.memory, self.seen = memory, list[float]()
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Minutes:
        """Begin."""
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self.stopped.set()
        self.thread.join()

    def _watch(self) -> None:
        while not self.stopped.wait(MINUTE_S):
            self.seen.append(self.memory.last_mb)


def _wait_ready(run: Run, address: str) -> None:
    while True:
        run.check()
        try:
            with urlopen(f"http://{address}/readyz", timeout=5):
                return
        except (URLError, ConnectionError) as error:
            if time.perf_counter() - run.begun > START_LIMIT_S:
                raise BenchError(
                    f"bench: {address}: expected a ready worker in {START_LIMIT_S:.0f} s; {error}"
                ) from None
        time.sleep(0.1)


def main(arguments: Sequence[str] | None = None) -> None:
    """`python -m jobs.bench_live.compare`: every size, a day's backlog, then latency and memory."""
    parser = argparse.ArgumentParser(prog="python -m jobs.bench_live.compare", description=__doc__)
    parser.add_argument("--kafka", required=True, help="HOST:PORT of a broker without the topic telemetry")
    parser.add_argument("--server", required=True, help="postgresql://… of a role that may make databases")
    parser.add_argument("--quix-python", type=Path, help="Python of an environment with requirements/bench.txt")
    parser.add_argument("--per-message", type=int, nargs="*", default=[1, 10, 100])
    parser.add_argument("--share", type=float, default=1.0, help="of the readings of a full run")
    parser.add_argument("--latency-seconds", type=int, default=600, help="0: no latency")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        place = Place(given.kafka, given.server, given.quix_python, Path(folder) / "sites")
        write_sites(Load(10, 100, 100), place.sites)
        failures: list[str] = []
        try:
            for size in given.per_message:
                readings, fewer = (int(counts[size] * given.share) for counts in (READINGS, RIVAL_READINGS))
                results, failed = compare(place, size, readings, fewer, Load(10, 100, size))
                print(table(results), flush=True)
                failures += failed
            catch_up(place, given.share)
            if given.latency_seconds:
                paced(place, Load(200, 100, 100), given.latency_seconds)
        except KilowatchError as error:
            failures.append(str(error))
    if failures:
        raise SystemExit("\n".join(failures))


if __name__ == "__main__":
    main()
