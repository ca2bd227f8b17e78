"""The example of docs/alerts.md, from an empty folder, as the page says it: its files, and its lines in a shell."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.jobs.bridge_process import until
from tests.servers.ports import LOOPBACK, free_port

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")
EXAMPLE = PAGE.partition("## Try it")[2].partition("\n## ")[0]


@contextmanager
def shell(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A shell in a folder; what it has begun ends with it."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    env = {**os.environ, "PATH": path, "KILOWATCH_METRICS": f"{LOOPBACK}:{free_port()}", "COLUMNS": "400"}
    with (folder / "said").open("w") as said:
        made = subprocess.Popen(
            ["bash"], stdin=subprocess.PIPE, stdout=said, stderr=said, cwd=folder, env=env, text=True,
            start_new_session=True,
        )  # fmt: skip
    try:
        yield made
    finally:
        os.killpg(made.pid, signal.SIGKILL)
        made.wait()
        assert made.stdin
        made.stdin.close()


def test_the_example_of_the_page_does_what_the_page_says(tmp_path: Path) -> None:
    if lack := [name for name in ("bash", "curl", "openssl") if shutil.which(name) is None]:
        pytest.skip(f"no {lack[0]} here: the example is not tried")
    ports = {"8080": str(free_port()), "9000": str(free_port())}

    def here(text: str) -> str:
        return re.sub(r"\b(8080|9000)\b", lambda found: ports[found[0]], text)

    files = re.findall(r"^`([a-z]+\.[a-z]+)`\n\n```[a-z]+\n(.*?)^```$", EXAMPLE, re.MULTILINE | re.DOTALL)
    assert [name for name, _ in files] == ["site.yaml", "channels.yaml", "receiver.py"]
    for name, text in files:
        (tmp_path / name).write_text(here(text), encoding="utf-8")
    begin, warm, care, quiet = (here(each) for each in re.findall(r"^```sh\n(.*?)^```$", EXAMPLE, re.M | re.S))
    received, said = tmp_path / "received", tmp_path / "said"

    def got() -> list[str]:
        lines = received.read_text().splitlines() if received.exists() else []
        return [" ".join(line.split()[:2]).replace("kilowatch.alert.", "") for line in lines]

    with shell(tmp_path) as bash:

        def do(lines: str) -> None:
            assert bash.stdin
            bash.stdin.write(lines)
            bash.stdin.flush()

        do(begin)
        until(lambda: got() == ["/ops test"], "the message of the try", 60)
        assert "channels.yaml: 0 errors, 0 warnings" in said.read_text()
        until(lambda: "ops: sent: HTTP 204" in said.read_text(), "what came of the try")
        do(warm)
        told = {"/ops opened", "/ops reminded", "/ops escalated", "/boss escalated"}
        until(lambda: told <= set(got()), "the reminder and the escalation", 60)
        assert got().count("/ops opened") == 1
        do(care)
        until(lambda: "/boss closed" in got() and "/ops closed" in got(), "the end", 60)
        do(quiet)
        until(lambda: got().count("/ops opened") == 2, "what the silence kept", 90)
    rows = [line for line in said.read_text().splitlines() if "maintenance" not in line]
    assert any(" silenced " in line and " opened " in line for line in rows), said.read_text()
    assert "Traceback" not in said.read_text() and "error" not in said.read_text().replace("0 errors", "")
    assert "too_warm" in said.read_text()
    log = (tmp_path / "log").read_text()
    assert '"level":"error"' not in log and '"level":"warning"' not in log, log
