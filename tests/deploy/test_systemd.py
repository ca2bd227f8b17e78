"""The systemd units: by systemd itself where it is, by what they must hold everywhere."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.contract import DEPLOY, Start, faults, run, unit, unit_start

UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
IDS = [path.name for path in UNITS]
HARDENED = {
    "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes", "PrivateDevices": "yes",
    "NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "RestrictSUIDSGID": "yes", "ProtectKernelTunables": "yes",
    "SystemCallArchitectures": "native", "RestrictNamespaces": "yes", "Restart": "always",
}  # fmt: skip


def here(path: Path, folder: Path, start: str = "/bin/true") -> Path:
    """The unit as this machine could start it: a program that is there, a template with a number."""
    copy = folder / path.name.replace("@", "@1")
    text = path.read_text(encoding="utf-8")
    assert "/opt/kilowatch/bin/kilowatch" in text
    copy.write_text(text.replace("/opt/kilowatch/bin/kilowatch", start), encoding="utf-8")
    return copy


def verify(path: Path) -> subprocess.CompletedProcess[str]:
    return run("systemd-analyze", "verify", "--man=no", str(path))


def exposed(path: Path) -> bool:
    """Whether systemd's own count of what a unit leaves open is above 2.0 of 10."""
    return (
        run("systemd-analyze", "security", "--offline=yes", "--threshold=20", "--no-pager", str(path)).returncode != 0
    )


def test_there_is_a_unit_for_each_way_to_run_without_containers() -> None:
    assert IDS == [
        "kilowatch-alerts.service", "kilowatch-bridge.service", "kilowatch-worker@.service", "kilowatch.service",
    ]  # fmt: skip


@pytest.mark.parametrize("path", UNITS, ids=IDS)
def test_a_unit_is_closed_up(path: Path) -> None:
    settings = unit(path)
    assert {key: settings.get(key) for key in HARDENED} == {key: [value] for key, value in HARDENED.items()}
    assert settings.get("DynamicUser") == ["yes"] or settings.get("User") == ["kilowatch"]
    if path.name == "kilowatch-alerts.service":  # it writes no file
        assert "StateDirectory" not in settings and settings["DynamicUser"] == ["yes"]
    else:
        assert settings["StateDirectory"][0].startswith("kilowatch")
    assert int(settings["TimeoutStopSec"][0]) > 10


@pytest.mark.parametrize("path", UNITS, ids=IDS)
def test_a_unit_starts_the_command_as_it_takes_it_and_listens_here_alone(path: Path) -> None:
    start = unit_start(path)
    assert faults(start) == []
    addresses = re.findall(r"(\d+\.\d+\.\d+\.\d+):\d+", path.read_text(encoding="utf-8"))
    assert set(addresses) == {"127.0.0.1"}


@pytest.mark.parametrize("path", UNITS, ids=IDS)
def test_a_password_reaches_the_service_as_a_credential(path: Path) -> None:
    settings = unit(path)
    named = set(re.findall(r"%d/(\w+)", "\n".join(settings.get("Environment", []) + settings["ExecStart"])))
    if path.name == "kilowatch-alerts.service":
        named.add("channels")  # a folder of secrets, which the channels file names one by one
        assert f"/run/credentials/{path.name}/channels_webhook" in path.read_text(encoding="utf-8")
    assert named == {each.split(":")[0] for each in settings["LoadCredential"]}
    assert all(each.split(":")[1].startswith("/etc/kilowatch/secrets/") for each in settings["LoadCredential"])


def test_the_password_of_kafka_is_added_where_kafka_asks_for_one() -> None:
    added = unit(DEPLOY / "systemd" / "kafka-password.conf")
    assert added["Environment"] == ["KILOWATCH_KAFKA_PASSWORD_FILE=%d/kafka_password"]
    assert [each.split(":")[0] for each in added["LoadCredential"]] == ["kafka_password"]
    assert all("KAFKA_PASSWORD" not in path.read_text(encoding="utf-8") for path in UNITS)


def test_channels_are_added_to_the_one_box_form_where_somebody_is_to_be_told() -> None:
    added = unit(DEPLOY / "systemd" / "channels.conf")
    assert added["LoadCredential"] == ["channels:/etc/kilowatch/secrets/channels"]
    assert added["Environment"] == ["KILOWATCH_CHANNELS=/etc/kilowatch/channels.yaml"]
    start = unit_start(DEPLOY / "systemd" / "kilowatch.service")
    environment = start.environment | dict(each.split("=", 1) for each in added["Environment"])
    assert faults(Start(start.place, start.words, environment)) == []


@pytest.mark.parametrize("path", UNITS, ids=IDS)
def test_systemd_finds_nothing_wrong_and_little_exposed(path: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here: the units were only parsed")
    done = verify(here(path, tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert not exposed(here(path, tmp_path))


def test_a_broken_unit_is_caught(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here: the units were only parsed")
    broken = here(UNITS[-1], tmp_path)
    broken.write_text(broken.read_text().replace("ProtectSystem=strict", "ProtectSistem=strict"))
    assert "ProtectSistem" in verify(broken).stderr
    open_one = tmp_path / "open.service"
    open_one.write_text("[Service]\nExecStart=/bin/true\n")
    assert exposed(open_one)
