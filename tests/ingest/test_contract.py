"""The contract of telemetry, a JSON Schema, and what the decoder takes: each is held against the other."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from streams.domain.quantities import UNITS
from streams.ingest import messages
from streams.ingest.codec import Decoded, decode
from streams.ingest.messages import decode_messages

FILE = Path(messages.__file__).with_name("telemetry.schema.json")
SCHEMA = json.loads(FILE.read_text())
CONTRACT = Draft202012Validator(SCHEMA)
LATEST_MS = 253_402_300_799_999
moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001


@st.composite
def time_texts(draw: st.DrawFn) -> str:
    """A moment as devices write it."""
    text = draw(moments).isoformat(sep=draw(st.sampled_from("T ")), timespec="seconds").removesuffix("+00:00")
    if draw(st.booleans()):
        text += f".{draw(st.integers(0, 10**9))}"
    elif draw(st.booleans()):
        text = text[:-3]  # without seconds
    hours, minutes = draw(st.integers(0, 23)), draw(st.integers(0, 59))
    sign, colon = draw(st.sampled_from("+-")), draw(st.sampled_from(["", ":"]))
    return text + draw(
        st.sampled_from(["Z", "z", f"{sign}{hours:02}", f"{sign}{hours:02}{colon}{minutes:02}", "+08:00", ""])
    )


numbers = st.one_of(st.integers(-(10**20), 10**20), st.floats(allow_nan=False, allow_infinity=False))
times = st.one_of(
    st.integers(0, 2 * 10**12),
    st.integers(-LATEST_MS - 10, LATEST_MS + 10),
    st.sampled_from([LATEST_MS, LATEST_MS + 1, -LATEST_MS, 10**11, 10**11 - 1, 99_999_999_999.9, 0, -1, 1e-9, 5e-324]),
    numbers,
    time_texts(),
    st.integers(-(10**11), 10**11).map(str),
    st.decimals(-(10**11), 10**11, places=3).map(str),
    st.sampled_from(["yesterday", "", "2026-01-05", "2026-13-01T00:00Z", "2026-01-05T25:00:00Z", "1e9", "+5", True]),
)
words = st.one_of(
    st.sampled_from(["running", "off", "7.5", " 7 ", "unavailable", " UNKNOWN\u3000", "nan", "-Inf", "infinity", ""]),
    st.sampled_from([" ", "\t", "\u00a0\u2003", "\u001c", "null", "nano", "unknown!", "1e5", "0x1", "١"]),
    st.text(max_size=4),
)
values = st.one_of(numbers, st.booleans(), words, st.none(), st.sampled_from([[], {}]))
points = st.one_of(st.sampled_from(["s/a", "s/b", " ", "", None, 7, "點/一"]), st.text(min_size=1, max_size=3))
units = st.one_of(st.sampled_from([*UNITS, "furlong", "", None, 3, True]))
qualities = st.sampled_from(
    [0, 1, 2, 3, -1, 0.0, 1.0, 1.5, "good", "Bad", "UNCERTAIN", "2", "3", "", "fine", True, None]
)
others = st.dictionaries(
    st.sampled_from(["note", "Time", "seq"]), st.sampled_from([1, None, [1], {"a": []}]), max_size=1
)


odd = st.tuples(
    st.fixed_dictionaries(
        {}, optional={"point": points, "time": times, "value": values, "unit": units, "quality": qualities}
    ),
    others,
).map(lambda both: both[0] | both[1])
likely = {
    "point": st.sampled_from(["s/a", "s/b"]),
    "time": time_texts() | st.integers(0, 2 * 10**12),
    "value": st.floats(-1e9, 1e9) | st.sampled_from(["running", True]),
}
well_formed = st.tuples(
    st.fixed_dictionaries(
        likely, optional={"unit": st.sampled_from(["kWh", None]), "quality": st.sampled_from([1, "bad"])}
    ),
    others,
).map(lambda both: both[0] | both[1])


@st.composite
def batches(draw: st.DrawFn) -> dict[str, Any]:
    """Columns, mostly of one length and mostly well-formed."""
    count = draw(st.integers(0, 3))
    is_well = draw(st.booleans())

    def column(of: st.SearchStrategy[Any], *, always: bool) -> Any:
        if not always and draw(st.booleans()):
            return draw(of)
        return [draw(of) for _ in range(draw(st.sampled_from([count] * 9 + [count + 1])))]

    found = {
        "point": column(likely["point"] if is_well else points, always=False),
        "time": column(likely["time"] if is_well else times, always=is_well or draw(st.booleans())),
        "value": column(likely["value"] if is_well else values, always=is_well or draw(st.booleans())),
    }
    if draw(st.booleans()):
        found["unit"] = column(units, always=False)
    if draw(st.booleans()):
        found["quality"] = column(qualities, always=False)
    if draw(st.sampled_from([False] * 5 + [True])):
        del found[draw(st.sampled_from(["point", "time", "value"]))]
    return found | draw(others)


parts = st.one_of(well_formed, odd, batches())
telemetry = st.one_of(parts, st.lists(parts, max_size=3), st.sampled_from([5, None, "text", {}, [], [[]], True]))


def is_beyond_the_schema(message: Any) -> bool:
    """What a JSON Schema cannot say: columns of one length, and texts of numbers that are too large.

    And batches of no readings, in which there is nothing that the decoder could reject.
    """
    for part in message if isinstance(message, list) else [message]:
        if not isinstance(part, dict):
            continue
        known = [part.get(name) for name in ("point", "time", "value", "unit", "quality")]
        if len({len(each) for each in known if isinstance(each, list)}) > 1 or part.get("time") == []:
            return True
        for time in part["time"] if isinstance(part.get("time"), list) else [part.get("time")]:
            if isinstance(time, str) and re.fullmatch(r"-?\d+(\.\d*)?", time) and abs(float(time)) > LATEST_MS:
                return True
    return False


def decoded(message: Any) -> list[Decoded]:
    """What comes of a message as a line of a file, and as a message of a log."""
    data = orjson.dumps(message)
    return [decode(data), decode_messages([data])]


def as_written(message: Any) -> Any:
    """A message as it stands in JSON: whole numbers beyond 64 bits become what a parser makes of them."""
    return orjson.loads(json.dumps(message))


@settings(max_examples=500)
@given(telemetry)
def test_what_the_contract_allows_is_decoded_and_what_is_decoded_the_contract_allows(message: Any) -> None:
    message = as_written(message)
    assume(not is_beyond_the_schema(message))
    allowed = CONTRACT.is_valid(message)
    event("allowed" if allowed else "not allowed")
    for found in decoded(message):
        if allowed:
            assert found.rejects["reason"].to_list() == []
        elif len(found.readings):
            assert len(found.rejects)


@settings(max_examples=150)
@given(st.lists(telemetry.map(as_written), min_size=1, max_size=4))
def test_lines_of_a_message_are_values_of_their_own(lines: list[Any]) -> None:
    assume(not any(map(is_beyond_the_schema, lines)))
    found = decode_messages([b"\n".join(map(orjson.dumps, lines))])
    if all(map(CONTRACT.is_valid, lines)):
        assert found.rejects["reason"].to_list() == []
    elif len(lines) == 1 and len(found.readings):
        assert len(found.rejects)


@pytest.mark.parametrize("name", ["reading", "batch"])
def test_the_examples_of_the_contract_are_readings(name: str) -> None:
    for example in SCHEMA["$defs"][name]["examples"]:
        assert CONTRACT.is_valid(example)
        for found in decoded(example):
            assert len(found.readings) >= 1 and not len(found.rejects)


def test_the_examples_of_the_documentation_are_readings() -> None:
    page = (Path(__file__).parents[2] / "docs" / "telemetry.md").read_text()
    examples = [json.loads(text) for text in re.findall(r"```json\n(.*?)\n```", page, re.DOTALL)]
    assert len(examples) == 3 and all(map(CONTRACT.is_valid, examples))
    assert [len(found.readings) for example in examples for found in decoded(example)] == [1, 1, 2, 2, 2, 2]


def test_the_contract_is_a_schema_of_version_1_with_the_limits_of_the_decoder() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert (SCHEMA["$id"], SCHEMA["version"]) == ("urn:kilowatch:telemetry:1", 1)
    assert SCHEMA["limits"] == {"readings": messages.MOST_READINGS, "bytes": messages.MOST_BYTES}
    lists = [each["maxItems"] for each in found_in(SCHEMA) if "maxItems" in each]
    assert len(lists) == 6 and set(lists) == {messages.MOST_READINGS}
    assert SCHEMA["$defs"]["unit"]["examples"] == list(UNITS)


def test_the_limits_hold() -> None:
    reading = {"point": "s/a", "time": 1_767_573_000, "value": 1}
    most = [reading] * messages.MOST_READINGS
    assert not decode_messages([orjson.dumps(most)]).rejects.height
    for many in ([*most, reading], {"point": "s/a", "time": [1] * (len(most) + 1), "value": [1] * (len(most) + 1)}):
        found = decode_messages([orjson.dumps(many)])
        assert found.rejects["reason"].to_list() == ["more than 100,000 readings in a message: 100,001"]
    large = orjson.dumps(reading | {"note": "x" * messages.MOST_BYTES})
    found = decode_messages([large])
    assert found.rejects["reason"].to_list() == [f"more than 16 MiB in a message: {len(large):,} bytes"]


def test_a_batch_of_no_readings_and_a_list_of_none_are_allowed() -> None:
    for message in ({"point": "s/a", "time": [], "value": []}, []):
        assert CONTRACT.is_valid(message)
        for found in decoded(message):
            assert not len(found.readings) and not len(found.rejects)


EDGES = {
    "point": ["s/a", " ", "點/一", "", None, 7, True, {}],
    "time": [
        *(0, -1, 1.5, 1e-9, 5e-324, 10**11 - 1, 10**11, LATEST_MS, LATEST_MS + 1, -LATEST_MS, -LATEST_MS - 1, 1e16),
        *(True, None, {}, "", "yesterday", "1767573000", "-5", "1767573000.5", "17.", "+5", "1e9", "0x1", "1_000"),
        *("2026-01-05T08:00:00Z", "2026-01-05 08:00:00z", "2026-01-05T08:00Z", "2026-01-05T08:00:00.123456789+08:00"),
        *("2026-01-05T08:00:00+08", "2026-01-05T08:00:00-0830", "2026-01-05T08:00:60Z", "2026-01-05T08:00:00+24:00"),
        *("2026-01-05", "2026-01-05T08:00:00", "2026-01-05t08:00:00Z", "2026-01-05T08:00:00.Z", "2026-13-01T00:00Z"),
        *("2026-01-32T00:00Z", "2026-01-05T24:00:00Z", "2026-01-05T08:60:00Z", "20260105T080000Z", "9999-12-31T23:59Z"),
    ],
    "value": [
        *(0, -1.5, 1e308, 10**30, True, False, None, {}, "running", "7.5", " 7 ", "1e5", "0x1", "١", "\x1c", "nano"),
        *("", " ", "\t\n", "\u00a0\u2003", "\u3000", "unavailable", "\u3000UnKnown\u2009", "unknown!", "null"),
        *("nan", "-NaN", "+inf", "Infinity", "-infinity ", "infinite"),
    ],
    "unit": [*UNITS, "furlong", "", None, 3, True, {}],
    "quality": [0, 1, 2, 3, -1, 1.0, 1.5, "good", "Bad", "UNCERTAIN", "2", "3", "", "fine", "1.0", True, None, {}],
}


@pytest.mark.parametrize("name", EDGES)
def test_at_the_edges_of_a_field_contract_and_decoder_agree(name: str) -> None:
    plain = {"point": "s/a", "time": 1_767_573_000, "value": 1, "unit": "kWh", "quality": 0}
    for edge in map(as_written, EDGES[name]):
        columns = {key: [item] for key, item in plain.items()}
        for message in (plain | {name: edge}, [plain, plain | {name: edge}], columns | {name: [edge]}):
            rejects = {len(found.rejects) for found in decoded(message)}
            assert rejects == {0 if CONTRACT.is_valid(message) else 1}, message


@pytest.mark.parametrize(
    "wrong", [{"point": 7}, {"point": True}, {"point": ["s/a"]}, {"point": []}, {"unit": 3}, {"unit": True}]
)
def test_what_is_no_text_is_no_point_and_no_unit_however_the_time_is_written(wrong: dict[str, Any]) -> None:
    for time in ("1767573000", 1_767_573_000):
        message = {"point": "s/a", "time": time, "value": 1, "quality": 0, "unit": "kWh"} | wrong
        assert not CONTRACT.is_valid(message)
        for data in (orjson.dumps(message), b"\n".join([orjson.dumps(message)] * 3)):
            assert not len(decode(data).readings)
            assert not len(decode_messages([data]).readings)


def test_other_fields_are_kept_with_the_reading() -> None:
    message = {"point": "s/a", "time": 1_767_573_000, "value": 1, "version": 7, "x_firmware": {"build": [1, 2]}}
    assert CONTRACT.is_valid(message)
    for found in decoded(message):
        assert orjson.loads(found.readings["extra"][0]) == {"version": 7, "x_firmware": {"build": [1, 2]}}


@pytest.mark.parametrize(
    ("number", "ms"),
    [(10**11 - 1, (10**11 - 1) * 1_000), (10**11, 10**11), (1.5, 1_500), (1e-9, 0), (LATEST_MS, LATEST_MS)],
)
def test_numbers_are_seconds_below_1e11_and_milliseconds_from_there_on(number: float, ms: int) -> None:
    message = {"point": "s/a", "time": number, "value": 1}
    assert CONTRACT.is_valid(message)
    for found in decoded(message):
        assert found.readings["time_ms"].to_list() == [ms]


def test_what_is_no_number_for_anybody_is_no_value() -> None:
    assert pl.Series(["1e999"]).cast(pl.Float64).is_infinite().all()  # a text that the schema cannot tell from 1e99
    (found, _) = decoded({"point": "s/a", "time": 1, "value": "1e999"})
    assert found.rejects["reason"].to_list() == ["not finite"]


@pytest.mark.parametrize("text", ["2026-1-5T8:0:0Z", "2026-01-05T08:00:00 +08:00", "  2026-01-05  08:00Z"])
def test_some_spellings_of_times_are_taken_and_not_promised(text: str) -> None:
    message = {"point": "s/a", "time": text, "value": 1}
    assert not CONTRACT.is_valid(message)
    assert {len(found.readings) for found in decoded(message)} == {1}


def found_in(part: Any) -> list[dict[str, Any]]:
    """Every object in a JSON document."""
    if isinstance(part, list):
        return [each for item in part for each in found_in(item)]
    return [part, *(each for item in part.values() for each in found_in(item))] if isinstance(part, dict) else []
