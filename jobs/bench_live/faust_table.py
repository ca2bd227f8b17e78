"""A rival: the same topic with plain Faust, as its documentation teaches it.

An agent reads messages one by one. A `Table` with changelog holds each point's last reading and the energy of its
current quarter-hour; energy is the difference of register readings. Rows are inserted into PostgreSQL with
`executemany`, some thousands at a time or each second. `--state site` is a keener author's version: the table has one
entry for each site with all its points, so that a message of many readings costs one changelog record, a large one.

It does less than Kilowatch: it knows no rollover, reset or gap, leaves a late reading out of the energy, and a crash
between Faust's commit and the insert loses rows.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import signal
import time
from datetime import datetime
from typing import Any

import faust
import psycopg
from faust.types import AppT, StreamT, TableT

from jobs.bench_live.rows import ENERGY, LAYOUT, QUARTER_MS, READING

STARTED = time.perf_counter()
FLUSH_ROWS = 5_000
FLUSH_S = 1.0


class Rows:
    """Rows on their way to PostgreSQL, and the stopwatch."""

    def __init__(self, dsn: str, schema: str, expected: int) -> None:
        """Nothing collected yet; the process ends itself when `expected` readings are committed."""
        self.dsn, self.schema, self.expected = dsn, schema, expected
        self.readings: list[tuple[str, str, float]] = []
        self.energy: list[tuple[str, int, float]] = []
        self.committed = 0
        self.first_at = self.first_commit_at = 0.0
        self.connection: psycopg.AsyncConnection[tuple[Any, ...]] | None = None
        self.lock = asyncio.Lock()

    async def flush(self) -> None:
        """Insert and commit what is there; when that was all, say how it went and stop."""
        async with self.lock:
            if not self.readings:
                return
            readings, energy = self.readings, self.energy
            self.readings, self.energy = [], []
            if self.connection is None:
                self.connection = await psycopg.AsyncConnection.connect(self.dsn)
                await self.connection.execute(LAYOUT.format(schema=self.schema))
            async with self.connection.cursor() as cursor:
                await cursor.executemany(READING.format(schema=self.schema), readings)
                if energy:
                    await cursor.executemany(ENERGY.format(schema=self.schema), energy)
            await self.connection.commit()
            self.first_commit_at = self.first_commit_at or time.perf_counter()
            before, self.committed = self.committed, self.committed + len(readings)
            if before < self.expected <= self.committed:
                self.finish()

    def finish(self) -> None:
        """Print the figures as JSON and ask the worker to stop."""
        figures = {
            "readings": self.committed,
            "seconds": round(time.perf_counter() - self.first_at, 3),
            "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
            "start_s": round(self.first_commit_at - STARTED, 3),
        }
        print(json.dumps(figures), flush=True)
        os.kill(os.getpid(), signal.SIGTERM)


def book(state: dict[str, Any] | None, reading: dict[str, Any], rows: Rows) -> dict[str, Any] | None:
    """A point's next state after a reading, or None where it is late; a finished quarter-hour becomes a row."""
    point, value = reading["point"], reading["value"]
    time_ms = int(datetime.fromisoformat(reading["time"]).timestamp() * 1000)
    rows.readings.append((point, reading["time"], value))
    quarter = time_ms // QUARTER_MS
    if state is None:
        return {"value": value, "time": time_ms, "quarter": quarter, "kwh": 0.0}
    if time_ms <= state["time"]:
        return None
    growth = value - state["value"]
    if quarter == state["quarter"]:
        growth += state["kwh"]
    else:
        rows.energy.append((point, state["quarter"] * QUARTER_MS, state["kwh"]))
    return {"value": value, "time": time_ms, "quarter": quarter, "kwh": growth}


async def by_point(stream: StreamT[Any], points: TableT[str, Any], rows: Rows) -> None:
    """The plain way: a table entry for each point, set at each reading."""
    async for readings in stream:
        rows.first_at = rows.first_at or time.perf_counter()
        for reading in readings:
            after = book(points.get(reading["point"]), reading, rows)
            if after is not None:
                points[reading["point"]] = after
        if len(rows.readings) >= FLUSH_ROWS:
            await rows.flush()


async def by_site(stream: StreamT[Any], sites: TableT[str, Any], rows: Rows) -> None:
    """A table entry for each site, which holds all its points and is set at each message."""
    async for site, readings in stream.items():
        rows.first_at = rows.first_at or time.perf_counter()
        name = site.decode()
        points = sites.get(name) or {}
        for reading in readings:
            after = book(points.get(reading["point"]), reading, rows)
            if after is not None:
                points[reading["point"]] = after
        sites[name] = points
        if len(rows.readings) >= FLUSH_ROWS:
            await rows.flush()


def build(given: argparse.Namespace) -> AppT:
    """The app: one agent, one table, one timer."""
    app = faust.App(
        given.group,
        broker=f"kafka://{given.kafka}",
        store="memory://",
        topic_partitions=given.partitions,
        topic_disable_leader=True,
        web_enabled=False,
        consumer_auto_offset_reset="earliest",
        producer_linger=0.02,  # both twice as quick here as with the defaults
        producer_max_batch_size=1 << 18,
    )
    rows = Rows(given.store, given.schema, given.readings)
    telemetry = app.topic(given.topic, key_type=bytes, value_serializer="json", partitions=given.partitions)
    table = app.Table(f"{given.state}s", partitions=given.partitions)

    @app.agent(telemetry)
    async def account(stream: StreamT[Any]) -> None:
        await (by_site if given.state == "site" else by_point)(stream, table, rows)

    @app.timer(FLUSH_S)  # type: ignore[untyped-decorator]
    async def insert() -> None:
        await rows.flush()

    return app


def main() -> None:
    """`python -m jobs.bench_live.faust_table`; the figures go to standard output as JSON."""
    parser = argparse.ArgumentParser(prog="python -m jobs.bench_live.faust_table", description=__doc__)
    parser.add_argument("--kafka", required=True, help="HOST:PORT")
    parser.add_argument("--topic", required=True)
    parser.add_argument("--partitions", type=int, required=True, help="of the topic")
    parser.add_argument("--group", required=True)
    parser.add_argument("--store", required=True, help="postgresql://…")
    parser.add_argument("--schema", default="faust_table", help="of the tables, made here")
    parser.add_argument("--readings", type=int, required=True, help="stop when so many are committed")
    parser.add_argument("--state", choices=["point", "site"], default="point", help="what a table entry holds")
    given = parser.parse_args()
    worker = faust.Worker(build(given), loglevel="error", quiet=True, redirect_stdouts=False)
    worker.execute_from_commandline()


if __name__ == "__main__":
    main()
