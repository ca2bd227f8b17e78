"""Certificates of a test's own, for servers on loopback."""

from __future__ import annotations

from pathlib import Path

from tests.servers.missing import program
from tests.servers.ports import LOOPBACK


def certificate_command(certificate: Path, key: Path) -> list[str]:
    """Command line that makes a certificate for 127.0.0.1 and localhost, which is its own authority, and its key."""
    return [
        program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-days", "2", "-subj", "/CN=localhost", "-addext", f"subjectAltName=IP:{LOOPBACK},DNS:localhost",
        "-addext", "keyUsage=critical,digitalSignature,keyCertSign",
        "-keyout", str(key), "-out", str(certificate),
    ]  # fmt: skip
