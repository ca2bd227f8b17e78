"""What the tests need and this machine has not, one sentence each.

Programs are looked for on PATH and where Debian puts them. KILOWATCH_SERVER_PATH, folders as in PATH, is looked through
in place of both. KILOWATCH_KAFKA_JARS names a folder with Kafka's jars in place of `.servers/kafka`.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from jobs.page.chromium import find_chromium

ROOT = Path(__file__).parents[2]
JAVA = 17


def find(program: str) -> Path | None:
    """File of a program, or None."""
    if (given := os.environ.get("KILOWATCH_SERVER_PATH")) is not None:
        found = shutil.which(program, path=given)
    else:
        versions = sorted(
            Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name), reverse=True
        )
        # PATH of a plain user often lacks sbin, and Debian keeps PostgreSQL's server off PATH altogether.
        more = [*map(str, versions), "/usr/local/sbin", "/usr/sbin"]
        found = shutil.which(program) or shutil.which(program, path=os.pathsep.join(more))
    return Path(found) if found else None


def program(name: str) -> str:
    """File of a program that must be there.

    Raises:
        FileNotFoundError: It is not.
    """
    if (found := find(name)) is None:
        raise FileNotFoundError(f"{name}: expected on PATH; found no such program")
    return str(found)


def jars() -> Path:
    """Folder that holds, or should hold, Kafka's jars."""
    return Path(os.environ.get("KILOWATCH_KAFKA_JARS") or ROOT / ".servers" / "kafka")


def unprivileged() -> str | None:
    """User that PostgreSQL runs as when the tests run as root, which it refuses; None if there is none."""
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    return None


def kafka() -> str | None:
    """Sentence on what Kafka lacks here, or None."""
    if (java := find("java")) is None:
        return "Kafka: no java on PATH"
    version = _java_version(java)
    if version is None or version < JAVA:
        return f"Kafka: expected Java {JAVA} or newer on PATH; found {version or 'one that does not run'}"
    if not any(jars().glob("kafka-server-*.jar")):
        return f"Kafka: no jars in {jars()}; `make servers` fetches them with Maven"
    return None


def postgres() -> str | None:
    """Sentence on what PostgreSQL lacks here, or None."""
    for name in ("initdb", "postgres"):
        if find(name) is None:
            return f"PostgreSQL: no {name} found"
    if os.geteuid() == 0 and unprivileged() is None:
        return "PostgreSQL: refuses to run as root, and there is no user postgres or nobody"
    return None


def mosquitto() -> str | None:
    """Sentence on what Mosquitto lacks here, or None."""
    for name in ("mosquitto", "mosquitto_passwd", "openssl"):
        if find(name) is None:
            return f"Mosquitto: no {name} found"
    return None


def chromium() -> str | None:
    """Sentence on what a browser without a window lacks here, or None."""
    return None if find_chromium() else "Chromium: none found; `make servers` installs it where apt-get may"


def npm() -> str | None:
    """Sentence on what building the page lacks here, or None."""
    for name in ("node", "npm"):
        if find(name) is None:
            return f"the page's bundle: no {name} found"
    return None


def openssl() -> str | None:
    """Sentence on what certificates of a test's own lack here, or None."""
    return None if find("openssl") else "certificates: no openssl found"


@cache
def grafana_client() -> str | None:
    """Sentence on what pushing to Grafana lacks here, or None."""
    if not (grafana_packages() / "grafana_client").is_dir():
        return f"Grafana's client: not in {grafana_packages()}; `make servers` fetches it with pip"
    return None


def grafana_packages() -> Path:
    """Folder that holds, or should hold, Grafana's client with the urllib3 that it brings."""
    return ROOT / ".servers" / "grafana"


def _java_version(java: Path) -> int | None:
    """First number of its version; None if it does not run."""
    said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60, check=False)
    version = re.search(r'version "(\d+)', said.stderr)
    return int(version[1]) if version else None


def need(sentence: str | None) -> None:
    """Skip the test with the sentence, if there is one; fail it with CI=true."""
    if sentence is None:
        return
    if os.environ.get("CI", "").lower() in ("", "0", "false"):
        pytest.skip(sentence)
    pytest.fail(sentence, pytrace=False)
