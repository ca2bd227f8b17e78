"""Law 7 for the box: killed by SIGKILL at moments of chance, it ends with the store of a run that nobody disturbed.

`KILOWATCH_LIVE_KILLS` says how often each test kills; `KILOWATCH_SEED` gives other moments.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from jobs.simulate import Simulated
from streams.stores.duckdb import DuckDBStore
from tests.live.box import Box, Gateway, asked
from tests.live.harness import (
    Views,
    differing,
    finish,
    ingest,
    messages,
    replayed,
    simulated,
    sites_folder,
    views,
    wait_for,
)
from tests.servers.mosquitto import Mosquitto
from tests.servers.ports import LOOPBACK, unique_name

KILLS = int(os.environ.get("KILOWATCH_LIVE_KILLS", "3"))
SEED = int(os.environ.get("KILOWATCH_SEED", "11"))
PUSHED, PUBLISHED = "worm_gear_shop", "machine_builder_pv"
MOMENTS = ("load", "stop", "start")
INLETS = "topics:\n  - {topic: '%s/{gateway}/{site}', site: '{site}'}\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Simulated]:
    return simulated(tmp_path_factory.mktemp("simulated"), 1, (PUSHED, PUBLISHED))


@pytest.fixture(scope="module")
def undisturbed(made: dict[str, Simulated], tmp_path_factory: pytest.TempPathFactory) -> tuple[Views, int]:
    """The mart views, and how many different readings came by MQTT."""
    path = tmp_path_factory.mktemp("undisturbed") / "a.duckdb"
    with closing(DuckDBStore(path)) as store:
        ingest(made, store)
        found = views(store)
    return found, heard(path)


def heard(path: Path) -> int:
    """Different readings of the site that publishes."""
    statement = (
        "select count(distinct (r.point_id, r.read_at, r.value, r.text)) from raw.reading as r "
        "inner join op.point as p on r.point_id = p.point_id where p.site = $1"
    )
    with closing(DuckDBStore(path, read_only=True)) as store:
        return int(store.rows(statement, [PUBLISHED])[0][0])


class Publisher:
    """Sends the messages of one site in order by MQTT with QoS 1, a share at a time; the broker keeps them."""

    def __init__(self, port: int, topic: str, messages: Sequence[bytes]) -> None:
        self.topic, self.messages = topic, iter(messages)
        self.client = Client(CallbackAPIVersion.VERSION2, unique_name("gateway"))
        self.client.connect(LOOPBACK, port)
        self.client.loop_start()

    def __enter__(self) -> Publisher:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def publish(self, share: int | None = None) -> None:
        """Publish the next messages, or all that are left; on return the broker has them."""
        for said in [self.client.publish(self.topic, each, qos=1) for each in self._next(share)]:
            said.wait_for_publish(30)
            assert said.is_published()

    def _next(self, share: int | None) -> Iterator[bytes]:
        for nth, each in enumerate(self.messages, start=1):
            yield each
            if nth == share:
                return


def kill_at(moment: str, box: Box, gateway: Gateway, chance: random.Random) -> bool:
    """Start the box and kill it: under load, while it stops, or while it starts; False if it had ended by itself."""
    process = box.start()
    if moment == "start":
        time.sleep(chance.uniform(0.2, 2.0))
    else:
        enough = gateway.accepted + chance.randrange(1, 50)
        wait_for(lambda: gateway.accepted >= enough, box.said, pause_s=0.001)
        time.sleep(chance.uniform(0, 0.2))
    if moment == "stop":
        process.terminate()
        time.sleep(chance.uniform(0, 0.6))
    ended = process.poll()
    box.kill()
    assert ended in (None, 0), box.said()
    return ended is None


def test_a_box_killed_at_random_moments_loses_and_doubles_nothing(
    made: dict[str, Simulated], undisturbed: tuple[Views, int], mosquitto: Mosquitto, tmp_path: Path
) -> None:
    chance, topic = random.Random(SEED), unique_name("telemetry")
    (tmp_path / "inlets.yaml").write_text(INLETS % topic)
    mqtt = ("--mqtt", f"mqtt://{LOOPBACK}:{mosquitto.port}", "--inlets", str(tmp_path / "inlets.yaml"))
    pushed, published = (
        list(messages(each, max(1, each.readings // (250 * KILLS)))) for each in (made[PUSHED], made[PUBLISHED])
    )
    with (
        Box(sites_folder(made, tmp_path / "sites"), tmp_path, *mqtt, "--mqtt-client-id", unique_name("box")) as box,
        Publisher(mosquitto.port, f"{topic}/gw2/{PUBLISHED}", published) as publisher,
    ):
        box.started()  # what nobody has subscribed to, no broker keeps
        box.kill()
        kills = turns = 0
        with Gateway(box.port, PUSHED, pushed) as gateway:
            while kills < KILLS:
                publisher.publish(len(published) // (KILLS + 2))
                kills += kill_at(MOMENTS[turns % len(MOMENTS)], box, gateway, chance)
                turns += 1
            assert not gateway.done
            publisher.publish()
            box.started()
            gateway.finish()
        box.finish()
        assert box.stop() < 10
        for _ in range(4):  # the broker may have had some left
            if heard(box.store) < undisturbed[1]:
                box.started()
                box.finish()
                assert box.stop() < 10
    with closing(DuckDBStore(box.store)) as store:
        finish(made, store, box.archive)
        found = differing(undisturbed[0], views(store))
        assert len(found.pop("quarantine", ())) == 0  # what was rejected twice stands there twice
        assert found == {}
        for each in made.values():
            assert replayed(each, store, tmp_path)


def test_a_box_killed_while_it_copies_its_store_makes_the_copy_next_time(
    made: dict[str, Simulated], tmp_path: Path
) -> None:
    chance, name = random.Random(SEED), PUSHED
    with Box(sites_folder({name: made[name]}, tmp_path / "sites"), tmp_path) as box:
        box.started()
        with Gateway(box.port, name, list(messages(made[name], 100))) as gateway:
            gateway.finish()
        box.finish()
        assert box.stop() < 10
        box.copy.unlink(missing_ok=True)
        part = box.copy.with_name(f"{box.copy.name}.part")
        for _ in range(KILLS):
            begun_ns = time.time_ns()
            box.start()
            wait_for(lambda begun_ns=begun_ns: changed(part, begun_ns), box.said, pause_s=0.0005)  # type: ignore[misc]
            time.sleep(chance.uniform(0, 0.05))
            box.kill()
            assert not box.copy.exists()
        box.started()
        wait_for(box.copy.exists, box.said)
        daily = "select * from mart.energy_daily order by all"
        copied = asked(box.copy, daily).stdout
        assert box.stop() < 10
        assert copied == asked(box.store, daily).stdout
        assert len(copied.splitlines()) > 5
        assert sorted(each.name for each in tmp_path.glob("box.copy*")) == [box.copy.name]


def changed(path: Path, since_ns: int) -> bool:
    try:
        return path.stat().st_mtime_ns > since_ns
    except FileNotFoundError:
        return False
