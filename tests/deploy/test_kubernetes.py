"""The manifests: by the schemas of Kubernetes, then by what those do not know, then as kustomize puts them together."""

from __future__ import annotations

import base64
import copy
import ipaddress
import json
import re
import shutil
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.deploy.contract import DEPLOY, Start, faults, run

FOLDER = DEPLOY / "kubernetes"
VERSIONS = ("1.31", "1.37")
"""The oldest and the newest Kubernetes whose schemas the manifests fit."""
TOOLING = {"kustomization.yaml", "name-references.yaml"}
"""Files for kustomize, not for the cluster."""
KEDA = {"ScaledObject", "TriggerAuthentication"}
"""Kinds of KEDA, which no schema of Kubernetes knows; their fields are checked here against KEDA's documentation."""
SCALED_OBJECT = {
    "scaleTargetRef", "pollingInterval", "cooldownPeriod", "initialCooldownPeriod", "idleReplicaCount",
    "minReplicaCount", "maxReplicaCount", "fallback", "advanced", "triggers",
}  # fmt: skip
KAFKA_TRIGGER = {
    "bootstrapServers", "bootstrapServersFromEnv", "consumerGroup", "topic", "lagThreshold", "activationLagThreshold",
    "offsetResetPolicy", "allowIdleConsumers", "scaleToZeroOnInvalidOffset", "excludePersistentLag",
    "limitToPartitionsWithLag", "partitionLimitation", "version", "sasl", "tls",
}  # fmt: skip
SASL = {"none", "plaintext", "scram_sha256", "scram_sha512", "gssapi", "oauthbearer"}
ENVIRONMENT = {
    "migrate": {"KILOWATCH_STORE"},
    "bridge": {"KILOWATCH_MQTT", "KILOWATCH_KAFKA", "KILOWATCH_KAFKA_SECURITY", "KILOWATCH_KAFKA_MECHANISM",
               "KILOWATCH_KAFKA_USER"},
    "worker": {"KILOWATCH_STORE", "KILOWATCH_KAFKA", "KILOWATCH_KAFKA_SECURITY", "KILOWATCH_KAFKA_MECHANISM",
               "KILOWATCH_KAFKA_USER"},
    "alerts": {"KILOWATCH_SENDER_STORE"},
}  # fmt: skip
"""What each takes of the settings that all share."""


def documents(text: str) -> list[dict[str, Any]]:
    return [each for each in yaml.safe_load_all(text) if each]


def assignments(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


RAW = {
    f"{path.name}:{each['kind']}/{each['metadata']['name']}": each
    for path in sorted(FOLDER.glob("*.yaml"))
    if path.name not in TOOLING
    for each in documents(path.read_text(encoding="utf-8"))
}
SETTINGS = assignments(FOLDER / "settings.env")
SECRETS = assignments(FOLDER / "secrets.env.example")
CHANNEL_SECRETS = assignments(FOLDER / "channels.env.example")
BUILT_IN = {name: each for name, each in RAW.items() if each["kind"] not in KEDA}
WORKLOADS = {each["metadata"]["name"].removeprefix("kilowatch-"): each for each in RAW.values()
             if each["kind"] in ("Job", "Deployment", "StatefulSet")}  # fmt: skip


def of_kind(kind: str) -> dict[str, Any]:
    (found,) = [each for each in RAW.values() if each["kind"] == kind]
    return dict(found)


def keda_mistakes(document: dict[str, Any]) -> list[str]:
    """What is wrong with one of KEDA's kinds."""
    spec, wrong = document["spec"], []
    if document["apiVersion"] != "keda.sh/v1alpha1":
        wrong.append("apiVersion")
    if document["kind"] == "TriggerAuthentication":
        for key in ("secretTargetRef", "configMapTargetRef"):
            wrong += [key for each in spec[key] if set(each) != {"parameter", "name", "key"}]
        return wrong + [f"no field {key}" for key in set(spec) - {"secretTargetRef", "configMapTargetRef"}]
    wrong += [f"no field {key}" for key in set(spec) - SCALED_OBJECT]
    if not 1 <= spec["minReplicaCount"] <= spec["maxReplicaCount"]:
        wrong.append("minReplicaCount")
    if set(spec["fallback"]) != {"failureThreshold", "replicas"}:
        wrong.append("fallback")
    for trigger in spec["triggers"]:
        metadata = trigger["metadata"]
        wrong += [f"no metadata {key}" for key in set(metadata) - KAFKA_TRIGGER]
        # KEDA's metadata are texts; a number or a truth value is refused by the cluster.
        wrong += [f"{key} is no text" for key, value in metadata.items() if not isinstance(value, str)]
        if trigger["type"] != "kafka" or metadata.get("sasl", "none") not in SASL:
            wrong.append("trigger")
        if metadata.get("tls", "disable") not in ("enable", "disable"):
            wrong.append("tls")
    return wrong


def test_each_kind_is_there() -> None:
    assert sorted(each["kind"] for each in RAW.values()) == [
        "Deployment", "Deployment", "Job", "Namespace", "NetworkPolicy", "NetworkPolicy", "NetworkPolicy",
        "PersistentVolumeClaim", "PodDisruptionBudget", "ScaledObject", "Service", "ServiceAccount", "StatefulSet",
        "TriggerAuthentication",
    ]  # fmt: skip


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", BUILT_IN)
def test_a_manifest_fits_the_schema(name: str, version: str) -> None:
    assert kubernetes_validate.validate(BUILT_IN[name], version, strict=True) == version


def test_kedas_kinds_are_the_only_ones_without_a_schema_and_have_fields_that_keda_knows() -> None:
    for each in RAW.values():
        if each["kind"] in KEDA:
            with pytest.raises(kubernetes_validate.SchemaNotFoundError):
                kubernetes_validate.validate(each, VERSIONS[-1], strict=True)
            assert keda_mistakes(each) == []


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("Deployment", ("spec", "template", "spec", "containers", 0, "securityContext", "readOnlyRoot"), True),
        ("Deployment", ("spec", "template", "spec", "containers", 0, "ports", 0, "containerPort"), "metrics"),
        ("StatefulSet", ("spec", "serviceNam"), "kilowatch-bridge"),
        ("NetworkPolicy", ("spec", "policyTypes"), "Ingress"),
        ("Job", ("spec", "template", "spec", "restartpolicy"), "OnFailure"),
    ],
)
def test_a_broken_manifest_is_caught(kind: str, path: tuple[str | int, ...], value: object) -> None:
    broken: Any = copy.deepcopy(next(each for each in RAW.values() if each["kind"] == kind))
    place = broken
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, VERSIONS[-1], strict=True)


