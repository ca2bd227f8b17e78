"""Macros as Grafana's PostgreSQL data source expands them; cases after its documentation and its tests' subjects."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.page.intervals import DAY, HOUR, QueryError, go_number, interval_of, interval_text, seconds_of
from jobs.page.macros import Fill, Macros, TimeRange

FROM, TO = 1_735_689_600_000, 1_735_693_200_500  # 2025-01-01 00:00:00 and 01:00:00.5 UTC
MACROS = Macros(TimeRange(FROM, TO), 60_000, TO)
TIMESCALE = Macros(TimeRange(FROM, TO), 60_000, TO, timescale=True)


@pytest.mark.parametrize(
    ("sql", "expanded"),
    [
        ("select $__time(at)", 'select at AS "time"'),
        ("select min($__time(at))", 'select min(at AS "time")'),
        ("select $__timeEpoch(at)", 'select extract(epoch from at) as "time"'),
        ("where $__timeFilter(at)", "where at BETWEEN '2025-01-01T00:00:00Z' AND '2025-01-01T01:00:00.5Z'"),
        ("$__timeFrom()", "'2025-01-01T00:00:00Z'"),
        ("$__timeTo()", "'2025-01-01T01:00:00.5Z'"),
        ("$__unixEpochFrom()", "1735689600"),
        ("$__unixEpochTo()", "1735693200"),
        ("$__unixEpochFilter(s)", "s >= 1735689600 AND s <= 1735693200"),
        ("$__unixEpochNanoFilter(n)", "n >= 1735689600000000000 AND n <= 1735693200500000000"),
        ("$__unixEpochNanoFrom() $__unixEpochNanoTo()", "1735689600000000000 1735693200500000000"),
        ("$__timeGroup(at,'5m')", "floor(extract(epoch from at)/300)*300"),
        ("$__timeGroup( at , '5m' )", "floor(extract(epoch from at)/300)*300"),
        ("$__timeGroupAlias(at,'5m')", 'floor(extract(epoch from at)/300)*300 AS "time"'),
        ("$__timeGroup(at, 1h)", "floor(extract(epoch from at)/3600)*3600"),
        ("$__timeGroup(at, '12d')", "floor(extract(epoch from at)/1.0368e+06)*1.0368e+06"),
        ("$__timeGroup(at, '20ms')", "floor(extract(epoch from at)/0.02)*0.02"),
        ("$__unixEpochGroup(s + 1,'5m')", "floor((s + 1)/300)*300"),
        ("$__unixEpochGroupAlias(s,'5m')", 'floor((s)/300)*300 AS "time"'),
        ("$__interval $__interval_ms", "1m 60000"),
        ("$__timeGroup(at,'$__interval')", "floor(extract(epoch from at)/60)*60"),
    ],
)
def test_a_macro_stands_for_this_sql(sql: str, expanded: str) -> None:
    assert MACROS.expand(sql).sql == expanded


@pytest.mark.parametrize(
    ("interval", "bucket"), [("5m", "300.000s"), ("12d", "1036800.000s"), ("20ms", "0.020s"), ("1.5h", "5400.000s")]
)
def test_with_timescaledb_a_group_is_a_bucket(interval: str, bucket: str) -> None:
    assert TIMESCALE.expand(f"$__timeGroup(at , '{interval}')").sql == f"time_bucket('{bucket}',at)"


def test_a_group_right_before_a_comma_is_named_time_and_no_other() -> None:
    group = "floor(extract(epoch from at)/300)*300"
    assert MACROS.expand("select $__timeGroup(at,'5m'), v").sql == f'select {group} AS "time", v'
    assert MACROS.expand("select $__timeGroup(at,'5m') , v").sql == f"select {group} , v"
    assert MACROS.expand("select $__timeGroup(at,'5m') as t, v").sql.endswith("*300 as t, v")


def test_of_equal_groups_what_follows_the_first_decides_for_all() -> None:
    sql = "select $__timeGroup(at,'5m'), v group by $__timeGroup(at,'5m')"
    assert MACROS.expand(sql).sql.count('AS "time"') == 2


def test_arguments_end_at_the_first_closing_bracket() -> None:
    assert MACROS.expand("$__timeFilter(date_trunc('hour', at))").sql == (
        "date_trunc('hour' BETWEEN '2025-01-01T00:00:00Z' AND '2025-01-01T01:00:00.5Z')"
    )


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("$__timeFiler(at)", 'unknown macro "__timeFiler"'),
        ("$site(1)", 'unknown macro "site"'),
        ("-- $__nothing(x)", "unknown macro"),
        ("$__timeGroup(at)", "needs time column and interval"),
        ("$__unixEpochGroup(at)", "needs time column and interval"),
        ("$__timeGroup(at, '5 minutes')", "error parsing interval"),
        ("$__timeGroup(at, '$width')", "error parsing interval"),
        ("$__timeGroup(at, '5m', zero)", "error parsing fill value zero"),
        ("$__timeGroup(at, '5m', null)", "error parsing fill value null"),
    ],
)
def test_what_grafana_refuses_is_refused(sql: str, said: str) -> None:
    with pytest.raises(QueryError, match=said):
        MACROS.expand(sql)


@pytest.mark.parametrize(
    ("argument", "fill"),
    [
        ("NULL", Fill(300, "null")),
        ("previous", Fill(300, "previous")),
        ("0", Fill(300, "value", 0.0)),
        ("-1.5", Fill(300, "value", -1.5)),
    ],
)
def test_a_third_argument_says_how_gaps_are_filled(argument: str, fill: Fill) -> None:
    assert MACROS.expand(f"select $__timeGroup(at,'5m',{argument}), v").fill == fill
    assert MACROS.expand(f"select $__unixEpochGroup(s,'5m',{argument}), v").fill == fill
    assert MACROS.expand("select $__timeGroup(at,'5m'), v").fill is None


def test_times_before_1970_keep_their_fraction() -> None:
    early = Macros(TimeRange(-312_915_600_500, 0), 60_000, 0)
    assert early.expand("$__timeFrom()").sql == "'1960-02-01T06:59:59.5Z'"
    assert early.expand("$__unixEpochNanoFrom()").sql == "-312915600500000000"


@pytest.mark.parametrize(
    ("range_ms", "points", "least", "interval"),
    [
        (HOUR, 1000, None, "1m"),
        (HOUR, 1000, "1s", "5s"),
        (DAY, 1000, None, "1m"),
        (7 * DAY, 1000, None, "10m"),
        (7 * DAY, 500, None, "20m"),
        (7 * DAY, 1000, "15m", "15m"),
        (7 * DAY, 1000, ">1h", "1h"),
        (30 * DAY, 700, None, "1h"),
        (365 * DAY, 1000, None, "6h"),
        (365 * DAY, 900, None, "12h"),
        (365 * DAY, 30, None, "7d"),
        (365 * DAY, 10, None, "30d"),
        (3650 * DAY, 10, None, "1y"),
        (HOUR, 0, None, "1h"),
    ],
)
def test_the_interval_of_a_range_and_a_width(range_ms: int, points: int, least: str | None, interval: str) -> None:
    assert interval_text(interval_of(range_ms, points, least)) == interval


@given(st.integers(1, 10**12), st.integers(1, 10_000))
def test_an_interval_is_never_far_from_what_was_asked_for(range_ms: int, points: int) -> None:
    found = interval_of(range_ms, points, "1ms")
    assert found <= max(20, 12 * range_ms / points)
    assert seconds_of(interval_text(found), 0) > 0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("1h30m", 5_400), ("1.5h", 5_400), ("250ms", 0.25), ("2d", 172_800), ("1w", 604_800), ("0", 0)],
)
def test_an_interval_of_a_macro(text: str, seconds: float) -> None:
    assert seconds_of(text, 0) == seconds


@pytest.mark.parametrize(
    ("text", "days"), [("1M", 31), ("2M", 59), ("1y", 365), ("4y", 1_461)]
)  # from 2025-01-01; 2028 has a day more
def test_months_and_years_are_those_that_follow(text: str, days: int) -> None:
    assert seconds_of(text, FROM) == days * 86_400


def test_a_month_after_the_31st_of_january_runs_into_march() -> None:
    assert seconds_of("1M", 1_738_281_600_000) == 31 * 86_400  # 2025-01-31: to the 31st of February, the 3rd of March


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "5x", "1h 30m", "d", "1.5d"])
def test_a_text_that_is_no_interval_is_refused(text: str) -> None:
    with pytest.raises(QueryError, match="error parsing interval"):
        seconds_of(text, 0)


@given(st.floats(1e-9, 1e15))
def test_a_number_is_written_so_that_it_is_the_same_number(number: float) -> None:
    assert float(go_number(number)) == number
    assert ("e" in go_number(number)) == (number < 1e-4 or number >= 1e6)
