"""The broker of deploy/mosquitto, really started with what make-env wrote."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.deploy.conftest import make_env
from tests.deploy.contract import DEPLOY, run
from tests.servers.ports import free_port

SERVER = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin")
pytestmark = pytest.mark.skipif(SERVER is None, reason="no mosquitto here: its passwords, TLS and rights are not tried")
PATIENCE_S = 10.0


@dataclass(frozen=True)
class Broker:
    """A broker that runs: its port, the folder of its secrets, the passwords of its users."""

    port: int
    secrets: Path
    passwords: dict[str, str]

    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.secrets / "mqtt_ca.crt"))

    def client(self, user: str | None, password: str | None = None) -> tuple[Client, str]:
        """Connect; the client and the broker's answer."""
        answers: Queue[str] = Queue()
        client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        client.tls_set_context(self.context())
        if user is not None:
            client.username_pw_set(user, self.passwords[user] if password is None else password)
        client.on_connect = lambda _client, _data, _flags, reason, _properties: answers.put(reason.getName())
        client.connect("localhost", self.port, keepalive=30)
        client.loop_start()
        return client, answers.get(timeout=PATIENCE_S)

    def answer(self, user: str | None, password: str | None = None) -> str:
        client, said = self.client(user, password)
        client.disconnect()
        client.loop_stop()
        return said


def configuration(folder: Path, port: int) -> str:
    """The committed file with this machine's places in place of the container's."""
    text = (DEPLOY / "mosquitto" / "mosquitto.conf").read_text(encoding="utf-8")
    for inside, outside in {
        "listener 8883": f"listener {port} 127.0.0.1",
        "/run/secrets/": f"{folder}/secrets/",
        "/mosquitto/config/acl": f"{DEPLOY}/mosquitto/acl",
        "/mosquitto/data/": f"{folder}/data/",
    }.items():
        assert inside in text
        text = text.replace(inside, outside)
    # Started by root it would become the user `mosquitto`, who may not open the closed folder.
    return text + ("\nuser root\n" if os.geteuid() == 0 else "")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    folder = tmp_path_factory.mktemp("mosquitto")
    assert make_env(folder).returncode == 0
    env = folder / ".env"
    env.write_text(env.read_text().replace("KILOWATCH_MQTT_GATEWAYS=", "KILOWATCH_MQTT_GATEWAYS=wugu=one1"))
    assert make_env(folder, "--again").returncode == 0
    values = dict(line.split("=", 1) for line in env.read_text().splitlines() if "=" in line and line[0] != "#")
    passwords = {name: values[f"KILOWATCH_MQTT_{name.upper()}_PASSWORD"] for name in ("bridge", "gateway", "health")}
    port = free_port()
    (folder / "data").mkdir()
    (folder / "mosquitto.conf").write_text(configuration(folder, port), encoding="utf-8")
    log = folder / "log"
    with log.open("wb") as out:
        server = subprocess.Popen([str(SERVER), "-c", str(folder / "mosquitto.conf")], stdout=out, stderr=out)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            assert server.poll() is None and time.monotonic() < deadline, log.read_text()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield Broker(port, folder / "secrets", passwords | {"wugu": "one1"})
    finally:
        server.terminate()
        server.wait(PATIENCE_S)


@pytest.mark.parametrize("user", ["bridge", "gateway", "health", "wugu"])
def test_the_right_password_is_accepted_over_tls(broker: Broker, user: str) -> None:
    assert broker.answer(user) == "Success"


def test_a_wrong_password_another_ones_and_none_are_refused(broker: Broker) -> None:
    assert broker.answer("bridge", "wrong") == "Not authorized"
    assert broker.answer("bridge", broker.passwords["gateway"]) == "Not authorized"
    assert broker.answer("nobody", "x") == "Not authorized"
    assert broker.answer(None) == "Not authorized"


