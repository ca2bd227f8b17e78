"""What the sender tells Prometheus."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0, 600.0, 3600.0, 86_400.0)


class DeliveryMetrics:
    """Counters and gauges of one sender, by channel."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Begin at nothing."""

        def counter(name: str, help_text: str, *labels: str) -> Counter:
            return Counter(f"kilowatch_alerts_{name}", help_text, labels, registry=registry)

        self.planned = counter("planned", "Messages that were given to channels.")
        self.unrouted = counter("unrouted", "Messages that no route takes.")
        self.sent = counter("sent", "Messages that a receiver has taken.", "channel")
        self.failed = counter("failed", "Attempts that will be made again.", "channel")
        self.dead = counter("dead", "Messages that were given up.", "channel")
        self.withheld = counter("withheld", "Messages that were not sent for a reason.", "channel", "reason")
        self.dead_letters = Gauge(
            "kilowatch_alerts_dead_letters",
            "Dead letters in the store that nobody has sent again or discarded.",
            ["channel"],
            registry=registry,
        )
        self.waiting = Gauge("kilowatch_alerts_waiting", "Messages that wait.", ["channel"], registry=registry)
        self.store_up = Gauge("kilowatch_alerts_store_up", "1 while the sender reaches its store.", registry=registry)
        self.latency = Histogram(
            "kilowatch_alerts_delivery_seconds",
            "From the commit of a message to its receipt.",
            ["channel"],
            buckets=SECONDS,
            registry=registry,
        )
