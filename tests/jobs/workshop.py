"""A workshop with a compressor that room temperature and state explain: its file, and weeks of telemetry to ingest."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

SITE = """\
site: workshop
kind: machining
time_zone: Asia/Taipei
starts_on: 2026-01-01
gwp_set: AR5
assets:
  - {name: hall}
  - {name: compressor, parent: hall}
  - {name: lights, parent: hall}
points:
  - {name: compressor/kwh, asset: compressor, kind: register, unit: kWh, interval: 5min, max_gap: 30min, max_kw: 80}
  - {name: compressor/execution, asset: compressor, kind: state}
  - {name: hall/temp, asset: hall, kind: gauge, unit: Cel, interval: 5min}
  - {name: lights/kwh, asset: lights, kind: register, unit: kWh, interval: 5min, max_gap: 30min, max_kw: 80}
"""
BEGINS = datetime(2026, 1, 1, tzinfo=UTC)
STEP_MS = 300_000
DAY = 288


def telemetry(days: int = 34, fault_day: int = 28, factor: float = 1.15, seed: int = 5) -> pl.DataFrame:
    """Readings every five minutes in order of time, the state as it changes; drawing more from a day on."""
    chance = np.random.default_rng(seed)
    steps = days * DAY
    at = np.arange(steps)
    temp = 20 + 6 * np.sin(2 * np.pi * at / DAY) + 2 * np.sin(2 * np.pi * at / DAY / 9) + chance.normal(0, 0.2, steps)
    on = np.repeat(chance.random(steps // 12 + 1) < 0.6, 12)[:steps]
    kw = (4 + 0.5 * temp + 12 * on + chance.normal(0, 0.8, steps)) * np.where(at < fault_day * DAY, 1, factor)
    changed = np.flatnonzero(np.append(True, on[1:] != on[:-1]))
    lights = 3 + chance.normal(0, 0.1, steps)
    parts = [
        ("compressor/kwh", at, [f"{each:.2f}" for each in 1_000 + np.cumsum(kw) / 12]),
        ("lights/kwh", at, [f"{each:.2f}" for each in 500 + np.cumsum(lights) / 12]),
        ("hall/temp", at, [f"{each:.1f}" for each in temp]),
        ("compressor/execution", changed, ["ACTIVE" if on[each] else "READY" for each in changed]),
    ]
    rows = pl.concat(
        pl.DataFrame({"point": f"workshop/{name}", "step": step, "value": value}) for name, step, value in parts
    )
    begin_ms = int(BEGINS.timestamp() * 1000)
    moment = pl.from_epoch(begin_ms + pl.col("step") * STEP_MS, "ms").dt.replace_time_zone("UTC")
    return rows.sort("step", maintain_order=True).select("point", moment.alias("time"), "value")


def files(folder: Path, *days: int) -> list[Path]:
    """The site's file, then its telemetry cut at these days."""
    site = folder / "site.yaml"
    site.write_text(SITE, encoding="utf-8")
    rows = telemetry()
    day = (pl.col("time").dt.epoch("ms") - int(BEGINS.timestamp() * 1000)) // (DAY * STEP_MS)
    found = [site]
    for nth, (begin, end) in enumerate(zip((0, *days), (*days, 10_000), strict=True)):
        path = folder / f"{nth}.parquet"
        rows.filter((day >= begin) & (day < end)).write_parquet(path)
        found.append(path)
    return found
