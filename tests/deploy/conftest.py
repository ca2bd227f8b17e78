"""A make-env that was really run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.contract import DEPLOY, run


def make_env(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Run deploy/make-env into a folder; what it exits with is for the caller to judge."""
    return run(sys.executable, str(DEPLOY / "make-env"), "--output", str(folder), *more)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a first run filled."""
    folder = tmp_path_factory.mktemp("made")
    done = make_env(folder, "--name", "mqtt.works.example")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def values(made: Path) -> dict[str, str]:
    """The variables of that folder's .env."""
    lines = (made / ".env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
