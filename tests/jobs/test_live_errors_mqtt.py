"""A broker of MQTT that refuses is told in one line; one that is away, or none, is waited for, and the log says why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.jobs.commands import SECRET, SITE, begun, faults
from tests.servers.kafka import KafkaServer
from tests.servers.mosquitto import Mosquitto
from tests.servers.ports import LOOPBACK, free_port

USER, PASSWORD = "gateways", "of-the-user-gateways"


@pytest.fixture
def broker(own_mosquitto: Callable[..., Mosquitto]) -> Mosquitto:
    """A broker with one user, which speaks TLS."""
    return own_mosquitto(users={USER: PASSWORD}, tls=True)


def command(name: str, folder: Path, url: str, *more: object) -> list[object]:
    """A command that listens to a broker, and waits for Kafka if it has to do with it."""
    (folder / "inlets.yaml").write_text("topics:\n  - {topic: 'plant/{gateway}', site: plant}\n")
    words: dict[str, list[object]] = {
        "bridge": ["bridge", "--kafka", f"{LOOPBACK}:1"],
        "run": ["run", "--sites", SITE, "--store", "duckdb:///here.duckdb", "--metrics", f"{LOOPBACK}:0"],
    }
    return [*words[name], "--spool", "spool", "--mqtt", url, "--inlets", folder / "inlets.yaml", *more]


def test_a_broker_that_refuses_is_told(tmp_path: Path, broker: Mosquitto) -> None:
    at, wrong = f"mqtts://{broker.address}", tmp_path / "password"
    wrong.write_text(SECRET + "\n")
    ca = ["--mqtt-ca", broker.certificate]
    as_user, as_nobody = f"mqtts://{USER}@{broker.address}", f"mqtts://{broker.address}"
    check = "(check user, password and client id)"
    users = {
        "wrong password": ([as_user, "--mqtt-password-file", wrong, *ca], f"{USER!r}; found 'Not authorized' {check}"),
        "wrong password, MQTT 3.1.1": (
            [as_user, "--mqtt-password-file", wrong, *ca, "--mqtt-version", "3.1.1"],
            f"{USER!r}; found 'Not authorized' {check}",
        ),
        "no password": ([as_nobody, *ca], f"'nobody'; found 'Not authorized' {check}"),
    }
    cases = {
        f"{name}: {case}": (command(name, tmp_path, *map(str, options)), f"{at}: expected to be let in as {said}")
        for name in ("bridge", "run")
        for case, (options, said) in users.items()
    }
    for name in ("bridge", "run"):
        cases[f"{name}: no authority"] = (
            command(name, tmp_path, as_nobody),
            f"{at}: expected a certificate that the CA signed; found self-signed certificate",
        )
    assert not faults(tmp_path / "out", cases)


def test_a_broker_that_is_away_or_none_is_waited_for(
    tmp_path: Path, broker: Mosquitto, mosquitto: Mosquitto, shared_kafka: KafkaServer
) -> None:
    nobody = f"{LOOPBACK}:{free_port()}"
    no_answer = "no answer; start the broker, or mend --mqtt ([Errno "
    hangs_up = "expected an answer of MQTT 5; found a server that hangs up ("
    cases = {
        "nobody there": (
            f"mqtt://{nobody}",
            "no answer; start the broker, or mend --mqtt ([Errno 111] Connection refused)",
        ),
        "no such host": ("mqtt://nowhere.invalid", f"{no_answer}-"),
        "Kafka": (f"mqtt://{shared_kafka.address}", hangs_up),
        "no TLS where there is TLS": (f"mqtt://{broker.address}", hangs_up),
        "TLS where there is none": (f"mqtts://{mosquitto.address}", "expected TLS; found "),
    }
    names = [(name, case) for name in ("bridge", "run") for case in cases]
    commands = {f"{name}: {case}": command(name, tmp_path, cases[case][0]) for name, case in names}
    with begun(tmp_path / "out", commands) as all_:
        reasons = {name: one.has("mqtt_away")["reason"] for name, one in all_.items()}
        for name, one in all_.items():
            one.has("bridge_started" if name.startswith("bridge") else "started")
        assert {name: one.stop() for name, one in all_.items()} == dict.fromkeys(all_, 0)
        assert not {name: one.ended().said for name, one in all_.items() if one.ended().said}
    assert not {name: said for name, said in reasons.items() if not said.startswith(cases[name.partition(": ")[2]][1])}
