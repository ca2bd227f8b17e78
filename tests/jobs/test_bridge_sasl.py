"""`kilowatch bridge` and a Kafka that asks for a password."""

from __future__ import annotations

from pathlib import Path

from tests.jobs.bridge_process import Bridge, metric, until
from tests.servers.ports import LOOPBACK, free_port
from tests.servers.secured_kafka import PASSWORD, USER, SecuredKafka

WRONG = "quite-another-one"


def test_a_wrong_password_is_told_at_the_start_and_the_right_one_works(
    tmp_path: Path, secured_kafka: SecuredKafka
) -> None:
    secured_kafka.need_topics("telemetry")
    at = secured_kafka.at("SASL_PLAINTEXT")
    (tmp_path / "inlets").write_text("topics:\n  - {topic: a, site: plant}\n")
    (tmp_path / "password").write_text(PASSWORD + "\n")
    options = ["--kafka", at, "--kafka-security", "sasl_plaintext", "--kafka-mechanism", "PLAIN"]
    options += ["--kafka-user", USER, "--spool", str(tmp_path / "spool"), "--mqtt", f"mqtt://{LOOPBACK}:1"]
    options += ["--inlets", str(tmp_path / "inlets"), "--metrics", f"{LOOPBACK}:{free_port()}"]
    with Bridge(tmp_path, *options, env={"KILOWATCH_KAFKA_PASSWORD": WRONG}) as bridge:
        assert f"Kafka at {at}: expected to be let in as '{USER}'; found " in bridge.refused()
    with Bridge(tmp_path, *options, "--kafka-password-file", str(tmp_path / "password")) as bridge:
        page = bridge.started().address()
        until(lambda: metric(page, "kafka_connected") == 1, "a connection")
        bridge.stop()
    assert not [secret for secret in (PASSWORD, WRONG) if secret in bridge.log.read_text()]
