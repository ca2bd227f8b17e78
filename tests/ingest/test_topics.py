"""What comes on MQTT topics becomes telemetry by the rules of inlets.yaml; nothing disappears."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.domain.findings import CatalogError
from streams.ingest.codec import decode
from streams.ingest.inlets import Inlets, read_inlets
from streams.ingest.records import Message
from streams.ingest.sparkplug import Payload
from streams.ingest.tally import Tally
from streams.ingest.topics import Topics

NOW = 1_767_573_000_000
RULES = """
topics:
  - topic: plant/{gateway}/telemetry
    site: plant
  - topic: "{site}/meters/#"
    site: "{site}"
  - topic: shellies/{device}/emeter/{n}/energy
    site: wugu
    form: value
    point: "{site}/{device}/{n}"
    unit: Wh
  - topic: tele/{device}/SENSOR
    site: wugu
    form: json
    time: Time
    time_format: "%Y-%m-%dT%H:%M:%S"
    time_zone: Europe/Berlin
    readings:
      - {point: "wugu/{device}/total", value: ENERGY.Total, unit: kWh}
      - {point: "wugu/{device}/power", value: [ENERGY, "Power.all", "1"], unit: W, optional: true}
  - topic: now/+
    site: wugu
    form: json
    readings: [{point: wugu/now, value: v}]
  - topic: spBv1.0/{group}/#
    site: "{group}"
    form: sparkplug
    point: "{site}/{metric}"
    metrics: {Main/Energy: main}
    skip: ["Properties/*"]
