"""The simulated site as files that `kilowatch ingest` takes, its answer key beside them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import yaml

from jobs.simulate import TELEMETRY
from jobs.simulation.clock import STEP_S
from jobs.simulation.operations.site import NAME, ZONE, Measure, Metered, Operated

SITE = "site"
KIND = {Measure.GAUGE: "gauge", Measure.RATE: "power", Measure.REGISTER: "register"}


@dataclass(frozen=True)
class Written:
    """Where site, telemetry and answer key are."""

    site: Path
    telemetry: Path
    faults: Path


def write(site: Operated, folder: Path) -> Written:
    """Write `site.yaml`, `telemetry.parquet` (`simulate.TELEMETRY`, a reading a minute) and `faults.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    written = Written(folder / "site.yaml", folder / "telemetry.parquet", folder / "faults.json")
    text = yaml.safe_dump(_catalog(site), allow_unicode=True, sort_keys=False, width=120)
    written.site.write_text(f"# Made-up telemetry of a made-up site, no measurements.\n{text}", encoding="utf-8")
    pl.concat([_readings(site, point) for point in site.points.values()]).sort(
        "time", maintain_order=True
    ).write_parquet(written.telemetry)
    written.faults.write_text(json.dumps(site.answers(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return written


def _readings(site: Operated, point: Metered) -> pl.DataFrame:
    """A register is read at the end of each minute, all else within it; what is missing is not sent."""
    clock = site.hours.clock
    times = clock.begins_ms + np.arange(1, clock.steps + 1) * STEP_S * 1000
    value = np.cumsum(point.course) if point.measure is Measure.REGISTER else point.course
    sent = ~point.missing
    return pl.DataFrame(
        {
            "point": pl.Series([f"{NAME}/{point.name}"], dtype=pl.String).new_from_index(0, int(sent.sum())),
            "time": pl.Series(times[sent]).cast(pl.Datetime("ms")).dt.replace_time_zone("UTC"),
            "value": pl.Series(np.round(value[sent], 4)).cast(pl.String),
        },
        schema=TELEMETRY,
    )


def _asset(name: str) -> str:
    asset, slash, _ = name.partition("/")
    return asset if slash else SITE


def _catalog(site: Operated) -> dict[str, object]:
    assets = dict.fromkeys(_asset(name) for name in site.points if _asset(name) != SITE)
    first = site.hours.dates[0].toordinal()  # a date of its own each time: the catalog knows no YAML anchors
    return {
        "site": NAME,
        "kind": "machining",
        "time_zone": ZONE.key,
        "title": {"zh": "模擬工廠", "en": "Made-up works"},
        "starts_on": date.fromordinal(first),
        "gwp_set": "AR5",
        "allowed_lateness": "5min",
        "resolution": "5min",
        "assets": [{"name": SITE}, *({"name": asset, "parent": SITE} for asset in assets)],
        "points": [_point(point) for point in site.points.values()],
        "supply": {
            "import": ["main"],
            "reactive": ["reactive"],
            "contracts": [{"from": date.fromordinal(first), "plan": "HV_3T", "regular_kw": 300, "industry": "259"}],
        },
        "emissions": [{"name": "grid", "point": "main", "factor": "grid_tw", "scope": 2, "iso_category": 2}],
    }


def _point(point: Metered) -> dict[str, object]:
    row: dict[str, object] = {"name": point.name, "asset": _asset(point.name), "kind": KIND[point.measure]}
    row |= {"unit": "1" if point.unit == "h" else point.unit, "interval": "60s", "max_gap": "15min"}
    if point.measure is Measure.REGISTER:
        return row | {"decimals": 2, "digits": 7, "max_rate": 1000, "max_gap": "24h"}
    return row | ({"max_kw": 300} if point.measure is Measure.RATE else {})
