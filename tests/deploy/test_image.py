"""The Dockerfile: what it copies is there and let through, what it installs has hashes, what it runs as is nobody."""

from __future__ import annotations

import fnmatch
import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.deploy.contract import DEPLOY, ROOT, run

DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
LINES = re.sub(r"\\\n", " ", re.sub(r"(?m)^\s*#.*\n", "", DOCKERFILE)).splitlines()
STAGES = "\n".join(LINES).split("FROM ")[1:]
COPIED = [
    source
    for line in LINES
    if line.startswith("COPY ") and "--from" not in line
    for source in line.split()[1:-1]
]  # fmt: skip


def let_through(name: str) -> bool:
    """Whether .dockerignore leaves a path of the context to the build; the last pattern that fits decides."""
    kept = True
    for pattern in (ROOT / ".dockerignore").read_text(encoding="utf-8").split("\n"):
        if not pattern or pattern.startswith("#"):
            continue
        bare = pattern.removeprefix("!").removeprefix("**/")
        parents = [name, *(parent.as_posix() for parent in Path(name).parents if parent.as_posix() != ".")]
        places = [part for each in parents for part in ((each, Path(each).name) if "**/" in pattern else (each,))]
        if any(fnmatch.fnmatchcase(place, bare) for place in places):
            kept = pattern.startswith("!")
    return kept


def test_everything_copied_is_there_and_let_through() -> None:
    assert COPIED
    assert [source for source in COPIED if not (ROOT / source).exists() or not let_through(source)] == []


def test_everything_that_the_wheel_holds_is_copied() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"])
    wanted |= {"pyproject.toml", *project["project"]["license-files"]}
    assert wanted <= set(COPIED)


@pytest.mark.parametrize(
    "name",
    ["deploy/.env", "deploy/secrets/owner_password", "deploy/secrets/channels/webhook", "deploy/channels.yaml",
     "deploy/kubernetes/secrets.env", "deploy/kubernetes/channels.env", ".git/config", "demo/x.duckdb",
     "jobs/__pycache__/cli.cpython-311.pyc", "tests/conftest.py", "var/kilowatch.duckdb"],
)  # fmt: skip
def test_no_password_and_nothing_of_a_run_reaches_the_build(name: str) -> None:
    assert not let_through(name)
    assert let_through("jobs/cli.py") and let_through("deploy/sites/tap_forge.yaml")


def test_every_package_from_outside_is_a_wheel_with_a_hash() -> None:
    installs = re.findall(r"pip [^&\n]*\binstall\b[^&\n]*", "\n".join(LINES))
    assert len(installs) == 3
    outside = [each for each in installs if "--no-index" not in each]
    assert len(outside) == 2
    assert all("--require-hashes --only-binary :all: -r requirements/" in each for each in outside)
    assert "--no-build-isolation" in "\n".join(LINES)


def closure(name: str) -> set[str]:
    """A package and all that it needs, by what is installed here."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        package = waiting.pop()
        if package in found:
            continue
        found.add(package)
        for text in requires(package) or []:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(re.sub(r"[-_.]+", "-", requirement.name).lower())
    return found


def test_the_build_backend_is_taken_from_the_lock_with_all_that_it_needs(tmp_path: Path) -> None:
    (program,) = re.findall(r"awk '([^']+)'", DOCKERFILE)
    lock = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")
    done = run("awk", program, input=lock)
    taken = set(re.findall(r"(?m)^([a-z0-9-]+)==", done.stdout))
    try:
        assert taken == closure("hatchling")
    except PackageNotFoundError:
        pytest.skip("the build backend is not installed here")
    blocks = re.split(r"\n(?=[a-z])", done.stdout.strip())
    assert len(blocks) == len(taken) and all("--hash=sha256:" in block for block in blocks)


def test_the_base_is_named_by_a_tag_and_is_a_python_of_the_lock() -> None:
    bases = re.findall(r"(?m)^ARG PYTHON_IMAGE=(\S+)", DOCKERFILE)
    assert bases == ["python:3.11-slim-bookworm"]
    assert [line for line in LINES if line.startswith("FROM")] == [
        "FROM ${PYTHON_IMAGE} AS build",
        "FROM ${PYTHON_IMAGE}",
    ]
    lock = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "--python-version 3.11" in lock


def test_the_last_stage_runs_as_nobody_and_holds_no_compiler() -> None:
    last = STAGES[-1]
    assert re.findall(r"(?m)^USER (.*)$", last) == ["10001:10001"]
    assert last.index("USER 10001") > last.index("COPY --from=build")
    assert "apt-get" not in DOCKERFILE and "gcc" not in DOCKERFILE
    assert 'ENTRYPOINT ["kilowatch"]' in last
    assert "pip uninstall" in last
    for folder in ("archive", "spool"):
        assert re.search(rf"install -d -o 10001 .*/var/lib/kilowatch/{folder}\b", last)
    for label in ("title", "description", "licenses", "version", "revision", "base.name"):
        assert f"org.opencontainers.image.{label}=" in last


def test_the_image_has_the_version_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"ARG VERSION={project['version']}\n" in DOCKERFILE
    assert f"KILOWATCH_VERSION={project['version']}\n" in (DEPLOY / "make-env").read_text(encoding="utf-8")
    assert f"newTag: {project['version']}\n" in (DEPLOY / "kustomization.yaml").read_text(encoding="utf-8")


def test_make_env_needs_nothing_installed() -> None:
    assert "--again" in run(sys.executable, "-I", "-S", str(DEPLOY / "make-env"), "--help").stdout
    imports = set(re.findall(r"(?m)^(?:import|from) (\w+)", (DEPLOY / "make-env").read_text(encoding="utf-8")))
    assert imports <= set(sys.stdlib_module_names)
