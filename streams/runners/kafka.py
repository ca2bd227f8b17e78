"""The Kafka runner: a thin Faust app that hands batches of messages to lanes, one a partition.

Faust does what a distributed engine is for (groups, partitions, rebalancing); arithmetic, state and positions are the
lanes' and the store's. Its own offsets are only a hint where to begin: it is known to redeliver after a rebalance and
to jump ahead, so that what a lane has committed is skipped and what it misses is sought.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, Final

import faust
from aiokafka.errors import IllegalStateError, KafkaError  # type: ignore[import-untyped]
from faust.types import TP

from streams.catalog.folder import SiteFolder
from streams.catalog.runs import is_run
from streams.domain.findings import FencedError, KilowatchError, StoreAwayError
from streams.ingest.kafka_settings import KafkaSettings
from streams.ingest.records import Record
from streams.runners.batch import MOST_RECORDS, Batch, runs
from streams.runners.faust_consumer import Intake
from streams.runners.inbox import Inbox
from streams.runners.kafka_app import Group, app_of, record_of, topic_of
from streams.runners.kafka_clients import KafkaUnusableError
from streams.runners.kafka_log import KafkaLog, Kept
from streams.runners.kafka_topics import ALERTS, DEAD_LETTERS, INTERVALS, SCORES, TELEMETRY
from streams.runners.keeping import Keeping
from streams.runners.live import Lane, LostError
from streams.runners.memory import GIVE_BACK_S, give_back
from streams.runners.metrics import LiveMetrics
from streams.runners.results import interval_messages, score_messages
from streams.runners.standstill import Remedy, Standstill
from streams.runners.watching import REFRESH_S, look
from streams.stores.alerts import payload
from streams.stores.postgres import PostgresStore

log = logging.getLogger("kilowatch.worker")

AT_ONCE: Final = 250
BATCH_S: Final = 3.0
LEAVE_S: Final = 4.0
"""So long the end waits for the batch in hand, and for the group, which may itself wait for a member that is dead."""
TAKE_S: Final = 0.01
KEEP_S: Final = 1.0
LOOK_S: Final = 5.0
SEEK_AGAIN_S: Final = 5.0
PAUSES_S: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
HEADER_BYTES: Final = 1_000
LETTER_BYTES: Final = 1024 * 1024


@dataclass(slots=True)
class Worker:
    """One process of the group: its lanes, and the thread that works for all of them."""

    kafka: KafkaSettings
    group: Group
    store: PostgresStore
    folder: SiteFolder
    metrics: LiveMetrics
    clock: Callable[[], datetime]
    keeping: Keeping
    lanes: dict[int, Lane] = field(default_factory=dict)
    thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "pipeline"))
    writer: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "commit"))
    quiet: threading.Event = field(default_factory=threading.Event)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    inbox: Inbox = field(default_factory=Inbox)
    intake: Intake = field(default_factory=lambda: Intake(MOST_RECORDS))
    committing: asyncio.Future[None] | None = None
    app: faust.App = field(init=False)
    telemetry: Any = field(init=False)
    letters: Any = field(init=False)
    intervals: Any = field(init=False)
    scores: Any = field(init=False)
    alerts: Any = field(init=False)
    sought: dict[int, tuple[int, float]] = field(default_factory=dict)
    log: KafkaLog = field(init=False)
    standstill: Standstill = field(default_factory=Standstill)
    hands: int = 0
    stopping: bool = False
    assigned: bool = False
    is_stuck: bool = False
    trouble: str = ""
    failure: Exception | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        """Make the Faust app; nothing is connected yet."""
        self.quiet.set()
        self.log = KafkaLog(self.kafka, TELEMETRY)
        self.app = app_of(self.kafka, self.group, self._positions, self.intake, self.turn.locked)
        self.telemetry = topic_of(self.app, TELEMETRY)
        self.letters = topic_of(self.app, DEAD_LETTERS)
        self.intervals, self.scores, self.alerts = (topic_of(self.app, each) for each in (INTERVALS, SCORES, ALERTS))
        self.app.agent(self.telemetry, name="telemetry")(self._take_stream)
        self.app.timer(interval=self.group.tick_s, name="ticks")(self._tick)
        self.app.timer(interval=REFRESH_S, name="catalog")(self._refresh)
        self.app.timer(interval=REFRESH_S, name="models")(self._look_for_models)
        self.app.timer(interval=self.group.within_s, name="rest")(self._rest)
        self.app.timer(interval=KEEP_S, name="housekeeping")(self._keep)
        self.app.timer(interval=GIVE_BACK_S, name="memory")(self._give_back)
        self.app.timer(interval=KEEP_S, name="lag")(self._lag)
        self.app.timer(interval=LOOK_S, name="standstill")(self._see_to_standstill)
        self.app.on_partitions_revoked.connect(self._revoked)
        self.app.on_partitions_assigned.connect(self._assigned)

    async def _take_stream(self, stream: Any) -> None:  # noqa: ANN401 - Faust's own types are open
        """Put what comes into the inbox; Faust reads on while a batch is computed, as long as there is room."""
        try:
            async for events in stream.take_events(AT_ONCE, within=TAKE_S):
                self.inbox.put([(event.message.partition, record_of(event.message)) for event in events])
        except Exception as error:  # noqa: BLE001 - Faust would go on without it
            self.give_up(error)

    async def _take_inbox(self) -> None:
        """Work off what comes, until the end."""
        while not self.stopping:
            taken = await self.inbox.take(MOST_RECORDS, self.group.within_s)
            for part, records in taken.items():
                if TP(TELEMETRY, part) in self.app.consumer.assignment() and not self.stopping:
                    await self.take(part, records)
                self.intake.passed(TP(TELEMETRY, part), records[-1].offset)

    async def _rest(self) -> None:
        """Work off, while nothing comes, what earlier batches have left for later."""
        if not self.turn.locked():
            await self._for_each_lane(self._work_rest)

    async def _look_for_models(self) -> None:
        """Put versions of models into use that were trained meanwhile."""
        await self._for_each_lane(self._models_of)

    async def _models_of(self, lane: Lane) -> None:
        await self._settled()
        if await self._surely(lane.look_for_models, thread=self.writer):
            await self._work(lane, [])

    async def _keep(self) -> None:
        """Do a piece of the housekeeping."""
        await self._for_each_lane(self._keep_lane)

    async def _give_back(self) -> None:
        await self._in_thread(give_back)

    async def _for_each_lane(self, does: Callable[[Lane], Awaitable[None]]) -> None:
        async with self.turn:
            try:
                for lane in list(self.lanes.values()):
                    if not self.stopping:
                        await does(lane)
            except Exception as error:  # noqa: BLE001 - it ends the process, which says so
                self.give_up(error)

    async def _work_rest(self, lane: Lane) -> None:
        if lane.behind:
            await self._work(lane, [])

    async def _keep_lane(self, lane: Lane) -> None:
        await self._settled()
        try:
            await self._surely(self.keeping.rest, lane, thread=self.writer)
        except FencedError as error:
            await self._fenced(lane, [], error)

    async def take(self, part: int, records: Sequence[Record]) -> None:
        """Work off records of a partition; on return they are in the store, or will be read again."""
        async with self.turn:
            await self._take(part, records)

    async def _take(self, part: int, records: Sequence[Record]) -> None:
        for run in runs(records):
            lane = await self._lane(part)
            try:
                groups = lane.batches(run)
            except LostError:
                found = await self._in_step(lane, run)
                if found is None:
                    return
                lane, groups = found
            self.metrics.skipped.inc(len(run) - sum(map(len, groups)))
            if not groups:
                await self._need_same_topic(lane)
            for group in groups:
                while not self.stopping and lane.next_offset <= group[-1].offset:
                    if not await self._work(lane, group):
                        return

    async def _in_step(self, lane: Lane, run: Sequence[Record]) -> tuple[Lane, list[list[Record]]] | None:
        """A lane that can go on with records although some lack before them; None where it is read again.

        Others may have gone on since it was made, or the log has nothing between.
        """
        await self._settled()
        if not await self._surely(lane.is_current):
            self._let_go(lane.part)
        lane = await self._lane(lane.part)
        try:
            return lane, lane.batches(run)
        except LostError as error:
            return (lane, lane.batches(run)) if await self._is_whole(lane, error) else None

    async def _need_same_topic(self, lane: Lane) -> None:
        """KilowatchError where the log ends before the stored position; what was last heard of its end may be old."""
        if (self._end_of(lane.part) or lane.next_offset) >= lane.next_offset:
            return
        if (await self._kept(lane.part, lane.next_offset)).first < lane.next_offset:
            raise KilowatchError(
                f"topic {TELEMETRY}[{lane.part}] ends before the stored position {lane.next_offset}: it was made anew; "
                "start the worker again"
            )

    async def _work(self, lane: Lane, records: list[Record]) -> bool:
        """Compute one batch while the one before is committed, then begin its commit; False where it is read again."""
        try:
            began = time.perf_counter()
            batch = await self._computed(lane, records)
            if batch is None:
                return False
            self.metrics.compute.observe(time.perf_counter() - began)
            await self._tell(lane, batch)
        except FencedError as error:
            await self._fenced(lane, records, error)
            await self._settled()
            return False
        await self._settled()
        if self.lanes.get(lane.part) is not lane:
            return False
        self.quiet.clear()
        self.committing = asyncio.ensure_future(self._stored(lane, batch, records))
        return True

    async def _fenced(self, lane: Lane, records: list[Record], error: FencedError) -> None:
        """Let go of a lane that another worker has moved on, and read on from where the store is."""
        self.metrics.fenced.inc()
        log.warning("fenced", extra={"fields": {"part": lane.part, "reason": str(error)}})
        self._let_go(lane.part)
        self.quiet.set()
        if records and TP(TELEMETRY, lane.part) in self.app.consumer.assignment():
            fresh = await self._lane(lane.part)
            await self._seek(lane.part, fresh.next_offset, records[0].offset)

    async def _settled(self) -> None:
        """Wait for the commit under way; what went wrong in it goes wrong here."""
        if self.committing:
            waited, self.committing = self.committing, None
            await waited

    async def _computed(self, lane: Lane, records: list[Record]) -> Batch | None:
        """Compute a batch, of records or of what was left for later (None where nothing was).

        Where the store goes away meanwhile, the lane begins again from what it has committed.
        """
        before = lane.next_offset
        compute = partial(lane.prepare, records) if records else lane.rest
        while True:
            try:
                batch: Batch | None = await self._in_thread(compute)
            except StoreAwayError as error:
                await self._settled()
                await self._wait_for_store(error)
                await self._surely(lane.reload)
                if lane.next_offset != before:
                    raise FencedError("another worker went on meanwhile") from error
            else:
                return batch

    async def _stored(self, lane: Lane, batch: Batch, records: list[Record]) -> None:
        """Commit, again and again while the server is away; whether a lost answer was a yes the position tells."""
        began = time.perf_counter()
        is_uncertain = False
        try:
            while True:
                try:
                    if is_uncertain and await self._in_thread(lane.settled, batch, thread=self.writer):
                        break
                    await self._in_thread(lane.commit, batch, thread=self.writer)
                    break
                except StoreAwayError as error:
                    is_uncertain = True
                    await self._wait_for_store(error)
            await self._surely(self.keeping.after, lane, batch, thread=self.writer)
        except FencedError as error:
            await self._fenced(lane, records, error)
            return
        finally:
            self.quiet.set()
        self.metrics.commit.observe(time.perf_counter() - began)
        self._count(batch, records)

    async def _surely(
        self,
        call: Callable[..., Any],
        *given: Any,  # noqa: ANN401 - whatever it takes
        thread: ThreadPoolExecutor | None = None,
    ) -> Any:  # noqa: ANN401 - whatever it returns
        """Do what may be done again, again and again while the store is away."""
        while True:
            try:
                return await self._in_thread(call, *given, thread=thread)
            except StoreAwayError as error:
                await self._wait_for_store(error)

    async def _positions(self, partitions: Set[TP]) -> dict[TP, int]:
        """Where the store stands; at the beginning of a partition that nobody has committed anything of.

        Faust's own offset must not stand in for it: it may be that of a worker which read, and was killed before it
        committed, and where nothing new comes nobody would notice what is missing.
        """
        position = f"{TELEMETRY} {self.group.topic_id}"
        statement = "select part, next_offset from op.log_position where log = $1"

        def read() -> dict[int, int]:
            self._quiet()
            return dict(self.store.rows(statement, [position]))

        stored = await self._surely(read)
        return {each: stored.get(each.partition, 0) for each in partitions if each.topic == TELEMETRY}

    def not_ready(self) -> str:
        """Why no reading can be taken now; empty where it can."""
        return self.trouble or ("" if self.assigned else "no partition is assigned yet")

    def give_up(self, error: Exception) -> None:
        """End the process: what is in memory is not what is in the store any more."""
        if self.ended.is_set():  # asked to end: a batch under way finds Kafka let go, and is read again
            log.warning("given up at the end", extra={"fields": {"reason": repr(error)}})
        else:
            self.failure = error
        self.stopping = True
        self.ended.set()

    async def _lane(self, part: int) -> Lane:
        """The lane of a partition; one that was made while partitions changed hands is made anew."""
        while part not in self.lanes:
            hands = self.hands
            lane: Lane = await self._surely(self._new_lane, part)
            if hands == self.hands:
                self.lanes[part] = lane
        return self.lanes[part]

    def _new_lane(self, part: int) -> Lane:
        archive, identity = self.keeping.archive, self.group.topic_id
        lane = Lane(TELEMETRY, part, self.store, self.folder, self.clock, self._quiet, archive, identity)
        self.keeping.begin(lane)
        return lane

    def _let_go(self, part: int) -> None:
        if lane := self.lanes.pop(part, None):
            self.keeping.end(lane)

    def _quiet(self) -> None:
        """Wait, in the pipeline's thread, for the commit under way: one connection serves both."""
        self.quiet.wait()

    async def _in_thread(
        self,
        call: Callable[..., Any],
        *given: Any,  # noqa: ANN401 - whatever it takes
        thread: ThreadPoolExecutor | None = None,
    ) -> Any:  # noqa: ANN401 - whatever it returns
        return await asyncio.get_running_loop().run_in_executor(thread or self.thread, call, *given)

    async def _wait_for_store(self, error: StoreAwayError) -> None:
        """Reconnect with pauses; meanwhile nothing is taken, and Kafka keeps what comes."""
        self.metrics.store_up.set(0)
        self.trouble = str(error)
        log.error("store away", extra={"fields": {"reason": str(error)}})
        turn = 0
        while True:
            if self.stopping or self.ended.is_set():
                raise error
            with suppress(TimeoutError):
                await asyncio.wait_for(self.ended.wait(), PAUSES_S[min(turn, len(PAUSES_S) - 1)])
                continue
            turn += 1
            self.metrics.retries.inc()
            try:
                await self._in_thread(self.store.reconnect, thread=self.writer)
            except StoreAwayError:
                continue
            self.metrics.store_up.set(1)
            self.trouble = ""
            log.info("store back", extra={"fields": {"attempts": turn}})
            return

    async def _is_whole(self, lane: Lane, lost: LostError) -> bool:
        """Whether a lane can go on with what was found, since the log has nothing between; else it is read again.

        What was on its way comes first, and is passed over without asking and seeking again.
        """
        part, tp = lane.part, TP(TELEMETRY, lane.part)
        if tp not in self.app.consumer.assignment():
            return False
        sought, moment = self.sought.get(part, (-1, 0.0))
        if sought == lost.expected and time.monotonic() - moment < SEEK_AGAIN_S:
            return False
        kept = await self._kept(part, lost.expected)
        if lost.expected < kept.first:
            try:
                await self._surely(lane.skip, kept.first, max(0, kept.earliest - lost.expected))
            except FencedError as error:
                await self._fenced(lane, [], error)
                return False
            if kept.first == lost.found:
                return True
        await self._seek(part, kept.first, lost.found)
        return False

    async def _seek(self, part: int, offset: int, found: int) -> None:
        """Read on from an offset, where the partition is still ours."""
        log.info("sought", extra={"fields": {"part": part, "offset": offset, "found": found}})
        self.sought[part] = offset, time.monotonic()
        with suppress(IllegalStateError):  # it was taken away meanwhile
            await self.app.consumer.seek(TP(TELEMETRY, part), offset)

    async def _kept(self, part: int, offset: int) -> Kept:
        """What the log has from an offset on; the offset itself where the brokers do not tell."""
        try:
            kept: Kept = await self._in_thread(self.log.kept_from, part, offset)
        except KafkaUnusableError as error:
            log.warning("not told what the log has", extra={"fields": {"part": part, "reason": str(error)}})
            return Kept(offset, offset)
        return kept

    async def _tell(self, lane: Lane, batch: Batch) -> None:
        """Send results and undecodable messages before the commit: they may come twice, and are never missed."""
        sent = []
        for site, outputs in batch.outputs:
            if is_run(site.name):
                continue
            for topic, made in ((self.intervals, interval_messages), (self.scores, score_messages)):
                for value in made(site.name, site.points, outputs):
                    sent.append(await topic.send(key=site.name.encode(), value=value))  # noqa: PERF401 - one at a time
        for notice in batch.notices:
            sent.append(await self.alerts.send(key=notice.episode.site.encode(), value=payload(notice)))  # noqa: PERF401
        for record, reason in batch.undecodable:
            headers = {
                "reason": reason.encode()[:HEADER_BYTES],
                "topic": TELEMETRY.encode(),
                "partition": str(lane.part).encode(),
                "offset": str(record.offset).encode(),
                "gateway": record.gateway.encode(),
            }
            sent.append(
                await self.letters.send(key=record.site.encode(), value=record.value[:LETTER_BYTES], headers=headers)
            )
        for each in sent:
            await each

    def _count(self, batch: Batch, records: Sequence[Record]) -> None:
        self.metrics.count(batch.counts)
        now_ms = self.clock().timestamp() * 1000
        for record in records:
            if record.tick_ms is None:
                self.metrics.latency.observe(max(0.0, now_ms - (record.sent_ms or record.received_ms)) / 1000)

    async def _lag(self) -> None:
        """How far each lane is behind what the brokers last said, also while nothing can be stored."""
        for lane in self.lanes.values():
            end = self._end_of(lane.part) or lane.stored
            self.metrics.lag.labels(TELEMETRY, str(lane.part)).set(max(0, end - lane.stored))

    async def _see_to_standstill(self) -> None:
        """Read on where a partition stands still though its log goes on; where that does not help, end the process."""
        ours = {each for each in self.app.consumer.assignment() if each.topic == TELEMETRY}
        if self.trouble or not ours:
            self.standstill.clear()
            return
        try:
            found = await asyncio.wait_for(self.app.consumer.highwaters(*ours), LOOK_S)
        except (KafkaError, TimeoutError):  # the brokers are away, so that nothing can come
            self.standstill.clear()
            return
        ends = {tp.partition: end for tp, end in found.items()}
        is_busy = self.app.rebalancing or self.turn.locked() or bool(self.inbox.waiting)
        stored = {tp.partition: offset for tp, offset in (await self._positions(ours)).items()}
        for part, remedy in self.standstill.look(stored, ends, time.monotonic(), is_busy=is_busy).items():
            if not is_busy and (await self._kept(part, stored[part])).first >= ends[part]:
                continue
            log.warning("stands still", extra={"fields": {"part": part, "offset": stored[part], "end": ends[part]}})
            self.metrics.stood_still.inc()
            if remedy is Remedy.RESTART:
                self.give_up(
                    KilowatchError(
                        f"Kafka {self.kafka.servers}: nothing comes of {TELEMETRY}[{part}] from {stored[part]} on, "
                        f"though it ends at {ends[part]}; start the worker again"
                    )
                )
                return
            self.intake.clear()
            await self._seek(part, stored[part], ends[part])

    def _end_of(self, part: int) -> int | None:
        """Where a partition ends, as the broker last said; None where it has not, or it is another's partition now."""
        try:
            end: int | None = self.app.consumer.highwater(TP(TELEMETRY, part))
        except (AssertionError, AttributeError):  # aiokafka asserts that it is assigned, which may change at any time
            return None
        return end

    async def _tick(self) -> None:
        """A recorded tick into each partition of ours; two workers that both think so do no harm."""
        now_ms = int(self.clock().timestamp() * 1000)
        headers = {"tick": str(now_ms).encode()}
        for tp in self.app.consumer.assignment():
            if tp.topic == TELEMETRY:
                await self.telemetry.send(key=b"", value=b"", partition=tp.partition, headers=headers)

    async def _refresh(self) -> None:
        await self._in_thread(look, self.folder, self.metrics, log)

    async def _revoked(self, _app: Any, /, *given: Any, **_: Any) -> None:  # noqa: ANN401 - Faust's signature
        """Let go of state; a batch under way commits, or is fenced by whoever has the partition now."""
        self.hands += 1
        self.standstill.clear()
        self.inbox.drop({tp.partition for tp in given[0] if tp.topic == TELEMETRY})
        for tp in given[0]:
            if tp.topic == TELEMETRY:
                self._let_go(tp.partition)
                with suppress(KeyError):
                    self.metrics.lag.remove(TELEMETRY, str(tp.partition))

    async def _assigned(self, _app: Any, /, *_given: Any, **_: Any) -> None:  # noqa: ANN401 - Faust's signature
        """Begin every partition from the store, as if it had never been ours: meanwhile others may have gone on."""
        self.hands += 1
        self.sought.clear()
        for part in list(self.lanes):
            self._let_go(part)
        self.assigned = True

    async def run(self) -> None:
        """Work until `ended` is set; what went wrong goes wrong here. `is_stuck` tells that threads are still busy."""
        starting = asyncio.ensure_future(self.app.start())
        asked = asyncio.ensure_future(self.ended.wait())
        await asyncio.wait({starting, asked}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            await starting
        crashed = asyncio.ensure_future(self.app.wait_until_stopped())
        working = asyncio.ensure_future(self._take_inbox())
        try:
            await asyncio.wait({crashed, asked, working}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._end(working)
            for each in (crashed, asked):
                each.cancel()
        if self.failure:
            raise self.failure
        if not self.ended.is_set():
            raise KilowatchError(f"Kafka {self.kafka.servers}: the worker gave up: {self.app.crash_reason!r}")

    async def _end(self, working: asyncio.Future[None]) -> None:
        """Let the batch in hand be stored, and leave the group; neither is waited for without end."""
        self.stopping = True
        self.inbox.close()
        await asyncio.wait({working}, timeout=BATCH_S)
        under_way = {working, asyncio.ensure_future(self.app.stop())}
        if self.committing:
            under_way.add(self.committing)
        ended, waiting = await asyncio.wait(under_way, timeout=LEAVE_S)
        for error in (each.exception() for each in ended if not each.cancelled()):
            if isinstance(error, Exception):
                self.give_up(error)
        self.is_stuck = bool(waiting)
        if self.is_stuck:
            log.warning("not waited for", extra={"fields": {"waited_s": BATCH_S + LEAVE_S}})
        else:
            self.log.close()
            self.thread.shutdown()
            self.writer.shutdown()
