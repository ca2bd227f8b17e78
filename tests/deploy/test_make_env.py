"""make-env makes up every password, once, and closes what it writes."""

from __future__ import annotations

import base64
import hashlib
import re
import stat
from pathlib import Path

import pytest

from streams.runners.delivery.signing import secret_bytes
from tests.deploy.conftest import make_env
from tests.deploy.contract import COMPOSE, DEPLOY, ROOT, compose, run, variables


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_it_writes_is_closed_to_other_users(made: Path) -> None:
    assert mode(made / ".env") == 0o600
    assert mode(made / "secrets") == 0o700
    assert mode(made / "secrets" / "mqtt_ca.key") == 0o600
    # In the closed folder, readable to the users of the containers.
    files = [path for path in (made / "secrets").rglob("*") if path.is_file() and path.name != "mqtt_ca.key"]
    assert {mode(path) for path in files} == {0o444}
    assert mode(made / "secrets" / "channels") == 0o755


def test_a_second_run_refuses_and_changes_nothing(made: Path) -> None:
    before = {path: path.read_bytes() for path in made.rglob("*") if path.is_file()}
    done = make_env(made)
    assert done.returncode == 2
    assert done.stderr.startswith("make-env: ") and done.stderr.count("\n") == 1
    assert {path: path.read_bytes() for path in made.rglob("*") if path.is_file()} == before


def test_every_run_makes_up_other_passwords(values: dict[str, str], tmp_path: Path) -> None:
    assert make_env(tmp_path).returncode == 0
    other = dict(re.findall(r"^(\w+)=(.*)$", (tmp_path / ".env").read_text(), re.MULTILINE))
    assert set(other) == set(values)
    secret = {name for name in values if re.search("PASSWORD|TOKEN|SECRET|CLUSTER_ID", name)}
    assert len(secret) == 14
    assert [name for name in secret if other[name] == values[name]] == []
    assert len({values[name] for name in secret}) == len(secret)
    forms = {"KILOWATCH_KAFKA_CLUSTER_ID", "KILOWATCH_WEBHOOK_SECRET"}
    assert all(len(values[name]) == 32 for name in secret - forms)
    assert len(secret_bytes(values["KILOWATCH_WEBHOOK_SECRET"])) == 32


def test_the_cluster_id_is_one_that_kafka_takes(values: dict[str, str]) -> None:
    text = values["KILOWATCH_KAFKA_CLUSTER_ID"]
    assert len(text) == 22 and not text.startswith("-")
    assert len(base64.urlsafe_b64decode(text + "==")) == 16


def test_it_writes_every_variable_that_compose_uses_and_no_other(values: dict[str, str]) -> None:
    used = set(variables())
    derived = {name for name in values if re.search("PASSWORD|TOKEN|SECRET", name)}
    assert len(derived) == 13
    assert set(values) == used | derived | {"KILOWATCH_MQTT_NAMES", "KILOWATCH_MQTT_GATEWAYS", "COMPOSE_PROFILES"}
    assert used & derived == set()


def test_it_writes_every_secret_that_compose_mounts_and_no_other(made: Path, values: dict[str, str]) -> None:
    mounted = {Path(each["file"]).name for each in compose(values)["secrets"].values()}
    assert {path.name for path in (made / "secrets").iterdir()} == mounted | {"mqtt_ca.key", "channels"}
    assert [path.name for path in (made / "secrets" / "channels").iterdir()] == ["webhook"]
    assert (made / "secrets" / "channels" / "webhook").read_text() == values["KILOWATCH_WEBHOOK_SECRET"]


def test_no_password_is_told_or_named_where_others_see_it(tmp_path: Path) -> None:
    done = make_env(tmp_path)
    secrets = [
        value
        for name, value in re.findall(r"^(\w+)=(.+)$", (tmp_path / ".env").read_text(), re.MULTILINE)
        if re.search("PASSWORD|TOKEN|SECRET", name)
    ]
    assert len(secrets) == 13
    assert [value for value in secrets if value in done.stdout + done.stderr] == []
    assert [value for value in secrets if value in (tmp_path / "secrets" / "mqtt_users").read_text()] == []


def test_the_file_of_tokens_holds_the_hash_alone(made: Path, values: dict[str, str]) -> None:
    token = values["KILOWATCH_HTTP_TOKEN"]
    line = (made / "secrets" / "http_tokens").read_text()
    assert line == f"gateway {hashlib.sha256(token.encode()).hexdigest()} *\n" and token not in line


