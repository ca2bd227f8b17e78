"""From a reading to a webhook, under the paced load: a gauge passes its limit, and a receiver is told.

One more site than the load's has gauges with a rule each. Now and then the reading of one passes the limit, by a
message of its own that goes to Kafka like the others; a worker opens the episode, `kilowatch alerts deliver` posts it,
and the time is taken from the moment before the sending to the moment when the receiver has read the request.
"""

from __future__ import annotations

import asyncio
import base64
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]

from jobs.bench_live.load import Message, producer, send
from jobs.bench_live.measure import BenchError

SITE_NAME = "watched"
EVERY_S = 0.25
LIMIT, CALM, WARM = 10.0, 4.0, 50.0
LAST_S = 15.0
SECRET = "KILOWATCH_BENCH_SECRET"  # noqa: S105 - the name of a variable

SITE = """\
# A site of the live bench: gauges, each of which passes its limit once.
site: watched
kind: cold_chain
time_zone: Asia/Taipei
starts_on: 2025-01-01
gwp_set: AR5
allowed_lateness: 2min
resolution: 15min
assets:
  - {{name: room}}
points:
{points}
rules:
  - {{name: warm, kind: threshold, points: "t*", above: {limit}, for: 0s}}
"""
POINT = "  - {{name: t{nth:04d}, asset: room, kind: gauge, unit: Cel, interval: 1min}}"
CHANNELS = """\
channels:
  - name: bench
    kind: webhook
    url: {url}
    secret: {{env: {secret}}}
    allow_private: true
routes:
  - {{channels: [bench], kinds: [opened], sites: [watched]}}
"""


@dataclass(slots=True)
class Told:
    """When the receiver had read the first message about a point; how often it was told of one again."""

    at: dict[str, float] = field(default_factory=dict)
    again: int = 0


@contextmanager
def receiver() -> Iterator[tuple[str, Told]]:
    """An HTTP server on loopback that notes what it is told; its address, and the notes."""
    told, lock = Told(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            now = time.time()
            subject = orjson.loads(body)["data"]["subject"]
            with lock:
                told.again += subject in told.at
                told.at.setdefault(subject, now)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:  # noqa: ANN401 - the library's
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", told
    finally:
        server.shutdown()
        server.server_close()


def write_site(folder: Path, alarms: int) -> None:
    """The site of the gauges, beside those of the load."""
    points = "\n".join(POINT.format(nth=nth) for nth in range(alarms))
    (folder / f"{SITE_NAME}.yaml").write_text(SITE.format(points=points, limit=LIMIT))


def write_channels(folder: Path, url: str) -> Path:
    """A channels file with that receiver alone; its secret goes into the environment."""
    os.environ[SECRET] = f"whsec_{base64.b64encode(os.urandom(32)).decode()}"
    path = folder / "channels.yaml"
    path.write_text(CHANNELS.format(url=url, secret=SECRET))
    return path


async def alarm(kafka: str, topic: str, alarms: int) -> dict[str, float]:
    """Let one gauge after the other pass its limit; the moment before each was sent, by point."""
    sent = {}
    async with producer(kafka, linger_ms=2) as out:
        for nth in range(alarms):
            await _read(out, topic, nth, CALM)
        await asyncio.sleep(2.0)
        for nth in range(alarms):
            sent[f"{SITE_NAME}/t{nth:04d}"] = await _read(out, topic, nth, WARM)
            await asyncio.sleep(EVERY_S)
    return sent


async def _read(out: AIOKafkaProducer, topic: str, nth: int, value: float) -> float:
    now = time.time()
    stamp = np.datetime64(int(now * 1000), "ms").item().isoformat(timespec="milliseconds")
    body = orjson.dumps([{"point": f"{SITE_NAME}/t{nth:04d}", "time": f"{stamp}Z", "value": value}])
    await send(out, topic, Message(SITE_NAME, int(now * 1000), body, 1))
    return now


def line(sent: dict[str, float], told: Told) -> str:
    """One line of the bench; BenchError where a webhook did not come."""
    until = time.monotonic() + LAST_S
    while len(told.at) < len(sent) and time.monotonic() < until:
        time.sleep(0.1)
    if missing := sorted(sent.keys() - told.at.keys()):
        raise BenchError(f"bench: expected a webhook for each of {len(sent)} alarms; {missing[0]} has none")
    waited = np.sort([told.at[point] - at for point, at in sent.items()])
    p50, p99 = np.quantile(waited, [0.5, 0.99])
    return (
        f"reading to webhook under that load, {len(sent)} alarms: median {p50:.3f} s, 99th percentile {p99:.3f} s, "
        f"most {waited[-1]:.3f} s; told twice: {told.again}"
    )
