"""The stopwatch of the live bench: runs a contestant as processes, watches its rows and its memory, prints the table.

Every contestant gets the same figures in the same way. Start-up is from the start of the process to the first
committed row. Readings a second are those committed after the first sight of rows, over the time from there to the
last; a rival that has more to do than insert rows says itself how long it took, and its own figure is taken. Memory is
the largest sum of the resident sets of a process and its children.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psycopg

from streams.domain.findings import KilowatchError

ROOT = Path(__file__).parents[2]
LOOK_S = 0.05
RSS_S = 0.2
STOP_S = 10.0
KB_MB = 1024
FIGURES = re.compile(r"\{[^{}]*\"readings\"[^{}]*\}")


class BenchError(KilowatchError):
    """A contestant ended, stood still or never began."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """What to run and where its rows turn up.

    `commands` is one command a worker; all start together. `progress` is the SQL that counts committed readings; it is
    asked often, so it must be cheap. `own_figures` says that the contestant prints JSON and ends by itself.
    """

    name: str
    commands: tuple[tuple[str, ...], ...]
    store: str
    progress: str
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
    whole_s: float
    peak_mb: tuple[float, ...]


@dataclass(slots=True)
class Memory:
    """Resident memory of each process tree, in MB, sampled from a thread of its own: the peaks, and the last."""

    pids: list[int]
    last_mb: float = 0.0
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
                self.last_mb = tree_mb(pid)
                self.peak_mb[nth] = max(self.peak_mb[nth], self.last_mb)
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


class Progress:
    """Asks the store how many readings are committed."""

    def __init__(self, contestant: Contestant) -> None:
        """Connect; the tables need not be there yet."""
        self.connection = psycopg.connect(contestant.store, autocommit=True)
        self.question = contestant.progress

    def committed(self) -> int:
        """Committed readings; 0 while the tables are not there."""
        try:
            row = self.connection.execute(self.question.encode()).fetchone()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            return 0
        return int(row[0]) if row else 0


@dataclass(slots=True)
class Run:
    """One run of a contestant: its processes, what they print, and when its rows turned up (seconds of one clock)."""

    contestant: Contestant
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    logs: list[IO[bytes]] = field(default_factory=list)
    begun: float = 0.0
    first_at: float = 0.0
    first_seen: int = 0
    last_at: float = 0.0
    seen: int = 0

    def __enter__(self) -> Run:
        """Start every worker."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
        self.begun = time.perf_counter()
        for command in self.contestant.commands:
            log = tempfile.TemporaryFile()
            self.logs.append(log)
            started = subprocess.Popen(  # noqa: S603 - the bench's own commands
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=environment, cwd=ROOT
            )
            self.processes.append(started)
        return self

    def __exit__(self, *_: object) -> None:
        """End what still runs: asked first, and killed after ten seconds."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for log in self.logs:
            log.close()

    def printed(self, nth: int) -> str:
        """What worker `nth` has printed."""
        self.logs[nth].seek(0)
        return self.logs[nth].read().decode(errors="replace")

    def look(self, progress: Progress) -> None:
        """Note what is committed now."""
        at = time.perf_counter()
        self.seen = progress.committed()
        self.last_at = at
        if self.seen and not self.first_at:
            self.first_at, self.first_seen = time.perf_counter(), self.seen

    def check(self) -> None:
        """BenchError where a worker has ended wrongly or the time is up."""
        name, limit_s = self.contestant.name, self.contestant.time_limit_s
        for nth, process in enumerate(self.processes):
            code = process.poll()
            if code is None or (code == 0 and self.contestant.own_figures):
                continue
            last = " / ".join(self.printed(nth).strip().splitlines()[-3:])
            raise BenchError(f"bench: {name}: expected a running process; found exit code {code}: {last}")
        if time.perf_counter() - self.begun > limit_s:
            raise BenchError(f"bench: {name}: expected to be done within {limit_s:.0f} s; found {self.seen:,} readings")


def measure(contestant: Contestant, per_message: int, readings: int) -> Result:
    """Run it until `readings` readings are committed, or until it ends by itself with figures of its own."""
    progress = Progress(contestant)
    with closing(progress.connection):
        if progress.committed():
            raise BenchError(f"bench: {contestant.name}: expected an empty store; found readings")
        with Run(contestant) as run, Memory([process.pid for process in run.processes]) as memory:
            while True:
                run.look(progress)
                ended = all(process.poll() is not None for process in run.processes)
                run.check()
                if ended or (not contestant.own_figures and run.seen >= readings):
                    break
                time.sleep(LOOK_S)
            if contestant.own_figures:
                readings, seconds = _own_figures(contestant, run.printed(0))
                a_second = readings / seconds
            else:
                a_second = speed(run, readings)
        start_s, whole_s = run.first_at - run.begun, run.last_at - run.begun
        return Result(contestant.name, per_message, readings, a_second, start_s, whole_s, tuple(memory.peak_mb))


def speed(run: Run, readings: int) -> float:
    """Readings a second after the first sight of rows; BenchError where one look saw them all."""
    if run.first_seen >= readings:
        raise BenchError(
            f"bench: {run.contestant.name}: expected more than one commit; found all {readings:,} readings at once"
        )
    return (run.seen - run.first_seen) / (run.last_at - run.first_at)


def _own_figures(contestant: Contestant, printed: str) -> tuple[int, float]:
    found = FIGURES.findall(printed)
    if not found:
        raise BenchError(f"bench: {contestant.name}: expected its figures as JSON; found {printed[-300:]!r}")
    figures = json.loads(found[-1])
    return int(figures["readings"]), float(figures["seconds"])


def table(results: Sequence[Result]) -> str:
    """The results as text, each with the first one's speed as a multiple of its own at the same message size."""
    lines = [f"{'':24}{'a message':>10}{'readings':>12}{'readings/s':>12}{'ratio':>8}{'start s':>9}  peak MB a process"]
    first: dict[int, float] = {}
    for each in results:
        ours = first.setdefault(each.per_message, each.a_second)
        peaks = " + ".join(f"{peak:,.0f}" for peak in each.peak_mb)
        lines.append(
            f"{each.name:24}{each.per_message:>10}{each.readings:>12,}{each.a_second:>12,.0f}"
            f"{ours / each.a_second:>8.1f}{each.start_s:>9.1f}  {peaks}"
        )
    return "\n".join(lines)
