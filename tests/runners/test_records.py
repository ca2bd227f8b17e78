"""A Kafka message as a record: whatever its headers hold, it is one."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.ingest.messages import decode_messages
from streams.runners.kafka_app import AHEAD_MS, record_of

NOW_MS = 1_800_000_000_000


@dataclass
class Message:
    """What Faust hands over."""

    headers: list[tuple[str, bytes | None]]
    key: bytes | None = b"site"
    value: bytes | None = b""
    offset: int = 7
    timestamp: float = NOW_MS / 1000


@given(
    st.lists(st.tuples(st.sampled_from(["tick", "received", "gateway", "other"]), st.none() | st.binary(max_size=300)))
)
def test_any_headers_make_a_record_that_a_store_can_keep(headers: list[tuple[str, bytes | None]]) -> None:
    record = record_of(Message(headers))
    assert "\x00" not in record.gateway
    assert 0 < len(record.gateway) <= 200
    assert record.tick_ms is None or record.tick_ms <= NOW_MS + AHEAD_MS


@pytest.mark.parametrize("tick", [b"abc", b"-5", b"1.5", str(NOW_MS + AHEAD_MS + 1).encode(), b"9" * 40])
def test_a_tick_that_cannot_be_believed_is_told_and_is_no_tick(tick: bytes) -> None:
    record = record_of(Message([("tick", tick)]))
    assert record.tick_ms is None
    assert len(decode_messages([record.value]).rejects) == 1


def test_a_tick_and_the_first_arrival_are_read() -> None:
    record = record_of(Message([("tick", b"1700000000000"), ("received", b"1700000000001"), ("gateway", b"gw")]))
    assert (record.tick_ms, record.sent_ms, record.gateway) == (1_700_000_000_000, 1_700_000_000_001, "gw")
