"""The quick way through plain lines says the same as the careful one, or leaves the lines to it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.ingest import codec
from streams.ingest.plain import iso_ms, plain_readings

plain = st.fixed_dictionaries(
    {
        "point": st.sampled_from(["s/a", "s/b", 's/"q"', "s/ä", "s/{"]),
        "time": st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.250Z", "2026-02-30T00:00:00Z", 1.5e9, 7]),
        "value": st.integers(-5, 5) | st.floats(allow_nan=False) | st.sampled_from(["on", True, None, 2**70]),
    }
)
batch = st.integers(1, 4).flatmap(
    lambda size: st.fixed_dictionaries(
        {
            "point": st.just("s/a") | st.lists(st.sampled_from(["s/a", "s/b"]), min_size=size, max_size=size),
            "time": st.lists(st.integers(10**9, 2 * 10**9), min_size=size, max_size=size),
            "value": st.lists(st.floats(0, 9), min_size=size, max_size=size)
            | st.lists(st.floats(0, 9), min_size=size + 1, max_size=size + 1),
        }
    )
)
tricks = st.sampled_from(
    ['{"point":"s/a","time":1,"value":1},{"point":"s/a","time":2,"value":2}', '{"point":"s/a', '","time":3,"value":3}']
)


@given(st.lists(st.builds(json.dumps, plain), min_size=1) | st.lists(st.builds(json.dumps, batch), min_size=1))
def test_plain_lines_and_batches_read_alike_on_both_ways(lines: list[str]) -> None:
    data = "\n".join(lines).encode()
    careful, quick = codec._decode_lines(data), codec.decode(data)
    assert quick.readings.equals(careful.readings)
    assert quick.rejects.equals(careful.rejects)


@given(st.lists(st.builds(json.dumps, plain) | tricks, min_size=1, max_size=6))
def test_lines_are_never_joined_to_an_object_that_none_of_them_is(lines: list[str]) -> None:
    data = "\n".join(lines).encode()
    careful, quick = codec._decode_lines(data), codec.decode(data)
    assert quick.readings.equals(careful.readings)
    assert quick.rejects.equals(careful.rejects)


def test_plain_lines_and_batches_do_take_the_quick_way() -> None:
    line = b'{"point":"s/a","time":"2026-01-01T00:00:00Z","value":1}'
    packed = b'{"point":"s/a","time":[1767225600,1767225601],"value":[1,2.5]}'
    assert plain_readings(line + b"\n" + line) is not None
    points, time_ms, value = plain_readings(packed) or ([], None, None)
    assert (points, time_ms is not None and time_ms.tolist()) == (["s/a"] * 2, [1_767_225_600_000, 1_767_225_601_000])
    assert value is not None
    assert value.tolist() == [1, 2.5]


@given(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)), st.booleans())  # noqa: DTZ001 - UTC is set below
def test_a_time_is_read_as_the_standard_library_reads_it(moment: datetime, fine: bool) -> None:
    moment = moment.replace(tzinfo=UTC, microsecond=moment.microsecond // 1_000 * 1_000 if fine else 0)
    text = moment.isoformat(timespec="milliseconds" if fine else "seconds").replace("+00:00", "Z")
    expected = (moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000
    read = iso_ms([text])
    assert read is not None
    assert read.tolist() == [round(expected)]


@pytest.mark.parametrize(
    "text",
    [
        "now",
        "2026-W01-1T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "0000-01-01T00:00:00Z",
        "\u0662026-01-01T00:00:00Z",
    ],
)
def test_what_only_looks_like_a_time_is_left_to_the_careful_way(text: str) -> None:
    assert iso_ms([text]) is None
