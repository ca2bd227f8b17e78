"""The compose file: by its published schema, then by what the schema does not know."""

from __future__ import annotations

import copy
import importlib.util
import json
import os
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import jsonschema
import pytest

from streams.ingest.inlets import read_inlets
from streams.runners.delivery.channels import examined
from tests.deploy.contract import COMPOSE, DEPLOY, Start, compose, faults, interpolate, run, variables

OURS = ("migrate", "bridge", "worker", "alerts", "duty")
READ_ONLY = {"timescaledb", "mosquitto", "grafana", *OURS}
"""Kafka's own start script writes beside its programs."""


def schema() -> dict[str, Any]:
    """The schema of the compose specification that check-jsonschema ships (its file, without its command)."""
    spec = importlib.util.find_spec("check_jsonschema")
    assert spec is not None and spec.submodule_search_locations
    place = Path(spec.submodule_search_locations[0], "builtin_schemas", "vendor", "compose-spec.json")
    return dict(json.loads(place.read_text(encoding="utf-8")))


def mistakes(document: dict[str, Any]) -> list[str]:
    """What the schema finds wrong."""
    validator = jsonschema.validators.validator_for(schema())(schema())
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


@pytest.fixture(scope="module")
def file(values: dict[str, str]) -> dict[str, Any]:
    return compose(values)


def test_the_file_fits_the_published_schema(file: dict[str, Any]) -> None:
    assert mistakes(file) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("services", "worker", "restarts"), "always"),
        (("services", "kafka", "healthcheck", "tries"), 3),
        (("services", "worker", "deploy", "resources", "limits", "memory"), 768),
        (("services", "worker", "depends_on", "migrate", "condition"), "service_done"),
        (("volume",), {"archive": None}),
    ],
)
def test_a_broken_file_is_caught(file: dict[str, Any], path: tuple[str, ...], value: object) -> None:
    broken = copy.deepcopy(file)
    place = broken
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert mistakes(broken) != []


def test_without_make_env_it_does_not_start() -> None:
    with pytest.raises(KeyError, match="run deploy/make-env first"):
        compose({})
    required = {name for name, kind in variables().items() if kind == ":?"}
    # Every password is a file of secrets/, so that none stands in what `docker inspect` shows.
    assert {name for name in variables() if re.search("PASSWORD|SECRET|TOKEN|CLUSTER", name)} == required
    assert required == {"KILOWATCH_KAFKA_CLUSTER_ID"}
    messages = re.findall(r":\?([^}]*)\}", COMPOSE.read_text(encoding="utf-8"))
    assert set(messages) == {"run deploy/make-env first"}


def test_every_secret_is_a_file_since_a_read_only_container_takes_no_other(file: dict[str, Any]) -> None:
    assert all(set(each) == {"file"} for each in file["secrets"].values())
    mounted = [name for service in file["services"].values() for name in service.get("secrets", [])]
    assert set(mounted) == set(file["secrets"])


def test_a_container_sees_the_secrets_that_its_settings_name(file: dict[str, Any]) -> None:
    for name, service in file["services"].items():
        text = json.dumps([service.get("environment", {}), service.get("command", [])])
        named = set(re.findall(r"/run/secrets/([\w.]+)", text))
        if name in OURS:
            assert named == set(service["secrets"]), name
        else:
            assert named <= set(service.get("secrets", [])), name
    conf = (DEPLOY / "mosquitto" / "mosquitto.conf").read_text(encoding="utf-8")
    (source,) = (DEPLOY / "grafana" / "provisioning" / "datasources").glob("*.yaml")
    mosquitto = set(file["services"]["mosquitto"]["secrets"])
    assert set(re.findall(r"/run/secrets/([\w.]+)", conf)) == mosquitto - {"mosquitto_sub"}
    grafana = set(file["services"]["grafana"]["secrets"])
    assert set(re.findall(r"/run/secrets/([\w.]+)", source.read_text(encoding="utf-8"))) <= grafana


def published(file: dict[str, Any]) -> list[tuple[str, str]]:
    return [(name, port) for name, service in file["services"].items() for port in service.get("ports", [])]


def test_what_is_published_is_published_to_this_machine_alone(file: dict[str, Any], values: dict[str, str]) -> None:
    assert len(published(file)) == 4
    assert [each for each in published(file) if not re.fullmatch(r"127\.0\.0\.1:\d+:\d+", each[1])] == []
    silent = {key: value for key, value in values.items() if not key.endswith("_LISTEN")}
    assert published(compose(silent)) == published(file)
    assert {values[key] for key in values if key.endswith("_LISTEN")} == {
        port.rpartition(":")[0] for _, port in published(file)
    }


