"""One server for the whole run, whichever process of it asks first.

Each process of the run that uses the server holds a shared lock on a file. A keeper, a process of its own, starts the
server and then waits to have that lock alone: it gets it when all the others have let go or are gone, however they
went. Then it stops the server and ends. The system drops the locks of a process that dies, so no count can go wrong.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeVar

from tests.servers.kafka import KafkaServer
from tests.servers.missing import ROOT
from tests.servers.mosquitto import Mosquitto
from tests.servers.postgres import PostgresServer
from tests.servers.secured_kafka import SecuredKafka
from tests.servers.server import PAUSE_S, Server, ServerError

SERVERS: dict[str, type[Server]] = {each.name: each for each in (KafkaServer, SecuredKafka, PostgresServer, Mosquitto)}
START_S = 2 * Server.START_S
S = TypeVar("S", bound=Server)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock on a file alone, after waiting for it."""
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def shared_server(kind: type[S], folder: Path) -> Iterator[S]:
    """Server of a kind that all processes of the run share, started if it does not run.

    Raises:
        ServerError: It does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "users").open("ab") as users:
        with locked(folder / "starting"):
            fcntl.flock(users, fcntl.LOCK_SH)
            ready = folder / "port"
            if not ready.exists():
                _start_keeper(kind, folder)
            port = int(ready.read_text(encoding="utf-8"))
        yield kind(folder, port=port, shared=True)


def wait_for_keepers(folder: Path, patience_s: float = 2 * Server.STOP_S) -> None:
    """Wait until every keeper under the folder has stopped its server. For the last process of a run.

    Raises:
        ServerError: One is still there, which means that somebody still uses its server.
    """
    deadline = time.monotonic() + patience_s
    for path in folder.glob("*/keeper"):
        with path.open("ab") as file:
            while not _locked_at_once(file):
                if time.monotonic() > deadline:
                    raise ServerError(f"{path.parent.name}: expected to be stopped within {patience_s:g} s; it runs")
                time.sleep(PAUSE_S)


def _locked_at_once(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _start_keeper(kind: type[Server], folder: Path) -> None:
    # By way of a shell, so that the keeper is nobody's child: any process of the run may be the first to end.
    keeper = [sys.executable, "-m", "tests.servers.shared", kind.name, str(folder)]
    said = subprocess.run(
        ["/bin/sh", "-c", '"$@" </dev/null 2>>"$0" &', str(folder / "keeper.log"), *keeper],
        stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, cwd=ROOT, start_new_session=True, timeout=START_S, check=True,
    ).stdout  # fmt: skip
    if not said:
        raise ServerError(f"{kind.name}: expected its keeper to report; it ended, see {folder / 'keeper.log'}")
    if failure := json.loads(said)["failure"]:
        raise ServerError(failure)


def _keep(kind: type[Server], folder: Path) -> None:
    """Run a server until no process of the run uses it."""
    ready = folder / "port"
    with locked(folder / "keeper"), (folder / "users").open("ab") as users:
        server = kind(folder)
        try:
            server.start()
        except ServerError as error:
            server.remove()
            _report(str(error))
            return
        ready.write_text(str(server.port), encoding="utf-8")
        _report("")
        fcntl.flock(users, fcntl.LOCK_EX)
        # Whoever comes now waits for this lock, finds no port and starts another.
        ready.unlink()
        server.close()


def _report(failure: str) -> None:
    """Tell the process that waits, and close the pipe that it reads to its end."""
    print(json.dumps({"failure": failure}), flush=True)  # noqa: T201 - how it tells
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


if __name__ == "__main__":
    _keep(SERVERS[sys.argv[1]], Path(sys.argv[2]))
