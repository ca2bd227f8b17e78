"""The same page on PostgreSQL with the reader's role, and on the file that a running `kilowatch run` holds."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from streams.stores.postgres import PostgresStore
from streams.stores.schema import migrate
from tests.live.box import COMMAND, Box, Gateway
from tests.live.harness import PROJECT, ingest, messages, simulated, sites_folder, wait_for
from tests.page.conftest import BOARDS, SITES, served
from tests.page.test_web import ASKED, OVERVIEW, ask
from tests.servers.databases import ROLE_PASSWORDS, as_role
from tests.servers.ports import LOOPBACK, free_port


@pytest.fixture
def reader(database: str, tmp_path: Path) -> str:
    """URL of the reader's role on a database with the same two days of two sites."""
    with closing(PostgresStore(database)) as store:
        migrate(store, ROLE_PASSWORDS)
        ingest(simulated(tmp_path / "made", 2, SITES), store, tmp_path / "archive")
    return as_role(database, "kilowatch_reader", ROLE_PASSWORDS["reader"])


def alike(content: Any) -> Any:
    """JSON with numbers as far as the order of a sum does not change them."""
    return json.loads(json.dumps(content), parse_float=lambda text: f"{float(text):.9g}")


def test_postgresql_gives_the_frames_that_the_file_gives(page: str, reader: str) -> None:
    with served(reader) as other:
        for part in ("variables", *(f"panels/{number}" for number in (1, 2, 3, 5, 6, 8, 9))):
            path = f"{OVERVIEW}/{part}"
            assert alike(ask(other, path, ASKED)[2]) == alike(ask(page, path, ASKED)[2]), part
        status, _, told = ask(other, f"{OVERVIEW}/panels/11", ASKED)
        assert (status, "no_such_column" in told["error"]) == (422, True)
        assert ask(other, "/api/page")[2]["ends_ms"] == ask(page, "/api/page")[2]["ends_ms"]


def test_a_session_that_the_server_ends_is_begun_again(reader: str, database: str) -> None:
    with served(reader) as page, closing(PostgresStore(database)) as admin:
        assert ask(page, f"{OVERVIEW}/panels/5", ASKED)[0] == 200
        admin.rows("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'kilowatch page'")
        answers = [ask(page, f"{OVERVIEW}/panels/5", ASKED)[0] for _ in range(4)]
        assert set(answers) <= {200, 503}
        assert answers[-1] == 200


def test_the_box_shows_what_it_has_just_taken_and_stays_the_only_writer(tmp_path: Path) -> None:
    made = simulated(tmp_path / "made", 1, SITES[:1])
    port = free_port()
    options = ("--page", f"{LOOPBACK}:{port}", "--dashboards", str(BOARDS))
    with Box(sites_folder(made, tmp_path / "sites"), tmp_path, *options) as box:
        box.started()
        address = f"http://{LOOPBACK}:{port}"
        assert ask(address, "/api/page")[2]["ends_ms"] is None
        with Gateway(box.port, SITES[0], list(messages(made[SITES[0]], 500))) as gateway:
            while not gateway.done:
                assert ask(address, f"{OVERVIEW}/variables", ASKED)[0] == 200
        box.finish()
        status, _, told = ask(address, f"{OVERVIEW}/panels/5", ASKED)
        assert status == 200, told
        assert len(told["frames"][0]["data"]["values"][0]) > 80
        held = subprocess.run(
            [COMMAND, "serve", "--store", f"duckdb:///{box.store}", "--dashboards", str(BOARDS)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert held.returncode == 2
        assert "kilowatch run --page" in held.stderr
        assert box.stop() < 10


def test_serve_says_where_it_is_and_ends_when_it_is_told_to(store_file: Path, tmp_path: Path) -> None:
    port = free_port()
    log = tmp_path / "log"
    arguments = ["--store", f"duckdb:///{store_file}", "--dashboards", str(BOARDS), "--listen", f"{LOOPBACK}:{port}"]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "COLUMNS": "200"}
    with log.open("wb") as out:
        process = subprocess.Popen([COMMAND, "serve", *arguments], stdout=out, stderr=out, env=environment)
    try:
        wait_for(lambda: "http://" in log.read_text(), log.read_text)
        assert f"http://{LOOPBACK}:{port}/" in log.read_text()
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/api/page", timeout=30) as answer:
            assert json.load(answer)["languages"] == ["en", "zh"]
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, log.read_text()
        assert time.monotonic() - begun < 10
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--listen", "0.0.0.0:3000"], "expected a loopback address"),
        (["--listen", "3000"], "expected HOST:PORT"),
        (["--store", "duckdb:///none.duckdb"], "expected a file"),
        (["--dashboards", "none"], "expected dashboards"),
    ],
)
def test_serve_says_what_is_wrong_in_one_line(store_file: Path, tmp_path: Path, options: list[str], said: str) -> None:
    given = ["--store", f"duckdb:///{store_file}", "--dashboards", str(BOARDS), *options]
    done = subprocess.run([COMMAND, "serve", *given], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, said in done.stderr, done.stderr.count("\n")) == (2, True, 1), done.stderr
