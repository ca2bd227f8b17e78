"""A wire to PostgreSQL that forwards a COMMIT and is cut before the answer comes back."""

from __future__ import annotations

import socket
import threading
from types import TracebackType
from typing import Self

from psycopg.conninfo import conninfo_to_dict

COMMIT = b"COMMIT\x00"


class LosingProxy:
    """Forwards connections to a server; every so many commits the answer to one is lost and the connection cut.

    It happens `most` times: to begin again takes several commits, and a wire that cuts each attempt lets none through.
    """

    def __init__(self, dsn: str, every: int, most: int) -> None:
        named = conninfo_to_dict(dsn)
        self.target = (str(named["host"]), int(str(named["port"])))
        self.every, self.most, self.commits, self.lost = every, most, 0, 0
        self.server = socket.create_server(("127.0.0.1", 0))
        port = self.server.getsockname()[1]
        self.dsn = dsn.replace(f":{named['port']}/", f":{port}/")
        self.thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.server.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(self.target) as server:
            losing = threading.Event()
            back = threading.Thread(target=self._back, args=(server, client, losing), daemon=True)
            back.start()
            while data := _received(client):
                if COMMIT in data:
                    self.commits += 1
                    if self.commits % self.every == 0 and self.lost < self.most:
                        losing.set()
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)
            back.join()

    def _back(self, server: socket.socket, client: socket.socket, losing: threading.Event) -> None:
        """Bring answers back; the one to a commit that is to be lost is read, so that it was made, and kept."""
        while data := _received(server):
            if losing.is_set() and b"COMMIT" in data:
                self.lost += 1
                break
            try:
                client.sendall(data)
            except OSError:
                break
        try:
            client.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


def _received(wire: socket.socket) -> bytes:
    try:
        return wire.recv(65_536)
    except OSError:
        return b""
