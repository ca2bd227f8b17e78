"""`kilowatch dashboards push` to an imitation of Grafana: once and again, and beside what people change there."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboards.checks.found import read
from dashboards.place import GENERATED
from tests.dashboards.grafana import TOKEN, FakeGrafana
from tests.servers import missing
from tests.servers.ports import LOOPBACK, free_port

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from jobs.cli import main; main()", "dashboards", "push"]
UIDS = sorted(board.uid for board in read(GENERATED))
ENERGY = "kw-energy-zh"


@pytest.fixture
def grafana() -> Iterator[FakeGrafana]:
    missing.need(missing.grafana_client())
    with FakeGrafana() as made:
        yield made


def push(url: str, *more: str, token: str | None = TOKEN) -> tuple[int, dict[str, str], str]:
    """Exit code, what was said of each dashboard, and all that was said, in a process that has Grafana's client."""
    paths = os.pathsep.join([str(missing.grafana_packages()), str(ROOT)])
    environment = {
        **os.environ,
        "PYTHONPATH": paths,
        "COLUMNS": "200",
        **({"KILOWATCH_GRAFANA_TOKEN": token} if token else {}),
    }
    done = subprocess.run(
        [*COMMAND, "--url", url, *more], env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.stdout == "" and "Traceback" not in done.stderr, done.stderr
    said = dict(line.split(": ", 1) for line in done.stderr.splitlines() if ": " in line)
    return done.returncode, said, done.stderr


def test_a_first_push_creates_everything_and_a_second_changes_nothing(grafana: FakeGrafana) -> None:
    code, said, _ = push(grafana.url)
    assert (code, said) == (0, dict.fromkeys(UIDS, "created"))
    assert grafana.folders == {"kilowatch-zh": "Kilowatch", "kilowatch-en": "Kilowatch (English)"}
    for board in read(GENERATED):
        kept = grafana.boards[board.uid]
        assert kept.folder == f"kilowatch-{board.uid[-2:]}"
        assert {**board.whole, "id": kept.number, "version": 1} == kept.now["data"]
    grafana.asked.clear()
    code, said, _ = push(grafana.url)
    assert (code, said) == (0, dict.fromkeys(UIDS, "unchanged"))
    assert grafana.writes() == []


@pytest.mark.parametrize("wrapped", [True, False])
def test_what_a_person_changed_is_kept_unless_told_to(wrapped: bool, tmp_path: Path) -> None:
    missing.need(missing.grafana_client())
    with FakeGrafana("/grafana", wrapped=wrapped) as grafana:
        assert push(f"{grafana.url}/")[0] == 0
        grafana.folders["ours"] = "Ours"
        changed = {**grafana.boards[ENERGY].now["data"], "title": "Anna's"}
        grafana.save(changed, "a nicer title", "ours", "anna")
        code, said, _ = push(grafana.url)
        assert code == 1
        assert said.pop(ENERGY) == "kept: changed by anna on 2026-11-26T08:00; --overwrite replaces it"
        assert set(said.values()) == {"unchanged"}
        assert grafana.boards[ENERGY].now["data"]["title"] == "Anna's"
        code, said, _ = push(grafana.url, "--overwrite")
        assert code == 0 and said[ENERGY] == "replaced what a person had changed"
        assert grafana.boards[ENERGY].now["data"]["title"] == "電力與需量"
        assert grafana.boards[ENERGY].folder == "ours"
        assert push(grafana.url)[1][ENERGY] == "unchanged"


def test_a_newer_build_replaces_the_older_one_where_it_is_now(grafana: FakeGrafana, tmp_path: Path) -> None:
    push(grafana.url, "--language", "zh")
    assert set(grafana.boards) == {uid for uid in UIDS if uid.endswith("-zh")}
    grafana.folders["ours"] = "Ours"
    grafana.boards[ENERGY].folder = "ours"
    newer = copy.deepcopy(next(board.whole for board in read(GENERATED) if board.uid == ENERGY))
    newer["title"] = "新的"
    (tmp_path / f"{ENERGY}.json").write_text(json.dumps(newer), encoding="utf-8")
    code, said, _ = push(grafana.url, "--folder", str(tmp_path))
    assert (code, said) == (0, {ENERGY: "updated"})
    kept = grafana.boards[ENERGY]
    assert kept.now["data"]["title"] == "新的" and kept.now["version"] == 2 and kept.folder == "ours"


def test_a_save_at_the_same_moment_is_not_lost(grafana: FakeGrafana, tmp_path: Path) -> None:
    push(grafana.url)
    newer = copy.deepcopy(next(board.whole for board in read(GENERATED) if board.uid == ENERGY))
    newer["title"] = "新的"
    (tmp_path / f"{ENERGY}.json").write_text(json.dumps(newer), encoding="utf-8")
    grafana.saved_meanwhile = ENERGY
    code, said, _ = push(grafana.url, "--folder", str(tmp_path))
    assert (code, said) == (1, {ENERGY: "kept: somebody saved it at this moment; push again"})
    assert grafana.boards[ENERGY].now["createdBy"] == "anna"


def test_what_comes_from_files_is_left_alone(grafana: FakeGrafana) -> None:
    push(grafana.url)
    grafana.boards[ENERGY].is_provisioned = True
    code, said, _ = push(grafana.url, "--overwrite")
    assert code == 1 and said[ENERGY] == "left alone: Grafana has it from files"


def test_a_missing_data_source_is_told(grafana: FakeGrafana) -> None:
    grafana.sources = {}
    code, said, _ = push(grafana.url)
    assert code == 1 and said["kilowatch"].startswith("no such data source: provision deploy/grafana")
    assert set(grafana.boards) == set(UIDS)
    grafana.sources = {"kilowatch": 403}
    code, said, _ = push(grafana.url)
    assert code == 0 and said["kilowatch"].startswith("this account may not see")


def test_what_grafana_refuses_is_one_line_that_says_what_to_do(grafana: FakeGrafana, tmp_path: Path) -> None:
    code, _, err = push(grafana.url, token="wrong")
    assert (
        code == 2 and err == f"error: Grafana {grafana.url}: refused (401): Unauthorized; give a token that is valid\n"
    )
    grafana.role = "Viewer"
    code, _, err = push(grafana.url)
    assert code == 2 and "refused (403)" in err and "give the service account the role Editor" in err
    assert err.count("\n") == 1
    code, _, err = push(f"{grafana.url}/elsewhere")
    assert code == 2 and "refused (404)" in err


def test_a_grafana_that_is_away_or_none_is_told() -> None:
    missing.need(missing.grafana_client())
    code, _, err = push(f"http://{LOOPBACK}:{free_port()}")
    assert code == 2 and "expected its HTTP API; found:" in err and err.count("\n") == 1
    code, _, err = push("grafana.example.com")
    assert code == 2 and "expected http://… or https://…; found 'grafana.example.com'; mend --url" in err
    code, _, err = push("http://127.0.0.1:1", token=None)
    assert code == 2 and "expected a token in KILOWATCH_GRAFANA_TOKEN or --token-file; found none" in err


def test_the_token_may_lie_in_a_file_and_is_never_told(grafana: FakeGrafana, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n", encoding="utf-8")
    code, _, err = push(grafana.url, "--token-file", str(tmp_path / "token"), token=None)
    assert code == 0 and TOKEN not in err


def test_without_the_extra_it_says_what_to_install() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "KILOWATCH_GRAFANA_TOKEN": "x"}
    done = subprocess.run(
        [*COMMAND, "--url", "http://127.0.0.1:1"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert " ".join(done.stderr.split()) == (
        "error: expected the package grafana-client; found none; install kilowatch[grafana], in an environment of its "
        "own (docs/dashboards.md)"
    )
