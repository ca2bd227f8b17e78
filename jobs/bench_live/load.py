"""Synthetic telemetry for the live bench: registers at one reading a second, as Kafka messages of one gateway each.

A message is a JSON list of readings, keyed by site, with the headers `gateway` and `received` (milliseconds since
1970). `backlog` fills a topic as fast as it can with readings of the past, 1 % of which are up to 45 s late; `paced`
sends readings of now at an even rate; `sites` writes the matching catalog.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

START_MS = 1_767_225_600_000  # 2026-01-01T00:00Z
LATE_SHARE = 0.01
LATEST_MS = 45_000
LOWEST_KW, HIGHEST_KW = 5, 60
OPENING_WH = 1_000_000
SLICE_READINGS = 200_000
MS_HOUR = 3_600_000
UNANSWERED = 20_000  # messages on their way before the answers are looked at
TICK_S = 0.001  # a shorter wait costs more than it is worth

SITE = """\
# A site of the live bench: registers at one reading a second.
site: {site}
kind: machining
time_zone: Asia/Taipei
starts_on: 2025-01-01
gwp_set: AR5
allowed_lateness: 2min
resolution: 15min
assets:
  - {{name: hall}}
points:
{points}
supply:
  import: [m0000]
  contracts:
    - {{from: 2025-01-01, plan: average_price, price_ntd_per_kwh: 3.81}}
emissions:
  - {{name: grid, point: m0000, factor: grid_tw, scope: 2, iso_category: 2}}
"""
POINT = (
    "  - {{name: {name}, asset: hall, kind: register, unit: kWh, decimals: 3, digits: 6, interval: 1s, max_kw: 100}}"
)


@dataclass(frozen=True, slots=True)
class Message:
    """What goes to Kafka: a site's readings as JSON, and when its gateway sent them."""

    site: str
    received_ms: int
    value: bytes
    readings: int


