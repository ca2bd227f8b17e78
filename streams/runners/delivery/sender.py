"""The sender: takes what is due from the outbox of a store, and delivers it by its channel.

It works in a thread and an event loop of its own, over a connection that is its own. Of one channel a few episodes are
under way at once, of one episode one message; a slow receiver holds no other channel up. Of several senders over one
database each channel has one at a time, and another takes it over when that one's connection ends.

A message is sent, then recorded: one that a crash let slip between the two is sent again, under the same id.
"""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from streams.domain.findings import KilowatchError, StoreAwayError
from streams.runners.delivery.channels import Channel, Channels
from streams.runners.delivery.deciding import settled, withheld
from streams.runners.delivery.metrics import DeliveryMetrics
from streams.runners.delivery.outcome import Outcome, Result
from streams.runners.delivery.posting import ATTEMPT_S, Letter, Post, aside
from streams.stores.dispatch import Dispatch, Record, Status
from streams.stores.outbox import Outbox
from streams.stores.store import Store, aware, naive

log = logging.getLogger("kilowatch.alerts")
T = TypeVar("T")

POLL_S: Final = 0.15
TOGETHER_S: Final = 0.005
"""What comes within this time is looked at together."""
HOLD_S: Final = 1.0
COUNT_S: Final = 5.0
GIVE_UP_S: Final = 600.0
MOST_AT_ONCE: Final = 8
"""Messages of one channel that are under way."""
PAUSE_S: Final = 2.0
"""After something went wrong with the store."""
LEAVE_S: Final = 3.0
"""So long attempts that are under way may take to end."""


