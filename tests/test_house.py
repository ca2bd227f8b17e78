"""The house itself: what is tracked, what is locked, what a wheel holds."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)

# Written in pieces, so that this file does not find itself.
MACHINE_PATHS = re.compile(
    "|".join(["/" + "tmp/kw", "/" + r"root/", "/" + r"home/\w+/", "/" + "Users/", "/" + "opt/wheels"])
)
INDEX_HOSTS = re.compile(
    "|".join(["pypi" + r"\.org", "python" + r"hosted\.", "--(extra-)?" + "index-url", "--find" + "-links"])
)


def tracked_files() -> list[Path]:
    """Every file that a commit of this tree would hold."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listing.returncode != 0:
        pytest.skip("not a git work tree")
    return [path for name in listing.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


def lines_that_name(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    """`file:line: text` for every line of a text file that the pattern finds."""
    found = []
    for path in paths:
        content = path.read_bytes()
        if b"\0" in content:
            continue
        for number, line in enumerate(content.decode("utf-8").splitlines(), start=1):
            if pattern.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    return found


def canonical(requirement: str) -> str:
    """The name in a requirement, as package indexes compare it."""
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match, requirement
    return re.sub(r"[-_.]+", "-", match.group()).lower()


def locked(name: str) -> dict[str, set[str]]:
    """Versions by package of a lock; a marker may give one package several."""
    pins: dict[str, set[str]] = {}
    for package, version in PIN.findall((ROOT / "requirements" / name).read_text()):
        pins.setdefault(canonical(package), set()).add(version)
    return pins


def group(name: str) -> set[str]:
    """Packages of a dependency group, included groups too."""
    packages: set[str] = set()
    for entry in PROJECT["dependency-groups"][name]:
        packages |= {canonical(entry)} if isinstance(entry, str) else group(entry["include-group"])
    return packages


RUN_DEPENDENCIES = {canonical(requirement) for requirement in PROJECT["project"]["dependencies"]}


@pytest.mark.parametrize(
    "name", ["streams", "jobs", "sql", "dashboards", "deploy", "tests", "pyproject.toml", "README.md"]
)
def test_every_promised_top_level_name_is_there(name: str) -> None:
    assert (ROOT / name).exists()


def test_no_tracked_file_names_a_place_of_one_machine() -> None:
    files = tracked_files()
    assert ROOT / "pyproject.toml" in files
    assert lines_that_name(MACHINE_PATHS, files) == []


def test_no_tracked_file_names_a_package_index() -> None:
    allowed = {ROOT / "Makefile", ROOT / "LICENSE"}  # the Makefile only tells uv to write no such line
    assert lines_that_name(INDEX_HOSTS, [path for path in tracked_files() if path not in allowed]) == []


def test_the_patterns_would_find_what_they_forbid() -> None:
    assert MACHINE_PATHS.search("cd /" + "home/someone/work")
    assert INDEX_HOSTS.search("https://pypi" + ".org/simple")
    assert not INDEX_HOSTS.search("pip reads its own configuration")


def test_no_tracked_file_holds_the_python_style_that_the_house_leaves_behind() -> None:
    unwanted = {"helpers.py", "utils.py", "util.py", "common.py", "misc.py"}
    assert [path for path in tracked_files() if path.name in unwanted] == []


def test_the_lock_to_run_covers_every_dependency() -> None:
    assert set(locked("run.txt")) >= RUN_DEPENDENCIES


def test_the_lock_to_develop_covers_every_dependency_and_the_build_backend() -> None:
    assert set(locked("dev.txt")) >= RUN_DEPENDENCIES | group("dev")
    assert {canonical(requirement) for requirement in PROJECT["build-system"]["requires"]} <= group("build")


def test_both_locks_agree_on_every_version() -> None:
    run, dev = locked("run.txt"), locked("dev.txt")
    assert {package: dev.get(package) for package in run} == run


def test_an_extra_is_locked_where_it_belongs_and_grafanas_client_nowhere_else() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    assert "grafana-foundation-sdk==0.0.21" in extras["dashboards"]
    assert all(each in PROJECT["dependency-groups"]["dev"] for each in extras["dashboards"])
    assert locked("dev.txt")["grafana-foundation-sdk"] == {"0.0.21"}
    assert {canonical(each) for each in extras["grafana"]} == {"grafana-client"} <= set(locked("grafana.txt"))
    assert {package: locked("grafana.txt").get(package) for package in locked("run.txt")} == locked("run.txt")
    assert {"grafana-client", "niquests", "urllib3-future"} & (set(locked("run.txt")) | set(locked("dev.txt"))) == set()


@pytest.mark.parametrize("name", ["run.txt", "dev.txt", "grafana.txt"])
def test_every_pin_has_a_hash(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text()
    blocks = re.split(r"\n(?=[A-Za-z0-9])", text)
    pinned = [block for block in blocks if PIN.match(block)]
    assert len(pinned) == len(PIN.findall(text)) > 0
    assert [block.splitlines()[0] for block in pinned if "--hash=sha256:" not in block] == []


@pytest.mark.parametrize("name", ["run.txt", "dev.txt", "grafana.txt"])
def test_a_lock_holds_only_pins_hashes_and_comments(name: str) -> None:
    line = re.compile(r"[A-Za-z0-9._-]+==\S+( ; .+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?| *#.*")
    assert [text for text in (ROOT / "requirements" / name).read_text().splitlines() if not line.fullmatch(text)] == []


def test_what_is_installed_here_is_what_the_lock_says() -> None:
    if Path(sys.prefix).resolve() != ROOT / ".venv":
        pytest.skip("not run from the project's own environment")
    wrong = {}
    for package, versions in locked("run.txt").items():
        try:
            installed = distribution(package).version
        except PackageNotFoundError:
            continue  # a marker of another platform
        if installed not in versions:
            wrong[package] = (installed, versions)
    assert wrong == {}


def test_a_wheel_holds_the_packages_and_their_data_and_nothing_else(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="the build backend is not installed here")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    data = [(ROOT / "sql", "*.sql"), (ROOT / "streams" / "catalog" / "data", "*"), (ROOT / "deploy" / "sites", "*")]
    data += [(ROOT / "deploy" / "mappings", "*"), (ROOT / "streams", "*.py"), (ROOT / "jobs", "*.py")]
    data += [(ROOT / "streams", "*.schema.json"), (ROOT / "deploy", "topics.yaml"), (ROOT / "dashboards", "*.py")]
    data += [(ROOT / "dashboards", "*.sql"), (ROOT / "dashboards" / "generated", "*.json")]
    data += [(ROOT / "jobs" / "page" / "bundle", "*")]
    data += [(ROOT / "dashboards" / "grafana", "schema.json"), (ROOT / "dashboards" / "grafana", "registries.json")]
    expected = {
        path.relative_to(ROOT).as_posix()
        for folder, pattern in data
        for path in folder.rglob(pattern)
        if path.is_file() and path.suffix != ".pyc" and "node_modules" not in path.parts
    }
    assert expected - names == set()
    assert {name.split("/")[0] for name in names} <= {"streams", "jobs", "sql", "dashboards", "deploy"}
    assert not any(name.startswith("tests/") or name.endswith((".pyc", ".mjs")) for name in names)
    assert not any("node_modules" in name for name in names)
