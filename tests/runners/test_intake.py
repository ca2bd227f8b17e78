"""The intake bounds by bytes what a worker has read and not worked off, and never locks itself up."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from faust.types import TP

from streams.runners import faust_consumer
from streams.runners.faust_consumer import FEW_RECORDS, ROOM_BYTES, Intake

PART, OTHER = TP("telemetry", 0), TP("telemetry", 1)


@dataclass
class Message:
    offset: int
    value: bytes | None


def many(first: int, count: int, size: int) -> list[Message]:
    value = bytes(size)
    return [Message(offset, value) for offset in range(first, first + count)]


def test_polls_grow_while_messages_are_small() -> None:
    intake, offset, polls = Intake(2_000), 0, []
    for _ in range(9):
        most = intake.room(is_busy=False)
        intake.came({PART: many(offset, most, 100)}, {})
        offset += most
        intake.passed(PART, offset - 1)
        polls.append(most)
    assert polls[0] == 2 * FEW_RECORDS
    assert polls[-1] == 2_000
    assert intake.bytes == 0


def test_large_messages_are_read_until_there_is_no_room_and_again_when_there_is() -> None:
    intake, offset = Intake(2_000), 0
    while most := intake.room(is_busy=True):
        intake.came({PART: many(offset, most, 1 << 20)}, {})
        offset += most
    assert ROOM_BYTES <= intake.bytes <= ROOM_BYTES + (2 * FEW_RECORDS << 20)
    intake.passed(PART, offset - 5)
    assert intake.bytes == 4 << 20
    assert intake.room(is_busy=True) == 28


def test_each_partition_counts_for_itself_and_what_is_dropped_does_not_count() -> None:
    intake = Intake(2_000)
    intake.came({PART: many(0, 10, 1_000), OTHER: many(50, 10, 1_000)}, {OTHER: 55})
    assert intake.bytes == 15_000
    intake.passed(OTHER, 100)
    assert intake.bytes == 10_000
    intake.clear()
    assert intake.bytes == 0


def test_what_nobody_works_on_is_forgotten_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(faust_consumer.time, "monotonic", lambda: now)
    intake = Intake(2_000)
    intake.came({PART: many(0, 40, 1 << 20)}, {})
    for busy in (False, False, True):
        assert intake.room(is_busy=busy) == 0
    now += 1.9
    assert intake.room(is_busy=False) == 0
    now += 0.2
    assert intake.room(is_busy=False) == 0
    assert intake.room(is_busy=False) > 0
