"""A healthy time through the pipeline: what is told is counted, and a rule that sees everything is not missed."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from jobs import healthy
from jobs.healthy import CHOSEN_SEEDS, REPORTED_SEEDS, Year, lived, report
from jobs.simulate import SHIPPED
from streams.catalog.site import load_site

YARD = SHIPPED / "container_yard.yaml"
LIT = "  - {name: lit, kind: threshold, points: rtg-1/flow, above: 1, for: 1min, clear_for: 1min}\n"


def year(file: Path, folder: Path, days: int) -> Year:
    return lived(file, date(2026, 3, 2), days, 5, folder, lambda _: None)


def test_a_rule_that_sees_what_is_usual_is_counted_with_its_times(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "yard.yaml"
    file.write_text(YARD.read_text(encoding="utf-8") + LIT, encoding="utf-8")
    found = year(file, tmp_path / "made", 3)
    assert (found.site, found.days, found.rules) == ("container_yard", 3, len(load_site(YARD).rules) + 1)
    lit = found.episodes.filter(rule="lit")
    assert len(lit) >= 3  # the crane works every day
    assert set(lit["opened_at"].dt.hour()) <= set(range(6, 22))
    assert lit["cause"].null_count() == len(lit)
    assert found.per_week == pytest.approx(len(found.episodes) * 7 / 3)
    report(found)
    said = capsys.readouterr().out
    assert f"{len(lit):>3} lit (threshold) rtg-1/flow" in said
    assert said.count(" lit rtg-1/flow: ") == len(lit)


def test_the_first_days_of_a_site_are_silent(tmp_path: Path) -> None:
    found = year(YARD, tmp_path, 4)
    assert found.readings > 20_000
    assert len(found.episodes) == 0


def test_no_seed_was_both_looked_at_and_reported() -> None:
    assert not set(CHOSEN_SEEDS) & set(REPORTED_SEEDS)


def test_what_is_wrong_with_a_site_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bad.yaml").write_text("site: x\n")
    monkeypatch.setattr("sys.argv", ["healthy", "--days", "2", "--site", str(tmp_path / "bad.yaml")])
    with pytest.raises(SystemExit, match=r"bad.yaml:1: points: missing key"):
        healthy.main()
