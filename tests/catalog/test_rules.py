"""Rules of a site's file: what each line means, and one clear message for each mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.catalog import rule_kinds
from streams.catalog.rule_kinds import ALARMING_SCORE
from streams.catalog.site import check_site, load_rules, load_site
from streams.domain.alerts import Schedule, Severity, Words
from streams.domain.findings import CatalogError
from streams.domain.findings import Severity as Weight
from streams.operators.detectors.looking import Detector
from tests.catalog.test_site_mistakes import GOOD

RULES = """\
rules:
  - {name: warm, kind: threshold, points: temp, above: 8, clear: 7}
  - {name: cold, kind: threshold, points: [temp, crane/kw], below: 2}
  - {name: odd, kind: score, points: "*kwh"}
  - {name: quiet, kind: silence, points: "*", for: 20min}
  - {name: contract, kind: demand}
  - {name: idle, kind: idle, roles: {power: crane/kw}, kw: 2}
  - {name: still, kind: still, points: main, roles: {running: crane/kw}}
"""

MISTAKES = [
    ("kind: silence", "kind: silense", "unknown_kind", "did you mean 'silence'"),
    ("points: temp,", "points: tmep,", "unknown_point", "did you mean 'temp'"),
    ("points: temp,", "points: door,", "unfit_point", "found kind state"),
    ("points: temp,", "points: main,", "unfit_point", "found kind register"),
    ("points: temp,", "", "missing_key", "rules[warm].points: missing key"),
    ('points: "*kwh"', 'points: "*mwh"', "no_point", "found *mwh"),
    ("clear: 7", "clear: 9", "range", "expected at most 8"),
    ("clear: 7", "clear: 7, below: 1", "useless_key", "expected above or below alone"),
    ("above: 8, clear: 7", "above: 8, below: 9", "range", "expected below < above"),
    ("above: 8, ", "", "missing_key", "expected above or below"),
    ("above: 8", "above: warm", "bad_value", "expected a number; found 'warm'"),
    ("above: 8", "above: true", "bad_value", "expected a number; found True"),
    ("above: 8", "abvoe: 8, above: 8", "unknown_key", "did you mean 'above'"),
    ("clear: 7", "clear: 7, severty: info", "unknown_key", "did you mean 'severity'"),
    ("clear: 7", "clear: 7, severity: infos", "bad_word", "did you mean 'info'"),
    ("for: 20min", "for: 20", "bad_value", "expected a duration"),
    ("for: 20min", "schedule: {days: mon-fry}", "bad_value", "expected days such as mon-fri"),
    ("for: 20min", 'schedule: {from: "8:00"}', "bad_value", "expected a local time such as 07:30"),
    ("name: cold", "name: warm", "duplicate_name", "again what line"),
    ('points: "*kwh"', 'points: "*kwh", above: 2', "range", "expected a number between 0 and 1"),
    ("kind: demand}", "kind: demand, points: main}", "useless_key", "expected no points"),
    ("kind: demand}", "kind: demand, share: 0}", "range", "expected 0.01 to 2"),
    ("roles: {power: crane/kw}", "roles: {powr: crane/kw, power: crane/kw}", "unknown_role", "did you mean 'power'"),
    ("roles: {power: crane/kw}", "roles: {parts: main}", "missing_role", "rules[idle].roles.power"),
    ("roles: {power: crane/kw}", "roles: {power: crane/kwx}", "unknown_point", "did you mean 'crane/kw'"),
    (
        "roles: {power: crane/kw}",
        "roles: {power: crane/kw}, points: main",
        "useless_key",
        "expected roles: power, parts",
    ),
    (", kw: 2", "", "missing_key", "rules[idle].kw: missing key"),
    ("below: 2", "below: 2, roles: {power: main}", "useless_key", "expected no roles"),
    ("kind: still, points: main", "kind: still", "missing_key", "rules[still].points: missing key"),
    ("roles: {running: crane/kw}", "roles: {runing: crane/kw}", "unknown_role", "did you mean 'running'"),
]


@pytest.fixture(autouse=True)
def _detector(monkeypatch: pytest.MonkeyPatch) -> None:
    def look(*_given: object) -> object:
        raise AssertionError("nobody looks here")

    idle = Detector("idle", look, ("power",), ("parts",), {"kw": None, "minutes": 10.0}, {})  # type: ignore[arg-type]
    still = Detector("still", look, (), ("running",), {}, {})  # type: ignore[arg-type]
    monkeypatch.setattr(rule_kinds, "DETECTORS", {"idle": idle, "still": still})


def written(folder: Path, rules: str = RULES) -> Path:
    path = folder / "yard.yaml"
    path.write_text(GOOD + rules, encoding="utf-8")
    return path


def test_rules_become_what_they_say(tmp_path: Path) -> None:
    assert check_site(written(tmp_path)) == []
    warm, cold, odd, quiet, contract, idle, still = load_site(written(tmp_path)).rules
    assert (warm.points, warm.numbers) == (("yard/temp",), {"above": 8.0, "clear": 7.0})
    assert (warm.for_ms, warm.clear_ms, warm.severity) == (300_000, 600_000, Severity.WARNING)
    assert (cold.points, cold.numbers) == (("yard/temp", "yard/crane/kw"), {"below": 2.0})
    assert (odd.points, odd.numbers, odd.for_ms) == (("yard/crane/kwh",), {"above": ALARMING_SCORE}, 0)
    assert quiet.for_ms == 1_200_000
    assert {"yard/fuel", "yard/door", "yard/rest"} & set(quiet.points) == set()
    assert contract.numbers == {"share": 1.0, "after_min": 5.0, "margin": 0.1}
    assert (still.points, still.roles) == (("yard/main",), {"running": "yard/crane/kw"})
    assert (idle.roles, idle.numbers) == ({"power": "yard/crane/kw"}, {"kw": 2.0, "minutes": 10.0})


def test_every_other_key_is_taken_over(tmp_path: Path) -> None:
    more = (
        "above: 8, clear_for: 1h, severity: critical, title: {zh: 熱, en: Hot}, do: {zh: 看, en: Look}, remind: 2h, "
        "escalate: 3h, schedule: {days: [sat-mon, wed], from: 22:00, to: 24:00, off_peak_days: false}"
    )
    rule = load_site(written(tmp_path, RULES.replace("above: 8", more))).rules[0]
    assert (rule.clear_ms, rule.remind_ms, rule.escalate_ms) == (3_600_000, 7_200_000, 10_800_000)
    assert (rule.severity, rule.title, rule.advice) == (Severity.CRITICAL, Words("熱", "Hot"), Words("看", "Look"))
    assert rule.schedule == Schedule(frozenset({5, 6, 0, 2}), 1320, 1440, off_peak_days=False)


@pytest.mark.parametrize(("old", "new", "code", "said"), MISTAKES, ids=[f"{each[2]}: {each[1]}" for each in MISTAKES])
def test_a_mistake_is_one_clear_message(tmp_path: Path, old: str, new: str, code: str, said: str) -> None:
    assert old in RULES
    (finding,) = check_site(written(tmp_path, RULES.replace(old, new, 1)))
    assert (finding.code, finding.severity) == (code, Weight.ERROR)
    assert said in str(finding)
    assert str(finding).startswith(f"{tmp_path}/yard.yaml:")
    line = (tmp_path / "yard.yaml").read_text().splitlines()[(finding.line or 0) - 1]
    assert new in line or not new


def test_several_mistakes_are_told_at_once(tmp_path: Path) -> None:
    rules = RULES.replace("above: 8", "abov: 8").replace("kind: demand", "kind: demnd").replace('"*kwh"', "no")
    assert len(check_site(written(tmp_path, rules))) == 3


def test_demand_needs_a_contract_and_meters_that_are_read_often(tmp_path: Path) -> None:
    path = written(tmp_path)
    text = path.read_text()
    path.write_text(text[: text.index("  contracts:")] + text[text.index("  off_peak_days:") :])
    assert "no_contract" in [finding.code for finding in check_site(path)]
    path.write_text(text.replace("interval: 60s", "interval: 10min"))
    assert [finding.code for finding in check_site(path)] == ["seldom"]


def test_rules_of_a_file_of_their_own_name_points_of_the_site(tmp_path: Path) -> None:
    site, rules = written(tmp_path, ""), tmp_path / "tried.yaml"
    rules.write_text(RULES)
    assert len(load_rules(rules, site)) == 7
    rules.write_text(RULES.replace("points: temp", "points: tmep"))
    with pytest.raises(CatalogError, match=r"tried.yaml:2: .*did you mean 'temp'"):
        load_rules(rules, site)
    rules.write_text("rule: []\n")
    with pytest.raises(CatalogError, match=r"rule: unknown key: expected one of rules"):
        load_rules(rules, site)
