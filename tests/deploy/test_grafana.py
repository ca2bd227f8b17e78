"""Grafana's provisioning: files in the shape that its loaders take, and paths that compose and the cluster mount."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards import generate
from dashboards.place import FOLDER_UIDS, FOLDERS, GENERATED
from dashboards.words import Language
from tests.deploy.contract import DEPLOY, ROOT, compose, run
from tests.deploy.test_compose import file  # noqa: F401 - the compose file as the engine sees it

PROVISIONING = DEPLOY / "grafana" / "provisioning"
PROVIDER = {
    "name", "orgId", "folder", "folderUid", "type", "disableDeletion", "allowUiUpdates", "updateIntervalSeconds",
    "options", "editable",
}  # fmt: skip
RULE = {"uid", "title", "condition", "data", "dashboardUid", "panelId", "noDataState", "execErrState", "for",
        "keepFiringFor", "annotations", "labels", "isPaused", "notification_settings", "record"}  # fmt: skip
QUERY = {"refId", "queryType", "relativeTimeRange", "datasourceUid", "model"}
DURATION = re.compile(r"\d+[smhd]")


def read(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((PROVISIONING / name).read_text(encoding="utf-8")))


def rules() -> list[dict[str, Any]]:
    (group,) = read("alerting/rules.yaml")["groups"]
    assert set(group) == {"orgId", "name", "folder", "interval", "rules"}
    assert DURATION.fullmatch(group["interval"])  # a duration here, a number in the HTTP API
    return list(group["rules"])


def mistakes(rule: dict[str, Any]) -> list[str]:
    """What Grafana's loader of files would refuse or pass over."""
    wrong = [f"no key {key}" for key in set(rule) - RULE]
    wrong += [f"{key} is missing" for key in ("uid", "title", "condition", "data") if not rule.get(key)]
    queries = {each.get("refId"): each for each in rule.get("data", [])}
    if rule.get("condition") not in queries:
        wrong.append("condition names no query")
    for each in queries.values():
        wrong += [f"query has no key {key}" for key in set(each) - QUERY]
        if each["datasourceUid"] == "__expr__" and each["model"].get("expression") not in queries:
            wrong.append("the expression names no query")
    if rule.get("noDataState") not in {"NoData", "OK", "Alerting", "KeepLast"}:
        wrong.append("noDataState")
    if rule.get("execErrState") not in {"OK", "Alerting", "Error", "KeepLast"}:
        wrong.append("execErrState")
    if not DURATION.fullmatch(str(rule.get("for"))):
        wrong.append("for")
    # A `$` outside of the queries would be read as a variable of the environment.
    if "$" in json.dumps({key: value for key, value in rule.items() if key != "data"}):
        wrong.append("$")
    return wrong


def test_the_rules_have_the_shape_of_files() -> None:
    assert len({rule["uid"] for rule in rules()}) == len(rules()) == 5
    assert all(len(rule["uid"]) <= 40 for rule in rules())
    assert [(rule["uid"], mistakes(rule)) for rule in rules() if mistakes(rule)] == []


@pytest.mark.parametrize(
    "change",
    [{"condition": "C"}, {"for": 600}, {"noDataState": "Ok"}, {"folderUID": "x"}, {"data": []}, {"title": "$x"}],
)
def test_a_broken_rule_is_caught(change: dict[str, Any]) -> None:
    assert mistakes({**rules()[0], **change}) != []


def test_a_rule_asks_the_data_source_and_shows_a_panel_that_is_there() -> None:
    (source,) = read("datasources/kilowatch.yaml")["datasources"]
    for rule in rules():
        query = rule["data"][0]
        assert query["datasourceUid"] == query["model"]["datasource"]["uid"] == source["uid"] == "kilowatch"
        assert query["model"]["datasource"]["type"] == source["type"]
        assert "mart." in query["model"]["rawSql"] and "${" not in query["model"]["rawSql"]
        board = json.loads((GENERATED / "zh" / f"{rule['dashboardUid']}.json").read_text(encoding="utf-8"))
        (panel,) = [each for each in board["panels"] if each["id"] == rule["panelId"]]
        assert panel["type"] == "stat"


