"""`make bench`: how fast readings become committed facts on this machine, beside what else one could run.

Every comparison is a ratio within one run. Each measurement is a process of its own, so that its peak memory is too.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import orjson
import polars as pl

from jobs.cli import GARBAGE
from streams.catalog.reference import load_reference
from streams.domain.site import Contract, EmissionSource, Point, PointKind, Quantity, Site, SiteKind
from streams.ingest.files import read_blocks, source_id
from streams.operators.points import PointTable
from streams.pipeline import FACT, Pipeline
from streams.runners.embedded import EmbeddedRunner, Source
from streams.stores.duckdb import DuckDBStore
from streams.stores.site import SiteStore

START_MS = 1_767_225_600_000
RECEIVED = datetime(2026, 12, 1, tzinfo=UTC)
RECEIVED_MS = int(RECEIVED.timestamp() * 1000)


def site_of(points: int) -> Site:
    """A site of registers, one of which is its purchased energy."""
    every = tuple(
        Point(
            f"bench/m{nth:04d}",
            "hall",
            PointKind.REGISTER,
            Quantity.ENERGY,
            "kWh",
            modulus=1e6,
            max_rate=500.0,
            allowed_lateness_ms=120_000,
        )
        for nth in range(points)
    )
    contract = Contract(date(2025, 1, 1), "average_price", 500, average_price_ntd_per_kwh=Fraction(381, 100))
    return Site(
        "bench",
        SiteKind.MACHINING,
        ZoneInfo("Asia/Taipei"),
        "",
        "",
        date(2025, 1, 1),
        (),
        every,
        ("bench/m0000",),
        (),
        (contract,),
        (EmissionSource("grid", "bench/m0000", "grid_tw", 2, 2),),
        "AR5",
        (),
        "",
    )


def telemetry(readings: int, points: int, interval_ms: int) -> pl.DataFrame:
    """Registers in order of time, 1 % of the readings up to 45 s late and 0.05 % minutes late, in order of arrival."""
    chance = np.random.default_rng(20_260_101)
    nth, place = np.divmod(np.arange(readings, dtype=np.int64), points)
    rate = chance.uniform(5, 60, points)
    value = np.round(1_000 + rate[place] * nth * (interval_ms / 3_600_000), 3)
    late = chance.random(readings)
    delay = np.where(late < 0.01, chance.integers(0, 45_000, readings), 0)
    delay = np.where(late < 0.000_5, chance.integers(180_000, 600_000, readings), delay)
    arrival = np.argsort(nth * interval_ms + delay, kind="stable")
    names = pl.Series([f"bench/m{each:04d}" for each in range(points)])
    return pl.DataFrame(
        {
            "point": names.gather(place[arrival]),
            "time": pl.Series(START_MS + nth[arrival] * interval_ms).cast(pl.Datetime("ms", "UTC")),
            "value": value[arrival],
        }
    )


def ingest(file: str, points: int) -> dict[str, float]:
    """A file to committed facts, raw rows and archive."""
    with tempfile.TemporaryDirectory(dir=Path(file).parent) as folder:
        store = DuckDBStore(Path(folder) / "bench.duckdb")
        path = Path(file)
        begun = time.perf_counter()
        runner = EmbeddedRunner(site_of(points), store, lambda: RECEIVED)
        runner.ingest(Source(source_id(path), path.name, lambda start: read_blocks(path, None, start)), lambda _: None)
        runner.finish()
        seconds = time.perf_counter() - begun
        readings = runner.report.readings
        store.close()
    return {"seconds": seconds, "readings": readings, "peak_mb": _peak_mb()}


def one_shot(file: str, _points: int) -> dict[str, float]:
    """DuckDB alone: difference each register and add up quarter-hours; no faults, no late data, nothing stored."""
    path = Path(file)
    source = (
        f"read_json('{path}', format='newline_delimited', "
        "columns={point: 'VARCHAR', time: 'TIMESTAMP', value: 'DOUBLE'})"
        if path.suffix == ".ndjson"
        else f"'{path}'"
    )
    begun = time.perf_counter()
    con = duckdb.connect()
    con.execute(
        "create table result as "  # noqa: S608 - a path of this module's own
        "select point, time_bucket(interval 15 minute, time) as starts_at, sum(growth) as energy_kwh from ("
        "select point, time, value - lag(value) over (partition by point order by time) as growth "
        f"from {source}) group by all"
    )
    return {"seconds": time.perf_counter() - begun, "peak_mb": _peak_mb()}


def plain_loop(lines: list[bytes]) -> dict[tuple[str, int], float]:
    """What one would write by hand: the same arithmetic with dictionaries, without durability."""
    last: dict[str, float] = {}
    quarters: dict[tuple[str, int], float] = {}
    hours: dict[tuple[str, int], float] = {}
    emissions: dict[tuple[str, int], float] = {}
    parse = datetime.fromisoformat
    for line in lines:
        reading = orjson.loads(line)
        point, value = reading["point"], reading["value"]
        seconds = int(parse(reading["time"]).timestamp())
        before = last.get(point)
        if before is not None:
            growth = value - before
            if growth < 0:
                continue
            quarter, hour = (point, seconds // 900), (point, seconds // 3600)
            quarters[quarter] = quarters.get(quarter, 0.0) + growth
            hours[hour] = hours.get(hour, 0.0) + growth
            emissions[quarter] = emissions.get(quarter, 0.0) + growth * 0.474
        last[point] = value
    return quarters


class NoStore:
    """A memory for the pipeline that lives in this process alone."""

    def __init__(self) -> None:
        """Begin empty."""
        self.raw: list[pl.DataFrame] = []
        self.known = pl.DataFrame(schema=FACT)

    def keep(self, raw: pl.DataFrame, facts: pl.DataFrame) -> None:
        """Remember what a step left."""
        self.raw.append(raw)
        if len(facts):
            both = pl.concat([self.known, facts])
            self.known = both.unique(["place", "starts_ms"], keep="last", maintain_order=True)

    def scored(self) -> dict[int, bytes]:
        """See `streams.pipeline.Memory`."""
        return {}

    def words(self, places: list[int], since_ms: int) -> dict[int, tuple[int, str]]:  # noqa: ARG002 - there are none
        """See `streams.pipeline.Memory`."""
        return {}

    def readings(self, places: list[int], since_ms: int) -> pl.DataFrame:
        """See `streams.pipeline.Memory`."""
        self.raw = [pl.concat(self.raw)]
        every = self.raw[0].filter(pl.col("place").is_in(places), pl.col("time_ms") > since_ms)
        return every.select("place", "time_ms", "value", "unit", "quality", "seq", "late_ms")

    def facts(self, places: list[int], from_ms: int, to_ms: int) -> pl.DataFrame:
        """See `streams.pipeline.Memory`."""
        return self.known.filter(pl.col("place").is_in(places), pl.col("starts_ms").is_between(from_ms, to_ms - 1))


def in_memory(file: str, points: int, step: int) -> dict[str, float]:
    """JSON lines through codec and pipeline in steps, without a commit; beside the plain loop on the same lines."""
    from streams.ingest.codec import decode  # noqa: PLC0415 - only this measurement needs it

    lines = Path(file).read_bytes().splitlines()
    begun = time.perf_counter()
    quarters = plain_loop(lines)
    loop = time.perf_counter() - begun
    memory = NoStore()
    pipeline = Pipeline(PointTable.of(site_of(points)), memory, load_reference())
    begun = time.perf_counter()
    for at in range(0, len(lines), step):
        decoded = decode(b"\n".join(lines[at : at + step]))
        outputs = pipeline.step(decoded.readings, RECEIVED_MS)
        memory.keep(outputs.raw, outputs.facts)
    pipeline.flush()
    seconds = time.perf_counter() - begun
    return {"seconds": seconds, "loop_seconds": loop, "readings": len(lines), "quarters": len(quarters)}


def live_steps(_file: str, points: int, step: int) -> dict[str, float]:
    """Steps of a live stream with their commit: latency of each."""
    frame = telemetry(step * 2_000, points, 1_000).select(
        "point",
        pl.col("time").dt.timestamp("ms").alias("time_ms"),
        "value",
        pl.lit(None, pl.String).alias("text"),
        pl.lit(None, pl.String).alias("unit"),
        pl.lit(0, pl.Int8).alias("quality"),
        pl.lit(None, pl.String).alias("extra"),
    )
    with tempfile.TemporaryDirectory() as folder:
        store = DuckDBStore(Path(folder) / "live.duckdb")
        site = SiteStore(store, PointTable.of(site_of(points)))
        pipeline = site.pipeline()
        number, done, _, _ = site.source("live", "live", RECEIVED)
        latency = []
        for at in range(0, len(frame), step):
            begun = time.perf_counter()
            outputs = pipeline.step(frame[at : at + step], RECEIVED_MS)
            site.commit(outputs, RECEIVED, source=(number, "live", done, done + step))
            latency.append((time.perf_counter() - begun) * 1000)
            done += step
        store.close()
    median, high, most = np.quantile(latency, [0.5, 0.99, 1.0]).tolist()
    return {"steps": len(latency), "median_ms": median, "p99_ms": high, "max_ms": most}


MEASURES: dict[str, Callable[..., dict[str, float]]] = {
    "ingest": ingest,
    "one_shot": one_shot,
    "in_memory": in_memory,
    "live_steps": live_steps,
}


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _measure(name: str, *arguments: object) -> dict[str, float]:
    done = subprocess.run(  # noqa: S603 - this very module
        [sys.executable, "-m", "jobs.bench", "--measure", name, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"bench: {name} failed:\n{done.stderr}")
    result: dict[str, float] = json.loads(done.stdout)
    return result


def _write(folder: Path, readings: int, points: int, interval_ms: int) -> tuple[Path, Path]:
    rows = telemetry(readings, points, interval_ms)
    parquet = folder / f"{readings}_{points}.parquet"
    rows.write_parquet(parquet)
    lines = folder / f"{readings}_{points}.ndjson"
    rows.with_columns(pl.col("time").dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ")).write_ndjson(lines)
    return parquet, lines


def report(readings: int, folder: Path) -> None:
    """Measure and print every figure."""
    for points, interval_ms in ((500, 1_000), (500, 60_000)):
        parquet, lines = _write(folder, readings, points, interval_ms)
        for file in (parquet, lines):
            ours, theirs = _measure("ingest", file, points), _measure("one_shot", file, points)
            speed = readings / ours["seconds"]
            print(
                f"{readings:,} readings, {points} registers at {interval_ms // 1000} s, {file.suffix[1:]}: "
                f"{speed:,.0f} readings/s, peak {ours['peak_mb']:,.0f} MB; "
                f"one-shot SQL {readings / theirs['seconds']:,.0f} readings/s; "
                f"ours is {theirs['seconds'] / ours['seconds']:.2f} of it"
            )
            file.unlink()
    _, lines = _write(folder, min(readings, 1_000_000), 500, 1_000)
    for step in (100_000, 500):
        both = _measure("in_memory", lines, 500, step)
        print(
            f"JSON in steps of {step:,}, without commit: {both['readings'] / both['seconds']:,.0f} readings/s; "
            f"plain loop {both['readings'] / both['loop_seconds']:,.0f}; "
            f"ours is {both['loop_seconds'] / both['seconds']:.2f} of it"
        )
    for points in (500, 5_000):
        steps = _measure("live_steps", "-", points, 1_000)
        print(
            f"steps of 1,000 readings with commit, {points} registers at 1 s: median {steps['median_ms']:.1f} ms, "
            f"99th percentile {steps['p99_ms']:.1f} ms, most {steps['max_ms']:.0f} ms ({steps['steps']:.0f} steps)"
        )
    for count, points in ((readings // 10, 500), (readings, 50), (readings, 5_000)):
        parquet, lines = _write(folder, count, points, 1_000)
        ours = _measure("ingest", parquet, points)
        print(
            f"growth: {count:,} readings of {points} registers: {ours['seconds']:.1f} s, "
            f"{count / ours['seconds']:,.0f} readings/s, peak {ours['peak_mb']:,.0f} MB"
        )
        parquet.unlink()
        lines.unlink()


def main() -> None:
    """Run every measurement, or one of them in this process."""
    parser = argparse.ArgumentParser(prog="python -m jobs.bench", description=__doc__)
    parser.add_argument("--readings", type=int, default=10_000_000)
    parser.add_argument("--measure", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        name, file, *numbers = arguments.measure
        gc.set_threshold(GARBAGE)  # as the command does
        print(json.dumps(MEASURES[name](file, *map(int, numbers))))
        return
    with tempfile.TemporaryDirectory() as folder:
        report(arguments.readings, Path(folder))


if __name__ == "__main__":
    main()