@dataclass(slots=True)
class Sender:
    """Delivers the messages of a store.

    `clock` gives the time by which messages are due, `chance` the jitter of retries; `reconnect` mends the store's
    connection and raises StoreAwayError where it cannot. `trouble` is a sentence while nothing can be delivered.
    """

    store: Store
    channels: Channels
    metrics: DeliveryMetrics
    clock: Callable[[], datetime]
    chance: random.Random
    reconnect: Callable[[], None] = lambda: None
    poll_s: float = POLL_S
    attempt_s: float = ATTEMPT_S
    trouble: str = ""
    outbox: Outbox = field(init=False)
    thread: threading.Thread = field(init=False)
    _loop: asyncio.AbstractEventLoop | None = None
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    _using: threading.Lock = field(default_factory=threading.Lock)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _held: set[str] = field(default_factory=set)
    _under_way: dict[tuple[str, str], asyncio.Task[None]] = field(default_factory=dict)
    _done_at: dict[str, float] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Send nothing yet."""
        self.outbox = Outbox(self.store)
        self.thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="alerts", daemon=True)

    def start(self) -> None:
        """Begin."""
        self.thread.start()

    def wake(self) -> None:
        """Look at the outbox now; from any thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._woken.set)

    def ask_to_stop(self) -> None:
        """Begin nothing more; from any thread."""
        self._stopping.set()
        self.wake()

    def stop(self, seconds: float) -> bool:
        """End after the attempts that are under way; tell whether it did within that time."""
        self.ask_to_stop()
        self.thread.join(seconds)
        return not self.thread.is_alive()

    def wrong(self) -> str:
        """Why nothing is delivered; empty where all is well."""
        return self.trouble or ("" if self.thread.is_alive() else "the sender of alerts ended (see the log)")

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with Post(self.attempt_s) as post:
            while not self._stopping.is_set():
                await self._pause(await self._turn(post))
                await asyncio.sleep(TOGETHER_S)
                self._woken.clear()
            if self._under_way:
                await asyncio.wait(self._under_way.values(), timeout=LEAVE_S)
            for task in self._under_way.values():
                task.cancel()
        self._leave()

    def _leave(self) -> None:
        """Leave the channels to other senders, as soon as no question to the store is under way."""
        if self._using.acquire(timeout=LEAVE_S):
            with suppress(KilowatchError):
                for name in sorted(self._held):
                    self.store.let_go(_purpose(name))
            self._using.release()

    async def _pause(self, seconds: float) -> None:
        if not self._stopping.is_set():
            try:
                await asyncio.wait_for(self._woken.wait(), seconds)
            except TimeoutError:
                return

    async def _turn(self, post: Post) -> float:
        """Look at the outbox once; return how long to wait for the next look."""
        try:
            is_full = await self._look(post)
        except StoreAwayError as error:
            self._tell("store away", str(error))
            self.metrics.store_up.set(0)
            self._held.clear()
            return await self._mended()
        except Exception as error:  # noqa: BLE001 - an alert must not be lost to a mistake in one turn
            self._tell("alerts not delivered", str(error) if isinstance(error, KilowatchError) else repr(error))
            return PAUSE_S
        if self.trouble:
            log.info("alerts delivered again")
        self.trouble = ""
        self.metrics.store_up.set(1)
        return 0.0 if is_full else self.poll_s

    def _tell(self, event: str, reason: str) -> None:
        """Tell what is in the way, once."""
        if self.trouble != reason:
            log.error(event, extra={"fields": {"reason": reason}})
        self.trouble = reason

    async def _mended(self) -> float:
        try:
            await self._ask(self.reconnect)
        except KilowatchError:
            return PAUSE_S
        return 0.0

    async def _ask(self, work: Callable[[], T]) -> T:
        """Ask the store, one question at a time."""

        def asked() -> T:
            with self._using:
                return work()

        async with self._asking:
            return await aside(asked)

    async def _look(self, post: Post) -> bool:
        """Plan what is new, begin what is due; tell whether there may be more at once."""
        now = self._now()
        if self._is_time("files", float("inf")):
            await self._ask(lambda: self.outbox.read_files(now))
        is_new, due_at = await self._ask(self.outbox.state)
        planned = 0
        if is_new:
            planned, unrouted = await self._ask(lambda: self.outbox.plan(self.channels.of, now))
            self.metrics.planned.inc(planned)
            self.metrics.unrouted.inc(unrouted)
        await self._hold()
        if self._held and (planned or (due_at is not None and due_at <= now)):
            held = sorted(self._held)
            for dispatch in await self._ask(lambda: self.outbox.due(held, now, MOST_AT_ONCE)):
                self._begin(post, dispatch)
        await self._count()
        return planned > 0

    def _now(self) -> datetime:
        return naive(self.clock())

    def _is_time(self, what: str, seconds: float) -> bool:
        """Whether something was done so long ago that it is to be done again; it is, then."""
        now = time.monotonic()
        if now - self._done_at.get(what, float("-inf")) < seconds:
            return False
        self._done_at[what] = now
        return True

    async def _hold(self) -> None:
        """Take the channels that no other sender has."""
        free = [name for name in self.channels.by_name if name not in self._held]
        if free and (not self._held or self._is_time("hold", HOLD_S)):
            for name in free:
                if await self._ask(lambda name=name: self.store.hold(_purpose(name))):  # type: ignore[misc]
                    self._held.add(name)

    async def _count(self) -> None:
        if self._is_time("give up", GIVE_UP_S):
            names, now = list(self.channels.by_name), self._now()
            gone = await self._ask(lambda: self.outbox.give_up(names, now))
            if gone:
                log.error("alerts given up", extra={"fields": {"messages": gone}})
        if self._is_time("count", COUNT_S):
            waiting, dead = await self._ask(lambda: (self.outbox.waiting(), self.outbox.dead()))
            self._told |= {*self.channels.by_name, *waiting, *dead}
            for name in self._told:
                self.metrics.waiting.labels(name).set(waiting.get(name, 0))
                self.metrics.dead_letters.labels(name).set(dead.get(name, 0))

    def _begin(self, post: Post, dispatch: Dispatch) -> None:
        key = dispatch.message.message_id, dispatch.channel
        if key in self._under_way:
            return

        def ended(_: object) -> None:
            self._under_way.pop(key, None)
            self._woken.set()

        task = asyncio.create_task(self._deliver(post, dispatch))
        self._under_way[key] = task
        task.add_done_callback(ended)

    async def _deliver(self, post: Post, dispatch: Dispatch) -> None:
        """Send a message or do not, and note what became of it."""
        channel = self.channels.by_name[dispatch.channel]
        try:
            now = self._now()
            found = await self._ask(lambda: self.outbox.circumstances(dispatch, channel.sha256, now))
            record = withheld(dispatch, found, now)
            if record is None:
                record = await self._sent(post, channel, dispatch, ZoneInfo(found.time_zone))
        except asyncio.CancelledError:
            raise
        except StoreAwayError:
            return
        except Exception as error:
            log.exception("attempt broken", extra={"fields": _named(dispatch)})
            outcome = Outcome(Result.FAILED, f"could not be sent: {type(error).__name__}")
            record = settled(dispatch, outcome, self._now(), self.chance)
        await self._record(dispatch, record)

    async def _sent(self, post: Post, channel: Channel, dispatch: Dispatch, zone: ZoneInfo) -> Record:
        message = dispatch.message
        letter = Letter(message.message_id, message.kind.value, message.payload, message.data, zone)
        outcome = await post.attempt(channel, letter, self.clock())
        now = self._now()
        if outcome.result is Result.GONE:
            await self._ask(lambda: self.outbox.close_channel(channel.name, channel.sha256, outcome.reason, now))
            log.error("channel closed", extra={"fields": {"channel": channel.name, "reason": outcome.reason}})
        return settled(dispatch, outcome, now, self.chance)

    async def _record(self, dispatch: Dispatch, record: Record) -> None:
        """Note what became of a message, as soon as the store can be reached; it is not sent again meanwhile."""
        while True:
            try:
                noted = await self._ask(lambda: self.outbox.record(dispatch, record, self._now()))
                break
            except KilowatchError as error:
                log.warning("attempt not recorded", extra={"fields": {**_named(dispatch), "reason": str(error)}})
                await asyncio.sleep(PAUSE_S)
        if noted:
            self._count_one(dispatch, record)

    def _count_one(self, dispatch: Dispatch, record: Record) -> None:
        fields, name = {**_named(dispatch), "reason": record.reason}, dispatch.channel
        if record.status is Status.SENT:
            self.metrics.sent.labels(name).inc()
            delay = self.clock() - aware(dispatch.message.created_at)
            self.metrics.latency.labels(name).observe(max(0.0, delay.total_seconds()))
            log.info("alert sent", extra={"fields": fields})
        elif record.status is Status.DEAD:
            self.metrics.dead.labels(name).inc()
            log.error("alert given up", extra={"fields": fields})
        elif record.status is Status.FAILED:
            self.metrics.failed.labels(name).inc()
            log.warning("alert not sent", extra={"fields": fields | {"next_at": record.next_at}})
        elif record.status is not dispatch.status:
            self.metrics.withheld.labels(name, record.status.value).inc()
            log.info("alert withheld", extra={"fields": fields | {"status": record.status.value}})


def _purpose(channel: str) -> str:
    return f"alerts channel {channel}"


def _named(dispatch: Dispatch) -> dict[str, object]:
    return {"message": dispatch.message.message_id, "channel": dispatch.channel, "attempt": dispatch.attempts + 1}


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)
