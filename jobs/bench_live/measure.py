"""The stopwatch of the live bench: runs a contestant as processes, watches its rows and its memory, prints the table.

Every contestant gets the same figures in the same way. Start-up is from the start of the process to the first
committed row. Readings a second are those committed after the first sight of rows, over the time from there to the
last; a rival that has more to do than insert rows says itself how long it took, and its own figure is taken. Memory is
the largest sum of the resident sets of a process and its children.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from jobs.bench_live import latency, load
from streams.domain.findings import KilowatchError

ROOT = Path(__file__).parents[2]
LOOK_S = 0.02
RSS_S = 0.2
STOP_S = 10.0
KB_MB = 1024
FIGURES = re.compile(r"\{[^{}]*\"readings\"[^{}]*\}")


class BenchError(KilowatchError):
    """A contestant ended, stood still or never began."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """What to run and where its rows turn up.

    `commands` is one command a worker; all start together. `own_figures` says that it prints JSON and ends by itself.
    """

    name: str
    commands: tuple[tuple[str, ...], ...]
    store: str
    table: str
    own_figures: bool = False
    time_limit_s: float = 900.0


@dataclass(frozen=True, slots=True)
class Result:
    """The figures of one run."""

    name: str
    per_message: int
    readings: int
    a_second: float
    start_s: float
    peak_mb: tuple[float, ...]


@dataclass(slots=True)
class Memory:
    """Peak resident memory of each process tree, in MB, sampled from a thread of its own."""

    pids: list[int]
    peak_mb: list[float] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    def __enter__(self) -> Memory:
        """Start sampling."""
        self.peak_mb = [0.0] * len(self.pids)
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop sampling."""
        self.stopped.set()
        if self.thread is not None:
            self.thread.join()

    def _watch(self) -> None:
        while not self.stopped.is_set():
            for nth, pid in enumerate(self.pids):
                self.peak_mb[nth] = max(self.peak_mb[nth], tree_mb(pid))
            self.stopped.wait(RSS_S)


def tree_mb(pid: int) -> float:
    """Resident memory of a process and its descendants in MB; what has ended counts nothing."""
    total, waiting = 0.0, [pid]
    while waiting:
        each = Path("/proc") / str(waiting.pop())
        try:
            status = (each / "status").read_text()
            for task in (each / "task").iterdir():
                waiting.extend(map(int, (task / "children").read_text().split()))
        except (FileNotFoundError, ProcessLookupError):
            continue
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        total += int(found[1]) / KB_MB if found else 0.0
    return total


class Rows:
    """Counts the rows of one table as they are committed."""

    def __init__(self, contestant: Contestant) -> None:
        """Connect; the table need not be there yet."""
        self.connection = psycopg.connect(contestant.store, autocommit=True)
        self.connection.execute("set max_parallel_workers_per_gather = 0")  # the other core is the contestant's
        self.table = contestant.table

    def count(self) -> int:
        """Committed rows; 0 while there is no such table."""
        there = self.connection.execute("select to_regclass(%s) is not null", [self.table]).fetchone()
        if there is None or not there[0]:
            return 0
        row = self.connection.execute(f"select count(*) from {self.table}").fetchone()  # noqa: S608 - our own name
        return int(row[0]) if row else 0


def measure(contestant: Contestant, per_message: int, readings: int) -> Result:
    """Run it until `readings` rows are committed, or until it ends by itself with its own figures."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    logs = [tempfile.TemporaryFile() for _ in contestant.commands]
    rows = Rows(contestant)
    if rows.count():
        raise BenchError(f"bench: {contestant.name}: expected an empty {contestant.table}; found rows")
    begun = time.perf_counter()
    processes = [
        subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment, cwd=ROOT)  # noqa: S603
        for command, log in zip(contestant.commands, logs, strict=True)
    ]
    try:
        with Memory([process.pid for process in processes]) as memory:
            first_at, seen, last_at, done = _watch(contestant, processes, rows, readings, begun)
        if contestant.own_figures:
            figures = _own_figures(contestant, logs[0].name, processes[0])
            a_second, done = figures["readings"] / figures["seconds"], int(figures["readings"])
        else:
            a_second = (done - seen) / (last_at - first_at) if done > seen else done / (last_at - begun)
        return Result(contestant.name, per_message, done, a_second, first_at - begun, tuple(memory.peak_mb))
    finally:
        _end(processes)
        for log in logs:
            log.close()
        rows.connection.close()