"""


def made(tmp_path: Path, rules: str = RULES) -> tuple[Topics, Tally]:
    path, tally = tmp_path / "inlets.yaml", Tally()
    path.write_text(rules)
    return Topics(read_inlets(path), tally), tally


@pytest.fixture
def topics(tmp_path: Path) -> Topics:
    return made(tmp_path)[0]


def taken(topics: Topics, topic: str, payload: bytes, *, retained: bool = False) -> Message:
    message = topics.take(topic, payload, NOW, retained=retained).message
    assert message is not None
    return message


def rows(message: Message) -> list[Any]:
    """Readings as the pipeline decodes them: point, time, value, text, unit, quality."""
    decoded = decode(message.value)
    assert decoded.rejects.rows() == []
    return [row[:6] for row in decoded.readings.rows()]


def test_a_filter_has_a_plus_for_each_name(topics: Topics) -> None:
    assert topics.filters == [
        "plant/+/telemetry",
        "+/meters/#",
        "shellies/+/emeter/+/energy",
        "tele/+/SENSOR",
        "now/+",
        "spBv1.0/+/#",
    ]


def test_telemetry_of_the_products_own_goes_on_as_it_is(topics: Topics) -> None:
    payload = b'{"point": "plant/main", "time": 1767573000, "value": 1.50}\n{"point": "plant/x"}\n'
    assert taken(topics, "plant/gw1/telemetry", payload) == Message("plant", "mqtt:plant/gw1", payload.strip(), NOW)


def test_telemetry_written_over_several_lines_becomes_one(topics: Topics) -> None:
    message = taken(topics, "hall/meters/a/b", b'{\n  "point": "hall/a",\n  "time": 1767573000,\n  "value": 2\n}\n')
    assert (message.site, message.gateway) == ("hall", "mqtt:hall")
    assert rows(message) == [("hall/a", NOW, 2.0, None, None, 0)]


@pytest.mark.parametrize(
    ("payload", "value", "text"),
    [(b"12.50", 12.5, None), (b" -1e3\n", -1000.0, None), (b"on", None, "on"), (b"007", 7.0, None)],
)
def test_a_bare_value_is_read_at_its_arrival(topics: Topics, payload: bytes, value: Any, text: Any) -> None:
    message = taken(topics, "shellies/d1/emeter/0/energy", payload)
    assert (message.site, message.gateway) == ("wugu", "mqtt:shellies/d1")
    assert rows(message) == [("wugu/d1/0", NOW, value, text, "Wh", 0)]


def test_a_bare_value_keeps_every_digit(topics: Topics) -> None:
    assert (
        b'"value":12345678901234.123456789,'
        in taken(topics, "shellies/d/emeter/0/energy", b"12345678901234.123456789").value
    )


def test_a_bare_value_that_the_broker_kept_is_no_reading_of_now(topics: Topics) -> None:
    assert rows(taken(topics, "shellies/d1/emeter/0/energy", b"5", retained=True))[0][5] == 2


def test_json_is_read_by_its_paths_with_the_senders_own_time(topics: Topics) -> None:
    payload = b'{"Time": "2026-01-05T01:30:00", "ENERGY": {"Total": 3.185, "Power.all": [7, 8]}}'
    message = taken(topics, "tele/d1/SENSOR", payload, retained=True)
    assert rows(message) == [
        ("wugu/d1/total", NOW, 3.185, None, "kWh", 0),
        ("wugu/d1/power", NOW, 8.0, None, "W", 0),
    ]


def test_a_time_that_the_zone_shows_twice_is_uncertain_and_one_that_it_skips_is_rejected(topics: Topics) -> None:
    twice = taken(topics, "tele/d1/SENSOR", b'{"Time": "2025-10-26T02:30:00", "ENERGY": {"Total": 1}}')
    assert [(row[1], row[5]) for row in rows(twice)] == [(1_761_438_600_000, 1)]
    skipped = taken(topics, "tele/d1/SENSOR", b'{"Time": "2025-03-30T02:30:00", "ENERGY": {"Total": 1}}')
    assert decode(skipped.value).rejects["reason"].to_list() == ["unparsable time"]


def rejected(message: Message) -> str:
    decoded = decode(message.value)
    assert len(decoded.readings) == 0
    (payload,) = decoded.rejects["payload"]
    return str(payload)


def test_what_a_rule_cannot_read_is_quarantined_with_its_topic_reason_and_text(tmp_path: Path) -> None:
    topics, tally = made(tmp_path)
    assert "tele/d1/SENSOR: expected JSON: oops" in rejected(taken(topics, "tele/d1/SENSOR", b"oops"))
    lacking = rejected(taken(topics, "tele/d1/SENSOR", b'{"Time": "2025-10-26T02:30:00", "ENERGY": []}'))
    assert "expected ENERGY.Total" in lacking
    assert "02:30:00" in lacking
    assert "now/a: expected v" in rejected(taken(topics, "now/a", b'{"v2": 1}'))
    assert "expected a number or a word in UTF-8" in rejected(taken(topics, "shellies/d/emeter/0/energy", b"\xff\xfe"))
    assert tally.total("unmapped") == 4
    assert "nobody/asked: no rule for the topic: 5" in rejected(taken(topics, "nobody/asked", b"5"))
    assert topics.take("plant/gw1/telemetry", b" ", NOW).message is None
    assert tally.read("refused") == {"no rule for the topic": 1, "empty payload": 1}


def test_sparkplug_metrics_become_points_by_the_table_and_others_keep_their_names(tmp_path: Path) -> None:
    topics, tally = made(tmp_path)
    metrics = [
        {"name": "bdSeq", "long_value": 1},
        {"name": "Node Control/Rebirth", "boolean_value": False},
        {"name": "Main/Energy", "alias": 3, "datatype": 4, "long_value": 500, "timestamp": 5_000},
        {"name": "Door", "string_value": "open", "is_historical": True},
        {"name": "Properties/OS", "string_value": "x"},
        {"name": "Lost", "datatype": 10, "is_null": True},
    ]
    sent = Payload(metrics=metrics, seq=0, timestamp=6_000).SerializeToString()
    message = taken(topics, "spBv1.0/hall/NBIRTH/gw1", sent)
    assert (message.site, message.gateway) == ("hall", "mqtt:hall/gw1")
    decoded = decode(message.value)
    assert decoded.readings.select("point", "time_ms", "value", "text", "extra").rows() == [
        ("hall/main", 5_000_000, 500.0, None, None),
        ("hall/Door", 6_000_000, None, "open", '{"historical":true}'),
    ]
    assert decoded.rejects["reason"].to_list() == ["no value"]
    assert tally.read("unmapped") == {"spBv1.0/{group}/#": 2}
    sent = Payload(metrics=[{"alias": 9, "int_value": 1}], seq=1).SerializeToString()
    answer = topics.take("spBv1.0/hall/NDATA/gw1", sent, NOW)
    assert answer.message is not None
    assert "alias 9 was in no birth" in rejected(answer.message)
    assert [request.topic for request in answer.requests] == ["spBv1.0/hall/NCMD/gw1"]


JSON = st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner, min_size=1))
EXAMPLES = ["plant/g/telemetry", "shellies/d/emeter/0/energy", "tele/d/SENSOR", "spBv1.0/g/NDATA/n", "else"]


@pytest.fixture(scope="module")
def inlets(tmp_path_factory: pytest.TempPathFactory) -> Inlets:
    path = tmp_path_factory.mktemp("inlets") / "inlets.yaml"
    path.write_text(RULES)
    return read_inlets(path)


@settings(max_examples=50)
@given(st.sampled_from(EXAMPLES), st.binary(min_size=1) | JSON.map(lambda document: json.dumps(document).encode()))
def test_whatever_comes_goes_on_or_is_counted(inlets: Inlets, topic: str, payload: bytes) -> None:
    tally = Tally()
    answer = Topics(inlets, tally).take(topic, payload, NOW)
    if answer.message is None:
        assert tally.total("refused") == 1 or topic.startswith("spBv1.0")
    else:
        decoded = decode(answer.message.value)
        assert len(decoded.readings) + len(decoded.rejects) > 0


def one(**keys: Any) -> str:
    return orjson.dumps({"topics": [keys]}).decode()


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("topics: []", "inlets.yaml:1: topics: bad value"),
        (one(topic="a/{b}", sight="x"), "unknown key: expected one of .*; found sight .did you mean 'site'"),
        (one(topic="a/{b", site="x"), "expected a topic whose levels are words"),
        (one(topic="a/#/b", site="x"), "expected a topic whose levels are words"),
        (one(topic="a/gw{b}", site="x"), "expected a topic whose levels are words"),
        (one(topic="a/{b}/{b}", site="x"), "expected a topic in which each name stands once"),
        (one(topic="a/{b}", site="{c}"), r"in 'site' only names of the topic: \{b\}"),
        (one(topic="a/b", site="x", form="value"), "expected a 'point' with form value"),
        (one(topic="a/b", site="x", form="value", point="x/{n}"), r"in 'point' only names of the topic: \{site\}"),
        (one(topic="a/b", site="x", point="x/y"), "expected no 'point' with form kilowatch"),
        (one(topic="a/b", site="x", form="json"), "expected 'readings' with form json"),
        (one(topic="a/b", site="x", form="sparkplug", point="y"), "expected a topic such as spBv1.0/{group}/#"),
        (one(topic="a/b", site="x", form="xml"), "not one of the allowed words"),
        (
            one(topic="a", site="x", form="json", readings=[{"point": "p", "value": "v"}], time="t", time_format="%H"),
            "expected 'time' and a 'time_zone'",
        ),
        (
            one(topic="a", site="x", form="json", readings=[{"point": "p", "value": "v"}], time_zone="Mars"),
            "expected a time zone such as Asia/Taipei",
        ),
    ],
)
def test_a_wrong_rule_is_told_with_its_line(tmp_path: Path, rules: str, said: str) -> None:
    with pytest.raises(CatalogError, match=said) as caught:
        made(tmp_path, rules)
    assert str(caught.value).startswith(f"{tmp_path}/inlets.yaml:1: ")


def test_a_finding_names_the_line_of_its_rule(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"inlets\.yaml:6: topics\[1\]: bad value: expected a 'point'"):
        made(tmp_path, "topics:\n  - topic: a\n    site: x\n\n\n  - topic: b\n    site: x\n    form: value\n")
