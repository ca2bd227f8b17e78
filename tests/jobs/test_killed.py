"""`kilowatch ingest` killed by SIGKILL at moments of chance: the store it ends with is that of an undisturbed run.

`KILOWATCH_KILLS` says how often (8); the moments come from the system's chance and are printed, `KILOWATCH_SEED`
repeats them.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import polars as pl

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("KILOWATCH_KILLS", "8"))
COMMAND = [sys.executable, "-c", "from jobs.cli import main; main()"]
SITE = """
site: works
kind: machining
time_zone: Asia/Taipei
starts_on: 2025-12-01
gwp_set: AR5
assets:
  - {name: hall}
points:
  - {name: main, asset: hall, kind: register, unit: kWh, decimals: 2, digits: 4, interval: 60s, max_kw: 400}
  - {name: press, asset: hall, kind: register, unit: kWh, decimals: 2, digits: 6, interval: 60s, resets: monthly}
  - {name: pump, asset: hall, kind: power, unit: kW, interval: 60s, max_gap: 30min}
  - {name: line, asset: hall, kind: interval, unit: Wh, interval: 1min}
  - {name: room, asset: hall, kind: gauge, unit: Cel}
  - {name: door, asset: hall, kind: state}
  - {name: rest, asset: hall, kind: virtual, unit: kWh, formula: main - press}
supply:
  import: [main]
  contracts:
    - {from: 2025-12-01, plan: HV_3T, regular_kw: 300, industry: "254"}
"""
MINUTES = 480
FIRST_S = 1_767_182_400  # 2025-12-31T20:00+08:00: the month ends half-way


def readings(path: Path) -> Path:
    """Six points each minute: a wrap, a monthly reset, glitches, gaps, late readings, duplicates and rejects."""
    chance = random.Random(5)
    lines: list[tuple[float, str]] = []
    main, press = 9_990.0, 4_000.0
    for minute in range(MINUTES):
        at = FIRST_S + 60 * minute
        main, press = (main + chance.random() / 5) % 10_000, press + chance.random() / 10
        press = 0.0 if at == 1_767_196_800 else press  # midnight in Taipei
        values: dict[str, object] = {
            "main": 0 if chance.random() < 0.003 else round(main, 2),
            "press": round(press, 2),
            "pump": round(7 + chance.random(), 3),
            "line": chance.randrange(300),
            "room": "nan" if chance.random() < 0.01 else -18.5,
            "door": chance.choice(["open", "closed"]),
        }
        for point, value in values.items():
            if 300 < minute < 350 and point in ("main", "pump"):
                continue
            line = json.dumps({"point": f"works/{point}", "time": at, "value": value})
            arrives = minute + (chance.choice([20, 90, 200]) if chance.random() < 0.02 else 0)
            lines.append((arrives, line))
            if chance.random() < 0.01:
                lines.append((arrives + 3, line))
        if chance.random() < 0.02:
            lines.append((minute, '{"point": "works/unknown", "time": 1'))
    path.write_text("".join(line + "\n" for _, line in sorted(lines, key=lambda pair: pair[0])))
    return path


class Ingest:
    """One store that is being filled from one file."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.store = folder, folder / f"{name}.duckdb"
        self.archive = folder / f"{name}.duckdb.archive"

    def start(self) -> subprocess.Popen[bytes]:
        arguments = ["ingest", "site.yaml", "readings.ndjson", "--store", f"duckdb:///{self.store}"]
        options = ["--block-rows", "250", "--received-at", "2026-02-01"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with (self.folder / "said.txt").open("wb") as said:
            return subprocess.Popen([*COMMAND, *arguments, *options], cwd=self.folder, env=environment, stderr=said)

    def said(self) -> str:
        return (self.folder / "said.txt").read_text()

    def views(self) -> dict[str, list[tuple[object, ...]]]:
        """Every mart view and the raw rows, sorted."""
        with duckdb.connect(str(self.store), read_only=True) as con:
            views = con.execute("select view_name from duckdb_views() where schema_name = 'mart'").fetchall()
            names = [f"mart.{name}" for (name,) in views] + ["raw.reading", "fact.interval_history"]
            return {name: sorted(con.execute(f"from {name}").fetchall(), key=repr) for name in sorted(names)}

    def archived(self) -> pl.DataFrame:
        """What the archive holds, in order of arrival."""
        files = [path for path in sorted(self.archive.rglob("*")) if path.is_file()]
        assert all(path.suffix == ".parquet" for path in files)
        return pl.concat(pl.read_parquet(path, hive_partitioning=False) for path in files).sort("seq")

    def replayed(self) -> subprocess.CompletedProcess[str]:
        arguments = ["replay", "site.yaml", "--store", f"duckdb:///{self.store}"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
        return subprocess.run(
            [*COMMAND, *arguments], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )


def kill(ingest: Ingest, moment: float | str, patience: float) -> bool:
    """Start the ingest and kill it after seconds, or as soon as its archive changes; False if it was done before."""
    process, begun, before = ingest.start(), time.monotonic(), in_archive(ingest)
    while process.poll() is None:
        passed = time.monotonic() - begun
        if passed > patience or (in_archive(ingest) != before if isinstance(moment, str) else passed >= moment):
            process.kill()
            process.wait()
            return True
        time.sleep(0.0005)
    assert process.returncode == 0, ingest.said()
    return False


def say(words: str) -> None:
    sys.stdout.write(words + "\n")


def in_archive(ingest: Ingest) -> set[str]:
    return {path.name for path in ingest.archive.glob("*/*/*")}


def test_an_ingest_killed_again_and_again_ends_with_the_store_of_one_that_was_not(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(SITE)
    readings(tmp_path / "readings.ndjson")
    whole = Ingest(tmp_path, "whole")
    begun = time.monotonic()
    assert whole.start().wait() == 0, whole.said()
    needed = time.monotonic() - begun
    expected, archived = whole.views(), whole.archived()
    assert len(archived) == len(expected["raw.reading"]) > 5 * MINUTES
    for view in ("mart.energy_interval", "mart.register_event", "mart.quarantine", "fact.interval_history"):
        assert len(expected[view]) > 0, view

    seed = int(os.environ.get("KILOWATCH_SEED") or int.from_bytes(os.urandom(4)))
    say(f"KILOWATCH_SEED={seed}, {KILLS} kills, {needed:.1f} s undisturbed")
    chance, kills, archiving, stores = random.Random(seed), 0, 0, 0
    while kills < KILLS:
        stores += 1
        killed = Ingest(tmp_path, f"killed-{stores}")
        for attempt in range(KILLS):
            moment = "archive" if chance.random() < 0.3 else chance.uniform(0.35, 1.0) * needed
            done = not kill(killed, moment, 10 * needed)
            kills, archiving = kills + (not done), archiving + (moment == "archive" and not done)
            if done or kills >= KILLS or (attempt > 3 and chance.random() < 0.3):
                break
        assert killed.start().wait() == 0, killed.said()
        found = killed.views()
        assert list(found) == list(expected)
        for view, rows in expected.items():
            assert found[view] == rows, f"{view} differs after kills; KILOWATCH_SEED={seed}"
        assert killed.archived().equals(archived), f"the archive differs; KILOWATCH_SEED={seed}"
        if kills >= KILLS:
            again = killed.replayed()
            assert again.returncode == 0, again.stderr
            assert "identical" in again.stderr
        killed.store.unlink()
        shutil.rmtree(killed.archive)
    say(f"{kills} kills, {archiving} while the archive was written, {stores} stores")
