"""Simulated telemetry: repeatable, true to its answer key, faulty only where asked."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest

from jobs.simulate import FaultKind, Simulated, SimulationError, simulate
from streams.catalog.site import load_site
from streams.domain.site import PointKind, Site
from streams.operators import energy
from streams.operators.clean import clean, event_time
from streams.operators.points import PointTable
from streams.operators.readings import ON_TIME, Readings
from streams.operators.state import EnergyState

SITES = Path(__file__).parents[2] / "deploy" / "sites"
NAMES = [path.stem for path in sorted(SITES.glob("*.yaml"))]
BEGINS = datetime(2025, 2, 26, tzinfo=ZoneInfo("Asia/Taipei"))
DAYS = 12
QUIET = (FaultKind.LATE, FaultKind.DUPLICATE, FaultKind.SHUFFLE, FaultKind.ROLLOVER, FaultKind.EXCHANGE)


def site_of(name: str) -> Site:
    """One of the shipped sites."""
    return load_site(SITES / f"{name}.yaml")


def run(name: str, out: Path, faults: list[FaultKind], seed: int = 7, days: int = DAYS) -> Simulated:
    """A simulation of a shipped site."""
    return simulate(site_of(name), BEGINS, days, seed, faults, out / "_".join(faults) / str(seed))


def quarters(made: Simulated) -> pl.DataFrame:
    """What the energy operator makes of the telemetry, in one batch: point, starts_at, told."""
    site = load_site(made.site)
    table = PointTable.of(site)
    sent = pl.read_parquet(made.telemetry)
    decoded = sent.select(
        "point",
        pl.col("time").dt.epoch("ms").alias("time_ms"),
        pl.col("value").cast(pl.Float64, strict=False).alias("value"),
        pl.lit(None, pl.String).alias("text"),
        pl.lit(None, pl.String).alias("unit"),
        pl.lit(0, pl.Int8).alias("quality"),
        pl.lit(None, pl.String).alias("extra"),
    )
    usable, _ = clean(table.gate, decoded, 4_000_000_000_000)
    place = usable["place"].to_numpy()
    times = event_time(table, place, usable["time_ms"].to_numpy())
    count = np.arange(len(place), dtype=np.int64)
    batch = Readings(place, times, usable["ticks"].to_numpy(), count, np.zeros_like(count))
    batch = batch.take(np.isin(table.kind, energy.COUNTED)[place])

    def history(places: list[int], since_ms: int) -> Readings:
        return Readings.concat([])

    state, first = energy.step(table, EnergyState.empty(len(table.points)), batch, history)

    def known(places: list[int], since_ms: int) -> Readings:
        rows = Readings(batch.place, batch.time_ms, batch.ticks, batch.seq, first.tags)
        return rows.take(np.isin(rows.place, places) & ((rows.time_ms > since_ms) | (rows.tag != ON_TIME)))

    _, last = energy.flush(table, state, known)
    facts = pl.concat([pl.DataFrame(each.facts) for out in (first, last) for each in out.fact_sets])
    facts = facts.unique(["place", "starts_ms"], keep="last").filter(pl.col("missing_ms") == 0)
    names = pl.Series([point.name for point in table.points])
    return (
        facts.with_columns(point=names.gather(facts["place"]), starts_ms=pl.col("starts_ms") // 900_000 * 900_000)
        .group_by("point", "starts_ms")
        .agg(pl.col("amount").sum().alias("told"), (pl.col("ends_ms") - pl.col("starts_ms")).max().alias("span"))
        .with_columns(starts_at=pl.col("starts_ms").cast(pl.Datetime("ms")).dt.replace_time_zone("UTC"))
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_writes_the_same_bytes_and_another_one_others(name: str, tmp_path: Path) -> None:
    first = run(name, tmp_path / "a", list(QUIET), days=8)
    again = run(name, tmp_path / "b", list(QUIET), days=8)
    other = run(name, tmp_path / "c", list(QUIET), seed=8, days=8)
    for which in ("telemetry", "truth", "faults", "site"):
        assert getattr(first, which).read_bytes() == getattr(again, which).read_bytes()
    assert first.telemetry.read_bytes() != other.telemetry.read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_no_fault_changes_what_is_true(name: str, tmp_path: Path) -> None:
    clean_truth = pl.read_parquet(run(name, tmp_path, []).truth)
    faulty = pl.read_parquet(run(name, tmp_path, list(FaultKind)).truth)
    assert faulty.drop("knowable").equals(clean_truth.drop("knowable"))
    assert faulty["knowable"].sum() < clean_truth["knowable"].sum()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_energy_operator_tells_the_truth_wherever_it_can_be_known(name: str, seed: int, tmp_path: Path) -> None:
    made = run(name, tmp_path, list(FaultKind), seed=seed)
    truth = pl.read_parquet(made.truth).filter("knowable")
    joined = truth.join(quarters(made), on=["point", "starts_at"], how="left")
    rates = [point.name for point in site_of(name).points if point.kind is PointKind.POWER]
    off = (pl.col("amount") - pl.col("told")).abs().fill_null(10**12)
    wrong = joined.filter(off > pl.col("point").is_in(rates).cast(pl.Int64))  # a rate's carried fraction: 1 mWh
    assert len(joined) > 0.8 * len(pl.read_parquet(made.truth))
    assert wrong.is_empty(), (wrong, made.faults.read_text())


@pytest.mark.parametrize("kind", list(FaultKind))
def test_each_fault_is_there_when_it_is_asked_for(kind: FaultKind, tmp_path: Path) -> None:
    plain, faulty = run("cold_chain_depot", tmp_path, []), run("cold_chain_depot", tmp_path, [kind])
    (written,) = json.loads(faulty.faults.read_text())
    assert (written["kind"], kind.help != "") == (kind.value, True)
    point = pl.col("point") == written["point"]
    before = pl.read_parquet(plain.telemetry).filter(point)
    after = pl.read_parquet(faulty.telemetry).filter(point)
    assert not before.equals(after)
    others = [pl.read_parquet(each.telemetry).filter(~point) for each in (plain, faulty)]
    assert others[0].sort("point", "time").equals(others[1].sort("point", "time"))
    ordered = before.equals(after.sort("time"))
    assert ordered == (kind in (FaultKind.LATE, FaultKind.SHUFFLE))
    assert (len(after) > len(before)) == (kind is FaultKind.DUPLICATE)
    assert (len(after) < len(before)) == (kind in (FaultKind.GAP, FaultKind.SILENT))


def test_a_main_meter_counts_its_sub_meters_and_the_losses(tmp_path: Path) -> None:
    truth = pl.read_parquet(run("cold_chain_depot", tmp_path, []).truth)
    energy_of = dict(truth.group_by("point").agg(pl.col("amount").sum()).iter_rows())
    parts = sum(energy_of[f"cold_chain_depot/{part}"] for part in ("chiller-1/kwh", "chiller-2/kwh", "evaporators/kwh"))
    assert 1.02 * parts < energy_of["cold_chain_depot/main"] < 4 * parts


def test_a_register_and_the_power_of_the_same_machine_agree(tmp_path: Path) -> None:
    truth = pl.read_parquet(run("cold_chain_depot", tmp_path, []).truth)
    energy_of = dict(truth.group_by("point").agg(pl.col("amount").sum()).iter_rows())
    register, power = (energy_of[f"cold_chain_depot/chiller-1/{name}"] for name in ("kwh", "kw"))
    assert register == pytest.approx(power, rel=0.001)


def test_an_exchange_is_declared_in_the_file_beside(tmp_path: Path) -> None:
    made = run("worm_gear_shop", tmp_path, [FaultKind.EXCHANGE])
    (fault,) = json.loads(made.faults.read_text())
    declared = {point.name: point.exchanges for point in load_site(made.site).points}
    (exchange,) = declared[fault["point"]]
    assert exchange.at_ms == datetime.fromisoformat(fault["at"]).timestamp() * 1000
    assert exchange.closing > exchange.opening


def test_a_site_without_a_register_cannot_have_a_rollover(tmp_path: Path) -> None:
    text = "\n".join(
        line for line in (SITES / "container_yard.yaml").read_text().splitlines() if "kind: register" not in line
    )
    path = tmp_path / "site.yaml"
    text = text.split("  - {name: office-rest")[0].replace(", parent: main", "")
    path.write_text(text + "\nsupply: {import: []}\n")
    with pytest.raises(SimulationError, match="container_yard: expected a point that can have fault rollover"):
        simulate(load_site(path), BEGINS, 2, 1, [FaultKind.ROLLOVER], tmp_path / "out", source=path)
