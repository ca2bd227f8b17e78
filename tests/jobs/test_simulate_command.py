"""`kilowatch simulate` as its user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import yaml

from jobs.simulate import FaultKind

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from jobs.cli import main; main()"]
SHOP = ROOT / "deploy" / "sites" / "worm_gear_shop.yaml"


@pytest.fixture(autouse=True)
def _path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("COLUMNS", "200")


def kilowatch(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run([*COMMAND, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False)


def test_a_simulation_is_ingested_and_scored_without_an_error(tmp_path: Path) -> None:
    days = ("--days", 5, "--from", "2026-01-01", "--seed", 3)
    done = kilowatch("simulate", SHOP, *days, "--fault", "gap", "--fault", "rollover", "--output", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    faults = json.loads((tmp_path / "out" / "faults.json").read_text(encoding="utf-8"))
    assert sorted(each["kind"] for each in faults) == ["gap", "rollover"]
    for said in ("telemetry.parquet", "site.yaml", "truth.parquet", "faults.json", *(each["point"] for each in faults)):
        assert said in done.stderr
    store = ("--store", "duckdb:///store.duckdb")
    assert kilowatch("ingest", "out/site.yaml", "out/telemetry.parquet", *store, cwd=tmp_path).returncode == 0
    scored = kilowatch(
        "simulate", "out/site.yaml", "--output", "out", "--score", "duckdb:///store.duckdb", cwd=tmp_path
    )
    assert scored.returncode == 0, scored.stderr
    rows = {line.split()[0]: line.split()[-4:] for line in scored.stdout.splitlines() if line[:1].isalpha()}
    assert rows["rollover"] == ["0.000"] * 4
    assert rows["gap"][0] == "0.000"


def test_all_faults_come_with_all_and_one_of_them_once_more(tmp_path: Path) -> None:
    words = ("--fault", "all", "--fault", "late", "--fault", "late")
    done = kilowatch("simulate", SHOP, "--days", 10, "--output", "out", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    kinds = [each["kind"] for each in json.loads((tmp_path / "out" / "faults.json").read_text(encoding="utf-8"))]
    assert sorted(kinds) == sorted([*FaultKind, "late"])


def test_the_site_says_that_it_is_simulated(tmp_path: Path) -> None:
    assert kilowatch("simulate", SHOP, "--days", 1, "--output", "out", cwd=tmp_path).returncode == 0
    titles = yaml.safe_load((tmp_path / "out" / "site.yaml").read_text(encoding="utf-8"))["title"]
    assert titles == {"zh": "蝸輪加工廠（模擬）", "en": "Worm-gear shop (simulated)"}


def test_lines_of_json_replace_the_parquet_of_an_earlier_run(tmp_path: Path) -> None:
    for form in ("parquet", "ndjson"):
        done = kilowatch("simulate", SHOP, "--days", 1, "--output", "out", "--format", form, cwd=tmp_path)
        assert done.returncode == 0
    assert sorted(path.name for path in (tmp_path / "out").glob("telemetry.*")) == ["telemetry.ndjson"]
    line = json.loads((tmp_path / "out" / "telemetry.ndjson").read_text(encoding="utf-8").splitlines()[0])
    assert set(line) == {"point", "time", "value"}
    assert isinstance(line["value"], float)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (("--days", "0"), "expected a begin with a zone, days >= 1"),
        (("--seed", "-1"), "seed >= 0"),
        (("--fault", "gpa"), "got 'gpa' (did you mean 'gap'?)"),
        (("--from", "2024-12-31"), "expected a begin on 2025-01-01 (starts_on) or later; got 2024-12-31"),
        (("--score", "duckdb:///none.duckdb"), "out: expected what `kilowatch simulate` wrote"),
    ],
    ids=lambda each: each[0] if isinstance(each, tuple) else "",
)
def test_what_is_impossible_is_one_message_and_exit_code_2(
    wrong: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    done = kilowatch("simulate", SHOP, "--output", "out", *wrong, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_site_is_not_written_over_by_its_own_simulation(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_bytes(SHOP.read_bytes())
    done = kilowatch("simulate", "site.yaml", "--output", ".", cwd=tmp_path)
    assert (done.returncode, (tmp_path / "site.yaml").read_bytes()) == (2, SHOP.read_bytes())


def test_the_help_tells_every_fault_by_its_sentence(tmp_path: Path) -> None:
    said = " ".join(kilowatch("simulate", "--help", cwd=tmp_path).stdout.split())
    for kind in FaultKind:
        assert f"- {kind.value}: {kind.help}" in said


def test_the_same_command_writes_the_same_readings_in_another_folder(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        words = ("--days", 2, "--fault", "shuffle", "--output", folder)
        assert kilowatch("simulate", SHOP, *words, cwd=tmp_path).returncode == 0
    frames = [pl.read_parquet(tmp_path / folder / "telemetry.parquet") for folder in ("a", "b")]
    assert frames[0].equals(frames[1])
