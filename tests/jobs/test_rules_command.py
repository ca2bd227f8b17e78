"""`kilowatch rules`: a rule over stored history, and what is said where it cannot be tried."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from jobs.cli import app
from streams.catalog.site import load_site
from streams.domain.findings import KilowatchError

SITE = Path(__file__).parents[2] / "deploy" / "sites" / "cold_chain_depot.yaml"
RULES = """\
rules:
  - {name: warm, kind: threshold, points: chilled-room/temp, above: 4, clear: 3, for: 1min, clear_for: 1min}
  - {name: never, kind: threshold, points: "*/temp", above: 59}
  - {name: demand, kind: demand, share: 0.3, margin: 0}
  - {name: silent, kind: silence, points: "*"}
"""


def run(*words: object) -> tuple[str, str]:
    """Standard output and standard error; what goes wrong is raised."""
    done = CliRunner().invoke(app, list(map(str, words)), env={"COLUMNS": "200"}, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout, done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A day and a half in a store, and rules to try."""
    made = tmp_path_factory.mktemp("rules")
    run("simulate", SITE, "--days", "1", "--from", "2025-06-02", "--output", made)
    run("ingest", made / "site.yaml", made / "telemetry.parquet", "--store", f"duckdb:///{made}/depot.duckdb")
    (made / "tried.yaml").write_text(RULES, encoding="utf-8")
    return made


def rows(said: str) -> dict[str, list[str]]:
    """The cells of the table by rule."""
    lines = [line.split("│")[1:-1] for line in said.splitlines() if line.startswith("│")]
    return {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in lines}


def test_it_says_how_often_each_rule_would_have_fired(folder: Path) -> None:
    words = ["rules", "test", "--site", SITE, "--store", f"duckdb:///{folder}/depot.duckdb"]
    said, beside = run(*words, "--rules", folder / "tried.yaml")
    found = rows(said)
    assert list(found) == ["warm", "never", "demand", "silent"]
    assert int(found["warm"][1]) > 0
    assert found["warm"][3].startswith("2025-06-0")
    assert found["warm"][6].endswith("°C")
    assert found["never"][1:] == ["0", "", "", "", "", ""]
    assert int(found["demand"][1]) > 0
    assert found["demand"][6].endswith("kW")
    assert "no ticks are recorded in this store" in beside
    later, _ = run(*words, "--rules", folder / "tried.yaml", "--rule", "warm", "--from", "2025-06-03")
    assert list(rows(later)) == ["warm"]
    assert rows(later)["warm"][1] == "0"
    own, _ = run(*words)
    assert list(rows(own)) == [rule.name for rule in load_site(SITE).rules]


def test_what_cannot_be_tried_is_told(folder: Path) -> None:
    words = ["rules", "test", "--site", SITE, "--store", f"duckdb:///{folder}/depot.duckdb"]
    with pytest.raises(KilowatchError, match=r"expected one of .*; found contrct \(did you mean 'contract'\?\)"):
        run(*words, "--rule", "contrct")
    plain = folder / "plain.yaml"
    plain.write_text(SITE.read_text().partition("\nrules:")[0] + "\n")
    with pytest.raises(KilowatchError, match=r"plain.yaml: expected rules; found none"):
        run(*words[:3], plain, *words[4:])


def test_kinds_are_listed_with_their_numbers() -> None:
    said, _ = run("rules", "kinds")
    assert "share = 1: share of the contract's capacity" in said
    assert "本時段需量將超過契約容量" in said


def test_check_counts_the_rules() -> None:
    assert f"0 errors, 0 warnings, {len(load_site(SITE).rules)} rules" in " ".join(run("check", SITE)[1].split())
