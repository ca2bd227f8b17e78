"""A server that tests start, stop and kill: one process, one folder, one port on loopback."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

from tests.servers.ports import LOOPBACK, free_port, is_free

PAUSE_S = 0.03
LAST_LINES = 25


class ServerError(RuntimeError):
    """A server that does not start, or does not end, with the last lines of its log."""


class Server:
    """One server process; a context manager that starts it and in the end stops it and deletes its data.

    Port and data folder stay the same from start to start. `folder` holds the log and, unless a server says otherwise,
    the data. With `shared`, somebody else has started the server and this object only knows where it is.
    """

    name: ClassVar[str]
    START_S: ClassVar[float] = 90.0
    STOP_S: ClassVar[float] = 60.0

    def __init__(self, folder: Path, *, port: int | None = None, shared: bool = False) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / f"{self.name.lower()}.log"
        self.port = free_port() if port is None else port
        self._shared = shared
        self._process: subprocess.Popen[bytes] | None = None
        self._leash: subprocess.Popen[bytes] | None = None

    # What each server says of itself.

    def prepare(self) -> None:
        """Fill the data folder, before the first start."""
        raise NotImplementedError

    def command(self) -> list[str]:
        """Command line that runs the server in the foreground, its log on standard output."""
        raise NotImplementedError

    def answers(self) -> bool:
        """Whether a client is served now; returns within seconds."""
        raise NotImplementedError

    def user(self) -> str | None:
        """User that the server runs as; None for the one who runs the tests."""
        return None

    # What all have in common.

    @property
    def address(self) -> str:
        """`127.0.0.1:port`."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def running(self) -> bool:
        """Whether it was started, and neither ended by itself nor was ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Process of the running server."""
        if self._process is None:
            raise RuntimeError(f"{self.name} {self.address}: expected to run; it does not")
        return self._process.pid

    def start(self) -> Self:
        """Start and wait until it answers.

        Raises:
            ServerError: It ended, or gave no answer in time; with the last lines of its log.
        """
        self._mine()
        if self._process is not None:
            raise RuntimeError(f"{self.name} {self.address}: expected to be stopped; it runs")
        if not is_free(self.port):
            raise ServerError(f"{self.name} {self.address}: expected a free port; somebody listens there")
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.data.exists():
            try:
                self.prepare()
            except BaseException:
                shutil.rmtree(self.data, ignore_errors=True)
                raise
        self._process = self._launch(self.command())
        try:
            self._leash = _leash(self._process.pid)
            self._wait_until_it_answers(self._process)
        except BaseException:
            self._end(signal.SIGKILL)
            raise
        return self

    def stop(self) -> None:
        """End it cleanly; nothing to do if it was stopped or killed.

        Raises:
            ServerError: It had ended by itself, or did not end in time and was killed.
        """
        self._mine()
        if self._process is None:
            return
        if (code := self._process.poll()) is not None:
            self._end(signal.SIGKILL)
            raise self._failed(f"expected to run until stopped; ended by itself with code {code}")
        if not self._end(self.stop_signal()):
            raise self._failed(f"expected to stop within {self.STOP_S:g} s; had to be killed")

    def kill(self) -> None:
        """End it with SIGKILL, as a fault would, and wait until it is gone."""
        self._mine()
        if self._process is None:
            raise RuntimeError(f"{self.name} {self.address}: expected to run; it does not")
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop it, then start it on the same port and data."""
        self.stop()
        self.start()

    def remove(self) -> None:
        """Kill it if it runs, and delete its data. The log stays."""
        self._mine()
        self._end(signal.SIGKILL)
        shutil.rmtree(self.data, ignore_errors=True)

    def close(self) -> None:
        """Stop it if it runs, and delete its data."""
        try:
            self.stop()
        finally:
            self.remove()

    def stop_signal(self) -> signal.Signals:
        """Signal for a clean stop that does not wait for clients."""
        return signal.SIGTERM

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def tail(self) -> str:
        """Last lines of the log."""
        if not self.log.exists():
            return "(no log)"
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:])

    def run(self, command: Sequence[str]) -> None:
        """Run a program to its end, as the server's user, with its words in the log.

        Raises:
            ServerError: It failed.
        """
        process = self._launch(command)
        try:
            code = process.wait(self.START_S)
        except BaseException:
            process.kill()
            process.wait()
            raise
        if code:
            raise self._failed(f"{Path(command[0]).name} ended with code {code}")

    def _mine(self) -> None:
        if self._shared:
            raise RuntimeError(f"{self.name} {self.address}: shared by the whole run; use own_{self.name.lower()}")

    def _launch(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C in the terminal is for pytest, which then stops its servers in order.
        as_user = {"user": user, "group": user, "extra_groups": []} if (user := self.user()) else {}
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=self.workplace(),
                start_new_session=True, **as_user,
            )  # type: ignore[call-overload]  # fmt: skip

    def workplace(self) -> Path:
        """Folder in which the server's programs run."""
        return self.folder

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + self.START_S
        while True:
            if (code := process.poll()) is not None:
                raise self._failed(f"expected to start; ended with code {code}")
            if self.answers():
                return
            if time.monotonic() > deadline:
                raise self._failed(f"expected an answer within {self.START_S:g} s; got none")
            time.sleep(PAUSE_S)

    def _end(self, how: signal.Signals) -> bool:
        """Signal the process and wait for it; False if it took too long and had to be killed."""
        process, leash = self._process, self._leash
        self._process = self._leash = None
        if process is None:
            return True
        in_time = True
        if how is signal.SIGKILL:
            self._kill_all(process)
        else:
            process.send_signal(how)
        try:
            process.wait(self.STOP_S)
        except subprocess.TimeoutExpired:
            in_time = False
            self._kill_all(process)
            process.wait(self.STOP_S)
        if leash is not None:
            leash.kill()
            leash.communicate()
        return in_time

    def _kill_all(self, process: subprocess.Popen[bytes]) -> None:
        """Kill the process and those that it started."""
        process.kill()

    def _failed(self, what: str) -> ServerError:
        return ServerError(f"{self.name} {self.address}: {what}; {self.log} ends with:\n{self.tail()}")


def _leash(pid: int) -> subprocess.Popen[bytes]:
    """Process that kills `pid` when this one is gone, however it went: its standard input then comes to an end."""
    return subprocess.Popen(
        ["/bin/sh", "-c", 'read -r _ || kill -KILL "$0"', str(pid)],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
