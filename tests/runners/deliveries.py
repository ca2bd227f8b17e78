"""What the tests of the delivery of alerts share: channels, episodes, messages, a sender and its clock."""

from __future__ import annotations

import base64
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from streams.domain.alerts import Episode, Notice, NoticeKind, Severity, Words
from streams.runners.delivery.channels import Channels, read_channels
from streams.runners.delivery.metrics import DeliveryMetrics
from streams.runners.delivery.sender import Sender
from streams.stores.alerts import episode_rows, outbox_rows
from streams.stores.store import Store, naive
from streams.stores.writer import write

Connect = Callable[[], Store]
"""Makes a connection to a store."""
OPENED_MS = 1_767_225_600_000
SECRETS = tuple(f"whsec_{base64.b64encode(bytes([each]) * 32).decode()}" for each in (1, 2))
ENVIRONMENT = {"HOOK": SECRETS[0], "OLD_HOOK": SECRETS[1], "GRAFANA": "token-of-grafana-1234"}


def episode(name: str = "e1", **given: Any) -> Episode:
    """An episode of a room that is too warm."""
    made = Episode(
        episode_id=name, site="depot", rule="too_warm", subject="depot/room", asset="room", severity=Severity.WARNING,
        opened_ms=OPENED_MS, updated_ms=OPENED_MS, closed_ms=None, value=-11.5, worst=-10.0, limit=-15.0, unit="Cel",
        flaps=0, said=Words("冷凍室太熱", "the room is too warm"), advice=Words("先看門", "look at the door first"),
    )  # fmt: skip
    return replace(made, **given)


def notices(of: Episode, kinds: Sequence[NoticeKind] = (NoticeKind.OPENED,), first: int = 0) -> list[Notice]:
    """Notices of an episode, a minute after one another."""
    return [Notice(of, number, kind, of.opened_ms + 60_000 * number) for number, kind in enumerate(kinds, start=first)]


def put(store: Store, sent: Sequence[Notice], moment: datetime) -> list[str]:
    """Commit notices with their episodes, as the live core does; return their ids."""
    now = naive(moment)
    with store.transaction():
        episodes = episode_rows([notice.episode for notice in sent], 0)
        write(store, {"episode": episodes, "outbox": outbox_rows(sent, now)}, now)
    return [notice.message_id for notice in sent]


def channels(folder: Path, text: str) -> Channels:
    """Channels of a file, whose secrets are those of ENVIRONMENT."""
    file = folder / "channels.yaml"
    file.write_text(text, encoding="utf-8")
    return read_channels(file, ENVIRONMENT)


def webhooks(folder: Path, urls: dict[str, str], routes: str = "") -> Channels:
    """Webhooks by name; every message goes to each, unless `routes` says otherwise."""
    rows = "".join(
        f"  - {{name: {name}, kind: webhook, url: '{url}', secret: {{env: HOOK}}, allow_private: true}}\n"
        for name, url in urls.items()
    )
    every = f"  - {{channels: [{', '.join(urls)}]}}"
    return channels(folder, f"channels:\n{rows}routes:\n{routes or every}\n")


@dataclass(slots=True)
class Clock:
    """A clock that a test moves on."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now

    def add(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass(slots=True)
class Sending:
    """A sender at work over a store, by a clock."""

    sender: Sender
    clock: Clock
    registry: CollectorRegistry

    def metric(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"kilowatch_alerts_{name}", labels) or 0.0

    def add(self, **span: float) -> None:
        """Move the clock on."""
        self.clock.add(**span)
        self.sender.wake()


@contextmanager
def sending(store: Store, ways: Channels, clock: Clock | None = None, **given: Any) -> Iterator[Sending]:
    """A sender that has begun, and ends well."""
    registry, clock = CollectorRegistry(), clock or Clock()
    sender = Sender(store, ways, DeliveryMetrics(registry), clock, random.Random(7), **{"poll_s": 0.02, **given})
    sender.start()
    try:
        yield Sending(sender, clock, registry)
    finally:
        assert sender.stop(10)


def until(condition: Callable[[], bool], what: Callable[[], object] = lambda: "", seconds: float = 30.0) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what()
        time.sleep(0.01)


def story(messages: int) -> list[list[Notice]]:
    """So many messages about episodes of four, as pairs that are committed together; the same each time."""
    told = [
        notice
        for nth in range(-(-messages // 4))
        for notice in notices(episode(f"e{nth}", opened_ms=OPENED_MS + nth), list(NoticeKind))
    ]
    return [told[at : at + 2] for at in range(0, messages, 2)]


def statuses(store: Store) -> list[tuple[Any, ...]]:
    """What came of each attempt."""
    return store.rows("select message_id, channel, attempt, status from mart.alert_delivery order by 1, 2, 3, 4 desc")


def states(store: Store) -> dict[str, str]:
    """How each message stands, where there is one channel."""
    return dict(store.rows("select message_id, status from op.alert_dispatch"))


def all_done(store: Store) -> bool:
    """Whether nothing waits."""
    return store.rows(
        "select (select count(*) from op.alert_outbox where planned_at is null) "
        "+ (select count(*) from op.alert_dispatch where next_at is not null)"
    ) == [(0,)]
