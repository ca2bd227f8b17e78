"""`kilowatch replay --to kafka`: a slice of the archive into the log again, under the name of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson
import polars as pl
from kafka import KafkaProducer

from streams.catalog.runs import MARK
from streams.domain.findings import StoreError
from streams.domain.site import Site
from streams.ingest.kafka_settings import KafkaSettings
from streams.operators.points import PointTable
from streams.runners.embedded import archive_of
from streams.runners.kafka_clients import kafka_client, need_topic
from streams.runners.kafka_topics import TELEMETRY
from streams.stores.archive import Archive
from streams.stores.site import SiteStore
from streams.stores.store import Store

READINGS: Final = 500
"""Of one message."""
WAIT_S: Final = 60.0
BLOCK_MS: Final = 10_000


def republish(
    site: Site,
    stored: Store,
    kafka: KafkaSettings,
    run: str,
    begins: datetime,
    ends: datetime,
    progress: Callable[[int], None],
    archive: Path | None = None,
) -> int:
    """Send the archived readings of [begins, ends) in order of arrival as `site@run`, then a tick that ends the run.

    Results stand in the views of schema `run`, apart from the live ones. Returns how many readings were sent.
    StoreError where nothing is archived, KafkaUnusableError where a message was not taken.
    """
    need_topic(kafka, TELEMETRY)
    origin = SiteStore(stored, PointTable.of(site), Archive(archive or archive_of(stored)))
    name = f"{site.name}{MARK}{run}"
    first, last = (int(moment.timestamp() * 1000) for moment in (begins, ends))
    sent, latest = 0, first
    options: dict[str, Any] = {"acks": "all", "compression_type": "zstd", "linger_ms": 50, "max_block_ms": BLOCK_MS}
    with kafka_client(KafkaProducer, kafka, **options) as producer:
        futures = []
        for rows in _slices(origin, first, last):
            value = orjson.dumps(_readings(rows, f"{site.name}/", f"{name}/"))
            headers = [("gateway", f"run:{run}".encode())]
            futures.append(producer.send(TELEMETRY, key=name.encode(), value=value, headers=headers))
            sent += len(rows)
            latest = max(latest, int(rows["time_ms"].max()))  # type: ignore[arg-type]  # not empty
            progress(len(rows))
        if not sent:
            raise StoreError(f"store {stored.where}: no archived reading of {site.name!r} in that time")
        slack = max(point.allowed_lateness_ms + point.resolution_ms for point in site.points)
        headers = [("tick", str(latest + slack).encode())]
        futures.append(producer.send(TELEMETRY, key=name.encode(), value=b"", headers=headers))
        for future in futures:
            future.get(timeout=WAIT_S)
    return sent


def _slices(origin: SiteStore, first: int, last: int) -> Iterator[pl.DataFrame]:
    """Archived readings of a time in order of arrival, and those that no file holds yet, a message at a time."""
    archive = origin.archive
    listed = origin.listed()
    stretches = [*(archive.read(listed) if archive and listed else ()), origin.unarchived()]
    for stretch in stretches:
        rows = stretch.filter(pl.col("time_ms").is_between(first, last, closed="left"))
        for begin in range(0, len(rows), READINGS):
            yield rows[begin : begin + READINGS]


def _readings(rows: pl.DataFrame, before: str, after: str) -> list[dict[str, object]]:
    """Readings as they were sent, under the run's names."""
    made = []
    for point, time_ms, value, text, unit, quality, extra in rows.select(
        "point", "time_ms", "value", "text", "unit", "quality", "extra"
    ).iter_rows():
        reading = orjson.loads(extra) if extra else {}
        reading |= {
            "point": after + point.removeprefix(before),
            "time": time_ms,
            "value": text if value is None else value,
        }
        if unit is not None:
            reading["unit"] = unit
        if quality:
            reading["quality"] = quality
        made.append(reading)
    return made
