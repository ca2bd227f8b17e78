"""The whole pipeline against the answer key: what the readings can tell is stored to the last milliwatt-hour."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from jobs.simulate import FaultKind, Form, Simulated, SimulationError, simulate, simulated_in
from jobs.simulation.score import errors, unbalanced, wrong
from streams.catalog.site import load_site
from streams.domain.findings import StoreError
from streams.ingest.files import read_blocks, source_id
from streams.runners.embedded import EmbeddedRunner, Source
from streams.stores.duckdb import DuckDBStore

SITES = Path(__file__).parents[2] / "deploy" / "sites"
KINDS = {"cold_chain": "cold_chain_depot", "machining": "worm_gear_shop", "warehouse": "container_yard"}
BEGINS = datetime(2025, 5, 25, tzinfo=ZoneInfo("Asia/Taipei"))  # a month ends within: a register's declared reset
DAYS = 12
KEPT_SUMS = {kind.value for kind in FaultKind} - {"reset", "clock_step", "silent", "gap", "stuck"}

Scored = tuple[Simulated, DuckDBStore]


def ingested(name: str, folder: Path, form: Form = Form.PARQUET, days: int = DAYS) -> Scored:
    """A simulation of a shipped site with every fault, and the store that it went into."""
    file = SITES / f"{name}.yaml"
    made = simulate(load_site(file), BEGINS, days, 11, list(FaultKind), folder, file, form=form)
    store = DuckDBStore(folder / "store.duckdb")
    runner = EmbeddedRunner(load_site(made.site), store, lambda: datetime(2025, 6, 10, tzinfo=UTC))
    blocks = partial(read_blocks, made.telemetry, None, block_rows=20_000)
    runner.ingest(Source(source_id(made.telemetry), "telemetry", blocks), lambda _: None)
    runner.finish()
    return made, store


@pytest.fixture(scope="module", params=KINDS, ids=str)
def scored(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scored]:
    made, store = ingested(KINDS[request.param], tmp_path_factory.mktemp(request.param))
    with closing(store):
        yield made, store


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scored]:
    made, store = ingested("worm_gear_shop", tmp_path_factory.mktemp("shop"), Form.NDJSON, days=6)
    with closing(store):
        yield made, store


def test_every_quarter_hour_that_can_be_known_is_stored_exactly(scored: Scored) -> None:
    made, store = scored
    assert {each.kind for each in made.injected} == set(FaultKind)
    assert wrong(store, made).is_empty(), (wrong(store, made), made.faults.read_text())
    truth = pl.read_parquet(made.truth)
    assert truth["knowable"].sum() > 0.9 * len(truth)


def test_the_energy_over_a_fault_that_registers_bracket_is_whole(scored: Scored) -> None:
    made, store = scored
    assert unbalanced(store, made).is_empty(), (unbalanced(store, made), made.faults.read_text())


def test_each_kind_of_fault_has_its_row_of_errors(scored: Scored) -> None:
    made, store = scored
    rows = errors(store, made)
    assert rows["kind"].to_list() == [*sorted(FaultKind), "none"]
    assert rows["faults"].to_list() == [1] * len(FaultKind) + [0]
    assert rows["kwh_error_knowable"].to_list() == [0.0] * len(rows)
    kept = rows.filter(pl.col("kind").is_in(KEPT_SUMS))
    assert kept["kwh_error_unknowable"].to_list() == [0.0] * len(KEPT_SUMS)
    difference = rows["kwh_stored"] - rows["kwh_true"] - rows["kwh_error_unknowable"]
    assert difference.abs().max() == pytest.approx(0, abs=0.01)  # the carried fractions of rates


def test_what_a_silent_meter_used_is_labelled_missing_and_no_zero(scored: Scored) -> None:
    made, store = scored
    (row,) = errors(store, made).filter(pl.col("kind") == "silent").to_dicts()
    assert row["kwh_error_unknowable"] < 0
    assert row["kwh_labelled_missing"] >= -row["kwh_error_unknowable"]


def test_a_store_that_is_wrong_by_one_milliwatt_hour_is_found_out(shop: Scored, tmp_path: Path) -> None:
    made, store = shop
    assert wrong(store, made).is_empty()
    register = (pl.col("point") == "worm_gear_shop/main") & pl.col("knowable")
    more = pl.when(register & (register.cum_sum() == 40)).then(1).otherwise(0)
    truth = pl.read_parquet(made.truth)
    other = tmp_path / "truth.parquet"
    truth.with_columns((pl.col("amount") + more).alias("amount")).write_parquet(other)
    falsified = Simulated(made.site, made.telemetry, other, made.faults, made.readings, made.injected)
    assert wrong(store, falsified).select("point", "error").rows() == [("worm_gear_shop/main", -1)]
    assert errors(store, falsified)["kwh_error_knowable"].sum() == pytest.approx(1e-6)


def test_energy_that_vanished_from_a_bracketed_stretch_is_found_out(shop: Scored, tmp_path: Path) -> None:
    made, store = shop
    (fault,) = (each for each in made.injected if each.kind == "back_step")
    truth, other = pl.read_parquet(made.truth), tmp_path / "truth.parquet"
    within = (pl.col("point") == fault.point) & ~pl.col("knowable")
    near = (pl.col("starts_at") - datetime.fromisoformat(fault.at)).abs() < pl.duration(minutes=30)
    truth.with_columns(pl.col("amount") + (within & near)).write_parquet(other)
    falsified = Simulated(made.site, made.telemetry, other, made.faults, made.readings, made.injected)
    assert unbalanced(store, made).is_empty()
    assert unbalanced(store, falsified)["point"].to_list() == [fault.point]


def test_lines_of_json_and_parquet_hold_the_same_readings(shop: Scored, tmp_path: Path) -> None:
    made, _ = shop
    file = SITES / "worm_gear_shop.yaml"
    again = simulate(load_site(file), BEGINS, 6, 11, list(FaultKind), tmp_path / "shop", file)
    frames = []
    for path in (made.telemetry, again.telemetry):
        blocks = list(read_blocks(path, None))
        assert sum(len(block.rejects) for block in blocks) == 0
        frames.append(pl.concat([block.readings for block in blocks]))
    assert frames[0].equals(frames[1])
    assert frames[0]["text"].drop_nulls().is_in(["OFF", "READY", "SETUP", "ACTIVE"]).all()
    assert frames[0]["text"].drop_nulls().len() > 10


def test_an_answer_key_is_read_back_from_its_folder(shop: Scored) -> None:
    made, _ = shop
    assert simulated_in(made.site.parent) == made


def test_a_folder_without_an_answer_key_says_what_it_lacks(shop: Scored, tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("site: x\n", encoding="utf-8")
    with pytest.raises(SimulationError, match=r"got none of truth.parquet, faults.json, telemetry.parquet"):
        simulated_in(tmp_path)


def test_a_store_without_the_site_is_no_score_of_nought(shop: Scored, tmp_path: Path) -> None:
    made, _ = shop
    with closing(DuckDBStore(tmp_path / "other.duckdb")) as other, pytest.raises(StoreError, match="worm_gear_shop"):
        errors(other, made)
