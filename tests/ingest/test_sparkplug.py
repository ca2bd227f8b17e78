"""Sparkplug B: births, aliases, signed integers, nulls, sequence numbers and rebirths (specification 3.0.0)."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.ingest.sparkplug import ASK_AGAIN_MS, Heard, Metric, Payload, Sparkplug

NODE = "spBv1.0/plant/{}/gw1"
DEVICE = "spBv1.0/plant/{}/gw1/press"
NOW = 1_767_573_000_000


def payload(seq: int | None, *metrics: dict[str, Any], timestamp: int | None = NOW) -> bytes:
    fields: dict[str, Any] = {"metrics": list(metrics)}
    if seq is not None:
        fields["seq"] = seq
    if timestamp is not None:
        fields["timestamp"] = timestamp
    sent: bytes = Payload(**fields).SerializeToString()
    return sent


@pytest.fixture
def born() -> Sparkplug:
    """A decoder that has seen the births of a node and of its device."""
    decoder = Sparkplug()
    temperature = {"name": "Temperature", "alias": 1, "datatype": 1, "int_value": 250}
    energy = {"name": "Energy", "alias": 2, "datatype": 10, "double_value": 99.5}
    assert decoder.take(NODE.format("NBIRTH"), payload(0, temperature), NOW).requests == ()
    assert decoder.take(DEVICE.format("DBIRTH"), payload(1, energy), NOW).requests == ()
    return decoder


def test_the_bytes_of_a_message_are_those_of_the_specification() -> None:
    """A payload written byte by byte by the table of chapter 6.4.1."""
    metric = b"\x0a\x01E" + b"\x10\x07" + b"\x18\x05" + b"\x20\x0a" + b"\x28\x01" + b"\x69" + struct.pack("<d", 1.5)
    raw = b"\x08\x09" + b"\x12" + bytes([len(metric)]) + metric + b"\x18\x00"
    raw += b"\x22\x04uuid" + b"\x32\x00"  # fields that are passed over
    heard = Sparkplug().take(NODE.format("NBIRTH"), raw, NOW)
    assert heard == Heard("plant", "gw1", "", (Metric("E", 5, 1.5, historical=True),))


def test_a_birth_gives_values_and_data_is_resolved_by_alias(born: Sparkplug) -> None:
    heard = born.take(DEVICE.format("DDATA"), payload(2, {"alias": 2, "double_value": 100.25, "timestamp": 7}), NOW)
    assert heard == Heard("plant", "gw1", "press", (Metric("Energy", 7, 100.25),))
    heard = born.take(NODE.format("NDATA"), payload(3, {"alias": 1, "int_value": 0xFFFFFFF6}), NOW)
    assert heard == Heard("plant", "gw1", "", (Metric("Temperature", NOW, -10),))


@given(st.sampled_from([(1, 8), (2, 16), (3, 32), (4, 64)]), st.data())
def test_signed_integers_come_through_whatever_the_width(kind: tuple[int, int], data: st.DataObject) -> None:
    type_, bits = kind
    number = data.draw(st.integers(-(1 << (bits - 1)), (1 << (bits - 1)) - 1))
    carried = 64 if bits == 64 else data.draw(st.sampled_from([32, bits]))
    place = "long_value" if bits == 64 else "int_value"
    sent = {"name": "x", "datatype": type_, place: number & ((1 << carried) - 1)}
    heard = Sparkplug().take(NODE.format("NBIRTH"), payload(0, sent), NOW)
    assert [metric.value for metric in heard.metrics] == [number]


@pytest.mark.parametrize(
    ("sent", "value"),
    [
        ({"datatype": 7, "int_value": 0xFFFFFFFF}, 4_294_967_295),
        ({"datatype": 8, "long_value": (1 << 64) - 1}, (1 << 64) - 1),
        ({"datatype": 9, "float_value": 18.1}, 18.1),
        ({"datatype": 11, "boolean_value": False}, False),
        ({"datatype": 12, "string_value": "running"}, "running"),
        ({"datatype": 10, "double_value": 0.0}, 0.0),
        ({"datatype": 10, "is_null": True}, None),
        ({"datatype": 10, "is_null": True, "double_value": 0.0}, None),
    ],
)
def test_each_kind_of_value_is_read_and_null_is_no_zero(sent: dict[str, Any], value: Any) -> None:
    (metric,) = Sparkplug().take(NODE.format("NBIRTH"), payload(0, {"name": "x", **sent}), NOW).metrics
    assert metric.value == value
    assert type(metric.value) is type(value)


def test_bytes_and_templates_are_told_and_no_reason_for_a_rebirth() -> None:
    odd = [{"name": "photo", "datatype": 17, "bytes_value": b"x"}, {"name": "type", "datatype": 19}]
    heard = Sparkplug().take(NODE.format("NBIRTH"), payload(0, *odd), NOW)
    assert [problem.name for problem in heard.problems] == ["photo", "type"]
    assert (heard.metrics, heard.requests) == ((), ())


def test_a_metric_without_any_time_leaves_it_to_the_arrival() -> None:
    heard = Sparkplug().take(NODE.format("NBIRTH"), payload(0, {"name": "x", "int_value": 1}, timestamp=None), NOW)
    assert heard.metrics == (Metric("x", None, 1),)


def asks(heard: Heard) -> bool:
    """Whether the node is asked for a rebirth, in the form that the specification demands."""
    if not heard.requests:
        return False
    (request,) = heard.requests
    assert request.topic == "spBv1.0/plant/NCMD/gw1"
    (metric,) = Payload.FromString(request.payload).metrics
    assert (metric.name, metric.datatype, metric.boolean_value) == ("Node Control/Rebirth", 11, True)
    return True


def test_data_before_a_birth_asks_for_it_once_and_keeps_what_has_a_name() -> None:
    decoder = Sparkplug()
    sent = payload(5, {"name": "Energy", "double_value": 1.0}, {"alias": 4, "double_value": 2.0})
    heard = decoder.take(NODE.format("NDATA"), sent, NOW)
    assert heard.metrics == (Metric("Energy", NOW, 1.0),)
    assert [problem.reason for problem in heard.problems] == ["NDATA: alias 4 was in no birth, value 2.0"]
    assert asks(heard)
    assert not asks(decoder.take(NODE.format("NDATA"), sent, NOW + ASK_AGAIN_MS - 1))
    assert asks(decoder.take(NODE.format("NDATA"), sent, NOW + ASK_AGAIN_MS))


def test_the_sequence_number_wraps_and_a_gap_asks_for_a_rebirth(born: Sparkplug) -> None:
    sent = {"alias": 1, "int_value": 20}
    for number in [*range(2, 256), 0, 1]:
        assert not asks(born.take(NODE.format("NDATA"), payload(number, sent), NOW))
    heard = born.take(NODE.format("NDATA"), payload(3, sent), NOW)
    assert heard.metrics == (Metric("Temperature", NOW, 20),)
    assert asks(heard)


def test_a_device_that_was_not_born_asks_for_a_rebirth(born: Sparkplug) -> None:
    assert asks(born.take("spBv1.0/plant/DDATA/gw1/lathe", payload(2, {"name": "x", "int_value": 1}), NOW))


def test_a_death_takes_the_aliases_along(born: Sparkplug) -> None:
    born.take(DEVICE.format("DDEATH"), payload(2), NOW)
    heard = born.take(DEVICE.format("DDATA"), payload(3, {"alias": 2, "double_value": 1.0}), NOW)
    assert heard.metrics == ()
    assert asks(heard)


def test_after_the_death_of_a_node_its_data_needs_a_new_birth(born: Sparkplug) -> None:
    assert born.take(NODE.format("NDEATH"), payload(None), NOW) == Heard("plant", "gw1", "")
    heard = born.take(NODE.format("NDATA"), payload(2, {"alias": 1, "int_value": 1}), NOW)
    assert heard.metrics == ()
    assert asks(heard)


def test_a_rebirth_with_other_aliases_counts_from_then_on(born: Sparkplug) -> None:
    born.take(NODE.format("NBIRTH"), payload(0, {"name": "Humidity", "alias": 1, "datatype": 9}), NOW)
    heard = born.take(NODE.format("NDATA"), payload(1, {"alias": 1, "float_value": 0.5}), NOW)
    assert heard == Heard("plant", "gw1", "", (Metric("Humidity", NOW, 0.5),))


@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_or_told_and_never_raise(data: bytes) -> None:
    decoder = Sparkplug()
    for kind in ("NBIRTH", "NDATA"):
        heard = decoder.take(NODE.format(kind), data, NOW)
        assert heard.group == "plant"


def test_text_that_is_no_utf8_is_told() -> None:
    raw = b"\x12\x06\x0a\x02\xff\xfe\x50\x01" + b"\x12\x07\x0a\x01a\x7a\x02\xff\xfe"
    heard = Sparkplug().take(NODE.format("NBIRTH"), raw, NOW)
    assert heard.metrics == (Metric("\ufffd\ufffd", None, 1),)
    assert heard.problems[0].reason == "NBIRTH: a: expected text in UTF-8; found 0xfffe"


def test_what_is_no_sparkplug_topic_is_told() -> None:
    assert Sparkplug().take("spBv1.0/plant/XDATA/gw1", b"", NOW).problems[0].reason == "not a Sparkplug topic"
    assert Sparkplug().take("spBv1.0/STATE/host", b"{}", NOW) == Heard("", "", "")
