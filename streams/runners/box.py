"""Everything on one box, without Kafka: the spool is the log, and a lane takes it into a DuckDB file.

What an inlet acknowledged is in the spool; what is committed is dropped from it. Killed at any moment it goes on where
the last commit stood (law 7). The housekeeping that years need is done between batches.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from streams.catalog.folder import SiteFolder
from streams.ingest.records import Message, Record
from streams.ingest.spool import Spool
from streams.runners.batch import MOST_RECORDS, Batch
from streams.runners.keeping import Keeping
from streams.runners.live import Lane
from streams.runners.memory import GIVE_BACK_S, give_back
from streams.runners.metrics import LiveMetrics
from streams.runners.watching import REFRESH_S, look
from streams.stores.duckdb import DuckDBStore

log = logging.getLogger("kilowatch.run")

LOG: Final = "spool"
CLOCK: Final = "clock"
WAIT_S: Final = 0.5
LEAVE_S: Final = 0.1
TICK_S: Final = 60.0


@dataclass(slots=True)
class Box:
    """The lane of one box and the thread that works in it.

    `failure` is set where it had to give up; the spool keeps what comes until it is started again. `told` is called
    after each commit that has put a message about an episode into the outbox.
    """

    spool: Spool
    store: DuckDBStore
    folder: SiteFolder
    metrics: LiveMetrics
    clock: Callable[[], datetime]
    keeping: Keeping
    tick_s: float = TICK_S
    told: Callable[[], None] = lambda: None
    lane: Lane = field(init=False)
    failure: Exception | None = None
    came: threading.Event = field(default_factory=threading.Event)
    stopping: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        """Load the state; nothing is taken yet."""
        self.lane = Lane(LOG, 0, self.store, self.folder, self.clock, archive=self.keeping.archive)
        self.keeping.begin(self.lane)
        self.spool.begin_after(self.lane.next_offset - 1)
        self.thread = threading.Thread(target=self._run, name="pipeline", daemon=True)

    def append(self, messages: Sequence[Message]) -> int:
        """Put messages into the spool, and wake the lane; on return they are safe."""
        last = self.spool.append(messages)
        self.came.set()
        return last

    def start(self) -> None:
        """Begin."""
        self.thread.start()

    def ask_to_stop(self) -> None:
        """Begin nothing more."""
        self.stopping.set()
        self.came.set()

    def stop(self, seconds: float) -> bool:
        """End after the batch under way, and leave a copy that is being made; tell whether it did within that time."""
        self.ask_to_stop()
        until = time.monotonic() + seconds
        while self.thread.is_alive() and time.monotonic() < until:
            self.store.leave_copy()
            self.thread.join(LEAVE_S)
        return not self.thread.is_alive()

    def tick(self) -> None:
        """Record the time: silence and the end of a window come from it alone (law 3)."""
        now_ms = int(self.clock().timestamp() * 1000)
        self.append([Message("", CLOCK, b"", now_ms, now_ms)])

    def _run(self) -> None:
        ticked = refreshed = given_back = time.monotonic()
        try:
            while not self.stopping.is_set():
                now = time.monotonic()
                if now - ticked >= self.tick_s:
                    ticked = now
                    self.tick()
                if now - refreshed >= REFRESH_S:
                    refreshed = now
                    look(self.folder, self.metrics, log)
                    if self.lane.look_for_models():
                        self._rest()
                if now - given_back >= GIVE_BACK_S:
                    given_back = now
                    give_back()
                self.came.clear()
                busy = self.work() > 0 or self._rest()
                if not busy or self.keeping.is_overdue(self.lane):
                    self.keeping.rest(self.lane)
                if not busy:
                    self.came.wait(min(WAIT_S, self.tick_s))
            self.keeping.close(self.lane)
        except Exception as error:  # noqa: BLE001 - whatever it is ends the process, which says so
            self.failure = error

    def work(self) -> int:
        """Take what waits in the spool; return how many records that were."""
        lane = self.lane
        records = self.spool.read(lane.next_offset - 1, MOST_RECORDS)
        for group in lane.batches(records, is_whole=True):
            while lane.next_offset <= group[-1].offset and not self.stopping.is_set():
                self._commit(group)
        if records:
            self.spool.drop(lane.next_offset - 1)
        return len(records)

    def _rest(self) -> bool:
        """Work off what was left for later; tell whether there was anything."""
        began = time.perf_counter()
        batch = self.lane.rest()
        if batch is not None:
            self._store(batch, [], began)
        return batch is not None

    def _commit(self, records: list[Record]) -> None:
        began = time.perf_counter()
        self._store(self.lane.prepare(records), records, began)

    def _store(self, batch: Batch, records: list[Record], began: float) -> None:
        computed = time.perf_counter()
        self.lane.commit(batch)
        if any("outbox" in each for each in batch.tables):
            self.told()
        self.keeping.after(self.lane, batch)
        self.metrics.compute.observe(computed - began)
        self.metrics.commit.observe(time.perf_counter() - computed)
        self.metrics.count(batch.counts)
        now_ms = self.clock().timestamp() * 1000
        for record in records:
            if record.tick_ms is None:
                self.metrics.latency.observe(max(0.0, now_ms - record.received_ms) / 1000)
        self.metrics.lag.labels(LOG, "0").set(max(0, self.spool.last + 1 - self.lane.next_offset))


def copy_of(file: Path) -> Path:
    """Where the daily copy of a store goes, beside its file."""
    return file.with_suffix(".copy.duckdb")
