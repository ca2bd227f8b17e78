"""What the bridge says of itself: Prometheus metrics, health and readiness."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from jobs.bridge_sender import Sender
from streams.ingest.mqtt import MqttInlet
from streams.ingest.spool import Spool
from streams.ingest.tally import Tally

COUNTERS: Final = {
    "messages_in": ("Messages that came", "inlet"),
    "bytes_in": ("Bytes that came, uncompressed", "inlet"),
    "refused": ("Messages that were not taken as they were, or not at all", "reason"),
    "unmapped": ("Values and payloads that a topic rule has no point for; they go on to quarantine", "topic"),
    "held_back": ("Messages that waited for room before they were acknowledged", "reason"),
    "rebirths_asked": ("Messages on which a Sparkplug node was asked for a rebirth", "topic"),
    "sent": ("Messages that Kafka acknowledged", ""),
    "packed": ("Kafka messages that they were packed into", ""),
    "send_errors": ("Attempts to send that failed", "error"),
}


class Collector:
    """Reads the counts when somebody asks for them."""

    def __init__(self, tally: Tally, spool: Spool, sender: Sender, mqtt: MqttInlet | None) -> None:
        """`mqtt` is None where no broker was named."""
        self.tally, self.spool, self.sender, self.mqtt = tally, spool, sender, mqtt

    def collect(self) -> Iterator[Metric]:
        """Every metric, named `kilowatch_bridge_…`."""
        for name, (text, label) in COUNTERS.items():
            family = CounterMetricFamily(f"kilowatch_bridge_{name}", text, labels=[label] if label else [])
            for value, count in self.tally.read(name).items() or ([] if label else [("", 0)]):
                family.add_metric([value] if label else [], count)
            yield family
        waiting = self.spool.waiting()
        age_s = 0.0 if waiting.oldest_ms is None else max(0.0, time.time() - waiting.oldest_ms / 1_000)
        gauges = {
            "waiting_records": ("Messages on disk that Kafka has not acknowledged", waiting.records),
            "waiting_bytes": ("Their bytes", waiting.bytes),
            "waiting_oldest_seconds": ("How long the oldest has waited", age_s),
            "room_bytes": ("Bytes that the spool may hold at most", self.spool.most_bytes),
            "kafka_connected": ("Whether the last attempt to send succeeded", int(self.sender.connected)),
        }
        if self.mqtt is not None:
            gauges["mqtt_connected"] = ("Whether the broker is connected", int(self.mqtt.connected))
        for name, (text, number) in gauges.items():
            yield GaugeMetricFamily(f"kilowatch_bridge_{name}", text, value=number)


def pages(tally: Tally, spool: Spool, sender: Sender, mqtt: MqttInlet | None) -> web.Application:
    """`/metrics`; `/healthz`: its threads live; `/readyz`: it can take messages, whether or not Kafka is there."""
    registry = CollectorRegistry()
    registry.register(Collector(tally, spool, sender, mqtt))

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def healthz(_: web.Request) -> web.Response:
        alive = {"sender": sender.alive} | ({} if mqtt is None else {"mqtt": mqtt.alive})
        return web.json_response(alive, status=200 if all(alive.values()) else 503)

    async def readyz(_: web.Request) -> web.Response:
        waiting = spool.waiting()
        ready = {"room": waiting.bytes < 0.95 * spool.most_bytes}
        ready |= {} if mqtt is None else {"mqtt": mqtt.connected}
        content = ready | {"kafka": sender.connected, "waiting_records": waiting.records}
        return web.json_response(content, status=200 if all(ready.values()) else 503)

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    return app
