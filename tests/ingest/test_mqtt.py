"""The MQTT inlet on a real broker: nothing is acknowledged before it is safe, nothing is lost on the way."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from streams.domain.findings import KilowatchError
from streams.ingest.inlets import read_inlets
from streams.ingest.mqtt import MqttInlet, MqttSettings
from streams.ingest.records import Message
from streams.ingest.sparkplug import Payload
from streams.ingest.spool import Spool
from streams.ingest.tally import Tally
from streams.ingest.topics import Topics
from tests.servers.mosquitto import Mosquitto

RULES = """
topics:
  - {topic: "plant/{gateway}/telemetry", site: plant}
  - {topic: "spBv1.0/{group}/#", site: plant, form: sparkplug, point: "plant/{metric}"}
"""


def until(fulfilled: Callable[[], Any], what: str, patience_s: float = 60.0) -> Any:
    deadline = time.monotonic() + patience_s
    while not (answer := fulfilled()):
        assert time.monotonic() < deadline, f"not within {patience_s:g} s: {what}"
        time.sleep(0.01)
    return answer


class Peer:
    """Somebody else at the broker: publishes, and remembers what comes on the topics that it listens to."""

    def __init__(self, port: int, listens: str | None = None) -> None:
        self.client = Client(CallbackAPIVersion.VERSION2)
        self.came: list[tuple[str, bytes]] = []
        self.client.on_message = lambda _, __, message: self.came.append((message.topic, bytes(message.payload)))
        self.client.connect("127.0.0.1", port)
        if listens:
            self.client.subscribe(listens, qos=1)
        self.client.loop_start()

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def publish(self, topic: str, payloads: Sequence[bytes], *, qos: int = 1, retain: bool = False) -> None:
        for sent in [self.client.publish(topic, payload, qos=qos, retain=retain) for payload in payloads]:
            sent.wait_for_publish(60)
            assert sent.is_published()


class Site:
    """A spool and inlets that fill it, one after the other, under one name."""

    def __init__(self, folder: Path, port: int, version: str = "5", most_bytes: int = 1 << 30) -> None:
        (folder / "inlets.yaml").write_text(RULES)
        self.inlets = read_inlets(folder / "inlets.yaml")
        self.spool, self.tally = Spool(folder / "spool.db", most_bytes), Tally()
        self.settings = MqttSettings("127.0.0.1", port, client_id=f"test-{version}", version=version)
        self.inlet: MqttInlet | None = None

    def listen(self, append: Callable[[Sequence[Message]], int] | None = None) -> MqttInlet:
        self.inlet = self.made(append)
        self.inlet.start()
        until(lambda: self.inlet is not None and self.inlet.subscribed, "the subscription")
        return self.inlet

    def made(self, append: Callable[[Sequence[Message]], int] | None = None) -> MqttInlet:
        topics = Topics(self.inlets, self.tally)
        return MqttInlet(self.settings, topics, append or self.spool.append, lambda: 1_000, self.tally)

    def values(self) -> list[bytes]:
        return [record.value for record in self.spool.read(0, 100_000)]

    def close(self) -> None:
        if self.inlet is not None:
            self.inlet.stop(2.0)
        self.spool.close()


@pytest.fixture
def broker(own_mosquitto: Callable[..., Mosquitto]) -> Mosquitto:
    return own_mosquitto()


@pytest.fixture(params=["5", "3.1.1"])
def site(request: pytest.FixtureRequest, tmp_path: Path, broker: Mosquitto) -> Iterator[Site]:
    made = Site(tmp_path, broker.port, request.param)
    yield made
    made.close()


def numbers(first: int, after: int) -> list[bytes]:
    return [b"%d" % number for number in range(first, after)]


def test_messages_come_in_order_and_are_acknowledged_when_stored(site: Site, broker: Mosquitto) -> None:
    site.listen()
    with Peer(broker.port) as peer:
        peer.publish("plant/gw1/telemetry", numbers(0, 200))
        until(lambda: len(site.values()) == 200, "200 messages")
    record = site.spool.read(0, 1)[0]
    assert (record.site, record.gateway, record.received_ms) == ("plant", "mqtt:plant/gw1", 1_000)
    assert site.values() == numbers(0, 200)
    assert site.tally.read("messages_in") == {"mqtt": 200}
    assert site.inlet is not None
    site.inlet.stop()
    site.listen()  # the broker has nothing left to send again, but for what was on its way at the end
    with Peer(broker.port) as peer:
        peer.publish("plant/gw1/telemetry", [b"last"])
        until(lambda: b"last" in site.values(), "the last message")
    assert len(site.values()) <= 200 + 20 + 1


def test_what_was_not_stored_is_not_acknowledged_and_comes_again(site: Site, broker: Mosquitto) -> None:
    def broken(_: Sequence[Message]) -> int:
        raise KilowatchError("no disk")

    inlet = site.listen(broken)
    with Peer(broker.port) as peer:
        peer.publish("plant/gw1/telemetry", numbers(0, 50))
    until(lambda: site.tally.read("held_back").get("spool error"), "messages held back")
    inlet.stop()
    site.listen()
    until(lambda: set(numbers(0, 50)) <= set(site.values()), "what the broker kept")


def test_what_comes_while_nobody_listens_is_kept_by_the_broker_even_when_it_restarts(
    site: Site, broker: Mosquitto
) -> None:
    site.listen().stop()
    with Peer(broker.port) as peer:
        peer.publish("plant/gw1/telemetry", numbers(0, 20))
    broker.restart()
    site.listen()
    until(lambda: set(numbers(0, 20)) <= set(site.values()), "what the broker kept")


def test_the_inlet_comes_back_by_itself_when_the_broker_restarts(site: Site, broker: Mosquitto) -> None:
    inlet = site.listen()
    broker.restart()
    until(lambda: inlet.subscribed, "the subscription after the restart")
    with Peer(broker.port) as peer:
        peer.publish("plant/gw1/telemetry", [b"1"])
    until(lambda: site.values() == [b"1"], "a message after the restart")


def test_a_full_spool_holds_back_until_there_is_room_and_nothing_is_lost(tmp_path: Path, broker: Mosquitto) -> None:
    site = Site(tmp_path, broker.port, most_bytes=20_000)
    inlet = site.listen()
    wanted = [b"%06d" % number + b" " * 500 + b"." for number in range(300)]
    with Peer(broker.port) as peer:
        peer.publish("plant/gw1/telemetry", wanted)  # the broker takes all of them at once
    until(lambda: site.tally.total("held_back") > 0, "a spool without room")
    seen: list[bytes] = []

    def taken_over() -> int:
        records = site.spool.read(0, 1_000)
        if records:
            seen.extend(record.value for record in records)
            site.spool.drop(records[-1].offset)
        return len(set(seen))

    until(lambda: taken_over() == 300, "all messages")
    assert sorted(set(seen)) == wanted
    assert inlet.alive
    site.close()


def test_it_stops_in_time_even_when_the_spool_is_full(tmp_path: Path, broker: Mosquitto) -> None:
    site = Site(tmp_path, broker.port, most_bytes=1_000)
    inlet = site.listen()
    with Peer(broker.port) as peer:
        peer.publish("plant/gw1/telemetry", [b"x" * 2_000] * 3)
        until(lambda: site.tally.total("held_back") > 0, "a spool without room")
    begun = time.monotonic()
    inlet.stop()
    assert time.monotonic() - begun < 5
    site.close()


def test_retained_messages_and_those_of_qos_0_are_taken(site: Site, broker: Mosquitto) -> None:
    with Peer(broker.port) as peer:
        peer.publish("plant/gw1/telemetry", [b"kept"], retain=True)
        site.listen()
        peer.publish("plant/gw2/telemetry", [b"quick"], qos=0)
        until(lambda: set(site.values()) == {b"kept", b"quick"}, "both messages")


def test_it_says_that_it_is_there_and_that_it_went(site: Site, broker: Mosquitto) -> None:
    with Peer(broker.port, "kilowatch/+/status") as peer:
        inlet = site.listen()
        topic = site.settings.status_topic
        until(lambda: peer.came[-1:] == [(topic, b"online")], "online")
        inlet.stop()
        until(lambda: peer.came[-1:] == [(topic, b"offline")], "offline")


def test_a_sparkplug_node_is_asked_for_its_birth(site: Site, broker: Mosquitto) -> None:
    with Peer(broker.port, "spBv1.0/g/NCMD/+") as peer:
        site.listen()
        sent = Payload(metrics=[{"alias": 1, "int_value": 5}], seq=4).SerializeToString()
        peer.publish("spBv1.0/g/NDATA/n1", [sent], qos=0)
        until(lambda: peer.came, "a request")
    (topic, command) = peer.came[0]
    assert (topic, Payload.FromString(command).metrics[0].name) == ("spBv1.0/g/NCMD/n1", "Node Control/Rebirth")


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_user_password_and_tls_are_used_and_a_wrong_password_is_told(
    tmp_path: Path, own_mosquitto: Callable[..., Mosquitto], version: str
) -> None:
    broker = own_mosquitto(users={"bridge": "right"}, tls=True)
    site = Site(tmp_path, broker.port, version)
    right = replace(site.settings, user="bridge", password="right", tls=True, ca=broker.certificate)
    site.settings = replace(right, password="wrong")
    refused = site.made()
    refused.start()
    refused.wait(20)
    assert re.fullmatch(
        r"mqtts://127.0.0.1:\d+: expected to be let in as 'bridge'; found '.*' \(check user, password and client id\)",
        str(refused.refusal),
    )
    refused.stop(1.0)
    site.settings = right
    site.listen()
    assert "right" not in repr(site.settings)
    site.close()


def test_a_server_that_is_away_is_waited_for(tmp_path: Path, broker: Mosquitto) -> None:
    broker.stop()
    site = Site(tmp_path, broker.port)
    site.inlet = site.made()
    site.inlet.start()
    site.inlet.wait(5)
    assert (site.inlet.connected, site.inlet.refusal, site.inlet.alive) == (False, None, True)
    broker.start()
    until(lambda: site.inlet is not None and site.inlet.subscribed, "the subscription")
    site.close()
