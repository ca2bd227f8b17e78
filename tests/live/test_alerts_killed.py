"""Alerts arrive though their sender is killed by SIGKILL at moments of chance: none is lost, none comes under two ids.

`KILOWATCH_LIVE_KILLS` says how often each test kills; `KILOWATCH_SEED` gives other moments.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from standardwebhooks import Webhook

from streams.stores.duckdb import DuckDBStore
from streams.stores.postgres import PostgresStore
from streams.stores.schema import migrate
from streams.stores.store import Store
from tests.live.harness import PROJECT, wait_for
from tests.runners.deliveries import SECRETS, put, story
from tests.servers.ports import LOOPBACK, free_port
from tests.servers.receiver import Answer, Receiver

KILLS = int(os.environ.get("KILOWATCH_LIVE_KILLS", "3"))
SEED = int(os.environ.get("KILOWATCH_SEED", "11"))
MESSAGES = 24 + 16 * KILLS
MOMENTS = ("load", "stop", "start")
COMMAND = str(Path(sys.executable).with_name("kilowatch"))


@dataclass
class Fleet:
    """Processes that send alerts, by their command; each is started again after it was killed."""

    command: list[str]
    folder: Path
    receiver: Receiver
    chance: random.Random
    kills: int = 0
    process: subprocess.Popen[bytes] | None = None
    others: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __enter__(self) -> Fleet:
        return self

    def __exit__(self, *_: object) -> None:
        for process in (self.process, *self.others):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()

    def start(self) -> subprocess.Popen[bytes]:
        with (self.folder / "sender.log").open("ab") as log:
            words = [word.replace("PORT", str(free_port())) for word in self.command]
            env = {**os.environ, "PYTHONPATH": str(PROJECT), "HOOK": SECRETS[0]}
            self.process = subprocess.Popen(words, stdout=log, stderr=log, env=env, cwd=PROJECT)
        return self.process

    def kill_at(self, moment: str) -> None:
        """Start a process and kill it: under load, while it stops, or while it starts."""
        process = self.start()
        if moment == "start":
            time.sleep(self.chance.uniform(0.2, 2.5))
        else:
            enough = len(self.receiver.got) + self.chance.randrange(1, 8)
            until = time.monotonic() + 30
            while len(self.receiver.got) < enough and time.monotonic() < until:
                time.sleep(0.001)
            time.sleep(self.chance.uniform(0, 0.1))
        if moment == "stop":
            process.terminate()
            time.sleep(self.chance.uniform(0, 0.3))
        ended = process.poll()
        process.kill()
        process.wait()
        assert ended in (None, 0), self.said()
        self.kills += ended is None

    def said(self) -> str:
        return (self.folder / "sender.log").read_text()[-3_000:]


def answering(chance: random.Random) -> Callable[[str, str], Answer]:
    """Slow now and then; one message of sixteen is not answered when it comes first."""
    seen: set[str] = set()

    def answer(_path: str, message_id: str) -> Answer:
        is_first = message_id not in seen
        seen.add(message_id)
        return Answer(delay_s=chance.choice([0, 0, 0.01, 0.05]), drops=is_first and sum(message_id.encode()) % 16 == 0)

    return answer


def channels(folder: Path, receiver: Receiver) -> Path:
    file = folder / "channels.yaml"
    rows = "".join(
        f"  - {{name: {name}, kind: webhook, url: '{receiver.url}/{name}', secret: {{env: HOOK}}, "
        "allow_private: true}\n"
        for name in ("a", "b")
    )
    file.write_text(f"channels:\n{rows}routes:\n  - {{channels: [a, b]}}\n")
    return file


def left(store: Store) -> int:
    return int(
        store.rows(
            "select (select count(*) from op.alert_outbox where planned_at is null) "
            "+ (select count(*) from op.alert_dispatch where next_at is not null)"
        )[0][0]
    )


def check(receiver: Receiver, store: Store) -> None:
    """Every message of the outbox came by each channel, under its own id alone, signed, in order within its episode."""
    sent = {
        row[0]: row[1:] for row in store.rows("select message_id, episode_id, number, payload from op.alert_outbox")
    }
    assert len(sent) == MESSAGES
    for path in ("/a", "/b"):
        got = [each for each in receiver.got if each.path == path and each.answer.code < 300]
        assert {each.id for each in got} == set(sent)
        first: dict[str, list[int]] = {}
        for each in got:
            assert Webhook(SECRETS[0]).verify(each.body, each.headers)
            episode_id, number, payload = sent[each.id]
            assert each.body.decode() == payload
            if number not in first.setdefault(episode_id, []):
                first[episode_id].append(number)
        taken = {each.id for each in got if not each.answer.drops}
        assert taken == set(sent)
        assert all(numbers == sorted(numbers) for numbers in first.values())
    assert receiver.doubled == []
    counts = store.rows(
        "select count(*), count(distinct (message_id, channel)) from mart.alert_delivery where status = 'sent'"
    )
    assert counts == [(2 * MESSAGES, 2 * MESSAGES)]


def test_a_sender_of_a_database_killed_at_random_moments_loses_nothing(database: str, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    with closing(PostgresStore(database)) as store, Receiver(answering(chance)) as receiver:
        migrate(store, {})
        file = channels(tmp_path, receiver)
        command = [COMMAND, "alerts", "deliver", "--store", database, "--channels", str(file)]
        with Fleet([*command, "--metrics", f"{LOOPBACK}:PORT"], tmp_path, receiver, chance) as fleet:
            waiting = iter(story(MESSAGES))
            for turn in range(10 * KILLS):
                if fleet.kills == KILLS:
                    break
                for notices in islice(waiting, 8):
                    put(store, notices, datetime.now(UTC))
                fleet.kill_at(MOMENTS[turn % len(MOMENTS)])
            for notices in waiting:
                put(store, notices, datetime.now(UTC))
            fleet.others.append(fleet.start())
            process = fleet.start()
            wait_for(lambda: left(store) == 0, fleet.said)
            process.terminate()
            assert process.wait(10) == 0, fleet.said()
            assert SECRETS[0] not in (tmp_path / "sender.log").read_text()
        check(receiver, store)
        tell(receiver, fleet)


def test_a_box_that_sends_alerts_killed_at_random_moments_loses_nothing(tmp_path: Path) -> None:
    chance, path = random.Random(SEED), tmp_path / "box.duckdb"
    DuckDBStore(path).close()
    with Receiver(answering(chance)) as receiver:
        file = channels(tmp_path, receiver)
        command = [sys.executable, "-m", "tests.live.alert_box", str(path), str(file), str(MESSAGES)]
        with Fleet(command, tmp_path, receiver, chance) as fleet:
            for turn in range(10 * KILLS):
                if fleet.kills == KILLS:
                    break
                fleet.kill_at(MOMENTS[turn % len(MOMENTS)])
            process = fleet.start()
            wait_for(lambda: taken(receiver) >= 2 * MESSAGES, fleet.said)
            process.terminate()
            assert process.wait(10) == 0, fleet.said()
        with closing(DuckDBStore(path)) as store:
            assert left(store) == 0
            check(receiver, store)
        tell(receiver, fleet)


def taken(receiver: Receiver) -> int:
    return len({(each.path, each.id) for each in receiver.got if not each.answer.drops})


def tell(receiver: Receiver, fleet: Fleet) -> None:
    """Say what was survived; pytest shows it with -rP."""
    assert fleet.kills >= min(KILLS, 1)
    well = [(each.path, each.id) for each in receiver.got if not each.answer.drops]
    print(f"kills {fleet.kills}; messages {len(set(well))}; came again {len(well) - len(set(well))}")  # noqa: T201
