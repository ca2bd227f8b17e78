"""`kilowatch bridge` on real servers: what it took it brings to Kafka, whatever is killed or away meanwhile."""

from __future__ import annotations

import gzip
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from typer.testing import CliRunner

from jobs.cli import app
from streams.domain.findings import KilowatchError
from streams.ingest.push import Tokens, token_line
from tests.jobs.bridge_process import Bridge, Topic, metric, reading, status, until
from tests.servers.kafka import KafkaServer, make_topic
from tests.servers.mosquitto import Mosquitto
from tests.servers.ports import free_port

INLETS = 'topics:\n  - {topic: "plant/{gateway}/telemetry", site: plant}\n'
TOKEN = "a-token-for-gw7"
PASSWORD = "not-the-right-one"


class Sender:
    """A gateway that publishes numbered readings with QoS 1 in the background, and knows what the broker accepted."""

    def __init__(self, port: int) -> None:
        self.client = Client(CallbackAPIVersion.VERSION2, "gateway", clean_session=False)
        self.client.max_inflight_messages_set(500)
        self.client.reconnect_delay_set(1, 1)
        self.sent, self.accepted = 0, 0
        self.client.on_publish = self._count
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def __enter__(self) -> Sender:
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()
        self.client.disconnect()
        self.client.loop_stop()

    def _count(self, *_: object) -> None:
        self.accepted += 1

    def _send(self) -> None:
        while not self._ending.is_set():
            if self.sent - self.accepted < 500:
                self.client.publish("plant/gw1/telemetry", reading(self.sent), qos=1)
                self.sent += 1
            self._ending.wait(0.001)

    def more(self, many: int) -> None:
        """Wait until the broker has accepted so many more."""
        enough = self.accepted + many
        until(lambda: self.accepted >= enough, f"{many} more messages")

    def end(self) -> range:
        """Stop, and wait until the broker has accepted all; gives their numbers."""
        self._ending.set()
        self._thread.join()
        until(lambda: self.accepted == self.sent, "every message at the broker")
        return range(self.sent)


class Place:
    """A folder with the files of a bridge, and its options."""

    def __init__(self, folder: Path, kafka: str, mosquitto: Mosquitto) -> None:
        self.folder, self.kafka, self.mosquitto = folder, kafka, mosquitto
        (folder / "inlets.yaml").write_text(INLETS)
        (folder / "tokens").write_text(token_line("gw7", TOKEN, "plant") + "\n")
        self.topic = make_topic(kafka, "telemetry")

    def bridge(self, *options: str, mqtt: bool = True) -> Bridge:
        both = ["--kafka", self.kafka, "--topic", self.topic, "--spool", str(self.folder / "spool")]
        if mqtt:
            both += ["--mqtt", f"mqtt://127.0.0.1:{self.mosquitto.port}", "--inlets", str(self.folder / "inlets.yaml")]
        return Bridge(self.folder, *both, "--metrics", f"127.0.0.1:{free_port()}", *options)

    def push(self) -> tuple[str, str, str, str]:
        return ("--http", f"127.0.0.1:{free_port()}", "--tokens", str(self.folder / "tokens"))

    def gateway(self, bridge: Bridge) -> Sender:
        """A gateway that begins when the bridge listens: what nobody listens to, no broker keeps."""
        bridge.started()
        return Sender(self.mosquitto.port)

    def reads(self) -> Topic:
        return Topic(self.kafka, self.topic)


@pytest.fixture
def broker(own_mosquitto: Callable[..., Mosquitto]) -> Mosquitto:
    return own_mosquitto()


@pytest.fixture
def place(tmp_path: Path, kafka: str, broker: Mosquitto) -> Place:
    return Place(tmp_path, kafka, broker)


def test_readings_come_to_kafka_packed_in_order_with_site_gateway_and_arrival(place: Place) -> None:
    with place.bridge() as bridge, place.reads() as topic:
        bridge.started()
        until(lambda: bridge.events("mqtt_connected"), "the broker")
        begun_ms = time.time_ns() // 1_000_000
        with Sender(place.mosquitto.port) as gateway:
            gateway.more(500)
            numbers = gateway.end()
        topic.has(numbers)
        assert topic.values == list(numbers)
        assert len(topic.records) < len(numbers) / 2
        record = topic.records[0]
        headers = dict(record.headers)
        assert (record.key, headers["gateway"]) == (b"plant", b"mqtt:plant/gw1")
        assert record.timestamp == int(headers["received"]) >= begun_ms
        page = bridge.address()
        until(lambda: metric(page, "sent_total") == len(numbers), "the count of what was sent")
        assert metric(page, "messages_in_total") == len(numbers)
        assert (metric(page, "waiting_records"), metric(page, "mqtt_connected"), metric(page, "kafka_connected")) == (
            0,
            1,
            1,
        )
        assert status(page, "/healthz") == (200, {"sender": True, "mqtt": True})
        assert status(page, "/readyz") == (200, {"room": True, "mqtt": True, "kafka": True, "waiting_records": 0})
        assert bridge.stop() < 10
    assert [line["event"] for line in bridge.events("bridge_stopped")] == ["bridge_stopped"]