def test_a_connection_without_tls_gets_no_answer(broker: Broker) -> None:
    with socket.create_connection(("127.0.0.1", broker.port), timeout=PATIENCE_S) as plain:
        plain.sendall(b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04test")
        try:
            answer = plain.recv(4)
        except ConnectionResetError:
            answer = b""
        assert not answer.startswith(b"\x20")  # no CONNACK


def test_a_client_that_does_not_know_the_authority_does_not_connect(broker: Broker) -> None:
    with (
        socket.create_connection(("127.0.0.1", broker.port), timeout=PATIENCE_S) as raw,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        ssl.create_default_context().wrap_socket(raw, server_hostname="localhost")


def heard(broker: Broker, sender: str, topic: str) -> list[str]:
    """What of a user's message arrives at the bridge, told by a later one that surely does."""
    listener, said = broker.client("bridge")
    assert said == "Success"
    topics: Queue[str] = Queue()
    subscribed: Queue[bool] = Queue()
    listener.on_message = lambda _client, _data, message: topics.put(message.topic)
    listener.on_subscribe = lambda _client, _data, _mid, codes, _properties: subscribed.put(not codes[0].is_failure)
    listener.subscribe("#", qos=1)
    assert subscribed.get(timeout=PATIENCE_S)
    writer, said = broker.client(sender)
    assert said == "Success"
    writer.publish(topic, b"{}", qos=1).wait_for_publish(PATIENCE_S)
    ends, said = broker.client("gateway")
    ends.publish("end", b"", qos=1).wait_for_publish(PATIENCE_S)
    found = []
    try:
        while (name := topics.get(timeout=PATIENCE_S)) != "end":
            found.append(name)
    except Empty:
        pytest.fail("the end never came")
    finally:
        for client in (listener, writer, ends):
            client.disconnect()
            client.loop_stop()
    return found


def test_a_gateway_with_a_name_of_its_own_writes_under_it_alone(broker: Broker) -> None:
    assert heard(broker, "wugu", "telemetry/wugu/main") == ["telemetry/wugu/main"]
    assert heard(broker, "wugu", "spBv1.0/works/DDATA/wugu/press") == ["spBv1.0/works/DDATA/wugu/press"]
    assert heard(broker, "wugu", "telemetry/hall/main") == []
    assert heard(broker, "wugu", "kilowatch/kilowatch-bridge/status") == []
    assert heard(broker, "gateway", "shellies/anything") == ["shellies/anything"]


def test_the_bridge_says_whether_it_is_alive_and_sends_no_readings(broker: Broker) -> None:
    assert heard(broker, "bridge", "kilowatch/kilowatch-bridge/status") == ["kilowatch/kilowatch-bridge/status"]
    assert heard(broker, "bridge", "telemetry/wugu/main") == []


def test_a_gateway_reads_nothing(broker: Broker) -> None:
    client, _ = broker.client("gateway")
    got: Queue[str] = Queue()
    sent: Queue[int] = Queue()
    client.on_message = lambda _client, _data, message: got.put(message.topic)
    client.on_subscribe = lambda _client, _data, mid, _codes, _properties: sent.put(mid)
    client.subscribe("#", qos=1)
    sent.get(timeout=PATIENCE_S)
    assert heard(broker, "gateway", "telemetry/x") == ["telemetry/x"]
    client.disconnect()
    client.loop_stop()
    assert got.empty()


def test_the_health_check_of_compose_sees_that_the_broker_runs(broker: Broker, tmp_path: Path) -> None:
    if shutil.which("mosquitto_sub") is None:
        pytest.skip("no mosquitto_sub here: the health check is not tried")
    text = (broker.secrets / "mosquitto_sub").read_text()
    assert "-p 8883\n" in text and "/run/secrets/" in text
    options = text.replace("-p 8883", f"-p {broker.port}").replace("/run/secrets", str(broker.secrets))
    (tmp_path / "mosquitto_sub").write_text(options)
    environment = os.environ | {"XDG_CONFIG_HOME": str(tmp_path)}
    done = run("mosquitto_sub", env=environment)
    assert done.returncode == 0 and done.stdout.endswith("seconds\n"), done.stderr
    (tmp_path / "mosquitto_sub").write_text(options.replace(broker.passwords["health"], "wrong"))
    done = run("mosquitto_sub", env=environment)
    assert done.returncode != 0