@dataclass(frozen=True, slots=True)
class Load:
    """So many sites of so many registers each, `per_message` readings in a message."""

    sites: int
    registers: int
    per_message: int

    @property
    def a_second(self) -> int:
        """Readings that all registers make in a second."""
        return self.sites * self.registers

    def site_names(self) -> list[str]:
        """`bench0000` and on."""
        return [f"bench{nth:04d}" for nth in range(self.sites)]

    def point_names(self) -> list[str]:
        """`site/register` of every register, site by site."""
        return [f"{site}/m{nth:04d}" for site in self.site_names() for nth in range(self.registers)]

    def rates_kw(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """The steady power behind each register; the same in every run."""
        return np.random.default_rng(20_260_101).uniform(LOWEST_KW, HIGHEST_KW, self.a_second)


def backlog(load: Load, readings: int) -> Iterator[Message]:
    """Messages of `readings` readings from 2026-01-01 on, in order of arrival at each site.

    A late reading keeps its time and arrives later; what is left over when the seconds end is sent last, in shorter
    messages.
    """
    chance = np.random.default_rng(20_260_102)
    points, rates = pl.Series(load.point_names()), load.rates_kw()
    seconds = -(-readings // load.a_second)
    step = max(1, SLICE_READINGS // load.a_second)
    waiting = pl.DataFrame()
    for begin in range(0, seconds, step):
        end = min(begin + step, seconds)
        nth = np.arange(begin * load.a_second, min(end * load.a_second, readings), dtype=np.int64)
        second, place = np.divmod(nth, load.a_second)
        late = chance.random(len(nth)) < LATE_SHARE
        fresh = pl.DataFrame(
            {
                "site": place // load.registers,
                "arrival_ms": second * 1000 + np.where(late, chance.integers(1, LATEST_MS, len(nth)), 0),
                "reading": _json(points.gather(place), second, rates[place]),
            }
        )
        every = pl.concat([waiting, fresh]) if len(waiting) else fresh
        arrived = every.filter(pl.col("arrival_ms") < end * 1000).sort("arrival_ms", maintain_order=True)
        whole, rest = _cut(arrived, load, end == seconds)
        waiting = pl.concat([rest, every.filter(pl.col("arrival_ms") >= end * 1000)])
        yield from _messages(whole, load)
    last, _ = _cut(waiting.sort("arrival_ms", maintain_order=True), load, True)
    yield from _messages(last, load)


def _json(
    points: pl.Series,
    second: np.ndarray[tuple[int], np.dtype[np.int64]],
    kw: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> pl.Series:
    """Each reading as a JSON object; the value has three decimals, as the register shows them."""
    first = int(second[0])
    times = pl.Series(np.arange(first, int(second[-1]) + 1) * 1000 + START_MS).cast(pl.Datetime("ms"))
    stamps = times.dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").gather(second - first)
    watt_hours = pl.Series(OPENING_WH + (kw * second / 3.6).astype(np.int64))
    return pl.select(
        pl.concat_str(
            pl.lit('{"point":"'),
            points,
            pl.lit('","time":"'),
            stamps,
            pl.lit('","value":'),
            (watt_hours // 1000).cast(pl.String),
            pl.lit("."),
            (watt_hours % 1000).cast(pl.String).str.zfill(3),
            pl.lit("}"),
        )
    ).to_series()


def _cut(arrived: pl.DataFrame, load: Load, last: bool) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Number each site's readings by message; what does not fill a message waits, unless there is no more to come."""
    row, rows = pl.int_range(pl.len()).over("site"), pl.len().over("site")
    numbered = arrived.with_columns((row // load.per_message).alias("message"), rows.alias("rows"))
    full = (pl.col("message") + 1) * load.per_message <= pl.col("rows")
    whole = numbered if last else numbered.filter(full)
    rest = numbered.clear() if last else numbered.filter(~full)
    return whole, rest.drop("message", "rows")


def _messages(whole: pl.DataFrame, load: Load) -> Iterator[Message]:
    packed = (
        whole.group_by("site", "message", maintain_order=True)
        .agg(pl.col("reading").str.join(","), pl.col("arrival_ms").max(), pl.len())
        .sort("arrival_ms", maintain_order=True)
    )
    names = load.site_names()
    for site, _, readings, arrival_ms, count in packed.iter_rows():
        yield Message(names[site], START_MS + arrival_ms, b"[" + readings.encode() + b"]", count)


def live_messages(load: Load) -> list[tuple[str, list[tuple[str, float]]]]:
    """What one second holds: for each message its site, and the JSON before the time and the power of each reading."""
    points, rates = load.point_names(), load.rates_kw()
    messages = []
    for nth, site in enumerate(load.site_names()):
        for begin in range(nth * load.registers, (nth + 1) * load.registers, load.per_message):
            places = range(begin, min(begin + load.per_message, (nth + 1) * load.registers))
            messages.append((site, [(f'{{"point":"{points[at]}","time":"', float(rates[at])) for at in places]))
    return messages


def live_value(readings: list[tuple[str, float]], now_ms: int) -> bytes:
    """The JSON of one message with `time` = `now_ms`."""
    stamp = np.datetime64(now_ms, "ms").item().isoformat(timespec="milliseconds")
    hours = (now_ms - START_MS) / MS_HOUR
    each = (f'{before}{stamp}Z","value":{OPENING_WH // 1000 + kw * hours:.3f}}}' for before, kw in readings)
    return b"[" + ",".join(each).encode() + b"]"


def write_sites(load: Load, folder: Path) -> None:
    """One catalog file a site, which `kilowatch check` accepts."""
    folder.mkdir(parents=True, exist_ok=True)
    points = "\n".join(POINT.format(name=f"m{nth:04d}") for nth in range(load.registers))
    for site in load.site_names():
        (folder / f"{site}.yaml").write_text(SITE.format(site=site, points=points))


def create_topic(kafka: str, topic: str, partitions: int) -> None:
    """Make the topic, which keeps what is old; one of that name that is there already is an error of Kafka's."""
    new = NewTopic(topic, num_partitions=partitions, replication_factor=1, topic_configs={"retention.ms": "-1"})
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    try:
        admin.create_topics([new])
    finally:
        admin.close()


def producer(kafka: str, linger_ms: int) -> AIOKafkaProducer:
    """A producer for many messages: Faust's client, since kafka-python adds up its checksums in Python."""
    return AIOKafkaProducer(
        bootstrap_servers=kafka, linger_ms=linger_ms, max_batch_size=1 << 19, max_request_size=1 << 23, acks="all"
    )


async def send(out: AIOKafkaProducer, topic: str, message: Message) -> asyncio.Future[object]:
    """Hand over one message, keyed by site; the broker's answer comes later."""
    headers = [("gateway", f"{message.site}-gw1".encode()), ("received", str(message.received_ms).encode())]
    answer: asyncio.Future[object] = await out.send(
        topic, key=message.site.encode(), value=message.value, headers=headers
    )
    return answer


async def fill(kafka: str, topic: str, load: Load, readings: int) -> dict[str, float]:
    """Backlog mode: every message as fast as the broker takes it."""
    begun, messages = time.perf_counter(), 0
    answers: list[asyncio.Future[object]] = []
    async with producer(kafka, linger_ms=5) as out:
        for message in backlog(load, readings):
            answers.append(await send(out, topic, message))
            messages += 1
            if len(answers) == UNANSWERED:
                await asyncio.gather(*answers[: UNANSWERED // 2])
                del answers[: UNANSWERED // 2]
        await asyncio.gather(*answers)
    return {"readings": readings, "messages": messages, "seconds": round(time.perf_counter() - begun, 3)}


async def pace(kafka: str, topic: str, load: Load, seconds: int) -> dict[str, float]:
    """Paced mode: each register once a second, the messages spread evenly over it.

    `behind_ms` is the most that a message was sent behind its moment: a larger one means that this machine could not
    keep the pace, and that latencies measured meanwhile are those of a slower load.
    """
    messages = live_messages(load)
    behind = 0.0
    answers = []
    async with producer(kafka, linger_ms=2) as out:
        begun = time.perf_counter()
        for nth in range(seconds * len(messages)):
            wait = begun + nth / len(messages) - time.perf_counter()
            behind = max(behind, -wait)
            if wait > TICK_S:
                await asyncio.sleep(wait)
            site, readings = messages[nth % len(messages)]
            now_ms = time.time_ns() // 1_000_000
            message = Message(site, now_ms, live_value(readings, now_ms), len(readings))
            answers.append(await send(out, topic, message))
        await asyncio.gather(*answers)
        taken = time.perf_counter() - begun
    sent = seconds * load.a_second
    return {"readings": sent, "seconds": round(taken, 3), "behind_ms": round(behind * 1000, 1)}


def main() -> None:
    """`python -m jobs.bench_live.load backlog|paced|sites`; what was sent goes to standard output as JSON."""
    parser = argparse.ArgumentParser(prog="python -m jobs.bench_live.load", description=__doc__)
    parser.add_argument("mode", choices=["backlog", "paced", "sites"])
    parser.add_argument("--kafka", default="127.0.0.1:9092")
    parser.add_argument("--topic", default="telemetry")
    parser.add_argument("--partitions", type=int, default=0, help="create the topic with so many; 0: it is there")
    parser.add_argument("--sites", type=int, default=10)
    parser.add_argument("--registers", type=int, default=100, help="of a site")
    parser.add_argument("--per-message", type=int, default=100)
    parser.add_argument("--readings", type=int, default=5_000_000, help="of a backlog")
    parser.add_argument("--seconds", type=int, default=60, help="of the paced load")
    parser.add_argument("--directory", type=Path, default=Path("bench_sites"), help="for the sites' files")
    given = parser.parse_args()
    load = Load(given.sites, given.registers, given.per_message)
    if given.mode == "sites":
        write_sites(load, given.directory)
        return
    if given.partitions:
        create_topic(given.kafka, given.topic, given.partitions)
    if given.mode == "backlog":
        print(json.dumps(asyncio.run(fill(given.kafka, given.topic, load, given.readings))))
    else:
        print(json.dumps(asyncio.run(pace(given.kafka, given.topic, load, given.seconds))))


if __name__ == "__main__":
    main()