def test_killed_again_and_again_with_messages_in_hand_it_loses_none(place: Place) -> None:
    with place.bridge() as bridge, place.gateway(bridge) as gateway, place.reads() as topic:
        for times in range(1, 5):
            bridge.started(times)
            gateway.more(300)
            bridge.kill()
            bridge.start()
        bridge.started(5)
        topic.has(gateway.end())


def test_a_broker_that_restarts_costs_nothing(place: Place) -> None:
    with place.bridge() as bridge, place.reads() as topic:
        bridge.started()
        with Sender(place.mosquitto.port) as gateway:
            gateway.more(300)
            place.mosquitto.restart()
            numbers = gateway.end()
        topic.has(numbers)


def test_kafka_stops_and_starts_while_messages_come(
    tmp_path: Path, own_kafka: Callable[..., KafkaServer], broker: Mosquitto
) -> None:
    server = own_kafka()
    place = Place(tmp_path, server.bootstrap, broker)
    with place.bridge() as bridge, place.gateway(bridge) as gateway:
        until(lambda: metric(bridge.address(), "sent_total") > 100, "100 messages in Kafka")
        server.kill()
        (said,) = until(lambda: bridge.events("kafka_away"), "the word that Kafka is away")
        assert said["waiting_records"] > 0
        page = bridge.address()
        until(lambda: metric(page, "waiting_records") > 200, "200 messages that wait")
        assert status(page, "/readyz")[0] == 200
        server.start()
        numbers = gateway.end()
        with place.reads() as topic:
            topic.has(numbers)
        until(lambda: metric(page, "waiting_records") == 0, "an empty spool")
        assert bridge.stop() < 10


def test_it_starts_while_kafka_is_away_and_goes_on_when_it_comes(
    tmp_path: Path, own_kafka: Callable[..., KafkaServer], broker: Mosquitto
) -> None:
    server = own_kafka()
    place = Place(tmp_path, server.bootstrap, broker)
    server.stop()
    with place.bridge(*place.push()) as bridge:
        bridge.started()
        door = bridge.address()
        assert post(door, reading(1)) == (202, {"accepted": len(reading(1))})
        assert bridge.stop() < 10
        bridge.start().started(2)
        server.start()
        with place.reads() as topic:
            topic.has([1])


def post(door: str, body: bytes, token: str = TOKEN, **headers: str) -> tuple[int, Any]:
    request = urllib.request.Request(f"{door}/telemetry/plant", data=body, method="POST", headers=headers)
    request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_what_a_gateway_pushes_comes_to_kafka_and_its_token_into_no_log(place: Place) -> None:
    with place.bridge(*place.push(), mqtt=False) as bridge, place.reads() as topic:
        door = bridge.started().address()
        body = b"\n".join(map(reading, range(5)))
        assert post(door, gzip.compress(body), **{"Content-Encoding": "gzip"}) == (202, {"accepted": len(body)})
        assert post(door, body, "wrong-token")[0] == 401
        topic.has(range(5))
        assert topic.records[0].value == body
        assert dict(topic.records[0].headers)["gateway"] == b"http:gw7"
        assert bridge.stop() < 10
    assert not {TOKEN, "wrong-token"} & set(bridge.log.read_text().split('"'))
    assert TOKEN not in bridge.log.read_text()


def test_a_message_too_large_for_kafka_comes_in_pieces(place: Place) -> None:
    with place.bridge(*place.push(), mqtt=False) as bridge, place.reads() as topic:
        door = bridge.started().address()
        times = list(range(1_767_573_000, 1_767_573_000 + 120_000))
        body = json.dumps({"point": "plant/main", "time": times, "value": times}).encode()
        assert len(body) > 2_000_000
        assert post(door, body)[0] == 202
        until(lambda: sum(map(len, topic.poll().values)) == len(times), "every reading")
        assert [value for part in topic.values for value in part] == times


def test_when_the_disk_is_full_gateways_are_told_to_come_again(
    tmp_path: Path, own_kafka: Callable[..., KafkaServer], broker: Mosquitto
) -> None:
    server = own_kafka()
    place = Place(tmp_path, server.bootstrap, broker)
    server.stop()
    big = reading(1) + b"\n" + b" " * 4_190_000 + b"\n" + reading(2)
    with place.bridge(*place.push(), "--spool-mb", "16") as bridge:
        door = bridge.started().address()
        codes = [post(door, big)[0] for _ in range(5)]
        assert codes == [202, 202, 202, 202, 503]
        with Sender(broker.port) as gateway:
            gateway.more(300)
            until(lambda: bridge.events("mqtt_held_back"), "messages held back")
            numbers = gateway.end()
        server.start()
        with place.reads() as topic:
            topic.has(numbers)
        until(lambda: post(door, reading(1))[0] == 202, "room again")


