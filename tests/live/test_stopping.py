"""A worker that is asked to end does so within ten seconds and without complaint, whatever it waits for just then."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

from kafka import KafkaAdminClient

from tests.live.harness import messages, simulated, sites_folder, system, wait_for
from tests.servers.databases import create_database
from tests.servers.kafka import KafkaServer
from tests.servers.postgres import PostgresServer

SITE = "worm_gear_shop"


def state_of_group(kafka: str) -> str:
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    try:
        return str(admin.describe_groups(["kilowatch"])["kilowatch"]["group_state"])
    finally:
        admin.close()


def test_a_worker_ends_under_load_and_while_it_waits_for_the_database_or_for_a_member_that_stands_still(
    own_kafka: Callable[..., KafkaServer], own_postgres: Callable[..., PostgresServer], tmp_path: Path
) -> None:
    made, broker, server = simulated(tmp_path / "simulated", 1, (SITE,)), own_kafka(), own_postgres()
    sites, dsn = sites_folder(made, tmp_path / "sites"), create_database(server.dsn())
    with system(broker.bootstrap, dsn, sites, tmp_path) as live:
        live.send(SITE, messages(made[SITE], 2))
        worker = live.start()
        wait_for(lambda: live.readings() > 0, live.said, pause_s=0.02)
        assert live.stop(worker) < 10

        worker = live.start()
        stored = live.readings()
        wait_for(lambda: live.readings() > stored or live.behind() == 0, live.said)
        server.kill()
        live.send(SITE, [b"{}"])
        wait_for(lambda: live.metric(worker, "store_up") == 0, live.said)
        assert live.stop(worker) < 10
        server.start()

        silent = live.start()
        live.finish()
        silent.send_signal(signal.SIGSTOP)
        worker = live.start()
        wait_for(lambda: state_of_group(broker.bootstrap) == "PreparingRebalance", live.said)
        assert live.stop(worker) < 10