def test_an_operator_can_open_a_port_and_nothing_else_moves(file: dict[str, Any], values: dict[str, str]) -> None:
    opened = compose(values | {"KILOWATCH_MQTT_LISTEN": "0.0.0.0:8883"})
    assert set(published(opened)) - set(published(file)) == {("mosquitto", "0.0.0.0:8883:8883")}


def test_kafka_and_the_workers_are_in_the_inner_network_alone(file: dict[str, Any]) -> None:
    assert file["networks"]["inside"] == {"internal": True}
    inner = {name for name, service in file["services"].items() if service["networks"] == ["inside"]}
    assert inner == {"kafka", "migrate", "worker", "duty"}
    assert all(service.get("network_mode") is None for service in file["services"].values())


def test_every_container_is_closed_up(file: dict[str, Any]) -> None:
    for name, service in file["services"].items():
        assert service["cap_drop"] == ["ALL"] and "cap_add" not in service, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service.get("privileged") is None, name
        assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}, name
        assert service["logging"]["options"]["max-size"], name
    assert {name for name, each in file["services"].items() if each.get("read_only")} == READ_ONLY
    users = {name: each.get("user") for name, each in file["services"].items() if name != "kafka"}
    assert [name for name, user in users.items() if user is None or user.startswith(("0:", "root"))] == []


def test_every_service_is_watched_restarted_and_stopped_gently(file: dict[str, Any]) -> None:
    for name, service in file["services"].items():
        if name in ("migrate", "duty"):  # what ends by itself
            assert service["restart"].startswith("on-failure" if name == "migrate" else "no")
            continue
        assert service["restart"] == "unless-stopped", name
        assert {"test", "interval", "timeout", "retries", "start_period"} <= set(service["healthcheck"]), name
        # The commands stop within 10 s; the servers write back what they hold.
        assert int(service["stop_grace_period"].removesuffix("s")) > 10, name


