"""A rival: the same topic with Quix Streams, tumbling windows of a quarter-hour.

A message's list is expanded into readings, which go to PostgreSQL through one sink, and are grouped by point for the
windows, whose first and last register value go through another. Because the topic is keyed by site and windows are kept
by message key, `group_by` is needed; over more than one partition it sends every reading through a repartition topic.

It does less than Kilowatch: windows close by the time of their own point, what comes later than a minute after is left
out, and the energy between two windows' readings is in neither.
"""

from __future__ import annotations

import argparse
import json
import resource
import time

STARTED = time.perf_counter()  # before the imports, which are part of starting

from datetime import datetime  # noqa: E402
from pathlib import Path  # noqa: E402
from tempfile import TemporaryDirectory  # noqa: E402
from typing import Any  # noqa: E402

import psycopg  # noqa: E402
from quixstreams import Application  # type: ignore[import-not-found] # noqa: E402
from quixstreams.dataframe.windows import Earliest, Latest  # type: ignore[import-not-found] # noqa: E402
from quixstreams.sinks import BatchingSink, SinkBatch  # type: ignore[import-not-found] # noqa: E402

from jobs.bench_live.rows import ENERGY, LAYOUT, QUARTER_MS, READING  # noqa: E402

GRACE_MS = 60_000
COMMIT_S = 1.0


class Rows(BatchingSink):  # type: ignore[misc]
    """What a checkpoint collected, as rows of one table, in one transaction."""

    def __init__(self, dsn: str, schema: str, statement: str) -> None:
        """Connect, and make the tables if they are not there."""
        super().__init__()
        self.connection = psycopg.connect(dsn)
        self.connection.execute(LAYOUT.format(schema=schema))
        self.connection.commit()
        self.statement = statement.format(schema=schema)
        self.committed = 0
        self.first_commit_at = self.last_commit_at = 0.0

    def write(self, batch: SinkBatch) -> None:
        """Insert and commit a partition's rows."""
        with self.connection.cursor() as cursor:
            cursor.executemany(self.statement, [item.value for item in batch])
        self.connection.commit()
        self.committed += batch.size
        self.last_commit_at = time.perf_counter()
        self.first_commit_at = self.first_commit_at or self.last_commit_at


def time_ms(reading: dict[str, Any], _key: object, _timestamp: int, _headers: object) -> int:
    """The time of a reading in milliseconds since 1970."""
    return int(datetime.fromisoformat(reading["time"]).timestamp() * 1000)


class Progress:
    """How many readings have come out of the windows' input, and when the first message came."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.windowed = 0
        self.first_at = 0.0

    def take(self, message: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Note the first message; pass its readings on."""
        self.first_at = self.first_at or time.perf_counter()
        return message

    def window(self, reading: dict[str, Any]) -> dict[str, Any]:
        """Count a reading on its way into its window."""
        self.windowed += 1
        return reading


def run(given: argparse.Namespace, state: Path) -> dict[str, float]:
    """Consume until so many readings went into windows and are committed; the figures."""
    progress = Progress()

    def stop_when_done(*_: object) -> None:
        if progress.windowed >= given.readings:
            app.stop()

    app = Application(
        broker_address=given.kafka,
        consumer_group=given.group,
        auto_offset_reset="earliest",
        commit_interval=COMMIT_S,
        state_dir=state,
        loglevel="WARNING",
        on_message_processed=stop_when_done,
    )
    readings = Rows(given.store, given.schema, READING)
    energy = Rows(given.store, given.schema, ENERGY)

    each = app.dataframe(app.topic(given.topic, value_deserializer="json")).apply(progress.take, expand=True)
    each = each.set_timestamp(time_ms)
    each.apply(lambda reading: (reading["point"], reading["time"], reading["value"])).sink(readings)
    windows = (
        each.group_by("point")
        .apply(progress.window)
        .tumbling_window(QUARTER_MS, grace_ms=GRACE_MS, on_late=lambda *_: False)
    )
    closed = windows.agg(first=Earliest("value"), last=Latest("value")).final()
    closed.apply(_window_row, metadata=True).sink(energy)
    app.run()
    return {
        "readings": progress.windowed,
        "seconds": round(readings.last_commit_at - progress.first_at, 3),
        "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "start_s": round(readings.first_commit_at - STARTED, 3),
    }


def _window_row(window: dict[str, Any], point: object, _timestamp: int, _headers: object) -> tuple[object, int, float]:
    return (point, window["start"], window["last"] - window["first"])


def main() -> None:
    """`python -m jobs.bench_live.quix_windows`; the figures go to standard output as JSON."""
    parser = argparse.ArgumentParser(prog="python -m jobs.bench_live.quix_windows", description=__doc__)
    parser.add_argument("--kafka", required=True, help="HOST:PORT")
    parser.add_argument("--topic", required=True)
    parser.add_argument("--group", required=True)
    parser.add_argument("--store", required=True, help="postgresql://…")
    parser.add_argument("--schema", default="quix_windows", help="of the tables, made here")
    parser.add_argument("--readings", type=int, required=True, help="stop when so many are committed")
    given = parser.parse_args()
    with TemporaryDirectory() as state:
        figures = run(given, Path(state))
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
