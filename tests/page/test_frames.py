"""Answers as Grafana's frames; cases after the subjects of its snapshot tests."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import polars as pl
import pytest

from jobs.page import frames
from jobs.page.frames import Frame, frame_of
from jobs.page.intervals import QueryError
from jobs.page.macros import Fill, TimeRange

BEGIN = datetime(2025, 1, 1, tzinfo=UTC).replace(tzinfo=None)
BEGIN_MS = 1_735_689_600_000
MINUTE = 60_000
SPAN = TimeRange(BEGIN_MS, BEGIN_MS + 60 * MINUTE)


def at(minutes: float) -> datetime:
    return BEGIN + timedelta(minutes=minutes)


def series(rows: dict[str, list[Any]], fill: Fill | None = None, span: TimeRange = SPAN) -> Frame:
    return frame_of(pl.DataFrame(rows), "time_series", span, fill)


def told(frame: Frame) -> list[tuple[str, str, dict[str, str] | None, list[Any]]]:
    return [(each.name, each.kind, each.labels, each.values) for each in frame.fields]


def test_a_wide_answer_keeps_its_columns_and_names_the_time() -> None:
    frame = series({"time": [at(0), at(1)], "v": [1, None], "w": [0.5, 1.5]})
    assert told(frame) == [
        ("Time", "time", None, [BEGIN_MS, BEGIN_MS + MINUTE]),
        ("v", "number", None, [1.0, None]),
        ("w", "number", None, [0.5, 1.5]),
    ]


def test_text_becomes_labels_and_a_long_answer_wide_ordered_by_name_and_labels() -> None:
    frame = series(
        {
            "time": [at(0), at(0), at(1), at(2)],
            "asset": ["b", "a", "b", None],
            "w": [10.0, 20.0, 11.0, 3.0],
            "v": [1, 2, 3, 4],
        }
    )
    assert [(each.name, each.labels, each.values) for each in frame.fields[1:]] == [
        ("v", {"asset": ""}, [None, None, 4.0]),
        ("v", {"asset": "a"}, [2.0, None, None]),
        ("v", {"asset": "b"}, [1.0, 3.0, None]),
        ("w", {"asset": ""}, [None, None, 3.0]),
        ("w", {"asset": "a"}, [20.0, None, None]),
        ("w", {"asset": "b"}, [10.0, 11.0, None]),
    ]


def test_of_two_values_for_one_time_and_labels_the_last_counts() -> None:
    frame = series({"time": [at(0), at(0)], "k": ["a", "a"], "v": [1, 2]})
    assert [each.values for each in frame.fields] == [[BEGIN_MS], [2.0]]


def test_three_columns_with_metric_name_their_series_by_it() -> None:
    frame = series({"time": [at(0), at(0)], "metric": ["one", "two"], "v": [1, 2]})
    assert [(each.name, each.labels) for each in frame.fields] == [("Time", None), ("one", None), ("two", None)]


def test_a_fourth_column_leaves_metric_a_label() -> None:
    frame = series({"time": [at(0)], "metric": ["one"], "v": [1], "w": [2]})
    assert [(each.name, each.labels) for each in frame.fields[1:]] == [
        ("v", {"metric": "one"}),
        ("w", {"metric": "one"}),
    ]


def test_a_state_as_text_alone_is_no_series() -> None:
    frame = series({"time": [at(0), at(1)], "state": ["on", "off"]})
    assert told(frame)[1] == ("state", "string", None, ["on", "off"])


@pytest.mark.parametrize(
    ("column", "numbers"),
    [
        (pl.Series("v", [1, None], dtype=pl.Int16), [1.0, None]),
        (pl.Series("v", [2**40, 0], dtype=pl.Int128), [float(2**40), 0.0]),
        (pl.Series("v", [Decimal("1.5"), None]), [1.5, None]),
        (pl.Series("v", [True, False]), [1.0, 0.0]),
        (pl.Series("v", [at(0), None]), [float(BEGIN_MS), None]),
    ],
)
def test_every_column_of_a_series_but_text_becomes_a_number(column: pl.Series, numbers: list[float | None]) -> None:
    frame = frame_of(pl.DataFrame([pl.Series("time", [at(0), at(1)]), column]), "time_series", SPAN)
    assert told(frame)[1] == ("v", "number", None, numbers)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ({"at": [BEGIN], "v": [1]}, "db has no time column"),
        ({"Time": [BEGIN], "v": [1]}, "db has no time column"),
        ({"time": ["now"], "v": [1]}, "unable to convert data to a time field"),
        ({"time": [at(1), at(0)], "k": ["a", "b"], "v": [1, 2]}, "must be sorted ascending"),
        ({"time": [None, at(0)], "k": ["a", "b"], "v": [1, 2]}, "null time values"),
        ({"time": [at(1), at(0)], "v": [1, 2]}, "expected times that ascend"),
        ({"time": [at(0)], "v": [timedelta(1)]}, "cast it in the query"),
    ],
)
def test_what_grafana_cannot_show_as_a_series_is_refused(rows: dict[str, list[Any]], said: str) -> None:
    with pytest.raises(QueryError, match=said):
        series(rows)


@pytest.mark.parametrize(
    ("number", "moment"),
    [
        (1_735_689_600, BEGIN_MS),
        (1_735_689_600.5, BEGIN_MS + 500),
        (BEGIN_MS, BEGIN_MS),
        (1_735_689_600_000_000_000, BEGIN_MS),
        (5, 5),
        (-1_735_689_600, -BEGIN_MS),
    ],
)
def test_a_number_named_time_is_seconds_milliseconds_or_nanoseconds_by_its_size(number: float, moment: int) -> None:
    for form in ("time_series", "table"):
        frame = frame_of(pl.DataFrame({"time": [number], "v": [1]}), form, SPAN)  # type: ignore[arg-type]
        assert (frame.fields[0].kind, frame.fields[0].values) == ("time", [moment])


def test_a_table_keeps_names_types_and_order_and_knows_timeend() -> None:
    rows = {
        "b": ["x"], "time": [BEGIN_MS], "TimeEnd": [BEGIN_MS // 1000], "day": [date(2025, 1, 1)], "n": [3],
        "ok": [True], "nothing": [None], "zoned": [BEGIN.replace(tzinfo=UTC)],
    }  # fmt: skip
    frame = frame_of(pl.DataFrame(rows), "table", SPAN)
    assert told(frame) == [
        ("b", "string", None, ["x"]),
        ("time", "time", None, [BEGIN_MS]),
        ("TimeEnd", "time", None, [BEGIN_MS]),
        ("day", "time", None, [BEGIN_MS]),
        ("n", "number", None, [3]),
        ("ok", "boolean", None, [True]),
        ("nothing", "string", None, [None]),
        ("zoned", "time", None, [BEGIN_MS]),
    ]


@pytest.mark.parametrize("form", ["table", "time_series"])
def test_an_answer_without_rows_has_no_fields_whatever_its_columns(form: Any) -> None:
    assert frame_of(pl.DataFrame({"other": pl.Series([], dtype=pl.Int64)}), form, SPAN) == Frame([], [])


def fill_of(mode: Any, value: float = 0.0) -> Fill:
    return Fill(300, mode, value)


@pytest.mark.parametrize(
    ("fill", "values"),
    [
        (fill_of("null"), [None, 2.0, None, None, 5.0]),
        (fill_of("previous"), [None, 2.0, 2.0, 2.0, 5.0]),
        (fill_of("value", 1.5), [1.5, 2.0, 1.5, 1.5, 5.0]),
    ],
)
def test_gaps_are_filled_from_the_begin_of_the_range_on_a_whole_interval(fill: Fill, values: list[Any]) -> None:
    span = TimeRange(BEGIN_MS + 22_000, BEGIN_MS + 20 * MINUTE + 13_000)
    frame = series({"time": [at(5), at(20)], "v": [2, 5]}, fill, span)
    assert frame.fields[0].values == [BEGIN_MS + 5 * MINUTE * step for step in range(5)]
    assert frame.fields[1].values == values


def test_of_several_values_within_an_interval_the_last_is_taken_for_its_end() -> None:
    frame = series(
        {"time": [at(1), at(4), at(5), at(6)], "v": [1, 2, 3, 4]},
        fill_of("null"),
        TimeRange(BEGIN_MS, BEGIN_MS + 600_000),
    )
    assert frame.fields[1].values == [None, 3.0, 4.0]


def test_a_fill_of_too_many_points_is_left_out_and_said() -> None:
    frame = series({"time": [at(5)], "v": [2]}, Fill(0.001, "null"))
    assert frame.fields[1].values == [2.0]
    assert "Fill operation skipped" in frame.notices[0]


def test_more_rows_than_the_limit_are_cut_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MOST_ROWS", 2)
    frame = frame_of(pl.DataFrame({"v": [1, 2, 3]}), "table", SPAN)
    assert frame.fields[0].values == [1, 2]
    assert "limited to 2" in frame.as_json("A")["schema"]["meta"]["notices"][0]["text"]


def test_numbers_that_json_has_no_word_for_are_told_beside() -> None:
    frame = frame_of(pl.DataFrame({"v": [1.0, float("nan"), float("inf"), float("-inf"), None]}), "table", SPAN)
    made = orjson.loads(orjson.dumps(frame.as_json("B")))
    assert made["schema"] == {"refId": "B", "fields": [{"name": "v", "type": "number"}]}
    assert made["data"] == {
        "values": [[1.0, None, None, None, None]],
        "entities": [{"NaN": [1], "Inf": [2], "NegInf": [3]}],
    }
