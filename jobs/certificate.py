"""The certificate of a replay: hashes of what went in and what came out, to be checked again years later."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from streams.domain.findings import KilowatchError
from streams.domain.site import Site
from streams.runners.audit import Verdict

ROOT = Path(__file__).parents[1]
VERSION = 1
NEWER = ("catalog_sha256", "facts_of_the_field_sha256", "code_sha256")
"""What may have moved on since; the results tell whether that made a difference."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a replay of [begins_at, ends_at) found; hashes are SHA-256."""

    version: int
    site: str
    begins_at: str
    ends_at: str
    readings: int
    readings_sha256: str
    catalog_sha256: str
    facts_of_the_field_sha256: str
    code_sha256: str
    results_sha256: dict[str, str]
    identical: bool

    def against(self, earlier: Path) -> tuple[list[str], list[str]]:
        """What contradicts an earlier certificate, and what is only newer than it, a line each."""
        try:
            known = json.loads(earlier.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise KilowatchError(f"{earlier}: expected a certificate (JSON); found {error}") from error
        if not isinstance(known, dict):
            raise KilowatchError(f"{earlier}: expected a certificate (JSON object); found {type(known).__name__}")
        lines: dict[bool, list[str]] = {False: [], True: []}
        was, now = _flat(known), _flat(asdict(self))
        for name in sorted(was.keys() | now.keys()):
            if was.get(name) != now.get(name):
                said = f"{name}: expected {was.get(name)} (certificate); found {now.get(name)}"
                is_new = name.startswith("results_sha256.") and name not in was  # a result that there was not yet
                lines[name in NEWER or is_new].append(said)
        return lines[False], lines[True]


def _flat(certificate: dict[str, object]) -> dict[str, object]:
    """The entries of a certificate, each result's hash one of its own."""
    results = certificate.get("results_sha256")
    hashes = results if isinstance(results, dict) else {}
    alone = {name: value for name, value in certificate.items() if name != "results_sha256"}
    return alone | {f"results_sha256.{name}": value for name, value in hashes.items()}


def certify(site: Site, file: Path, begins: datetime, ends: datetime, verdict: Verdict) -> Certificate:
    """Make the certificate of a verdict."""
    return Certificate(
        version=VERSION,
        site=site.name,
        begins_at=begins.isoformat(),
        ends_at=ends.isoformat(),
        readings=verdict.readings,
        readings_sha256=verdict.readings_sha256,
        catalog_sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
        facts_of_the_field_sha256=_hash_of(ROOT / "streams" / "catalog" / "data", "*.yaml"),
        code_sha256=_hash_of(ROOT / "streams", "*.py"),
        results_sha256=verdict.results_sha256,
        identical=verdict.identical,
    )


def write_certificate(path: Path, certificate: Certificate) -> None:
    """Write it as JSON, whole or not at all."""
    beside = path.with_name(path.name + ".part")
    beside.write_text(json.dumps(asdict(certificate), indent=2, sort_keys=True) + "\n", encoding="utf-8")
    beside.replace(path)


def _hash_of(folder: Path, pattern: str) -> str:
    digest = hashlib.sha256()
    for file in sorted(folder.rglob(pattern)):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()
