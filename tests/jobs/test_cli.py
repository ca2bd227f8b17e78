"""The `kilowatch` command as its user runs it: a process, its messages and its exit code."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
COMMAND = [sys.executable, "-c", "from jobs.cli import main; main()"]
HOUSE = ROOT / "tests" / "sites" / "house.yaml"
MART = "select * from mart.energy_interval order by point, starts_at"
VIEWS = (
    MART,
    "select * from mart.rolling_energy order by point, ends_at",
    "select * from mart.demand_15min order by starts_at",
    "select * from mart.conservation order by point, day",
    "select * from mart.register_event order by point, decided_at, happened_at, kind",
)


def kilowatch(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run([*COMMAND, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture(autouse=True)
def _path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("COLUMNS", "200")


def readings(folder: Path, rows: int) -> Path:
    """Four registers, with a reset, glitches and late readings."""
    chance = random.Random(3)
    times, points, values = [], [], []
    state = dict.fromkeys(("import-t1", "import-t2", "export-t1", "export-t2"), 100.0)
    for minute in range(rows // 4):
        for point in state:
            state[point] += chance.random() / 100
            late = chance.randrange(90) if chance.random() < 0.01 else 0
            times.append(1_767_225_600_000 + max(minute - late, 0) * 60_000)
            points.append(f"house/{point}")
            values.append(0.0 if chance.random() < 0.001 else round(state[point], 3))
    frame = pl.DataFrame({"point": points, "time": times, "value": values})
    path = folder / "readings.parquet"
    frame.with_columns(pl.from_epoch("time", "ms").dt.replace_time_zone("UTC")).write_parquet(path)
    return path


def mart(store: str, cwd: Path) -> list[str]:
    """Every mart view as CSV."""
    answers = [kilowatch("query", view, "--store", store, "--format", "csv", cwd=cwd) for view in VIEWS]
    assert [answer.returncode for answer in answers] == [0] * len(VIEWS), answers[0].stderr
    return [answer.stdout for answer in answers]


def test_four_real_registers_move_by_what_their_readings_say(tmp_path: Path) -> None:
    file = DATA / "homewizard" / "registers_2022-09.csv"
    if not file.exists():
        pytest.skip("../shared/data is not here")
    mapping = ROOT / "deploy" / "mappings" / "homewizard.yaml"
    done = kilowatch("ingest", HOUSE, file, "--mapping", mapping, "--store", "duckdb:///a.duckdb", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    sql = "select point, round(sum(energy_kwh), 3) as kwh from mart.energy_daily group by point order by point"
    answer = kilowatch("query", sql, "--store", "duckdb:///a.duckdb", "--format", "csv", cwd=tmp_path)
    assert answer.stdout.splitlines()[1:] == [
        "house/export-t1,284.979",
        "house/export-t2,576.139",
        "house/import-t1,855.816",
        "house/import-t2,500.611",
    ]


def test_an_ingest_that_is_killed_at_any_moment_goes_on_to_the_same_mart(tmp_path: Path) -> None:
    file = readings(tmp_path, 40_000)
    whole, killed = "duckdb:///whole.duckdb", "duckdb:///killed.duckdb"
    begun = time.monotonic()
    assert kilowatch("ingest", HOUSE, file, "--store", whole, "--block-rows", 2_000, cwd=tmp_path).returncode == 0
    needed = time.monotonic() - begun
    chance, kills = random.Random(11), 0
    arguments = [*COMMAND, "ingest", str(HOUSE), str(file), "--store", killed, "--block-rows", "2000"]
    for _ in range(5):
        process = subprocess.Popen(arguments, cwd=tmp_path, stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout=chance.uniform(0.3, 1.0) * needed)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
    done = kilowatch("ingest", HOUSE, file, "--store", killed, "--block-rows", 2_000, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert kills > 0
    assert mart(killed, tmp_path) == mart(whole, tmp_path)
    assert mart(whole, tmp_path)[0].count("\n") > 600
    again = kilowatch("replay", HOUSE, "--store", killed, cwd=tmp_path)
    assert again.returncode == 0, again.stderr


def test_a_replay_certifies_the_store_and_finds_a_row_that_was_changed(tmp_path: Path) -> None:
    file, store = readings(tmp_path, 8_000), "duckdb:///a.duckdb"
    kilowatch("ingest", HOUSE, file, "--store", store, cwd=tmp_path)
    made = kilowatch("replay", HOUSE, "--store", store, "--certificate", "c.json", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert kilowatch("replay", HOUSE, "--store", store, "--verify", "c.json", cwd=tmp_path).returncode == 0
    change = (
        "import duckdb; duckdb.connect('a.duckdb').execute('update fact.interval set amount = amount + 1 "
        "where starts_at = (select min(starts_at) from fact.interval)')"
    )
    subprocess.run([sys.executable, "-c", change], cwd=tmp_path, check=True)
    found = kilowatch("replay", HOUSE, "--store", store, cwd=tmp_path)
    assert found.returncode == 1
    assert "energy_interval: 8 rows differ" in found.stderr
    assert "NOT identical" in found.stderr


def test_an_archive_that_was_tampered_with_is_said_so(tmp_path: Path) -> None:
    store = "duckdb:///a.duckdb"
    kilowatch("ingest", HOUSE, readings(tmp_path, 4_000), "--store", store, cwd=tmp_path)
    file = next((tmp_path / "a.duckdb.archive").rglob("*.parquet"))
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    found = kilowatch("replay", HOUSE, "--store", store, cwd=tmp_path)
    assert found.returncode == 2
    assert "was changed: expected" in found.stderr
    assert "Traceback" not in found.stderr


def test_the_same_file_again_changes_nothing_whatever_its_name(tmp_path: Path) -> None:
    file, store = readings(tmp_path, 4_000), "duckdb:///a.duckdb"
    kilowatch("ingest", HOUSE, file, "--store", store, cwd=tmp_path)
    before = mart(store, tmp_path)
    again = kilowatch("ingest", HOUSE, file.rename(tmp_path / "other.parquet"), "--store", store, cwd=tmp_path)
    assert "1 files known already" in again.stderr
    assert mart(store, tmp_path) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "nowhere.yaml"], "nowhere.yaml"),
        (["query", "select 1", "--store", "duckdb:///nowhere.duckdb"], "expected a file; found none"),
        (["query", "select 1", "--store", "sqlite:///a"], "expected duckdb:///"),
        (["ingest", str(HOUSE), "nowhere.csv", "--store", "duckdb:///a.duckdb"], "nowhere.csv"),
        (["ingest", str(HOUSE), "x", "--store", "duckdb:///no/folder/a.duckdb"], "to exist; found none"),
    ],
)
def test_a_mistake_of_the_user_is_one_message_and_no_traceback(
    arguments: list[str], message: str, tmp_path: Path
) -> None:
    done = kilowatch(*arguments, cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert message in done.stderr
    assert "Traceback" not in done.stderr
