"""A Kafka broker that asks who comes: a listener for each way of speaking to it, each on a port of its own."""

from __future__ import annotations

import json
from pathlib import Path

from kafka import KafkaAdminClient

from tests.servers.certificates import certificate_command
from tests.servers.kafka import KafkaServer
from tests.servers.ports import LOOPBACK, free_port

USER, PASSWORD = "kilowatch", "of-the-user-kilowatch"
STRANGER, STRANGER_PASSWORD = "stranger", "of-a-stranger"
PLAIN, SCRAM = "PLAIN", "SCRAM-SHA-512"
SECURED = """
listeners={listeners},CONTROLLER://{controller}
advertised.listeners={advertised}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,LOST:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL,\
SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
ssl.keystore.type=PEM
ssl.keystore.location={keys}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:{user}
"""
LOGIN = "org.apache.kafka.common.security"
SASL = """
listener.name.{listener}.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
listener.name.{listener}.plain.sasl.jaas.config={login}.plain.PlainLoginModule required \
user_{user}="{password}" user_{stranger}="{stranger_password}";
listener.name.{listener}.scram-sha-512.sasl.jaas.config={login}.scram.ScramLoginModule required;
"""


class SecuredKafka(KafkaServer):
    """A broker where USER may do everything and STRANGER nothing, with SCRAM-SHA-512 and with PLAIN.

    Listeners are PLAINTEXT, SASL_PLAINTEXT, SSL and SASL_SSL; and LOST, which sends its clients on to a port where
    nobody listens. Clients trust `certificate`, a PEM file; `other_certificate` is of an authority that signed nothing.
    """

    name = "SecuredKafka"
    LISTENERS = ("LOST", "SASL_PLAINTEXT", "SSL", "SASL_SSL")

    def __init__(self, folder: Path, *, port: int | None = None, shared: bool = False) -> None:
        super().__init__(folder, port=port, shared=shared)
        self.certificate, self.other_certificate = folder / "certificate.pem", folder / "other.pem"
        ports = folder / "ports.json"
        self.ports: dict[str, int] = (
            json.loads(ports.read_text()) if shared else {name: free_port() for name in (*self.LISTENERS, "NOBODY")}
        )

    def prepare(self) -> None:
        (self.folder / "ports.json").write_text(json.dumps(self.ports))
        key, keys = self.folder / "key.pem", self.folder / "keys.pem"
        for certificate in (self.other_certificate, self.certificate):
            self.run(certificate_command(certificate, key))
        keys.write_text(key.read_text() + self.certificate.read_text())
        super().prepare()

    def properties(self) -> str:
        at = {"PLAINTEXT": self.port} | {name: self.ports[name] for name in self.LISTENERS}
        told = at | {"LOST": self.ports["NOBODY"]}
        users = {"user": USER, "password": PASSWORD, "stranger": STRANGER, "stranger_password": STRANGER_PASSWORD}
        return (
            super().properties()
            + SECURED.format(
                listeners=_listed(at),
                advertised=_listed(told),
                controller=self.controller,
                keys=(self.folder / "keys.pem").resolve(),
                **users,
            )
            + "".join(
                SASL.format(listener=listener, login=LOGIN, **users) for listener in ("sasl_plaintext", "sasl_ssl")
            )
        )

    def format_options(self) -> list[str]:
        return [
            f"--add-scram={SCRAM}=[name={name},password={password}]"
            for name, password in ((USER, PASSWORD), (STRANGER, STRANGER_PASSWORD))
        ]

    def at(self, listener: str) -> str:
        """`127.0.0.1:port` of a listener; of NOBODY, an address at which nobody listens."""
        return f"{LOOPBACK}:{self.ports[listener]}"

    def need_topics(self, *names: str) -> None:
        """Make topics of one partition, unless they are there."""
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        try:
            wanted = {name: {"num_partitions": 1} for name in names}
            admin.create_topics(wanted, raise_errors=False, wait_for_metadata=True)
        finally:
            admin.close()


def _listed(ports: dict[str, int]) -> str:
    return ",".join(f"{name}://{LOOPBACK}:{port}" for name, port in ports.items())
