"""`kilowatch simulate`: telemetry of a made-up site, with faults on request and the answer key beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import numpy as np
import polars as pl

from jobs.simulation.catalog_copy import write_site
from jobs.simulation.clock import Clock
from jobs.simulation.inject import inject
from jobs.simulation.kinds import FaultKind, Injected
from jobs.simulation.plant import Plant
from jobs.simulation.readings import SimulationError, series_of
from jobs.simulation.sending import Sending
from jobs.simulation.truth import TRUTH, truth_of
from streams.domain.site import Exchange, PointKind, Site

__all__ = ["FaultKind", "Injected", "Simulated", "SimulationError", "simulate"]

COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "point": pl.String,
    "time": pl.Datetime("ms", "UTC"),
    "value": pl.String,
}
TELEMETRY = pl.Schema(COLUMNS)
"""`site/point`, the time that the sender claims, number or word as sent; rows in order of arrival."""
FILES = ("site.yaml", "telemetry.parquet", "telemetry.ndjson", "truth.parquet", "faults.json")
"""All that a simulation may write."""
SHIPPED = Path(__file__).parents[1] / "deploy" / "sites"


class Form(StrEnum):
    """How telemetry is written; `kilowatch ingest` takes both."""

    PARQUET = "parquet"
    NDJSON = "ndjson"


@dataclass(frozen=True)
class Simulated:
    """What was written, the faults that took place, and those asked for that no point could have."""

    site: Path
    telemetry: Path
    truth: Path
    faults: Path
    readings: int
    injected: tuple[Injected, ...]
    impossible: tuple[FaultKind, ...] = ()


def simulate(
    site: Site,
    begins: datetime,
    days: int,
    seed: int,
    faults: Sequence[FaultKind],
    out: Path,
    source: Path | None = None,
    *,
    form: Form = Form.PARQUET,
    where_possible: bool = False,
    beat_s: int = 1,
) -> Simulated:
    """Simulate a site from `begins` (with its zone) for some days; the same arguments give the same files.

    Writes into the folder `out`: `telemetry.parquet` (TELEMETRY) or `telemetry.ndjson` (one message a line),
    `truth.parquet` (`simulation.truth.TRUTH`, which says what is exact), `faults.json` (a list of `Injected`) and
    `site.yaml`, the site's file with the exchanges that took place. `source` is that file; without it a file of
    `deploy/sites` of the same content is looked for. Each entry of `faults` is injected once; with `where_possible`
    those that no point can have are left out and named in the result. No point is read more often than every `beat_s`
    seconds. SimulationError: what is asked for is not possible here.
    """
    if begins.tzinfo is None or days < 1 or seed < 0:
        raise SimulationError(
            f"{site.name}: expected a begin with a zone, days >= 1, seed >= 0; got {begins}, {days}, {seed}"
        )
    if begins.astimezone(site.time_zone).date() < site.starts_on:
        raise SimulationError(
            f"{site.name}: expected a begin on {site.starts_on} (starts_on) or later; got {begins.date()}"
        )
    file = source or _shipped(site)
    if file.resolve() == (out / "site.yaml").resolve():
        raise SimulationError(
            f"{out}: expected another folder than that of the site's file, which would be written over"
        )
    begins_ms = int(begins.timestamp()) // 60 * 60_000
    site = _slowed(site, beat_s * 1000)
    clock = Clock(site, begins_ms, days, seed)
    plant = Plant(clock)
    series = [each for point in site.points if (each := series_of(point, plant)) is not None]
    sendings = [Sending.of(each, clock) for each in series]
    injected, impossible = inject(faults, sendings, clock, where_possible=where_possible)
    out.mkdir(parents=True, exist_ok=True)
    telemetry = _telemetry(sendings)
    path = out / f"telemetry.{form}"
    for other in Form:
        (out / f"telemetry.{other}").unlink(missing_ok=True)
    if form is Form.NDJSON:
        path.write_text("\n".join(_lines(telemetry)) + "\n", encoding="utf-8")
    else:
        telemetry.write_parquet(path)
    truth = pl.concat([pl.DataFrame(schema=TRUTH), *(truth_of(each, clock) for each in sendings)])
    truth.write_parquet(out / "truth.parquet")
    rows = json.dumps([each.row() for each in injected], ensure_ascii=False, indent=2)
    (out / "faults.json").write_text(rows + "\n", encoding="utf-8")
    write_site(file, out / "site.yaml", site, {each.point.name: _exchanges(each, clock) for each in sendings})
    return Simulated(
        site=out / "site.yaml",
        telemetry=path,
        truth=out / "truth.parquet",
        faults=out / "faults.json",
        readings=len(telemetry),
        injected=tuple(injected),
        impossible=tuple(impossible),
    )


def _slowed(site: Site, beat_ms: int) -> Site:
    """The site with no point read more often; SimulationError where a stretch between readings would be a gap."""
    points = []
    for point in site.points:
        is_quick = (
            point.interval_ms is not None and point.interval_ms < beat_ms and point.kind is not PointKind.INTERVAL
        )
        if is_quick and point.max_gap_ms < beat_ms:
            raise SimulationError(
                f"{point.name}: expected readings at least every {point.max_gap_ms // 1000} s (max_gap);"
                f" got {beat_ms // 1000} s"
            )
        points.append(replace(point, interval_ms=beat_ms) if is_quick else point)
    return replace(site, points=tuple(points))


def simulated_in(folder: Path) -> Simulated:
    """What an earlier simulation wrote into a folder; SimulationError where it is not whole."""
    telemetry = next((each for form in Form if (each := folder / f"telemetry.{form}").is_file()), None)
    missing = [name for name in ("site.yaml", "truth.parquet", "faults.json") if not (folder / name).is_file()]
    if telemetry is None or missing:
        absent = ", ".join([*missing, *([] if telemetry else ["telemetry.parquet"])])
        raise SimulationError(f"{folder}: expected what `kilowatch simulate` wrote; got none of {absent}")
    rows = json.loads((folder / "faults.json").read_text(encoding="utf-8"))
    injected = tuple(Injected(**{**row, "spans": tuple(map(tuple, row["spans"]))}) for row in rows)
    if telemetry.suffix == ".parquet":
        readings = int(pl.scan_parquet(telemetry).select(pl.len()).collect().item())
    else:
        with telemetry.open("rb") as lines:
            readings = sum(1 for _ in lines)
    return Simulated(
        folder / "site.yaml", telemetry, folder / "truth.parquet", folder / "faults.json", readings, injected
    )


def _lines(telemetry: pl.DataFrame) -> list[str]:
    """One JSON message a reading: numbers as numbers, words as texts."""
    value = pl.col("value")
    said = pl.when(value.cast(pl.Float64, strict=False).is_not_null()).then(value).otherwise('"' + value + '"')
    time = pl.col("time").dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
    line = pl.concat_str(
        pl.lit('{"point":"'), "point", pl.lit('","time":"'), time, pl.lit('","value":'), said, pl.lit("}")
    )
    return telemetry.select(line).to_series().to_list()


def _shipped(site: Site) -> Path:
    for path in sorted(SHIPPED.glob("*.yaml")):
        if hashlib.sha256(path.read_bytes()).hexdigest() == site.sha256:
            return path
    raise SimulationError(f"{site.name}: expected `source`, the site's file; got none, and no shipped site is the same")


def _exchanges(sending: Sending, clock: Clock) -> tuple[Exchange, ...]:
    """Those outside the simulation as declared, those within as they took place."""
    scale = 10**sending.point.decimals
    outside = [each for each in sending.point.exchanges if not clock.begins_ms < each.at_ms < clock.ends_ms]
    inside = [
        Exchange(each.at_ms, sending.shown_at(each.at_ms) / scale, each.opening / scale)
        for each in sending.returns
        if each.exchange
    ]
    return (*outside, *inside)


def _telemetry(sendings: Sequence[Sending]) -> pl.DataFrame:
    """All that arrives, in order of arrival (TELEMETRY)."""
    parts = []
    for sending in sendings:
        copied = np.array([at for at, _ in sending.copies], dtype=np.int64)
        rows = np.concatenate((np.flatnonzero(sending.sent), copied))
        arrives = np.concatenate(
            (sending.arrives_ms[sending.sent], np.array([moment for _, moment in sending.copies], dtype=np.int64))
        )
        if sending.text is None:
            value = pl.Series("value", sending.values()[rows], dtype=pl.Float64).cast(pl.String)
        else:
            value = pl.Series("value", [sending.text[at] for at in rows.tolist()], dtype=pl.String)
        parts.append(
            pl.DataFrame(
                {
                    "point": pl.Series([sending.point.name], dtype=pl.String).new_from_index(0, len(rows)),
                    "time": pl.Series(sending.stamp_ms[rows]).cast(pl.Datetime("ms")).dt.replace_time_zone("UTC"),
                    "value": value,
                    "arrives": arrives,
                }
            )
        )
    empty = pl.DataFrame(schema=TELEMETRY).with_columns(pl.lit(0, pl.Int64).alias("arrives"))
    return pl.concat([empty, *parts]).sort("arrives", maintain_order=True).drop("arrives")
