"""docs/deploy.md says what the files do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.contract import BESIDE, DEPLOY, KAFKA, OPTIONS, ROOT, compose

PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def file(values: dict[str, str]) -> dict[str, Any]:
    return compose(values)


def test_compose_starts_with_three_commands() -> None:
    assert BLOCKS[0].splitlines() == [
        "deploy/make-env",
        "docker compose -f deploy/compose.yaml up -d --build",
        "docker compose -f deploy/compose.yaml ps",
    ]
    assert BLOCKS[0] in (DEPLOY / "README.md").read_text(encoding="utf-8")


def test_every_port_is_in_the_table(file: dict[str, Any]) -> None:
    table = {int(port) for port in re.findall(r"(?m)^\| (\d{4}) \|", PAGE)}
    used = {int(port.rpartition(":")[2]) for each in file["services"].values() for port in each.get("ports", [])}
    settings = yaml.safe_dump(file["services"])
    used |= {int(port) for port in re.findall(r"(?:0\.0\.0\.0|://|://localhost|kafka|timescaledb):(\d{4})\b", settings)}
    used |= {int(port) for port in re.findall(r"(?m)^EXPOSE (.*)$", (DEPLOY / "Dockerfile").read_text())[0].split()}
    assert table == used


def test_every_setting_of_the_env_file_is_explained(values: dict[str, str]) -> None:
    explained = set(re.findall(r"(?m)^\| `([A-Z]+_[A-Z_]+)` \|", PAGE))
    settings = {name for name in values if not re.search("PASSWORD|TOKEN|SECRET", name)}
    assert settings <= explained
    kafka = {"KILOWATCH_KAFKA", *(f"KILOWATCH_{option[2:].upper().replace('-', '_')}" for option in KAFKA)}
    assert explained - settings <= kafka


def test_it_names_no_variable_that_nothing_knows(values: dict[str, str]) -> None:
    known = set(values) | set().union(*BESIDE.values())
    known |= {f"KILOWATCH_{option[2:].upper().replace('-', '_')}" for options in OPTIONS.values() for option in options}
    source = (DEPLOY / "grafana" / "provisioning" / "datasources" / "kilowatch.yaml").read_text(encoding="utf-8")
    known |= set(re.findall(r"\$(KILOWATCH_\w+)", source))
    assert set(re.findall(r"\bKILOWATCH_[A-Z_]+\b", PAGE)) - known == set()


def test_every_file_and_place_that_it_names_is_there() -> None:
    named = set(re.findall(r"(?<![\w/.])deploy/[\w./@-]*[\w/]", PAGE))
    made = {"deploy/.env", "deploy/secrets", "deploy/secrets/", "deploy/secrets/mqtt_ca.crt"}
    made |= {"deploy/secrets/channels/", "deploy/secrets/channels/webhook"}
    made |= {"deploy/kubernetes/secrets.env", "deploy/kubernetes/channels.env"}
    assert [name for name in sorted(named - made) if not (ROOT / name).exists()] == []
    anchors = set(re.findall(r"\]\(#([\w-]+)\)", PAGE))
    titles = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in re.findall(r"(?m)^#+ (.*)$", PAGE)}
    assert anchors <= titles


def test_grafanas_data_source_reads_as_the_role_that_sees_the_views_alone(file: dict[str, Any]) -> None:
    (path,) = (DEPLOY / "grafana" / "provisioning" / "datasources").glob("*.yaml")
    (source,) = yaml.safe_load(path.read_text(encoding="utf-8"))["datasources"]
    assert source["user"] == "kilowatch_grafana" and source["editable"] is False
    assert set(source["secureJsonData"].values()) == {"$__file{/run/secrets/grafana_reader_password}"}
    named = set(re.findall(r"\$(KILOWATCH_\w+)", path.read_text(encoding="utf-8")))
    assert named <= set(file["services"]["grafana"]["environment"])
    assert source["jsonData"]["database"] == file["services"]["timescaledb"]["environment"]["POSTGRES_DB"]


def test_the_readme_of_the_folder_names_all_that_is_in_it() -> None:
    text = (DEPLOY / "README.md").read_text(encoding="utf-8")
    linked = {Path(name).parts[0] for name in re.findall(r"\]\(([^).][^)]*)\)", text)}
    kept = {"README.md", ".env", "secrets"}
    assert {path.name for path in DEPLOY.iterdir()} - kept == linked - kept
