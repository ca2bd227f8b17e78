"""`kilowatch bridge` as a process of its own, with somebody who publishes and somebody who reads from Kafka."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from jobs.cli import main; main()"]
PATIENCE_S = 40.0


def until(fulfilled: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
    """Ask again and again until the answer is true; fail after a while, saying what was waited for."""
    deadline = time.monotonic() + patience_s
    while not (answer := fulfilled()):
        assert time.monotonic() < deadline, f"not within {patience_s:g} s: {what}"
        time.sleep(0.02)
    return answer


class Bridge:
    """The command with its options; a context that ends it however the test ends."""

    def __init__(self, folder: Path, *options: str, env: dict[str, str] | None = None) -> None:
        self.folder, self.options, self.env = folder, options, env or {}
        self.log = folder / "bridge.log"
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Bridge:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def start(self) -> Bridge:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*COMMAND, "bridge", *self.options], cwd=ROOT, stdout=log, stderr=log, env={**os.environ, **self.env}
            )
        return self

    def events(self, name: str) -> list[dict[str, Any]]:
        """Lines of the log with this event."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == name]

    def started(self, times: int = 1) -> Bridge:
        """Wait until it takes messages."""
        until(lambda: self._lives() and len(self.events("bridge_started")) >= times, "bridge_started")
        return self

    def _lives(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        return True

    def address(self) -> str:
        """Where the first of its doors is."""
        return "http://{host}:{port}".format(**self.events("listening")[-1])

    def kill(self) -> None:
        """End it as a fault would."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> float:
        """End it as a service manager would; returns the seconds that it took."""
        assert self.process is not None
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(15) == 0, self.log.read_text()
        return time.monotonic() - begun

    def refused(self) -> str:
        """What it says when it cannot start; exit code 2."""
        assert self.process is not None
        assert self.process.wait(30) == 2, self.log.read_text()
        (said,) = [line for line in self.log.read_text().splitlines() if not line.startswith("{")]
        return said


def metric(address: str, name: str) -> float:
    """The sum of a metric over its labels."""
    with urllib.request.urlopen(f"{address}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    return sum(
        float(value) for value in re.findall(rf"^kilowatch_bridge_{name}(?:\{{.*\}})? (\S+)$", text, re.MULTILINE)
    )


def status(address: str, path: str) -> tuple[int, dict[str, Any]]:
    """Code and content of a page."""
    try:
        with urllib.request.urlopen(address + path, timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def reading(number: int, point: str = "plant/main") -> bytes:
    return json.dumps({"point": point, "time": 1_767_573_000 + number, "value": number}).encode()


class Topic:
    """Reads a topic from its beginning, and remembers every reading that was in it."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self.consumer = KafkaConsumer(
            topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
        )
        self.records: list[Any] = []
        self.values: list[Any] = []

    def __enter__(self) -> Topic:
        return self

    def __exit__(self, *_: object) -> None:
        self.consumer.close()

    def poll(self) -> Topic:
        for batch in self.consumer.poll(timeout_ms=100).values():
            for record in batch:
                self.records.append(record)
                self.values += [json.loads(line)["value"] for line in record.value.split(b"\n")]
        return self

    def has(self, numbers: Iterable[int]) -> None:
        """Wait until all of these are there."""
        wanted = set(numbers)
        until(lambda: wanted <= set(self.poll().values), f"{len(wanted)} readings in Kafka")