def test_every_rule_goes_to_the_contact_point_and_leaves_the_policies_alone(file: dict[str, Any]) -> None:  # noqa: F811
    (point,) = read("alerting/contact-points.yaml")["contactPoints"]
    assert {rule["notification_settings"]["receiver"] for rule in rules()} == {point["name"]}
    assert all(set(receiver) == {"uid", "type", "settings"} for receiver in point["receivers"])
    text = "".join(path.read_text(encoding="utf-8") for path in (PROVISIONING / "alerting").glob("*.yaml"))
    assert not re.search(r"(?m)^(policies|resetPolicies|muteTimes)", text)
    named = set(re.findall(r"\$(KILOWATCH_\w+)", text))
    assert named == {"KILOWATCH_ALERT_MAIL"} <= set(file["services"]["grafana"]["environment"])


def test_each_language_is_a_folder_that_compose_mounts(file: dict[str, Any]) -> None:  # noqa: F811
    providers = read("dashboards/kilowatch.yaml")["providers"]
    assert all(set(each) <= PROVIDER and each["type"] == "file" for each in providers)
    mounts = {
        mount["target"]: mount["source"] for mount in file["services"]["grafana"]["volumes"] if isinstance(mount, dict)
    }
    for language, provider in zip(Language, providers, strict=True):
        assert (provider["folder"], provider["folderUid"]) == (FOLDERS[language], FOLDER_UIDS[language])
        place = Path(provider["options"]["path"])
        assert (DEPLOY / mounts[str(place.parent)] / place.name).resolve() == GENERATED / language
        assert len(list((GENERATED / language).glob("*.json"))) == 14
    home = Path(file["services"]["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert (DEPLOY / mounts["/etc/grafana/kilowatch"] / home.relative_to("/etc/grafana/kilowatch")).resolve().is_file()
    assert {rule["folder"] for rule in [read("alerting/rules.yaml")["groups"][0]]} <= set(FOLDERS.values())


def test_grafana_is_of_the_minor_version_whose_packages_the_checks_know(file: dict[str, Any]) -> None:  # noqa: F811
    package = json.loads((ROOT / "dashboards" / "grafana" / "package.json").read_text(encoding="utf-8"))
    image = file["services"]["grafana"]["image"].rpartition(":")[2]
    assert image.split(".")[:2] == package["dependencies"]["@grafana/schema"].split(".")[:2]


def test_the_cluster_gets_every_dashboard_with_its_folder_and_all_that_is_provisioned() -> None:
    boards = yaml.safe_load((GENERATED / "kustomization.yaml").read_text(encoding="utf-8"))
    assert boards["generatorOptions"]["labels"] == {"grafana_dashboard": "1"}
    files = {each["files"][0]: each for each in boards["configMapGenerator"]}
    assert set(files) == set(generate.dashboards())
    assert len({each["name"] for each in files.values()}) == len(files)
    for name, each in files.items():
        assert each["options"]["annotations"]["grafana_folder"] == FOLDERS[Language(name[:2])]
        assert (GENERATED / name).stat().st_size < 200_000  # `kubectl apply` keeps a copy in an annotation of 262,144
    here = yaml.safe_load((DEPLOY / "grafana" / "kustomization.yaml").read_text(encoding="utf-8"))
    assert [(DEPLOY / "grafana" / each).resolve() for each in here["resources"]] == [GENERATED]
    taken = [DEPLOY / "grafana" / name for each in here["configMapGenerator"] for name in each["files"]]
    assert [path for path in taken if not path.is_file()] == []
    labels = {label for each in here["configMapGenerator"] for label in each["options"]["labels"]}
    assert labels == {"grafana_datasource", "grafana_alert"}
    left = set(PROVISIONING.rglob("*.yaml")) - set(taken)
    assert left == {PROVISIONING / "dashboards" / "kilowatch.yaml"}  # the sidecar has a provider of its own


def test_what_kustomize_makes_of_it_has_every_dashboard() -> None:
    done = (
        run("kubectl", "kustomize", str(DEPLOY / "grafana"))
        if run("sh", "-c", "command -v kubectl").returncode == 0
        else None
    )
    if done is None:
        pytest.skip("no kubectl here: the ConfigMaps for Grafana were checked by their kustomization alone")
    assert done.returncode == 0, done.stderr
    made = [each for each in yaml.safe_load_all(done.stdout) if each]
    assert len(made) == 30 and {each["metadata"]["namespace"] for each in made} == {"monitoring"}


def test_compose_needs_nothing_for_it_but_what_make_env_writes(values: dict[str, str]) -> None:
    grafana = compose(values)["services"]["grafana"]["environment"]
    assert grafana["GF_SMTP_ENABLED"] == "false" and grafana["KILOWATCH_ALERT_MAIL"] == "operators@localhost"
