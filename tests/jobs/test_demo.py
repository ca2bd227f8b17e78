"""`kilowatch demo` as a new user meets it: one process, a summary to read, and a store that answers."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from jobs.cli import main; main()"]
SITES = ("cold_chain_depot", "machine_builder_pv", "container_yard", "worm_gear_shop", "tap_forge", "bicycle_parts")
DAYS = ("--days", "6")


def kilowatch(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command to its end, as where there is no terminal."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80"}
    return subprocess.run([*COMMAND, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def shown(home: Path) -> list[str]:
    done = kilowatch("demo", *DAYS, cwd=home)
    assert done.returncode == 0, done.stderr
    assert all(f"{site}: " in done.stderr for site in SITES)
    return done.stdout.splitlines()


def numbers(lines: list[str]) -> list[str]:
    """All that a demo says but for how long it took."""
    return [line for line in lines if "simulate" not in line or "ingest" not in line]


def under(title: str, lines: list[str]) -> list[list[str]]:
    """The rows of a table as words."""
    begin = next(nth for nth, line in enumerate(lines) if line.startswith(title))
    rule = next(nth for nth in range(begin, len(lines)) if lines[nth].startswith("──"))
    end = next(nth for nth in range(rule, len(lines)) if not lines[nth].strip())
    return [line.split() for line in lines[rule + 1 : end]]


def test_the_last_line_names_the_store(shown: list[str], home: Path) -> None:
    assert shown[-1] == f"store: duckdb:///{(home / 'demo' / 'kilowatch.duckdb').resolve()}"


def test_it_says_that_all_of_it_is_simulated(shown: list[str], home: Path) -> None:
    assert any("simulated" in line for line in shown[:3])
    assert "Simulated" in (home / "demo" / "README.txt").read_text(encoding="utf-8")


def test_what_can_be_known_is_stored_exactly_whatever_went_wrong(shown: list[str]) -> None:
    assert any("all of them are stored exactly" in line for line in shown)
    rows = under("Energy in the store against the answer key", shown)
    assert len(rows) == 13
    assert {row[-4] for row in rows} == {"0.000"}
    assert any("0.000000 kWh" in line for line in shown)


def test_each_site_has_its_peak_and_its_cost(shown: list[str]) -> None:
    rows = {row[0]: row for row in under("Peak demand and cost", shown)}
    assert set(rows) == set(SITES)
    assert all(float(row[1].replace(",", "")) > 10 for row in rows.values())
    assert all(2 < float(row[-1]) < 12 for row in rows.values())
    assert rows["container_yard"][-1] == "3.81"


def test_registers_were_decided_about_as_the_faults_ask(shown: list[str]) -> None:
    head = next(
        line for nth, line in enumerate(shown) if shown[nth - 1].startswith("Decisions about registers")
    ).split()
    rows = {row[0]: dict(zip(reversed(head), reversed(row), strict=False)) for row in under("Decisions", shown)}
    assert set(rows) == set(SITES)
    for site, counts in rows.items():
        assert all(int(counts[kind]) >= 1 for kind in ("exchange", "glitch", "reset", "rollover")), site


def test_every_question_that_it_suggests_is_answered(shown: list[str], tmp_path: Path) -> None:
    hints = [shlex.split(line) for line in shown if line.startswith("  ") and " query " in line]
    assert len(hints) == 3
    assert [line for line in shown if " serve --store duckdb:///" in line and line.endswith(" --open")]
    for hint in hints:
        answer = kilowatch(*hint[1:], "--format", "csv", cwd=tmp_path)
        assert answer.returncode == 0, answer.stderr
        assert len(answer.stdout.splitlines()) > 3


def test_no_line_is_wider_than_a_terminal_of_eighty_but_the_commands(shown: list[str]) -> None:
    tables = [line for line in shown if line.startswith(("──", "site", "cold_chain_depot", "fault", "stuck"))]
    assert len(tables) > 8
    assert max(len(line.rstrip()) for line in tables) <= 80


def test_a_second_demo_replaces_the_first_and_says_the_same(shown: list[str], home: Path) -> None:
    note = home / "demo" / "note.txt"
    note.write_text("mine", encoding="utf-8")
    again = kilowatch("demo", *DAYS, cwd=home)
    assert again.returncode == 0, again.stderr
    assert numbers(again.stdout.splitlines()) == numbers(shown)
    assert note.read_text(encoding="utf-8") == "mine"


def test_a_folder_that_is_not_the_demos_is_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / "mine" / "kilowatch.duckdb"
    kept.parent.mkdir()
    kept.write_text("years of work", encoding="utf-8")
    done = kilowatch("demo", "--output", "mine", cwd=tmp_path)
    assert done.returncode == 2
    assert "mine: expected a folder that `kilowatch demo` made" in done.stderr
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]
    assert kept.read_text(encoding="utf-8") == "years of work"
