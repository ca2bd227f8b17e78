"""Messages decoded together give what each of them gives alone, whatever stands beside it (laws 4 and 10)."""

from __future__ import annotations

import orjson
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.ingest.codec import READINGS, decode
from streams.ingest.messages import MOST_READINGS, decode_messages

times = st.one_of(
    st.integers(1_767_225_600, 1_767_312_000),
    st.integers(1_767_225_600_000, 1_767_312_000_000),
    st.sampled_from(["2026-01-05T08:00:00+08:00", "2026-01-05T00:15:00Z", "2026-01-05T00:15:00.250Z", "yesterday"]),
)
values = st.one_of(
    st.floats(-1e6, 1e6), st.integers(-5, 5), st.sampled_from(["running", "7.5", "unavailable", "", None])
)
readings = st.fixed_dictionaries(
    {"point": st.sampled_from(["s/a", "s/b", "", 7]), "time": times, "value": values},
    optional={
        "unit": st.sampled_from(["kWh", 3]),
        "quality": st.sampled_from([0, 2, 9, "good"]),
        "note": st.text(max_size=3),
    },
)


@st.composite
def batches(draw: st.DrawFn) -> dict[str, object]:
    count = draw(st.integers(0, 4))
    moments, measured = (draw(st.lists(each, min_size=count, max_size=count)) for each in (times, values))
    point = draw(st.one_of(st.just("s/a"), st.lists(st.just("s/b"), min_size=count, max_size=count)))
    return {"point": point, "time": moments, "value": measured}


parts = st.one_of(readings, batches(), st.sampled_from([5, None, "text", {}]))
documents = st.one_of(parts, st.lists(parts, max_size=4)).map(orjson.dumps)
messages = st.one_of(
    documents,
    st.lists(documents, min_size=1, max_size=3).map(b"\n".join),
    st.sampled_from([b"not json", b"", b"\xff\x00", b'{"point":"s/a","time":1,"value":NaN}', b'{"point":"s/a"}\nxx']),
)


@settings(max_examples=400)
@given(st.lists(messages, max_size=6))
def test_messages_together_are_what_each_is_alone(sent: list[bytes]) -> None:
    found = decode_messages(sent)
    assert found.readings["message"].is_sorted() and found.rejects["message"].is_sorted()
    for number, value in enumerate(sent):
        alone = decode(value)
        mine = found.readings.filter(pl.col("message") == number).drop("message")
        refused = found.rejects.filter(pl.col("message") == number)["reason"].to_list()
        assert mine.equals(alone.readings.select(READINGS.names()))
        assert sorted(refused) == sorted(
            alone.rejects["reason"].to_list() or ([] if value.strip() else ["empty message"])
        )


def test_too_many_readings_in_a_message_are_refused_with_a_reason_and_harm_no_other() -> None:
    many = orjson.dumps(
        {"point": "s/a", "time": [1_767_225_600] * (MOST_READINGS + 1), "value": [1] * (MOST_READINGS + 1)}
    )
    good = orjson.dumps({"point": "s/a", "time": 1_767_225_600, "value": 1})
    found = decode_messages([good, many, good])
    assert found.readings["message"].to_list() == [0, 2]
    assert found.rejects["reason"].to_list() == ["more than 100,000 readings in a message: 100,001"]


def test_a_message_of_more_lines_than_readings_is_refused_whole() -> None:
    found = decode_messages([b"x\n" * (MOST_READINGS + 1), b"x\ny\n"])
    assert found.rejects["message"].to_list() == [0, 1, 1]
    assert found.rejects["reason"][0] == f"more than {MOST_READINGS:,} lines in a message: {MOST_READINGS + 1:,}"