def test_a_bridge_that_is_killed_is_offline_at_the_broker(place: Place) -> None:
    came: list[bytes] = []
    watcher = Client(CallbackAPIVersion.VERSION2)
    watcher.on_message = lambda _, __, message: came.append(bytes(message.payload))
    watcher.connect("127.0.0.1", place.mosquitto.port)
    watcher.subscribe("kilowatch/kilowatch-bridge/status", qos=1)
    watcher.loop_start()
    try:
        with place.bridge() as bridge:
            bridge.started()
            until(lambda: came == [b"online"], "online")
            bridge.kill()
            until(lambda: came == [b"online", b"offline"], "the last will")
    finally:
        watcher.disconnect()
        watcher.loop_stop()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "expected --mqtt with --inlets, or --http with --tokens, or both pairs; found none of them"),
        (["--mqtt", "mqtt://h", "--http", "127.0.0.1:1"], "found --mqtt and --http"),
        (["--http", "8080", "--tokens", "{tokens}"], "--http: expected HOST:PORT such as 127.0.0.1:8080; found '8080'"),
        (["--http", "127.0.0.1:1", "--tokens", "{nothing}"], "nothing: expected a file of tokens; found: No such file"),
        (["--mqtt", "http://h", "--inlets", "{inlets}"], "--mqtt: expected mqtt://HOST"),
        (["--mqtt", "mqtt://u:not-the-right-one@h", "--inlets", "{inlets}"], "found it in the URL"),
        (
            ["--mqtt", "mqtt://127.0.0.1", "--inlets", "{bad}"],
            "bad:1: topics: missing key: expected a value; found nothing",
        ),
        (["--mqtt", "mqtts://h", "--mqtt-ca", "{bad}", "--inlets", "{inlets}"], "expected usable certificate files"),
        (
            ["--mqtt", "mqtt://u@h", "--mqtt-password-file", "{nothing}", "--inlets", "{inlets}"],
            "expected a file with the MQTT",
        ),
        (["--mqtt", "mqtt://h", "--inlets", "{inlets}", "--kafka", "nohost"], "Kafka: expected host:port"),
        (
            ["--mqtt", "mqtt://h", "--inlets", "{inlets}", "--kafka-security", "sasl_ssl"],
            "expected a user and a password with sasl_ssl; found none",
        ),
    ],
)
def test_what_is_wrong_at_the_start_is_one_line(tmp_path: Path, options: list[str], said: str) -> None:
    (tmp_path / "inlets").write_text(INLETS)
    (tmp_path / "tokens").write_text(token_line("gw7", TOKEN, "plant"))
    (tmp_path / "bad").write_text("{}")
    files = {name: str(tmp_path / name) for name in ("inlets", "tokens", "bad", "nothing")}
    common = ["--kafka", "127.0.0.1:1", "--spool", str(tmp_path / "spool")]
    with pytest.raises(KilowatchError) as caught:
        typer.main.get_command(app)(
            ["bridge", *common, *(each.format(**files) for each in options)], standalone_mode=False
        )
    line = str(caught.value)  # the command prints it and ends with exit code 2
    assert said in line
    assert "\n" not in line
    assert PASSWORD not in line


def test_a_wrong_password_of_mqtt_is_told_at_the_start_and_comes_into_no_log(
    tmp_path: Path, own_mosquitto: Callable[..., Mosquitto]
) -> None:
    broker = own_mosquitto(users={"bridge": "right"})
    (tmp_path / "inlets").write_text(INLETS)
    options = ["--mqtt", f"mqtt://bridge@127.0.0.1:{broker.port}", "--inlets", str(tmp_path / "inlets")]
    secret = {"KILOWATCH_MQTT_PASSWORD": PASSWORD}
    with Bridge(tmp_path, "--kafka", "127.0.0.1:1", "--spool", str(tmp_path / "spool"), *options, env=secret) as bridge:
        assert "expected to be let in as 'bridge'" in bridge.refused()
    assert PASSWORD not in bridge.log.read_text()


def test_a_broker_whose_certificate_nobody_signed_is_told_at_the_start(
    tmp_path: Path, own_mosquitto: Callable[..., Mosquitto]
) -> None:
    (tmp_path / "inlets").write_text(INLETS)
    options = ["--mqtt", f"mqtts://127.0.0.1:{own_mosquitto(tls=True).port}", "--inlets", str(tmp_path / "inlets")]
    with Bridge(tmp_path, "--kafka", "127.0.0.1:1", "--spool", str(tmp_path / "spool"), *options) as bridge:
        assert "expected a certificate that the CA signed; found self-signed certificate" in bridge.refused()


def test_a_token_is_shown_once_and_its_line_opens_the_door(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["token", "gw7", "--sites", "plant,depot"])
    shown, line = (text.split(":", 1)[1].strip() for text in done.output.splitlines())
    (tmp_path / "tokens").write_text(line)
    gateway = Tokens(tmp_path / "tokens").gateway(shown)
    assert gateway is not None
    assert (gateway.name, gateway.sites) == ("gw7", {"plant", "depot"})
    assert shown not in line


def test_a_spool_that_another_bridge_holds_is_told(place: Place) -> None:
    with place.bridge() as bridge:
        bridge.started()
        (place.folder / "second").mkdir()
        with Bridge(place.folder / "second", *bridge.options) as second:
            assert "held by another process" in second.refused()
