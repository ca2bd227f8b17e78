"""Apache Kafka: one node, broker and controller in one (KRaft), from the jars that `make servers` fetches."""

from __future__ import annotations

import secrets
import socket
import warnings
from pathlib import Path

from tests.servers.missing import jars, program
from tests.servers.ports import LOOPBACK, free_port, unique_name
from tests.servers.server import Server

with warnings.catch_warnings():
    # While it is imported, and only then, kafka-python calls what Python 3.11 and 3.12 call deprecated and 3.13 does
    # not. This module is imported before all tests, so they see no more of it.
    warnings.simplefilter("ignore", DeprecationWarning)
    from kafka import KafkaAdminClient
    from kafka.errors import KafkaError

JAVA_OPTIONS = (
    "-Xms64m", "-Xmx512m", "-XX:+UseSerialGC", "-Djava.net.preferIPv4Stack=true", "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
)  # fmt: skip

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://{broker},CONTROLLER://{controller}
advertised.listeners=PLAINTEXT://{broker}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
num.network.threads=2
num.io.threads=2
message.max.bytes=4194304
# A topic that a test did not create is a mistake of the code under test.
auto.create.topics.enable=false
# The topics of the broker's own, as small as they can be.
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
log.cleaner.dedupe.buffer.size=16777216
# Groups begin at once, and a member that is gone may be missed within a second.
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=500
# After a kill, the broker may not come back before the controller has given up on the one before.
broker.heartbeat.interval.ms=400
broker.session.timeout.ms=2000
"""


class KafkaServer(Server):
    """A Kafka broker without authentication. `.bootstrap` is what clients call `bootstrap_servers`.

    After `kill()` the next `start()` takes a few seconds: the controller in it first waits for the lost broker.
    """

    name = "Kafka"

    def __init__(self, folder: Path, *, port: int | None = None, shared: bool = False) -> None:
        super().__init__(folder, port=port, shared=shared)
        self._settings = folder / "server.properties"
        self._controller_port = 0 if shared else free_port()

    @property
    def bootstrap(self) -> str:
        """`127.0.0.1:port`."""
        return self.address

    @property
    def controller(self) -> str:
        """`127.0.0.1:port` of the controller in it."""
        return f"{LOOPBACK}:{self._controller_port}"

    def prepare(self) -> None:
        self._settings.write_text(self.properties(), encoding="utf-8")
        given = [f"--cluster-id={secrets.token_urlsafe(16)}", f"--config={self._settings}", *self.format_options()]
        self.run(self._java("kafka.tools.StorageTool", "format", *given))

    def properties(self) -> str:
        """What the broker is told of itself; of two lines for one key the last counts."""
        return PROPERTIES.format(broker=self.address, controller=self.controller, data=self.data.resolve())

    def format_options(self) -> list[str]:
        """What is put into its data at the very beginning, besides."""
        return []

    def command(self) -> list[str]:
        return self._java("kafka.Kafka", str(self._settings))

    def answers(self) -> bool:
        """Whether the broker is in its cluster and not fenced."""
        try:
            # A client of the library would back off for longer than the broker takes.
            socket.create_connection((LOOPBACK, self.port), timeout=2).close()
            admin = KafkaAdminClient(
                bootstrap_servers=self.bootstrap, bootstrap_timeout_ms=2000, request_timeout_ms=2000
            )
        except (OSError, KafkaError):
            return False
        try:
            return any(not broker["is_fenced"] for broker in admin.describe_cluster()["brokers"])
        except KafkaError:
            return False
        finally:
            admin.close()

    def _java(self, main: str, *arguments: str) -> list[str]:
        return [program("java"), *JAVA_OPTIONS, "-cp", f"{jars().resolve()}/*", main, *arguments]


def make_topic(bootstrap: str, name: str = "topic", partitions: int = 1, config: dict[str, str] | None = None) -> str:
    """Create a topic whose name begins with `name` and is unique; return its name once it can be written."""
    topic = unique_name(name)
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        settings = {"num_partitions": partitions, "configs": config or {}}
        admin.create_topics({topic: settings}, wait_for_metadata=True)
    finally:
        admin.close()
    return topic
