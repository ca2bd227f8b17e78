"""Messages: what is right comes out in order, what is wrong comes out with its reason, however the lines are cut."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.ingest import codec
from streams.ingest.codec import READINGS, REJECTS, decode
from streams.ingest.times import LocalClock, times_ms

NOON_MS = 1_767_268_800_000  # 2026-01-01T12:00:00Z


def readings(*lines: str | bytes) -> list[tuple[Any, ...]]:
    data = b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines)
    decoded = decode(data)
    assert decoded.readings.schema == READINGS
    assert decoded.rejects.schema == REJECTS
    return decoded.readings.rows()


def reasons(*lines: str | bytes) -> list[str]:
    data = b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines)
    return decode(data).rejects["reason"].to_list()


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2026-01-01T12:00:00Z", NOON_MS),
        ("2026-01-01T12:00:00.250Z", NOON_MS + 250),
        ("2026-01-01T12:00:00.250999Z", NOON_MS + 250),
        ("2026-01-01T20:00:00+08:00", NOON_MS),
        ("2026-01-01T20:00:00+0800", NOON_MS),
        ("2026-01-01 12:00:00Z", NOON_MS),
        ("2026-01-01T12:00Z", NOON_MS),
        ("1767268800000", NOON_MS),
        ("1767268800", NOON_MS),
        ("1767268800.5", NOON_MS + 500),
        ("99999999999", 99_999_999_999_000),
        ("100000000000", 100_000_000_000),
        ("-1", -1_000),
        ("2026-01-01T12:00:00", None),
        ("2026-13-01T12:00:00Z", None),
        ("999999999999999999", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_time_is_iso_8601_with_an_offset_or_an_epoch_number(time: str, expected: int | None) -> None:
    assert times_ms(pl.Series([time])).to_list() == [expected]


def test_times_of_mixed_forms_stand_in_one_column() -> None:
    mixed = pl.Series(["2026-01-01T12:00:00Z", "1767268800", None, "never", "2026-01-01 20:00+08:00"])
    assert times_ms(mixed).to_list() == [NOON_MS, NOON_MS, None, None, NOON_MS]


def test_a_reading_a_list_and_a_columnar_batch_say_the_same() -> None:
    one = [f'{{"point":"s/p","time":{NOON_MS + i},"value":{i}.5,"unit":"kWh"}}' for i in range(3)]
    times = [NOON_MS + i for i in range(3)]
    batch = json.dumps({"point": "s/p", "time": times, "value": [0.5, 1.5, 2.5], "unit": "kWh"})
    named = json.dumps({"point": ["s/p"] * 3, "time": times, "value": [0.5, 1.5, 2.5], "unit": ["kWh"] * 3})
    expected = [("s/p", NOON_MS + i, i + 0.5, None, "kWh", 0, None) for i in range(3)]
    assert readings(*one) == readings("[" + ",".join(one) + "]") == readings(batch) == readings(named) == expected


def test_unknown_fields_are_kept_beside_the_reading() -> None:
    [row] = readings('{"point":"s/p","time":1767268800,"value":1,"seq":7,"gateway":{"id":"g1"}}')
    assert json.loads(row[6]) == {"seq": 7, "gateway": {"id": "g1"}}


def test_an_unknown_field_is_kept_even_where_a_blank_hides_its_colon() -> None:
    [row] = readings('{"point":"s/p","time":1767268800,"value":1,"seq" :7,"unit":":"}')
    assert json.loads(row[6]) == {"seq": 7}


def test_a_word_is_the_text_of_a_state_and_a_number_in_quotes_is_a_number() -> None:
    words = readings('{"point":"s/p","time":1,"value":"ACTIVE"}', '{"point":"s/p","time":1,"value":"12.5"}')
    assert [(row[2], row[3]) for row in words] == [(None, "ACTIVE"), (12.5, None)]
    [door] = readings('{"point":"s/door","time":1,"value":true}')
    assert door[2:4] == (1.0, "true")


def test_quality_is_a_number_or_its_name() -> None:
    lines = [f'{{"point":"s/p","time":1,"value":1,"quality":{quality}}}' for quality in ("0", "1", '"BAD"', "null")]
    assert [row[5] for row in readings(*lines)] == [0, 1, 2, 0]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"point":"s/p","time":1,"value":1', "not JSON"),
        (b"nonsense", "not JSON"),
        (b'{"point":"s/\xff","time":1,"value":1}', "not UTF-8"),
        (b'{"point":"s/p","time":1,"value":NaN}', "not finite"),
        (b'{"point":"s/p","time":1,"value":-Infinity}', "not finite"),
        (b'{"point":"s/p","time":1,"value":1e999}', "not finite"),
        (b'{"point":"s/p","time":1,"value":"inf"}', "not finite"),
        (b'{"point":"s/p","time":1,"value":null}', "no value"),
        (b'{"point":"s/p","time":1}', "no value"),
        (b'{"point":"s/p","time":1,"value":""}', "no value"),
        (b'{"point":"s/p","time":1,"value":"UNAVAILABLE"}', "unavailable"),
        (b'{"point":"s/p","time":1,"value":{"kwh":1}}', "value must be a number or a word"),
        (b'{"point":"s/p","value":1}', "no time"),
        (b'{"point":"s/p","time":"noon","value":1}', "unparsable time"),
        (b'{"point":"s/p","time":true,"value":1}', "unparsable time"),
        (b'{"time":1,"value":1}', "no point name"),
        (b'{"point":7,"time":1,"value":1}', "no point name"),
        (b'{"point":"","time":1,"value":1}', "no point name"),
        (b'{"point":"s/p","time":1,"value":1,"quality":3}', "quality must be 0, 1 or 2"),
        (b'{"point":"s/p","time":1,"value":1,"quality":true}', "quality must be 0, 1 or 2"),
        (b'{"point":"s/p","time":1,"value":1,"unit":5}', "unit must be a text"),
        (b'{"point":"s/p","time":[1,2],"value":[1]}', "time and value must be lists of one length"),
        (b'{"point":"s/p","time":1,"value":[1]}', "time and value must be lists of one length"),
        (b"42", "not a reading: expected an object"),
    ],
)
def test_one_bad_line_is_rejected_alone_with_its_reason(line: bytes, reason: str) -> None:
    good = b'{"point":"s/p","time":1767268800,"value":1.5}'
    decoded = decode(b"\n".join([good, line, good]))
    assert decoded.rejects["reason"].to_list() == [reason]
    assert decoded.rejects["payload"][0]
    assert len(decoded.readings) == 2


def test_a_bad_reading_in_a_batch_is_rejected_alone() -> None:
    batch = '{"point":"s/p","time":[1,2,"x"],"value":[1,"nan",3]}'
    assert [row[1] for row in readings(batch)] == [1_000]
    assert reasons(batch) == ["not finite", "unparsable time"]


def test_a_finite_value_however_large_is_left_to_the_clean_operator() -> None:
    assert [row[2] for row in readings('{"point":"s/p","time":1,"value":1e308}')] == [1e308]


def test_the_payload_of_a_reject_is_cut_at_two_thousand_characters() -> None:
    rejects = decode(("電" * 5_000).encode()).rejects
    assert rejects["payload"][0] == "電" * 2_000


def test_blank_lines_and_windows_line_ends_change_nothing() -> None:
    line = '{"point":"s/p","time":1767268800,"value":1.5,"unit":"kWh"}'
    assert readings(line + "\r", "", "  ", line + "\r") == readings(line, line)


numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)
words = st.text(st.characters(codec="utf-8", exclude_characters="\n"), min_size=1, max_size=8)
messages = st.builds(
    lambda point, time, value, more: {"point": point, "time": time, "value": value, **more},
    words,
    st.integers(100_000_000_000, 4_000_000_000_000) | st.just("2026-01-01T12:00:00.000Z"),
    numbers,
    st.fixed_dictionaries({}, optional={"quality": st.integers(0, 2), "unit": words, "seq": st.integers(0, 9)}),
)


@given(st.lists(messages, min_size=1, max_size=20), st.booleans(), st.booleans())
def test_what_is_written_is_what_is_read(rows: list[dict[str, Any]], compact: bool, ascii_only: bool) -> None:
    separators = (",", ":") if compact else (", ", ": ")
    lines = [json.dumps(row, separators=separators, ensure_ascii=ascii_only) for row in rows]
    read = readings(*lines)
    assert len(read) == len(rows)
    for row, (point, time, value, text, unit, quality, extra) in zip(rows, read, strict=True):
        assert point == row["point"]
        assert time == (row["time"] if isinstance(row["time"], int) else NOON_MS)
        assert (value, text) == (float(row["value"]), None)
        assert (unit, quality) == (row.get("unit"), row.get("quality", 0))
        assert (json.loads(extra) if extra else {}) == ({"seq": row["seq"]} if "seq" in row else {})


@given(st.lists(st.builds(json.dumps, messages) | st.sampled_from(["x", "", '{"point":"s/p"}', "[]"]), max_size=12))
def test_the_fast_way_and_the_careful_way_agree(lines: list[str]) -> None:
    data = "\n".join(lines).encode()
    careful = codec._decode_lines(data)
    fast = decode(data)
    assert fast.readings.equals(careful.readings)
    assert fast.rejects.equals(careful.rejects)


def test_a_long_block_with_one_bad_line_keeps_the_order_of_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "SMALL_BYTES", 512)
    lines = [f'{{"point":"s/p","time":{NOON_MS + i},"value":{i}}}' for i in range(1_000)]
    lines.insert(500, '{"point":"s/p","time":"bad","value":1}')
    assert [row[1] for row in readings(*lines)] == [NOON_MS + i for i in range(1_000)]
    assert reasons(*lines) == ["unparsable time"]


def local(zone: str, *stamps: str) -> tuple[list[int | None], list[bool]]:
    """UTC minutes after the first stamp's midnight, and the flags."""
    naive = pl.Series(stamps).str.to_datetime("%Y-%m-%d %H:%M", time_unit="ms")
    utc, twice = LocalClock(zone).utc_ms(naive, pl.repeat("", len(naive), eager=True))
    return utc.to_list(), twice.to_list()


