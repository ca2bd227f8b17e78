"""A process as `kilowatch run` is one for alerts: one thread commits messages to a DuckDB file, a sender delivers them.

`python -m tests.live.alert_box STORE CHANNELS MESSAGES`: commits until there are so many, then waits for SIGTERM.
"""

from __future__ import annotations

import random
import signal
import sys
import threading
from contextlib import closing
from pathlib import Path

from prometheus_client import CollectorRegistry

from jobs.logs import start_logs
from streams.runners.delivery.channels import read_channels
from streams.runners.delivery.metrics import DeliveryMetrics
from streams.runners.delivery.sender import Sender, utc_now
from streams.stores.duckdb import DuckDBStore
from tests.runners.deliveries import put, story

PAUSE_S = 0.02


def main(path: Path, channels: Path, messages: int) -> None:
    """Begin where the last one was killed."""
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    ways = read_channels(channels)
    start_logs(ways.hidden)
    with closing(DuckDBStore(path)) as store:
        sender = Sender(
            store.beside(), ways, DeliveryMetrics(CollectorRegistry()), utc_now, random.Random(), poll_s=1.0
        )
        sender.start()
        done = store.rows("select count(*) from op.alert_outbox")[0][0]
        for notices in story(messages)[done // 2 :]:
            put(store, notices, utc_now())
            sender.wake()
            if stopping.wait(PAUSE_S):
                break
        stopping.wait()
        sender.stop(8)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
