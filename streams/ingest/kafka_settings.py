"""How to reach Kafka, as the keyword arguments of kafka-python and of aiokafka; and secrets out of files."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from streams.domain.findings import IngestError

Security = Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"]
MECHANISMS: Final = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")
SERVER: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/@,]+):([0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """Servers as `host:port,host:port`; `mechanism` is SASL's, and `ca` the file of the authority that signed them."""

    servers: str
    security: Security = "plaintext"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    mechanism: str = "SCRAM-SHA-512"
    ca: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        for server in self.servers.split(","):
            if not SERVER.fullmatch(server.strip()):
                raise IngestError(f"Kafka: expected host:port, several with commas; found {server.strip()!r}")
        if self.mechanism not in MECHANISMS:
            raise IngestError(f"--kafka-mechanism: expected {', '.join(MECHANISMS)}; found {self.mechanism!r}")
        sasl = self.security.startswith("sasl")
        if sasl and (not self.user or not self.password):
            raise IngestError(
                f"Kafka at {self.servers}: expected a user and a password with {self.security}; found none"
            )
        if not sasl and (self.user or self.password):
            raise IngestError(
                f"Kafka at {self.servers}: expected sasl_ssl or sasl_plaintext beside a user; found {self.security}"
            )
        if self.ca and not self.security.endswith("ssl"):
            raise IngestError(f"Kafka at {self.servers}: expected ssl or sasl_ssl beside a CA; found {self.security}")

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Host and port of each server."""
        found = [SERVER.fullmatch(server.strip()) for server in self.servers.split(",")]
        return [(match[1].strip("[]"), int(match[2])) for match in found if match]

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments of kafka-python's clients; aiokafka's have the same names."""
        found: dict[str, Any] = {
            "bootstrap_servers": [server.strip() for server in self.servers.split(",")],
            "security_protocol": self.security.upper(),
        }
        if self.security.endswith("ssl"):
            found["ssl_context"] = self._context()
        if self.security.startswith("sasl"):
            found |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.user,
                "sasl_plain_password": self.password,
            }
        return found

    def _context(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self.ca)
        except OSError as error:
            found = error.strerror if error.filename or isinstance(error, FileNotFoundError) else error
            raise IngestError(f"{self.ca}: expected a file of CA certificates (--kafka-ca); found: {found}") from error


def read_secret(path: Path | None, what: str) -> str | None:
    """The first line of a file that holds a password; None without a file. IngestError that never tells the content."""
    if path is None:
        return None
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no UTF-8"
        raise IngestError(f"{path}: expected a file with {what}; found: {reason}") from error
    if not lines or not lines[0]:
        raise IngestError(f"{path}: expected {what} in the first line; found nothing")
    return lines[0]
