"""A receiver of webhooks: a real HTTP server that answers well, or misbehaves as it is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

import orjson

from tests.servers.ports import LOOPBACK


@dataclass(frozen=True)
class Answer:
    """How a request is answered: after `delay_s`; not at all where `drops`; with a body without an end if `endless`."""

    code: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay_s: float = 0.0
    drops: bool = False
    endless: bool = False


@dataclass(frozen=True)
class Got:
    """A request that was read whole; `began` and `ended` are of the answer."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    began: float
    answer: Answer

    @property
    def id(self) -> str:
        return self.headers.get("webhook-id", "")

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


class Receiver:
    """Listens on a port of loopback; `answering` says how each request is answered, by what was got."""

    def __init__(self, answering: Callable[[str, str], Answer] | None = None, port: int = 0) -> None:
        self.answering = answering or (lambda _path, _id: Answer())
        self.got: list[Got] = []
        self.under_way = self.most_under_way = 0
        self.doubled: list[str] = []
        self._busy: dict[str, int] = {}
        self._lock = threading.Lock()
        self.closing = threading.Event()
        self.server = ThreadingHTTPServer((LOOPBACK, port), _handler(self))
        self.server.daemon_threads = True
        self.port = int(self.server.server_address[1])
        self.url = f"http://{LOOPBACK}:{self.port}"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def __enter__(self) -> Receiver:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()

    def ids(self, path: str | None = None) -> list[str]:
        """The ids of what was got and answered well, in order."""
        with self._lock:
            return [each.id for each in self.got if each.answer.code < 300 and path in (None, each.path)]

    def _begin(self, got: Got) -> None:
        with self._lock:
            self.got.append(got)
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
            key = f"{got.path} {got.id}"
            self._busy[key] = self._busy.get(key, 0) + 1
            if self._busy[key] > 1:
                self.doubled.append(key)

    def _end(self, got: Got) -> None:
        with self._lock:
            self.under_way -= 1
            self._busy[f"{got.path} {got.id}"] -= 1


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = receiver.answering(self.path, headers.get("webhook-id", ""))
            got = Got(self.command, self.path, headers, body, time.monotonic(), answer)
            receiver._begin(got)
            try:
                receiver.closing.wait(answer.delay_s)
                if not answer.drops:
                    self._answer(answer)
            except OSError:
                pass
            finally:
                receiver._end(got)
            self.close_connection = True

        def _answer(self, answer: Answer) -> None:
            self.send_response(answer.code)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if not answer.endless:
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)
            while answer.endless and not receiver.closing.wait(0.001):
                self.wfile.write(b"x" * 65_536)

        do_POST = do_GET = do_PATCH = _take  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
