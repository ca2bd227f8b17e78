"""The door by which commands on this machine reach a process that holds the file of a store.

The process listens on loopback and writes address and token into `FILE.control`, which its user alone can read.
"""

from __future__ import annotations

import http.client
import logging
import os
import secrets
import threading
from collections.abc import Callable, Iterable
from hmac import compare_digest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import orjson

from streams.domain.findings import KilowatchError, StoreError
from streams.stores.alert_desk import Answer, Desk

log = logging.getLogger("kilowatch.control")
LOOPBACK: Final = "127.0.0.1"
MOST_BYTES: Final = 4 * 1024 * 1024
"""Of a request; the parameters of a model are some hundred thousand."""
PATIENCE_S: Final = 15.0


def control_file(store: Path) -> Path:
    """Where the door of the process that holds a store is written down."""
    return store.with_name(f"{store.name}.control")


class Control:
    """The door: `POST /VERB` with the token and a JSON object answers with rows."""

    def __init__(self, store: Path, desk: Desk) -> None:
        """Listen on a free port."""
        self.file, self.token = control_file(store), secrets.token_urlsafe(32)
        self.server = ThreadingHTTPServer((LOOPBACK, 0), _handler(self.token, _one_by_one(desk)))
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, name="control", daemon=True)
        self.thread.start()
        self._write()

    def _write(self) -> None:
        beside = self.file.with_name(f"{self.file.name}.part")
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(orjson.dumps({"port": self.server.server_address[1], "token": self.token}))
        beside.replace(self.file)

    def close(self) -> None:
        """Stop listening."""
        self.file.unlink(missing_ok=True)
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class Desks:
    """Several desks behind one door, each asked by its own verbs; the first answers whoever asks for none of them."""

    def __init__(self, first: Desk, *others: tuple[Iterable[str], Desk]) -> None:
        """Know whose the verbs are."""
        self.first = first
        self.by_verb = {verb: desk for verbs, desk in others for verb in verbs}

    def ask(self, verb: str, asked: dict[str, Any]) -> Answer:
        """See `Desk`."""
        return self.by_verb.get(verb, self.first).ask(verb, asked)


def _one_by_one(desk: Desk) -> Callable[[str, dict[str, Any]], Answer]:
    turn = threading.Lock()

    def ask(verb: str, asked: dict[str, Any]) -> Answer:
        with turn:
            return desk.ask(verb, asked)

    return ask


def _handler(token: str, ask: Callable[[str, dict[str, Any]], Answer]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = PATIENCE_S

        def do_POST(self) -> None:
            given = self.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
            if not compare_digest(given, f"Bearer {token}".encode()):
                self._answer(401, {"error": "expected the token of the file"})
                return
            try:
                length = int(self.headers.get("Content-Length", "0"))
                asked = orjson.loads(self.rfile.read(min(length, MOST_BYTES)))
                self._answer(200, ask(self.path.strip("/"), asked))
            except (ValueError, TypeError) as error:
                self._answer(400, {"error": f"store: expected a question of this version; found: {error}"})
            except KilowatchError as error:
                self._answer(409, {"error": str(error)})
            except Exception:
                log.exception("control broken")
                self._answer(500, {"error": "store: the process that holds it failed (see its log)"})

        def _answer(self, code: int, content: object) -> None:
            body = orjson.dumps(content)
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:  # noqa: ANN401 - the library's signature
            """What was done is in the store."""

    return Handler


class RemoteDesk:
    """The desk of the process that holds the file of a store."""

    def __init__(self, store: Path) -> None:
        """Find its door; StoreError where there is none."""
        self.store = store
        try:
            found = orjson.loads(control_file(store).read_bytes())
            self.port, self.token = int(found["port"]), str(found["token"])
        except PermissionError:
            raise StoreError(
                f"store {store}: another process holds it; run this as the user of that process, who can read "
                f"{control_file(store)}"
            ) from None
        except (OSError, ValueError, KeyError):
            raise StoreError(
                f"store {store}: another process holds it, and it is no `kilowatch run`; stop it first"
            ) from None

    def ask(self, verb: str, asked: dict[str, Any]) -> Answer:
        """See `Desk`."""
        line = http.client.HTTPConnection(LOOPBACK, self.port, timeout=PATIENCE_S)
        try:
            line.request("POST", f"/{verb}", orjson.dumps(asked), {"Authorization": f"Bearer {self.token}"})
            answer = line.getresponse()
            found = orjson.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            raise StoreError(
                f"store {self.store}: the process that holds it does not answer on {LOOPBACK}:{self.port}; try it again"
            ) from None
        finally:
            line.close()
        if answer.status != 200:
            raise StoreError(str(found.get("error", answer.status)))
        rows: Answer = found
        return rows
