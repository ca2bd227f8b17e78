"""`kilowatch train`: a model is trained from the store, scores what comes, is compared, replaced or not, and ended."""

from __future__ import annotations

import sys
from pathlib import Path

import orjson
import polars as pl
import pytest
from typer.testing import CliRunner, Result

from jobs.cli import app, main
from streams.stores.postgres import PostgresStore
from streams.stores.schema import migrate
from tests.jobs import workshop

RUN = CliRunner()


def run(*arguments: str, code: int = 0) -> Result:
    done = RUN.invoke(app, list(arguments), env={"COLUMNS": "200"})
    assert done.exit_code == code, (done.output, done.exception)
    return done


def ask(url: str, statement: str, folder: Path) -> pl.DataFrame:
    out = folder / "answer.parquet"
    run("query", "--store", url, "--format", "parquet", "--output", str(out), statement)
    return pl.read_parquet(out)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site's file, its telemetry, and a store with the first three weeks of it."""
    made = tmp_path_factory.mktemp("train")
    site, first, *_ = workshop.files(made, 21, 22)
    run("ingest", str(site), str(first), "--store", f"duckdb:///{made}/a.duckdb", "--received-at", "2026-03-01")
    return made


def train(folder: Path, *more: str, code: int = 0, url: str = "") -> Result:
    store = url or f"duckdb:///{folder}/a.duckdb"
    return run("train", str(folder / "site.yaml"), "--store", store, *more, code=code)


def test_a_model_is_trained_scores_finds_the_fault_and_is_replayed(folder: Path) -> None:
    site, url = str(folder / "site.yaml"), f"duckdb:///{folder}/a.duckdb"
    shown = train(folder, "--compare", code=1).output  # of the lights nothing is explained
    assert "compressor: the new model may be used; nothing was changed" in shown
    assert "CV(RMSE), Guideline 14 at most 30 %" in shown
    assert "hall: no model: it has no measured energy or power" in shown
    assert "lights: the new model is not used: it explains later data no better than their mean" in shown
    assert len(ask(url, "select * from mart.model", folder)) == 0

    said = train(folder, "--asset", "compressor").output
    assert "compressor: version 1 is trained and will be used" in said
    (row,) = ask(url, "select * from mart.model", folder).to_dicts()
    assert (row["asset"], row["point"], row["active_seq"]) == ("compressor", "workshop/compressor/kwh", None)
    metrics = orjson.loads(row["metrics"])["validation"]
    assert metrics["r2"] > 0.9
    assert metrics["guideline_14_hourly"] is True
    assert row["trained_from"] < row["trained_until"] < row["validated_until"]

    rest = [str(folder / f"{nth}.parquet") for nth in (1, 2)]
    run("ingest", site, *rest, "--store", url, "--received-at", "2026-03-02")
    scores = ask(url, "select * from mart.model_score order by starts_at", folder)
    assert set(scores["version"]) == {1}
    fault = workshop.BEGINS.replace(tzinfo=None, day=29)
    before, after = scores.filter(pl.col("starts_at") < fault), scores.filter(pl.col("starts_at") >= fault)
    assert (before["score"].drop_nulls() > 0.5).sum() == 0
    assert len(before) > 500
    late = after.filter(pl.col("starts_at") >= fault.replace(day=31))
    assert (late["score"].drop_nulls() > 0.5).mean() > 0.9
    assert "for about a day unlike what its inputs explain, above what was expected" in set(late["cause"])
    inside = before.select((pl.col("value") >= pl.col("lower")) & (pl.col("value") <= pl.col("upper"))).to_series()
    assert inside.drop_nulls().mean() > 0.97
    replayed = run("replay", site, "--store", url, "--from", "2026-01-01", "--to", "2026-03-01", "--verify")
    assert "identical" in replayed.output


def test_one_that_does_worse_does_not_replace_it_and_what_it_alarms_about_must_be_accepted(folder: Path) -> None:
    url = f"duckdb:///{folder}/a.duckdb"
    versions = "select version from mart.model where asset = 'compressor' order by version"
    assert ask(url, versions, folder)["version"].to_list() == [1]
    as_before = ("--asset", "compressor", "--from", "2026-01-05", "--until", "2026-01-20")
    worse = train(folder, *as_before, code=1)
    assert "version 1, active" in worse.output
    assert "compressor: the new model is not used: it does worse than the active one: root mean square" in worse.output
    faulty = ("--asset", "compressor", "--from", "2026-01-24", "--validate-from", "2026-02-02")
    alarming = train(folder, *faulty, code=1)
    assert "compressor: the new model is not used: the active one alarms on" in alarming.output
    assert ask(url, versions, folder)["version"].to_list() == [1]
    accepted = train(folder, *faulty, "--accept")
    assert "compressor: version 2 is trained and will be used in place of version 1" in accepted.output
    assert ask(url, versions, folder)["version"].to_list() == [1, 2]


