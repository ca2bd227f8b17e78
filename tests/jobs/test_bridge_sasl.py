"""`kilowatch bridge` and a Kafka that asks for a password."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from streams.ingest.kafka_settings import KafkaSettings
from tests.jobs.bridge_process import Bridge, metric, until
from tests.servers import kafka, missing
from tests.servers.ports import LOOPBACK, free_port

USER, RIGHT, WRONG = "bridge", "the-right-password", "quite-another-one"
SASL = """
security.inter.broker.protocol=SASL_PLAINTEXT
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
listener.name.sasl_plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
username="{user}" password="{password}" user_{user}="{password}";
"""


class SaslKafka(kafka.KafkaServer):
    """A broker with one user, and the topic `telemetry`."""

    def prepare(self) -> None:
        super().prepare()
        plain = self._settings.read_text(encoding="utf-8")
        asks = plain.replace("listeners=PLAINTEXT", "listeners=SASL_PLAINTEXT").replace(
            "PLAINTEXT:PL", "SASL_PLAINTEXT:SASL_PL"
        )
        self._settings.write_text(asks + SASL.format(user=USER, password=RIGHT), encoding="utf-8")

    def settings(self, password: str) -> KafkaSettings:
        return KafkaSettings(self.bootstrap, "sasl_plaintext", USER, password, "PLAIN")

    def answers(self) -> bool:
        try:
            socket.create_connection((LOOPBACK, self.port), timeout=2).close()
            admin = KafkaAdminClient(**self.settings(RIGHT).arguments(), bootstrap_timeout_ms=2_000)
        except (OSError, KafkaError):
            return False
        try:
            if "telemetry" not in admin.list_topics():
                admin.create_topics({"telemetry": {"num_partitions": 1}}, wait_for_metadata=True)
        except KafkaError:
            return False
        finally:
            admin.close()
        return True


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[SaslKafka]:
    missing.need(missing.kafka())
    with SaslKafka(tmp_path / "kafka") as server:
        yield server


def test_a_wrong_password_is_told_at_the_start_and_the_right_one_works(tmp_path: Path, asking: SaslKafka) -> None:
    (tmp_path / "inlets").write_text("topics:\n  - {topic: a, site: plant}\n")
    (tmp_path / "password").write_text(RIGHT + "\n")
    options = ["--kafka", asking.bootstrap, "--kafka-security", "sasl_plaintext", "--kafka-mechanism", "PLAIN"]
    options += ["--kafka-user", USER, "--spool", str(tmp_path / "spool"), "--mqtt", f"mqtt://{LOOPBACK}:1"]
    options += ["--inlets", str(tmp_path / "inlets"), "--metrics", f"{LOOPBACK}:{free_port()}"]
    with Bridge(tmp_path, *options, env={"KILOWATCH_KAFKA_PASSWORD": WRONG}) as bridge:
        assert f"Kafka at {asking.bootstrap}: expected to be let in as '{USER}'; found " in bridge.refused()
    with Bridge(tmp_path, *options, "--kafka-password-file", str(tmp_path / "password")) as bridge:
        page = bridge.started().address()
        until(lambda: metric(page, "kafka_connected") == 1, "a connection")
        bridge.stop()
    assert not [secret for secret in (RIGHT, WRONG) if secret in bridge.log.read_text()]