def test_a_broken_scaling_is_caught() -> None:
    changes: tuple[dict[str, Any], ...] = ({"maxReplicas": 3}, {"minReplicaCount": 13}, {"fallback": {}})
    for change in changes:
        broken = copy.deepcopy(of_kind("ScaledObject"))
        broken["spec"] |= change
        assert keda_mistakes(broken) != []
    for metadata in ({"lagThreshold": 5000}, {"group": "x"}, {"tls": "true"}, {"sasl": "scram"}):
        broken = copy.deepcopy(of_kind("ScaledObject"))
        broken["spec"]["triggers"][0]["metadata"] |= metadata
        assert keda_mistakes(broken) != []


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_pod_is_closed_up(name: str) -> None:
    pod = WORKLOADS[name]["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    rights = pod["securityContext"]
    assert rights["runAsNonRoot"] is True and rights["runAsUser"] == 10001
    assert rights["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert set(container["resources"]["requests"]) == {"cpu", "memory"}
    assert "memory" in container["resources"]["limits"]
    assert {each["name"] for each in pod["volumes"]} >= {"tmp", "secrets"}


@pytest.mark.parametrize("name", ["bridge", "worker", "alerts"])
def test_a_daemon_is_asked_whether_it_lives_and_stops_in_time(name: str) -> None:
    pod = WORKLOADS[name]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    ports = {each["name"]: each["containerPort"] for each in container["ports"]}
    environment = {each["name"]: each.get("value") for each in container["env"]}
    assert environment["KILOWATCH_METRICS"] == f"0.0.0.0:{ports['metrics']}"
    for probe, path in {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}.items():
        assert container[probe]["httpGet"] == {"path": path, "port": "metrics"}
    assert pod["terminationGracePeriodSeconds"] > 10


@pytest.mark.parametrize("name", WORKLOADS)
def test_the_command_is_started_as_it_takes_it(name: str) -> None:
    (container,) = WORKLOADS[name]["spec"]["template"]["spec"]["containers"]
    own = {each["name"]: str(each.get("value", "")) for each in container["env"]}
    if name == "alerts":  # of the settings that all share, the one place of its store
        (store,) = [each["valueFrom"] for each in container["env"] if each["name"] == "KILOWATCH_STORE"]
        assert store == {"configMapKeyRef": {"name": "kilowatch-settings", "key": "KILOWATCH_SENDER_STORE"}}
        assert "envFrom" not in container
        assert SETTINGS["KILOWATCH_SENDER_STORE"].startswith("postgresql://kilowatch_sender@")
    elif name != "migrate":
        assert container["envFrom"] == [{"configMapRef": {"name": "kilowatch-settings"}}]
        own |= {key: value for key, value in SETTINGS.items() if key in ENVIRONMENT[name]}
    assert faults(Start(name, tuple(container["args"]), own)) == []
    assert name == "alerts" or ENVIRONMENT[name] <= set(own)


def test_every_shared_setting_is_used_by_someone_and_holds_no_password() -> None:
    assert set(SETTINGS) == set().union(*ENVIRONMENT.values())
    assert not any("PASSWORD" in key or re.search(r"://[^/@]*:[^/@]*@", value) for key, value in SETTINGS.items())
    assert {key for key, value in SECRETS.items() if value} == {"KILOWATCH_OWNER_STORE"}


def test_each_pod_sees_only_its_own_secrets() -> None:
    seen = {}
    for name, workload in WORKLOADS.items():
        pod = workload["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        (volume,) = [each["secret"] for each in pod["volumes"] if each["name"] == "secrets"]
        files = {item["path"]: item["key"] for item in volume["items"]}
        named = [str(each.get("value")) for each in container["env"]] + container["args"]
        places = {value.removeprefix("/run/secrets/kilowatch/") for value in named if "/run/secrets/" in value}
        assert places == set(files), name
        sources = [each["valueFrom"] for each in container["env"] if "valueFrom" in each]
        variables = {each["secretKeyRef"]["key"] for each in sources if "secretKeyRef" in each}
        seen[name] = set(files.values()) | variables
    assert set().union(*seen.values()) == set(SECRETS)
    owner = {"KILOWATCH_OWNER_PASSWORD", "KILOWATCH_OWNER_STORE"}
    assert owner <= seen["migrate"]
    assert seen["worker"] == {"KILOWATCH_WRITER_PASSWORD", "KILOWATCH_KAFKA_PASSWORD"}
    assert seen["alerts"] == {"KILOWATCH_SENDER_PASSWORD"}
    assert seen["bridge"] == {"KILOWATCH_MQTT_PASSWORD", "KILOWATCH_KAFKA_PASSWORD", "KILOWATCH_HTTP_TOKENS"}


def test_the_sender_alone_sees_the_secrets_of_channels_and_its_file_names_them() -> None:
    holders = {
        name: [
            each["secret"]["secretName"] for each in workload["spec"]["template"]["spec"]["volumes"] if "secret" in each
        ]
        for name, workload in WORKLOADS.items()
    }
    assert {name for name, each in holders.items() if "kilowatch-channel-secrets" in each} == {"alerts"}
    (container,) = WORKLOADS["alerts"]["spec"]["template"]["spec"]["containers"]
    mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    named = re.findall(r"file: (\S+?)}", (DEPLOY / "channels.yaml").read_text(encoding="utf-8"))
    assert named == [f"{mounts['channel-secrets']}/{name}" for name in CHANNEL_SECRETS]
    assert set(CHANNEL_SECRETS.values()) == {""}
    channels = {each["name"]: each["value"] for each in container["env"] if "value" in each}["KILOWATCH_CHANNELS"]
    assert channels == f"{mounts['channels']}/channels.yaml"


def test_another_sender_takes_over_before_the_first_one_ends() -> None:
    spec = WORKLOADS["alerts"]["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


def test_workers_share_one_archive_and_the_bridge_keeps_its_spool() -> None:
    claim = of_kind("PersistentVolumeClaim")
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    volumes = WORKLOADS["worker"]["spec"]["template"]["spec"]["volumes"]
    assert {"claimName": claim["metadata"]["name"]} in [each.get("persistentVolumeClaim") for each in volumes]
    bridge = WORKLOADS["bridge"]["spec"]
    assert bridge["replicas"] == 1
    assert [each["metadata"]["name"] for each in bridge["volumeClaimTemplates"]] == ["spool"]


def test_scaling_sets_the_number_of_workers_alone_and_never_above_the_partitions() -> None:
    scaling = of_kind("ScaledObject")["spec"]
    assert scaling["scaleTargetRef"]["name"] == WORKLOADS["worker"]["metadata"]["name"]
    assert "replicas" not in WORKLOADS["worker"]["spec"]
    (trigger,) = scaling["triggers"]
    assert trigger["metadata"]["topic"] == "telemetry" and trigger["metadata"]["allowIdleConsumers"] == "false"
    topics = yaml.safe_load((DEPLOY / "topics.yaml").read_text(encoding="utf-8"))
    assert scaling["maxReplicaCount"] == topics["telemetry"]["partitions"]


def test_no_worker_is_made_beyond_the_partitions_while_they_are_renewed() -> None:
    assert WORKLOADS["worker"]["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}


def test_a_worker_starts_where_it_may_write() -> None:
    (container,) = WORKLOADS["worker"]["spec"]["template"]["spec"]["containers"]
    assert container["workingDir"] in {each["mountPath"] for each in container["volumeMounts"]}


def test_labels_and_selectors_meet() -> None:
    for name in ("bridge", "worker", "alerts"):
        workload = WORKLOADS[name]
        label = {"app.kubernetes.io/name": f"kilowatch-{name}"}
        assert workload["spec"]["selector"]["matchLabels"] == label
        assert workload["spec"]["template"]["metadata"]["labels"] == label
    assert of_kind("Service")["spec"]["selector"] == {"app.kubernetes.io/name": "kilowatch-bridge"}
    budget = of_kind("PodDisruptionBudget")["spec"]
    assert budget["selector"]["matchLabels"] == {"app.kubernetes.io/name": "kilowatch-worker"}


def test_nothing_comes_in_but_metrics_and_the_bridges_http() -> None:
    policies = [each["spec"] for each in RAW.values() if each["kind"] == "NetworkPolicy"]
    assert policies[0]["podSelector"] == {} and policies[0]["policyTypes"] == ["Ingress", "Egress"]
    rules = [rule for policy in policies for rule in policy.get("ingress", [])]
    assert {port["port"] for rule in rules for port in rule["ports"]} == {8080, 9464, 9465, 9466}
    assert all(rule["from"] for rule in rules)
    assert of_kind("Service")["spec"]["type"] == "ClusterIP"


def test_the_sender_alone_reaches_out_and_to_no_private_network() -> None:
    (policy,) = [each["spec"] for name, each in RAW.items() if name.endswith("NetworkPolicy/kilowatch-alerts")]
    assert policy["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "kilowatch-alerts"}
    (rule,) = policy["egress"]
    assert {port["port"] for port in rule["ports"]} == {443, 465, 587}
    closed = [ipaddress.ip_network(each) for to in rule["to"] for each in to["ipBlock"]["except"]]

    def is_closed(address: str) -> bool:
        return any(ipaddress.ip_address(address) in each for each in closed)

    private = ("10.1.1.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "::1", "fd00::1", "fe80::1")
    assert [address for address in private if not is_closed(address)] == []
    assert not is_closed("8.8.8.8") and not is_closed("2606:4700::1111")


def test_every_file_that_kustomize_takes_is_there() -> None:
    for place in (DEPLOY, FOLDER):
        kustomization = yaml.safe_load((place / "kustomization.yaml").read_text(encoding="utf-8"))
        files = list(kustomization["resources"]) + kustomization.get("configurations", [])
        for each in kustomization.get("configMapGenerator", []):
            files += each.get("files", []) + each.get("envs", [])
        assert [name for name in files if not (place / name).exists()] == []
    listed = set(yaml.safe_load((FOLDER / "kustomization.yaml").read_text(encoding="utf-8"))["resources"])
    assert listed == {path.name for path in FOLDER.glob("*.yaml")} - TOOLING


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What `kubectl apply -k deploy` would send."""
    if shutil.which("kubectl") is None:
        pytest.skip("no kubectl here: the manifests were checked one by one, not as kustomize puts them together")
    folder = tmp_path_factory.mktemp("kustomize") / "deploy"
    shutil.copytree(DEPLOY, folder, ignore=shutil.ignore_patterns(".env", "secrets"))
    filled = "".join(f"{key}={value or 'x'}\n" for key, value in SECRETS.items())
    (folder / "kubernetes" / "secrets.env").write_text(filled)
    (folder / "kubernetes" / "channels.env").write_text("webhook=whsec_x\nline=line://token/user?format=text\n")
    done = run("kubectl", "kustomize", str(folder))
    assert done.returncode == 0, done.stderr
    return documents(done.stdout)


def test_what_kustomize_makes_fits_the_schemas_and_names_what_is_there(rendered: list[dict[str, Any]]) -> None:
    for each in rendered:
        if each["kind"] not in KEDA:
            kubernetes_validate.validate(each, VERSIONS[-1], strict=True)
        assert each["kind"] == "Namespace" or each["metadata"]["namespace"] == "kilowatch"
    made = {each["metadata"]["name"] for each in rendered if each["kind"] in ("ConfigMap", "Secret")}
    assert len(made) == 7 and all(re.search(r"-[a-z0-9]{10}$", name) for name in made)
    text = json.dumps([each for each in rendered if each["kind"] not in ("ConfigMap", "Secret")])
    named = set(
        re.findall(r'"(kilowatch-(?:secrets|settings|sites|topics|inlets|channel-secrets|channels)[a-z0-9-]*)"', text)
    )
    assert named == made
    (secret,) = [each for each in rendered if each["metadata"]["name"].startswith("kilowatch-channel-secrets")]
    told = {name: base64.b64decode(value).decode() for name, value in secret["data"].items()}
    assert told == {"webhook": "whsec_x", "line": "line://token/user?format=text"}
    images = set(re.findall(r'"image": "([^"]+)"', text))
    assert images == {"registry.example.com/kilowatch:0.1.0"}
