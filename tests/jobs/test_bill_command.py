"""`kilowatch bill`, `query --as-of` and a bare `replay --verify`, as their users run them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from jobs.cli import app
from jobs.simulate import simulate
from jobs.simulation.kinds import FaultKind
from streams.catalog.site import load_site

FILE = Path(__file__).parents[2] / "deploy" / "sites" / "machine_builder_pv.yaml"
RUN = CliRunner()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """Four days that cross into May, ingested; a late reading among them."""
    folder = tmp_path_factory.mktemp("shop")
    made = simulate(load_site(FILE), datetime(2025, 4, 29, tzinfo=UTC), 4, 3, [FaultKind.LATE], folder, FILE)
    url = f"duckdb:///{folder}/shop.duckdb"
    done = RUN.invoke(
        app, ["ingest", str(made.site), str(made.telemetry), "--store", url, "--received-at", "2025-06-01T00:00:00"]
    )
    assert done.exit_code == 0, done.output
    yield made.site, url


def query(url: str, sql: str, folder: Path, *more: str) -> pl.DataFrame:
    out = folder / "answer.parquet"
    done = RUN.invoke(app, ["query", sql, "--store", url, "--format", "parquet", "--output", str(out), *more])
    assert done.exit_code == 0, done.output
    return pl.read_parquet(out)


def test_a_bill_adds_up_the_energy_of_its_local_month_alone(store: tuple[Path, str], tmp_path: Path) -> None:
    site, url = store
    done = RUN.invoke(app, ["bill", str(site), "--store", url, "--month", "2025-05"], env={"COLUMNS": "120"})
    assert done.exit_code == 0, done.output
    of_may = "select sum(energy_kwh) as kwh from mart.cost_interval where starts_at >= timestamp '2025-04-30 16:00:00'"
    assert f"{query(url, of_may, tmp_path)['kwh'][0]:,.1f} kWh" in done.output
    assert "total, VAT included" in done.output
    empty = RUN.invoke(app, ["bill", str(site), "--store", url, "--month", "2025-09"])
    assert "expected purchased energy of machine_builder_pv in 2025-09; found none" in str(empty.exception)


def test_a_query_as_of_a_moment_before_the_ingest_finds_nothing(store: tuple[Path, str], tmp_path: Path) -> None:
    count = "select count(*) as n from mart.energy_interval"
    assert query(store[1], count, tmp_path)["n"][0] > 0
    assert query(store[1], count, tmp_path, "--as-of", "2025-05-31T23:59:59")["n"][0] == 0
    assert query(store[1], count, tmp_path, "--as-of", "2025-06-01T00:00:00")["n"][0] > 0


def test_a_bare_verify_compares_and_leaves_a_certificate_that_holds_later(store: tuple[Path, str]) -> None:
    site, url = store
    window = ["--from", "2025-04-29", "--to", "2025-05-03"]
    done = RUN.invoke(app, ["replay", str(site), "--store", url, "--verify", *window], env={"COLUMNS": "400"})
    assert (done.exit_code, "identical" in done.output) == (0, True), done.output
    certificate = Path(url.removeprefix("duckdb:///")).with_suffix(".machine_builder_pv.certificate.json")
    held = json.loads(certificate.read_text())
    assert held["identical"] is True
    assert set(held["results_sha256"]) >= {"energy_interval", "demand", "cost", "emission", "rolling"}
    held["code_sha256"] = "of another version"
    certificate.write_text(json.dumps(held))
    again = RUN.invoke(app, ["replay", str(site), "--store", url, *window, "--verify", str(certificate)])
    assert (again.exit_code, "note: code_sha256" in again.output) == (0, True), again.output
    held["results_sha256"]["cost"] = "another"
    certificate.write_text(json.dumps(held))
    other = RUN.invoke(app, ["replay", str(site), "--store", url, *window, "--verify", str(certificate)])
    assert (other.exit_code, "error: results_sha256" in other.output) == (1, True), other.output
