"""PostgreSQL: a cluster of its own, in a folder of its own, on loopback."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

from tests.servers import databases
from tests.servers.missing import program, unprivileged
from tests.servers.ports import LOOPBACK, unique_name
from tests.servers.server import PAUSE_S, Server, ServerError

SUPERUSER = "postgres"

# Who may come in: the superuser as he is, every other role with its password.
HBA = f"""\
host all {SUPERUSER} {LOOPBACK}/32 trust
host all all {LOOPBACK}/32 scram-sha-256
"""

SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "100",
    # Only a crash of the machine loses what was not synced; a killed server's writes are with the kernel already. So
    # this costs the tests nothing, and saves them most of their time.
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}


class PostgresServer(Server):
    """A PostgreSQL server. Superuser `postgres` needs no password; every other role needs the one it was given.

    PostgreSQL refuses to run as root. There it runs as an unprivileged user, who cannot enter a folder of root's, so
    its data are in a temporary folder that `remove()` deletes.
    """

    name = "Postgres"

    def __init__(
        self, folder: Path, *, port: int | None = None, shared: bool = False, settings: dict[str, str] | None = None
    ) -> None:
        super().__init__(folder, port=port, shared=shared)
        self.settings = SETTINGS | (settings or {})
        self._home: Path | None = None
        if os.geteuid() == 0:
            self._home = Path(tempfile.gettempdir()) / unique_name("kilowatch_postgres")
            self.data = self._home / "data"

    def user(self) -> str | None:
        return unprivileged() if os.geteuid() == 0 else None

    def workplace(self) -> Path:
        return self._home or self.folder

    def dsn(self, database: str = "postgres", *, user: str = SUPERUSER, password: str = "") -> str:
        """URL of a database of this server."""
        return databases.url(dbname=database, host=LOOPBACK, port=self.port, user=user, password=password)

    def create_database(self) -> str:
        """Create a database with a unique name; return its DSN."""
        return databases.create_database(self.dsn())

    def drop_database(self, dsn: str) -> None:
        """Drop a database that `create_database` made, and end the sessions in it."""
        databases.drop_database(self.dsn(), dsn)

    def prepare(self) -> None:
        if self._home is not None:
            self._home.mkdir(mode=0o700, exist_ok=True)
            shutil.chown(self._home, self.user())
        self.run([
            program("initdb"), "--pgdata", str(self.data), "--username", SUPERUSER, "--auth=trust", "--no-sync",
            "--encoding=UTF8", "--locale=C", "--no-instructions",
        ])  # fmt: skip
        (self.data / "pg_hba.conf").write_text(HBA, encoding="utf-8")

    def command(self) -> list[str]:
        settings = [part for key, value in self.settings.items() for part in ("-c", f"{key}={value}")]
        return [program("postgres"), "-D", str(self.data), "-p", str(self.port), *settings]

    def answers(self) -> bool:
        try:
            with psycopg.connect(self.dsn(), connect_timeout=2) as session:
                session.execute("select 1")
        except psycopg.OperationalError:
            return False
        return True

    def stop_signal(self) -> signal.Signals:
        # Fast shutdown: it ends its sessions, where SIGTERM would wait for them.
        return signal.SIGINT

    def remove(self) -> None:
        super().remove()
        if self._home is not None:
            shutil.rmtree(self._home, ignore_errors=True)

    def _kill_all(self, process: subprocess.Popen[bytes]) -> None:
        # Each session has a process of its own, which would first finish, and commit, what it is at. Stopped, the
        # first process cannot start another while the others are looked up.
        process.send_signal(signal.SIGSTOP)
        sessions = _children(process.pid)
        process.kill()
        for pid in sessions:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        _wait_until_gone(sessions, self.STOP_S)


def _children(pid: int) -> set[int]:
    """Processes that live and whose parent is `pid`; of Linux, as the servers are Debian's."""
    return {int(path.parent.name) for path in Path("/proc").glob("[0-9]*/stat") if _parent(path) == pid}


def _parent(stat: Path) -> int | None:
    """Parent of the process that a file /proc/*/stat is about; None if it has ended."""
    try:
        # The name, in brackets, may hold anything; after it come state and parent.
        state, parent = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[:2]
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if state in "ZX" else int(parent)


def _wait_until_gone(pids: set[int], patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while any(_parent(Path(f"/proc/{pid}/stat")) is not None for pid in pids):
        if time.monotonic() > deadline:
            raise ServerError(f"Postgres: expected processes {sorted(pids)} to be gone after SIGKILL; they are not")
        time.sleep(PAUSE_S)