class Health(BaseHTTPRequestHandler):
    """Answers /healthz as a daemon does; another page is an error."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == self.server.healthy else 503)  # type: ignore[attr-defined]
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize(("healthy", "code"), [("/healthz", 0), ("/nothing", 1)])
def test_the_health_check_of_a_daemon_asks_its_metrics_address(file: dict[str, Any], healthy: str, code: int) -> None:
    kind, program, *words = file["services"]["worker"]["healthcheck"]["test"]
    assert (kind, program) == ("CMD", "python")
    assert all(
        file["services"][name]["healthcheck"] == file["services"]["worker"]["healthcheck"]
        for name in ("bridge", "alerts")
    )
    with ThreadingHTTPServer(("127.0.0.1", 0), Health) as server:
        server.healthy = healthy  # type: ignore[attr-defined]
        Thread(target=server.serve_forever, daemon=True).start()
        done = run(sys.executable, *words, env=os.environ | {"KILOWATCH_METRICS": f"0.0.0.0:{server.server_port}"})
        server.shutdown()
    assert done.returncode == code, done.stderr


def test_a_service_waits_for_what_it_needs(file: dict[str, Any]) -> None:
    waits = {
        name: {other: each["condition"] for other, each in service.get("depends_on", {}).items()}
        for name, service in file["services"].items()
    }
    healthy, done = "service_healthy", "service_completed_successfully"
    assert waits == {
        "kafka": {},
        "timescaledb": {},
        "mosquitto": {},
        "migrate": {"timescaledb": healthy},
        "bridge": {"mosquitto": healthy, "kafka": healthy},
        "worker": {"migrate": done, "kafka": healthy},
        "alerts": {"migrate": done},
        "duty": {"timescaledb": healthy},
        "grafana": {"migrate": done},
    }


def test_a_worker_starts_where_it_may_write(file: dict[str, Any]) -> None:
    worker = file["services"]["worker"]
    assert worker["working_dir"] in {each.split(":")[0] for each in worker["tmpfs"]}


def test_no_image_is_the_newest_of_the_day(file: dict[str, Any]) -> None:
    images = {service["image"] for service in file["services"].values()}
    assert [image for image in images if not re.search(r":\d+\.\d+\.\d+(-pg\d+)?$", image)] == []
    assert "kilowatch:0.1.0" in images


def test_every_volume_is_named_and_used(file: dict[str, Any]) -> None:
    mounts = [mount for service in file["services"].values() for mount in service.get("volumes", [])]
    named = {mount.split(":")[0] for mount in mounts if isinstance(mount, str)}
    assert named == set(file["volumes"])
    bound = [mount for mount in mounts if not isinstance(mount, str)]
    # Otherwise a misspelt path becomes an empty folder of root.
    assert all(mount["read_only"] and mount["bind"] == {"create_host_path": False} for mount in bound)


def test_the_inlets_at_the_start_are_sound_and_fit_the_rights_of_the_broker() -> None:
    rules = read_inlets(DEPLOY / "inlets.yaml").topics
    acl = (DEPLOY / "mosquitto" / "acl").read_text(encoding="utf-8")
    roots = set(re.findall(r"(?m)^pattern write (\w[\w.]*)/", acl))
    assert {rule.topic.split("/")[0] for rule in rules} == roots


def test_every_file_that_is_mounted_is_there(file: dict[str, Any], made: Path) -> None:
    for service in file["services"].values():
        for mount in service.get("volumes", []):
            if isinstance(mount, str):
                continue
            place = made if "secrets" in Path(mount["source"]).parts else DEPLOY
            assert (place / mount["source"]).exists(), mount["source"]


@pytest.mark.parametrize("name", OURS)
def test_the_command_is_started_as_it_takes_it(file: dict[str, Any], name: str) -> None:
    service = file["services"][name]
    words = [*service.get("entrypoint", ["kilowatch"])[1:], *service["command"]]
    assert words[0] == {"duty": "alerts"}.get(name, name)
    assert faults(Start("compose.yaml", tuple(words), service["environment"])) == []


def test_a_wrong_start_is_caught(file: dict[str, Any]) -> None:
    good = dict(file["services"]["worker"]["environment"])
    assert faults(Start("x", ("worker", "--site", "a"), good))[0] == "x: kilowatch worker: no option --site"
    misspelt = Start("x", ("worker",), good | {"KILOWATCH_SITE": ""})
    assert "x: kilowatch worker: no variable KILOWATCH_SITE" in faults(misspelt)
    del good["KILOWATCH_KAFKA"]
    assert faults(Start("x", ("worker",), good))[0] == "x: kilowatch worker: --kafka is missing"
    assert faults(Start("x", ("werker",), good)) == ["x: no command werker"]


def test_no_url_holds_a_password(file: dict[str, Any]) -> None:
    stores = [service["environment"]["KILOWATCH_STORE"] for service in file["services"].values()
              if "KILOWATCH_STORE" in service.get("environment", {})]  # fmt: skip
    assert sorted(stores) == [
        "postgresql://kilowatch@timescaledb:5432/kilowatch",
        "postgresql://kilowatch_operator@timescaledb:5432/kilowatch",
        "postgresql://kilowatch_sender@timescaledb:5432/kilowatch",
        "postgresql://kilowatch_writer@timescaledb:5432/kilowatch",
    ]


def test_each_service_connects_with_a_role_and_a_password_of_its_own(file: dict[str, Any]) -> None:
    seen = {}
    for name, service in file["services"].items():
        settings = service.get("environment", {})
        if "KILOWATCH_STORE" in settings:
            user = settings["KILOWATCH_STORE"].partition("@")[0].rpartition("/")[2]
            seen[name] = (user, Path(settings["KILOWATCH_STORE_PASSWORD_FILE"]).name)
    assert seen == {
        "migrate": ("kilowatch", "owner_password"),
        "worker": ("kilowatch_writer", "writer_password"),
        "alerts": ("kilowatch_sender", "sender_password"),
        "duty": ("kilowatch_operator", "operator_password"),
    }
    # Of what all see, the sender sees its password and what its channels need, and people on duty theirs alone.
    assert file["services"]["alerts"]["secrets"] == ["sender_password"]
    assert file["services"]["duty"]["secrets"] == ["operator_password"]
    inner = {mount["target"] for mount in file["services"]["alerts"]["volumes"]}
    assert inner == {"/etc/kilowatch/channels.yaml", "/run/secrets/channels"}


def test_what_nobody_has_set_up_yet_is_not_started(file: dict[str, Any], values: dict[str, str]) -> None:
    profiles = {name: each["profiles"] for name, each in file["services"].items() if "profiles" in each}
    assert profiles == {"alerts": ["alerts"], "duty": ["duty"]}
    assert values["COMPOSE_PROFILES"] == ""


def test_the_channels_at_the_start_are_sound_once_their_secret_is_there(made: Path, tmp_path: Path) -> None:
    text = (DEPLOY / "channels.yaml").read_text(encoding="utf-8")
    (inside,) = re.findall(r"file: (\S+?)}", text)
    secret = made / "secrets" / "channels" / Path(inside).name
    assert str(Path(inside).parent) == "/run/secrets/channels"
    file = tmp_path / "channels.yaml"
    file.write_text(text.replace(inside, str(secret)), encoding="utf-8")
    findings, channels = examined(file, {})
    assert {finding.code for finding in findings} <= {"no_address"}  # its receiver is made up
    assert channels is not None
    assert channels.by_name["ops"].allow_private is False


def test_interpolation_is_read_as_compose_reads_it() -> None:
    assert interpolate("${A:-x}:${B:?no}", {"B": "b"}) == "x:b"
    assert interpolate("${A:-x}", {"A": ""}) == "x"
    with pytest.raises(ValueError, match="not understood"):
        interpolate("$A", {"A": "a"})
