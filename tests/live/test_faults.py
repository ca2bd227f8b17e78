"""Law 7 on real servers: whatever ends, restarts or lies, the store is that of the run that nothing disturbed."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import orjson
import psycopg
import pytest
from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition

from jobs.simulate import Simulated
from streams.runners.kafka_topics import DEAD_LETTERS, TELEMETRY
from streams.stores.duckdb import DuckDBStore
from streams.stores.postgres import PostgresStore
from tests.live.harness import (
    System,
    differing,
    finish,
    ingest,
    messages,
    simulated,
    sites_folder,
    system,
    views,
    wait_for,
)
from tests.live.proxy import LosingProxy
from tests.live.test_parity import Views
from tests.servers.databases import create_database
from tests.servers.kafka import KafkaServer
from tests.servers.postgres import PostgresServer

KILLS = int(os.environ.get("KILOWATCH_LIVE_KILLS", "3"))
DAYS = int(os.environ.get("KILOWATCH_LIVE_DAYS", "1"))
SIZE = 6
Live = Callable[..., System]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Simulated]:
    return simulated(tmp_path_factory.mktemp("simulated"), DAYS)


@pytest.fixture(scope="module")
def undisturbed(made: dict[str, Simulated], tmp_path_factory: pytest.TempPathFactory) -> Views:
    with closing(DuckDBStore(tmp_path_factory.mktemp("undisturbed") / "a.duckdb")) as store:
        ingest(made, store)
        return views(store)


@pytest.fixture
def broker(own_kafka: Callable[..., KafkaServer]) -> KafkaServer:
    return own_kafka()


@pytest.fixture
def live(broker: KafkaServer, database: str, made: dict[str, Simulated], tmp_path: Path) -> Iterator[System]:
    with system(broker.bootstrap, database, sites_folder(made, tmp_path / "sites"), tmp_path) as running:
        yield running


def send_all(live: System, made: dict[str, Simulated], size: int = SIZE) -> None:
    for name, each in made.items():
        live.send(name, messages(each, size))


def check(live: System, made: dict[str, Simulated], undisturbed: Views, tmp_path: Path, *, again: bool = False) -> None:
    """The store equals the undisturbed one; what was sent `again` may stand in quarantine as often as it was sent."""
    live.finish()
    for worker in live.workers:
        if worker.poll() is None:
            assert live.stop(worker) < 10
    with closing(PostgresStore(live.dsn)) as store:
        finish(made, store, tmp_path / "archive")
        found = differing(undisturbed, views(store))
    assert not again or len(found.pop("quarantine", ())) == 0
    assert found == {}


def test_a_worker_killed_at_random_moments_loses_and_doubles_nothing(
    live: System, made: dict[str, Simulated], undisturbed: Views, tmp_path: Path
) -> None:
    chance = random.Random(11)
    send_all(live, made)
    total = sum(each.readings for each in made.values())
    for turn in range(KILLS):
        worker, stored = live.start(), live.readings()
        wait_for(lambda stored=stored: live.readings() > stored or live.behind() == 0, live.said)  # type: ignore[misc]
        time.sleep(chance.random() * 0.5 * total / 190_000 / max(1, turn / 3))
        live.kill(worker)
    live.start()
    check(live, made, undisturbed, tmp_path)


def test_workers_come_and_go_under_load(
    live: System, made: dict[str, Simulated], undisturbed: Views, tmp_path: Path
) -> None:
    sending = threading.Thread(target=send_all, args=(live, made))
    first = live.start()
    sending.start()
    wait_for(lambda: live.readings() > 1_000, live.said)
    second = live.start()
    sending.join()
    time.sleep(4)
    assert live.stop(first) < 10
    third = live.start()
    time.sleep(4)
    live.kill(second)
    assert third.poll() is None
    check(live, made, undisturbed, tmp_path)


def test_offsets_of_the_group_that_the_store_knows_nothing_of_are_passed_by(
    live: System, made: dict[str, Simulated], undisturbed: Views, tmp_path: Path
) -> None:
    """As a worker leaves them that took messages and was killed before its first commit, when nothing new comes."""
    send_all(live, made)
    with closing(KafkaConsumer(bootstrap_servers=live.kafka, group_id="kilowatch", enable_auto_commit=False)) as ahead:
        parts = [TopicPartition(TELEMETRY, part) for part in ahead.partitions_for_topic(TELEMETRY) or ()]
        ahead.assign(parts)
        ahead.commit({part: OffsetAndMetadata(end, "", -1) for part, end in ahead.end_offsets(parts).items()})
    live.start()
    check(live, made, undisturbed, tmp_path)


def test_the_broker_may_go_and_come_back(
    live: System, broker: KafkaServer, made: dict[str, Simulated], undisturbed: Views, tmp_path: Path
) -> None:
    send_all(live, made)
    live.start()
    wait_for(lambda: live.readings() > 1_000, live.said)
    broker.restart()
    time.sleep(1)
    broker.kill()
    broker.start()
    check(live, made, undisturbed, tmp_path)


def test_the_database_may_go_and_come_back(
    broker: KafkaServer,
    own_postgres: Callable[..., PostgresServer],
    made: dict[str, Simulated],
    undisturbed: Views,
    tmp_path: Path,
) -> None:
    server = own_postgres()
    with system(
        broker.bootstrap, create_database(server.dsn()), sites_folder(made, tmp_path / "sites"), tmp_path
    ) as live:
        send_all(live, made)
        live.start()
        wait_for(lambda: live.readings() > 1_000, live.said)
        server.restart()
        stored = live.readings()
        wait_for(lambda: live.readings() > stored or live.behind() == 0, live.said)
        server.kill()
        time.sleep(1)
        server.start()
        check(live, made, undisturbed, tmp_path)


def test_a_commit_whose_answer_is_lost_is_not_made_twice(
    live: System, made: dict[str, Simulated], undisturbed: Views, tmp_path: Path
) -> None:
    send_all(live, made)
    with LosingProxy(live.dsn, every=5, most=6) as proxy:
        live.start(proxy.dsn)
        live.finish()
        assert proxy.lost >= 3
    check(live, made, undisturbed, tmp_path)


POISON: list[tuple[str | None, bytes]] = [
    ("worm_gear_shop", b"not json"),
    ("worm_gear_shop", b""),
    ("worm_gear_shop", b"\xff\xfe\x00"),
    ("worm_gear_shop", b'{"point":"worm_gear_shop/main","time":"yesterday","value":1}'),
    ("worm_gear_shop", b'{"point":"worm_gear_shop/main","time":1767225600,"value":NaN}'),
    ("worm_gear_shop", b'{"point":"worm_gear_shop/main","time":1767225600,"value":null}'),
    ("worm_gear_shop", b'{"point":7,"time":1767225600,"value":1}'),
    ("worm_gear_shop", b'{"point":"worm_gear_shop/none","time":1767225600,"value":1}'),
    ("worm_gear_shop", b"[" * 3_000 + b"]" * 3_000),
    ("worm_gear_shop", orjson.dumps({"point": "worm_gear_shop/main", "time": [1], "value": [1, 2]})),
    ("worm_gear_shop", orjson.dumps({"point": "p", "time": [1_767_225_600] * 300_000, "value": [1] * 300_000})),
    ("no_such_site", b'{"point":"no_such_site/main","time":1767225600,"value":1}'),
    ("worm_gear_shop@", b'{"point":"worm_gear_shop/main","time":1767225600,"value":1}'),
    (None, b'{"point":"worm_gear_shop/main","time":1767225600,"value":1}'),
]


def test_poison_goes_to_quarantine_and_to_the_dead_letters_and_harms_nothing(
    live: System, broker: KafkaServer, made: dict[str, Simulated], undisturbed: Views, tmp_path: Path
) -> None:
    send_all(live, made, 60)
    for key, value in POISON:
        live.send(key, [value], gateway="poisoner")
    for headers in ([("tick", b"soon")], [("tick", b"9999999999999")], [("received", b"xx")]):
        live.send("worm_gear_shop", [b""], gateway="poisoner", headers=headers)
    live.send("worm_gear_shop", [b"{}"], gateway="poi\x00soner")
    worker = live.start()
    live.finish()
    assert worker.poll() is None
    with psycopg.connect(live.dsn) as con:
        rows = con.execute("delete from fact.quarantine where source like 'poi%soner' returning reason").fetchall()
    reasons = [reason for (reason,) in rows]
    assert len(reasons) >= len(POISON), "\n".join(sorted(reasons))
    for expected in ("not JSON", "empty message", "unparsable time", "not finite", "no value", "no point name"):
        assert expected in reasons
    for part in ("100,000 readings", "unknown site 'no_such_site'", "has no key", "unknown point"):
        assert any(part in reason for reason in reasons), part
    consumer = KafkaConsumer(
        DEAD_LETTERS, bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
    )
    letters = [letter for each in consumer.poll(10_000).values() for letter in each]
    consumer.close()
    assert {letter.value for letter in letters} >= {b"not json", b"\xff\xfe\x00"}
    assert all(dict(letter.headers)["reason"] and dict(letter.headers)["offset"] for letter in letters)
    check(live, made, undisturbed, tmp_path)


def test_doubled_and_shuffled_messages_change_nothing(
    live: System, made: dict[str, Simulated], undisturbed: Views, tmp_path: Path
) -> None:
    chance = random.Random(5)
    for name, each in made.items():
        every = list(messages(each, SIZE))
        again = [value for value in every for _ in range(chance.choice((1, 1, 2)))]
        live.send(name, again)
    live.start()
    check(live, made, undisturbed, tmp_path, again=True)