AUTUMN = 1_667_084_400_000  # 2022-10-30T01:00+02:00; at 03:00 the clock in Amsterdam goes back to 02:00
HALF_MS = 1_800_000
AUTUMN_STAMPS = [f"2022-10-30 {time}" for time in ["01:30", "02:00", "02:30", "02:00", "02:30", "03:00"]]


def test_the_hour_that_autumn_repeats_is_told_apart_by_the_order_of_the_file() -> None:
    utc, twice = local("Europe/Amsterdam", *AUTUMN_STAMPS)
    assert utc == [AUTUMN + HALF_MS * i for i in range(1, 7)]
    assert twice == [False, True, True, True, True, False]


def test_the_hour_that_autumn_repeats_is_told_apart_in_a_file_with_the_newest_first() -> None:
    utc, _ = local("Europe/Amsterdam", "2022-10-30 04:00", "2022-10-30 03:30", *reversed(AUTUMN_STAMPS))
    assert utc[2:] == [AUTUMN + HALF_MS * i for i in range(6, 0, -1)]


def test_a_lone_doubtful_time_is_the_earlier_one_and_flagged() -> None:
    assert local("Europe/Amsterdam", "2022-10-30 02:30") == ([AUTUMN + 3 * HALF_MS], [True])


def test_a_time_that_spring_skips_has_no_utc_time() -> None:
    assert local("Europe/Amsterdam", "2022-03-27 02:30") == ([None], [False])


@given(st.integers(0, 6))
def test_the_hour_that_autumn_repeats_is_the_same_wherever_the_file_is_cut(cut: int) -> None:
    naive = pl.Series(AUTUMN_STAMPS).str.to_datetime("%Y-%m-%d %H:%M", time_unit="ms")
    names = pl.repeat("", len(naive), eager=True)
    clock = LocalClock("Europe/Amsterdam")
    parts = [clock.utc_ms(part, name)[0] for part, name in ((naive[:cut], names[:cut]), (naive[cut:], names[cut:]))]
    assert pl.concat(parts).to_list() == [AUTUMN + HALF_MS * i for i in range(1, 7)]
