"""End-to-end latency under the paced load: from the moment a message is sent to the commit of its readings.

The worker's own histogram on /metrics gives the percentiles. The store is asked each second for its newest reading, as
a check from outside: its age holds the latency, the wait for that register's next second and the question itself.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass

import psycopg

from jobs.bench_live.load import Load
from jobs.bench_live.measure import BenchError

HISTOGRAM = "kilowatch_end_to_end_seconds"
BUCKET = re.compile(rf'^{HISTOGRAM}_bucket\{{(?:.*,)?le="([^"]+)".*\}} (\S+)$', re.MULTILINE)
NEWEST = """
select extract(epoch from max(read_at)) from raw.reading
where read_at > timezone('UTC', now()) - interval '1 minute'
"""
WARM_UP_S = 10

Buckets = dict[float, float]


@dataclass(frozen=True, slots=True)
class Latency:
    """Percentiles in seconds, the ages of the store's newest reading, and what was sent."""

    p50_s: float
    p99_s: float
    messages: int
    newest_ages_s: tuple[float, ...]
    readings_a_second: float
    behind_ms: float

    def __str__(self) -> str:
        """One line of the bench."""
        ages = sorted(self.newest_ages_s)
        return (
            f"latency at {self.readings_a_second:,.0f} readings/s ({self.messages:,} messages): "
            f"median {self.p50_s:.3f} s, 99th percentile {self.p99_s:.3f} s; "
            f"newest reading in the store: median age {ages[len(ages) // 2]:.2f} s, most {ages[-1]:.2f} s; "
            f"sender at most {self.behind_ms:.0f} ms behind"
        )


def buckets_of(text: str) -> Buckets:
    """Cumulative counts by upper bound in seconds, over all labels; BenchError where the histogram is not there."""
    found: Buckets = {}
    for bound, count in BUCKET.findall(text):
        found[float(bound)] = found.get(float(bound), 0.0) + float(count)
    if not found:
        raise BenchError(f"bench: /metrics: expected the histogram {HISTOGRAM}; found none")
    return found


def between(before: Buckets, after: Buckets) -> Buckets:
    """What was observed between two looks."""
    return {bound: count - before.get(bound, 0.0) for bound, count in after.items()}


def quantile(buckets: Buckets, share: float) -> float:
    """The quantile in seconds, straight within its bucket, as Prometheus' `histogram_quantile` has it.

    In the last, open bucket it is that bucket's lower bound. BenchError where nothing was observed.
    """
    bounds = sorted(buckets)
    total = buckets[bounds[-1]]
    if total <= 0:
        raise BenchError(f"bench: {HISTOGRAM}: expected observations; found none")
    below, lower = 0.0, 0.0
    for bound in bounds:
        if buckets[bound] >= share * total:
            if bound == float("inf"):
                return lower
            return lower + (bound - lower) * (share * total - below) / (buckets[bound] - below)
        below, lower = buckets[bound], bound
    return lower


def scrape(address: str) -> Buckets:
    """The histogram of a worker whose /metrics is at `host:port`."""
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as answer:
        return buckets_of(answer.read().decode())


def latency(kafka: str, topic: str, load: Load, seconds: int, metrics: list[str], store: str) -> Latency:
    """Send the paced load to running workers for `seconds` after a warm-up, and watch."""
    sender = subprocess.Popen(  # noqa: S603 - this project's own module
        [
            *(sys.executable, "-m", "jobs.bench_live.load", "paced", "--kafka", kafka, "--topic", topic),
            *("--sites", str(load.sites), "--registers", str(load.registers)),
            *("--per-message", str(load.per_message), "--seconds", str(WARM_UP_S + seconds)),
        ],
        stdout=subprocess.PIPE,
    )
    try:
        time.sleep(WARM_UP_S)
        before = [scrape(address) for address in metrics]
        ages = _newest_ages(store, seconds)
        after = [scrape(address) for address in metrics]
        printed, _ = sender.communicate(timeout=60)
    finally:
        sender.kill()
        sender.wait()
    if sender.returncode:
        raise BenchError(f"bench: paced load: expected exit code 0; found {sender.returncode}")
    sent = json.loads(printed)
    observed: Buckets = {}
    for one, other in zip(before, after, strict=True):
        for bound, count in between(one, other).items():
            observed[bound] = observed.get(bound, 0.0) + count
    return Latency(
        quantile(observed, 0.5),
        quantile(observed, 0.99),
        int(observed[float("inf")]),
        tuple(ages),
        sent["readings"] / sent["seconds"],
        sent["behind_ms"],
    )


def _newest_ages(store: str, seconds: int) -> list[float]:
    ages = []
    with psycopg.connect(store, autocommit=True) as connection:
        begun = time.monotonic()
        for nth in range(seconds - 1):
            time.sleep(max(0.0, begun + nth + 1 - time.monotonic()))
            asked_at = time.time()
            row = connection.execute(NEWEST.encode()).fetchone()
            if row is None or row[0] is None:
                raise BenchError("bench: paced load: expected readings in the store; found none")
            ages.append(asked_at - float(row[0]))
    return ages
