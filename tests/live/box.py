"""`kilowatch run` as a process, and the gateways that send to it by HTTP until they have their answer."""

from __future__ import annotations

import http.client
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from streams.ingest.push import token_line
from tests.live.harness import PROJECT, metric, wait_for
from tests.servers.ports import LOOPBACK, free_port

TOKEN = "a-token-of-the-tests"
COMMAND = str(Path(sys.executable).with_name("kilowatch"))
PAUSE_S = 0.02


class Box:
    """One box: its files, its ports, and the process that holds them; it records no ticks of its own."""

    def __init__(self, sites: Path, folder: Path, *options: str) -> None:
        self.folder, self.store, self.spool = folder, folder / "box.duckdb", folder / "spool" / "run.spool"
        self.copy, self.archive = folder / "box.copy.duckdb", folder / "box.duckdb.archive"
        self.port, self.metrics, self.log = free_port(), free_port(), folder / "box.log"
        (folder / "tokens").write_text(token_line("gw1", TOKEN, "*") + "\n")
        self.command = [
            *(COMMAND, "run", "--sites", str(sites), "--store", f"duckdb:///{self.store}"),
            *("--spool", str(self.spool.parent), "--http", f"{LOOPBACK}:{self.port}"),
            *("--tokens", str(folder / "tokens"), "--metrics", f"{LOOPBACK}:{self.metrics}", "--tick-s", "100000"),
            *options,
        ]
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Box:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def start(self) -> subprocess.Popen[bytes]:
        """Start it; it may take a moment until it listens."""
        with self.log.open("ab") as log:
            environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, env=environment)
        return self.process

    def started(self) -> None:
        """Start it and wait until it listens."""
        process = self.start()

        def listens() -> bool:
            assert process.poll() is None, self.said()
            try:
                with urllib.request.urlopen(f"http://{LOOPBACK}:{self.port}/healthz", timeout=5):
                    return True
            except OSError:
                return False

        wait_for(listens, self.said)

    def kill(self) -> None:
        """End it without a chance to tidy up."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> float:
        """Ask it to end, which it must do well; return how many seconds it took."""
        assert self.process is not None
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 0, self.said()
        return time.monotonic() - begun

    def waiting(self) -> int:
        """Messages that are safe and not in the store yet."""
        with closing(sqlite3.connect(f"file:{self.spool}?mode=ro", uri=True, timeout=10)) as spool:
            return int(spool.execute("select count(*) from record").fetchone()[0])

    def finish(self) -> None:
        """Wait until everything is in the store."""
        wait_for(lambda: self.waiting() == 0, self.said)

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels."""
        return metric(self.metrics, name)

    def said(self) -> str:
        """The end of what it said."""
        return self.log.read_text()[-3_000:]


class Gateway:
    """Sends the messages of one site in order, in the background; what is not answered by 202 is sent again."""

    def __init__(self, port: int, site: str, messages: Sequence[bytes]) -> None:
        self.port, self.site, self.messages = port, site, messages
        self.accepted = self.again = 0
        self.refusal = ""
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def __enter__(self) -> Gateway:
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()

    @property
    def done(self) -> bool:
        """Whether every message was accepted."""
        assert not self.refusal, self.refusal
        return self.accepted == len(self.messages)

    def finish(self) -> None:
        """Wait until every message was accepted."""
        wait_for(lambda: self.done)

    def _send(self) -> None:
        for message in self.messages:
            for answer in self._attempts(message):
                if answer == 202:
                    break
                self.again += 1
            if self._ending.is_set() or self.refusal:
                return
            self.accepted += 1

    def _attempts(self, message: bytes) -> Iterator[int | None]:
        """Post a message again and again; gives the answers, None where there was none."""
        while not self._ending.is_set() and not self.refusal:
            try:
                yield self._post(message)
            except (OSError, http.client.HTTPException):
                yield None
            self._ending.wait(PAUSE_S)

    def _post(self, message: bytes) -> int:
        with closing(http.client.HTTPConnection(LOOPBACK, self.port, timeout=10)) as line:
            line.request("POST", f"/telemetry/{self.site}", message, {"Authorization": f"Bearer {TOKEN}"})
            answer = line.getresponse()
            said = answer.read()
        if answer.status not in (202, 503):
            self.refusal = f"{answer.status} {said!r}"
        return answer.status


def asked(store: Path, statement: str) -> subprocess.CompletedProcess[str]:
    """What another process finds in a store."""
    command = [COMMAND, "query", statement, "--store", f"duckdb:///{store}", "--format", "csv"]
    return subprocess.run(command, capture_output=True, text=True, check=False)
