"""Mosquitto: an MQTT broker on loopback, with or without passwords and TLS."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Mapping
from pathlib import Path

from tests.servers.certificates import certificate_command
from tests.servers.missing import program
from tests.servers.ports import LOOPBACK
from tests.servers.server import Server

SETTINGS = """\
listener {port} {host}
allow_anonymous {anonymous}
persistence true
persistence_location {data}/
# What the broker has acknowledged is on disk a moment later, so that a killed broker has lost little of it.
autosave_on_changes true
autosave_interval 1
# A client may be away for as long as a test likes.
max_queued_messages 0
log_dest stderr
log_type all
# Started by root it would become another user, who cannot enter a folder of root's.
user {user}
"""

# An MQTT 3.1.1 CONNECT without name, user or will, and what every answer to it begins with.
CONNECT = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x0a\x00\x00"
CONNACK = b"\x20"


class Mosquitto(Server):
    """A Mosquitto broker that keeps sessions and messages over a restart.

    With `users`, names and passwords, nobody else is let in. With `tls`, the port speaks TLS alone, with a
    certificate for 127.0.0.1 and localhost; clients trust `certificate`, a PEM file.
    """

    name = "Mosquitto"

    def __init__(
        self, folder: Path, *, port: int | None = None, shared: bool = False, users: Mapping[str, str] | None = None,
        tls: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(folder, port=port, shared=shared)
        self.users = dict(users or {})
        self.tls = tls
        self.certificate = self.data / "certificate.pem"
        self._key = self.data / "key.pem"
        self._passwords = self.data / "passwords"
        self._settings = self.data / "mosquitto.conf"

    def prepare(self) -> None:
        self.data.mkdir()
        lines = [
            SETTINGS.format(
                port=self.port, host=LOOPBACK, data=self.data.resolve(), anonymous="false" if self.users else "true",
                user="root" if os.geteuid() == 0 else "mosquitto",
            )
        ]  # fmt: skip
        if self.users:
            self._passwords.touch(mode=0o600)
            for name, password in self.users.items():
                self.run([program("mosquitto_passwd"), "-b", str(self._passwords), name, password])
            lines.append(f"password_file {self._passwords.resolve()}\n")
        if self.tls:
            self.run(certificate_command(self.certificate, self._key))
            lines.append(f"certfile {self.certificate.resolve()}\nkeyfile {self._key.resolve()}\n")
        self._settings.write_text("".join(lines), encoding="utf-8")

    def command(self) -> list[str]:
        return [program("mosquitto"), "-c", str(self._settings)]

    def answers(self) -> bool:
        """Whether the broker replies to CONNECT, be it with a refusal."""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=2) as plain, self._secured(plain) as line:
                line.sendall(CONNECT)
                return line.recv(1) == CONNACK
        except OSError:
            return False

    def _secured(self, plain: socket.socket) -> socket.socket:
        if not self.tls:
            return plain
        context = ssl.create_default_context(cafile=self.certificate)
        return context.wrap_socket(plain, server_hostname=LOOPBACK)
