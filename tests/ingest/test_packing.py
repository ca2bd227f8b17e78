"""Packing: messages of one gateway share a Kafka message, one too large is cut, and every reading is there once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.ingest.codec import decode
from streams.ingest.packing import Packed, pack, pieces
from streams.ingest.records import Record


def record(offset: int, value: bytes, site: str = "wugu", gateway: str = "mqtt:a", received_ms: int = 0) -> Record:
    return Record(offset, site, gateway, value, received_ms or offset)


def test_what_is_of_one_site_and_gateway_is_joined_in_order_with_the_latest_arrival() -> None:
    records = [record(1, b"1"), record(2, b"2", gateway="http:b"), record(3, b"3"), record(4, b"4", site="depot")]
    assert pack(records) == [
        Packed("wugu", "mqtt:a", b"1\n3", 3),
        Packed("wugu", "http:b", b"2", 2),
        Packed("depot", "mqtt:a", b"4", 4),
    ]


def test_the_latest_arrival_counts_even_where_clocks_step_back() -> None:
    assert pack([record(1, b"1", received_ms=9), record(2, b"2", received_ms=5)])[0].received_ms == 9


def test_a_pack_ends_where_it_would_grow_too_large() -> None:
    packed = pack([record(number, b"x" * 400) for number in range(1, 6)], pack_bytes=1_000)
    assert [message.value.count(b"x") for message in packed] == [800, 800, 400]


def test_a_tick_stays_alone() -> None:
    tick = Record(2, "", "clock", b"", 7, tick_ms=6)
    assert pack([record(1, b"1"), tick])[0] == Packed("", "clock", b"", 7, 6)


READING = st.fixed_dictionaries(
    {"point": st.sampled_from(["w/a", "w/b"]), "time": st.integers(1, 10**10), "value": st.floats(-1e9, 1e9)}
)
ROW = st.tuples(st.sampled_from(["w/a", "w/b"]), st.integers(1, 10**10), st.floats(-1e9, 1e9))
COLUMNS = st.lists(ROW, min_size=1).map(
    lambda rows: {
        "unit": "kWh",
        **dict(zip(("point", "time", "value"), map(list, zip(*rows, strict=True)), strict=True)),
    }
)


@given(st.lists(READING | COLUMNS | st.lists(READING, min_size=1), min_size=1, max_size=8), st.integers(150, 2_000))
def test_cut_telemetry_is_small_enough_and_holds_the_same_readings_in_order(parts: list[Any], most: int) -> None:
    value = "\n".join(map(json.dumps, parts)).encode()
    found = list(pieces(value, most))
    assert all(len(piece) <= most for piece in found)
    whole, cut = decode(value), decode(b"\n".join(found))
    assert cut.readings.rows() == whole.readings.rows()
    assert len(cut.rejects) == len(whole.rejects) == 0


@pytest.mark.parametrize(
    "value", [b"x" * 5_000, json.dumps({"point": "w/a", "time": 1, "value": "x" * 5_000}).encode()]
)
def test_what_cannot_be_cut_goes_to_quarantine_with_its_beginning(value: bytes) -> None:
    (piece,) = pieces(value, 1_000, "mqtt:a")
    (said,) = decode(piece).rejects["payload"]
    assert "mqtt:a: expected at most 1,000 bytes a reading; found 5,0" in said
    assert value[:20].decode().replace('"', '\\"') in said