def test_a_model_is_ended_and_nothing_is_scored_by_it_any_more(folder: Path) -> None:
    assert "lights" in run_error("--asset", "lights", "--stop", folder=folder)
    said = train(folder, "--asset", "compressor", "--stop").output
    assert "version 3 ends the model" in said
    assert "which has none" in run_error("--asset", "compressor", "--stop", folder=folder)


def run_error(*more: str, folder: Path) -> str:
    """The one line of an error that a user can mend."""
    said: list[str] = []
    command = ["kilowatch", "train", str(folder / "site.yaml"), "--store", f"duckdb:///{folder}/a.duckdb", *more]
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as ended:
        patch.setattr(sys, "argv", command)
        patch.setattr("jobs.cli.say.print", lambda text, **_: said.append(text))
        main()
    assert ended.value.code == 2
    (line,) = said
    return line


def test_without_scikit_learn_one_line_says_how_to_get_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    for name in [name for name in sys.modules if name.startswith(("sklearn.", "jobs.training.fit"))]:
        monkeypatch.delitem(sys.modules, name)
    said = run_error(folder=folder)
    assert said.startswith("error: train: expected scikit-learn, which training alone needs; found: ")
    assert "pip install 'kilowatch[train]'" in said


def test_what_is_asked_wrongly_is_one_line(folder: Path) -> None:
    near = run_error("--asset", "compresor", folder=folder)
    assert "--asset: expected one of hall, compressor, lights; found 'compresor' (did you mean 'compressor'?)" in near
    assert (
        "expected a measured point of workshop that is no energy; found 'hall/tmp' (did you mean 'hall/temp'?)"
        in run_error("--asset", "compressor", "--input", "hall/tmp", folder=folder)
    )
    assert "--input needs one --asset" in run_error("--input", "hall/temp", folder=folder)
    assert "--stop needs --asset" in run_error("--stop", folder=folder)
    energy = run_error("--asset", "compressor", "--input", "lights/kwh", folder=folder)
    assert "that is no energy; found 'lights/kwh'" in energy
    assert "--from: expected a day before --until" in run_error(
        "--from", "2026-03-01", "--until", "2026-02-01", folder=folder
    )
    elsewhere = f"duckdb:///{folder / 'nowhere.duckdb'}"
    assert "nowhere.duckdb: expected a file; found none" in run_error("--store", elsewhere, folder=folder)
    assert not (folder / "nowhere.duckdb").exists()


def test_both_stores_give_the_same_data_and_the_same_parameters(folder: Path, database: str, tmp_path: Path) -> None:
    store = PostgresStore(database)
    migrate(store, {})
    store.close()
    site, first, *_ = workshop.files(tmp_path, 21, 22)
    for url in (f"duckdb:///{tmp_path}/b.duckdb", database):
        archive = ["--archive", str(tmp_path / "archive")] if url == database else []
        run("ingest", str(site), str(first), "--store", url, "--received-at", "2026-03-01", *archive)
        train(tmp_path, "--asset", "compressor", url=url)
    hashes = "select data_sha256, parameters_sha256, metrics from mart.model"
    assert ask(f"duckdb:///{tmp_path}/b.duckdb", hashes, tmp_path).equals(ask(database, hashes, tmp_path))


def test_what_is_sent_twice_is_one_change_of_a_state(folder: Path) -> None:
    url = f"duckdb:///{folder}/a.duckdb"
    twice = folder / "twice.ndjson"
    reading = {"point": "workshop/compressor/execution", "time": "2026-02-05T00:00:00Z", "value": "READY"}
    twice.write_bytes(orjson.dumps([reading, reading]) + b"\n")
    run("ingest", str(folder / "site.yaml"), str(twice), "--store", url, "--received-at", "2026-03-03")
    rows = ask(url, "select word from mart.state_change where read_at >= timestamp '2026-02-05'", folder)
    assert rows["word"].to_list() == ["READY"]