def test_again_takes_up_changed_passwords_and_gateways_and_keeps_the_authority(tmp_path: Path) -> None:
    assert make_env(tmp_path).returncode == 0
    env, secrets = tmp_path / ".env", tmp_path / "secrets"
    authority, server = (secrets / "mqtt_ca.crt").read_bytes(), (secrets / "mqtt_server.crt").read_bytes()
    changed = re.sub(r"(?m)^(KILOWATCH_WRITER_PASSWORD)=.*", r"\1=another", env.read_text())
    env.write_text(changed.replace("KILOWATCH_MQTT_GATEWAYS=", "KILOWATCH_MQTT_GATEWAYS=wugu=one hall=two"))
    text = env.read_text()
    (secrets / "channels" / "line").write_text("line://of/mine")
    assert make_env(tmp_path, "--again").returncode == 0
    assert (secrets / "channels" / "line").read_text() == "line://of/mine"
    assert env.read_text() == text and mode(env) == 0o600
    assert (secrets / "writer_password").read_text() == "another"
    users = [line.split(":")[0] for line in (secrets / "mqtt_users").read_text().splitlines()]
    assert users == ["bridge", "gateway", "health", "wugu", "hall"]
    assert (secrets / "mqtt_ca.crt").read_bytes() == authority
    assert (secrets / "mqtt_server.crt").read_bytes() != server


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ("wugu:hidden", "'no =' in entry 1"),
        ("bridge=hidden", "'bridge' in entry 1"),
        ("a/b=hidden", "'a/b' in entry 1"),
        ("one=hidden one=hidden", "'one' in entry 2"),
        ("one=hidden =hidden", "'' in entry 2"),
    ],
)
def test_a_gateway_that_cannot_be_is_refused_without_its_password(tmp_path: Path, entry: str, found: str) -> None:
    assert make_env(tmp_path).returncode == 0
    env = tmp_path / ".env"
    env.write_text(env.read_text().replace("KILOWATCH_MQTT_GATEWAYS=", f"KILOWATCH_MQTT_GATEWAYS={entry}"))
    done = make_env(tmp_path, "--again")
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "KILOWATCH_MQTT_GATEWAYS: expected name=password" in done.stderr
    assert found.replace("'no ='", "no =") in done.stderr and "hidden" not in done.stderr


def test_what_an_earlier_version_did_not_know_is_asked_for(tmp_path: Path) -> None:
    assert make_env(tmp_path).returncode == 0
    env = tmp_path / ".env"
    env.write_text(re.sub(r"(?m)^KILOWATCH_(SENDER_PASSWORD|WEBHOOK_SECRET)=.*\n", "", env.read_text()))
    done = make_env(tmp_path, "--again")
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "a value for KILOWATCH_SENDER_PASSWORD, KILOWATCH_WEBHOOK_SECRET; found none: make up" in done.stderr


def test_again_without_a_first_run_says_so(tmp_path: Path) -> None:
    done = make_env(tmp_path, "--again")
    assert done.returncode == 2 and "run it without --again first" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_without_openssl_it_refuses_before_it_writes_and_takes_your_own_certificate(
    tmp_path: Path, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    folder = tmp_path / "deploy"
    folder.mkdir()
    done = make_env(folder)
    assert done.returncode == 2 and "expected openssl on PATH" in done.stderr
    assert list(folder.iterdir()) == []
    (folder / "secrets").mkdir()
    for name in ("mqtt_ca.crt", "mqtt_server.crt", "mqtt_server.key"):
        (folder / "secrets" / name).write_bytes((made / "secrets" / name).read_bytes())
    assert make_env(folder).returncode == 0
    assert (folder / "secrets" / "mqtt_server.crt").read_bytes() == (made / "secrets" / "mqtt_server.crt").read_bytes()


def verified(secrets: Path, name: str) -> int:
    """What openssl exits with when a client of that server name checks the certificate."""
    names = ["-CAfile", "mqtt_ca.crt", "-purpose", "sslserver", "-verify_hostname", name, "mqtt_server.crt"]
    return run("openssl", "verify", *names, cwd=secrets).returncode


def test_the_certificate_holds_for_the_names_that_were_asked_for(made: Path) -> None:
    secrets = made / "secrets"
    for name in ("mosquitto", "localhost", "mqtt.works.example"):
        assert verified(secrets, name) == 0, name
    assert verified(secrets, "other.example") != 0


def test_git_and_the_image_leave_out_what_it_writes() -> None:
    secret = ("secrets/owner_password", "secrets/channels/line", "kubernetes/secrets.env", "kubernetes/channels.env")
    for name in (".env", *secret):
        done = run("git", "check-ignore", "-q", f"deploy/{name}", cwd=ROOT)
        if done.returncode == 128:
            pytest.skip("not a git work tree")
        assert done.returncode == 0, name
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {"*", "deploy/.env", "deploy/secrets"} <= set(ignored)


def test_what_is_committed_holds_no_password() -> None:
    literal = re.compile(
        r"(?i)(password|token|secret_?key)[a-z_]*\s*[:=]\s*[\"']?(?![$/%{]|true\b|false\b|deploy/)[a-z0-9]{3}"
    )
    assert literal.search("KILOWATCH_WRITER_PASSWORD: hunter22") and literal.search("POSTGRES_PASSWORD=kilowatch")
    assert not literal.search("KILOWATCH_WRITER_PASSWORD: ${KILOWATCH_WRITER_PASSWORD:?run deploy/make-env first}")
    files = [path for path in DEPLOY.rglob("*") if path.is_file() and path.suffix in (".yaml", ".conf", ".service")]
    files += [DEPLOY / "kubernetes" / name for name in ("settings.env", "secrets.env.example", "channels.env.example")]
    assert COMPOSE in files
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in files
        if "sites" not in path.parts and "mappings" not in path.parts and "secrets" not in path.parts
        for line in path.read_text(encoding="utf-8").splitlines()
        if not line.lstrip().startswith("#") and literal.search(line)
    ]
    assert found == []
    url = re.compile(r"[a-z]+://[^\s/@]+:[^\s/@]+@")
    assert [path for path in files if url.search(path.read_text(encoding="utf-8"))] == []
