"""What a live process tells Prometheus, and whether it is well."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

from streams.domain.findings import KilowatchError
from streams.runners.batch import Counts

LAST_PORT = 65_535
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0, 60.0, 600.0, 3600.0)


class LiveMetrics:
    """Counters and gauges of one process."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self.registry = CollectorRegistry()

        def counter(name: str, help_text: str) -> Counter:
            return Counter(f"kilowatch_{name}", help_text, registry=self.registry)

        def histogram(name: str, help_text: str) -> Histogram:
            return Histogram(f"kilowatch_{name}_seconds", help_text, buckets=SECONDS, registry=self.registry)

        self.records = counter("records", "Messages taken from the log.")
        self.readings = counter("readings", "Usable readings stored.")
        self.late = counter("late_readings", "Readings later than their point allows; they recompute what they change.")
        self.rejected = counter("quarantined", "Readings and messages put into quarantine.")
        self.facts = counter("facts", "Interval facts written, revisions included.")
        self.revisions = counter("revisions", "Interval facts that replaced an earlier revision.")
        self.ticks = counter("ticks", "Recorded ticks of the clock that were taken.")
        self.skipped = counter("redelivered", "Messages at or before the stored position, which were skipped.")
        self.fenced = counter("fenced", "Batches given up because another worker had moved the position on.")
        self.stood_still = counter("stood_still", "Partitions read again since nothing came though the log went on.")
        self.retries = counter("store_retries", "Attempts to reach a store that was away.")
        self.compute = histogram("batch", "Decoding and computing one batch.")
        self.commit = histogram("commit", "Committing one batch.")
        self.latency = histogram("end_to_end", "From a message's arrival at the first inlet to its commit.")
        self.lag = Gauge(
            "kilowatch_lag_messages", "Messages in the log after the position.", ["log", "part"], registry=self.registry
        )
        self.store_up = Gauge("kilowatch_store_up", "1 while the store answers.", registry=self.registry)
        self.catalog_wrong = Gauge(
            "kilowatch_catalog_files_wrong", "Site files that changed and cannot be used.", registry=self.registry
        )

    def count(self, counts: Counts) -> None:
        """Add what a committed batch held."""
        for name in ("records", "readings", "late", "rejected", "facts", "revisions", "ticks"):
            getattr(self, name).inc(getattr(counts, name))


class StatusServer:
    """`/metrics`, `/healthz` and `/readyz` on an address of its own.

    `is_healthy` is asked for /healthz, `is_ready` for /readyz; each answers with a sentence when it is not.
    """

    def __init__(
        self, address: str, registry: CollectorRegistry, is_healthy: Callable[[], str], is_ready: Callable[[], str]
    ) -> None:
        """Listen on `host:port`; KilowatchError where that cannot be."""
        host, _, port = address.rpartition(":")
        if not port.isdecimal() or int(port) > LAST_PORT:
            raise KilowatchError(f"--metrics: expected HOST:PORT such as 127.0.0.1:9464; found {address!r}")

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/metrics":
                    self._answer(200, generate_latest(registry), "text/plain; version=0.0.4; charset=utf-8")
                elif self.path in ("/healthz", "/readyz"):
                    wrong = (is_healthy if self.path == "/healthz" else is_ready)()
                    self._answer(503 if wrong else 200, (wrong or "ok").encode() + b"\n", "text/plain; charset=utf-8")
                else:
                    self._answer(404, b"expected /metrics, /healthz or /readyz\n", "text/plain; charset=utf-8")

            def _answer(self, code: int, body: bytes, kind: str) -> None:
                self.send_response(code)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:  # noqa: ANN401 - the library's signature
                """Requests for metrics are not worth a line."""

        try:
            self.server = ThreadingHTTPServer((host.strip("[]") or "127.0.0.1", int(port)), Handler)
        except OSError as error:
            raise KilowatchError(
                f"--metrics {address}: expected a free address of this machine; found: {error.strerror}; "
                "stop what listens there, or choose another"
            ) from None
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, name="status", daemon=True)
        self.thread.start()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.server.server_address[1])

    def close(self) -> None:
        """Stop listening."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
