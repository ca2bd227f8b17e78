"""Macros and variables are written as Grafana's data source writes them, and no kinder."""

from __future__ import annotations

import pytest

from jobs.dashboards_expand import ExpandError, Macros, Span, interval_of

SPAN = Span(1_767_225_600_000, 1_767_312_000_000)


def expand(sql: str, *, timescale: bool = False, **values: list[str]) -> str:
    return Macros(timescale)(sql, values, SPAN, 300_000)


@pytest.mark.parametrize(
    ("sql", "expanded"),
    [
        ("$__timeFilter(a.at)", "a.at BETWEEN '2026-01-01T00:00:00.000Z' AND '2026-01-02T00:00:00.000Z'"),
        ("$__timeFrom() $__timeTo()", "'2026-01-01T00:00:00.000Z' '2026-01-02T00:00:00.000Z'"),
        ("$__timeGroupAlias(at, $__interval)", 'floor(extract(epoch from at)/300)*300 AS "time"'),
        ("$__timeGroup(at, '15m')", "floor(extract(epoch from at)/900)*900"),
        ("$__interval_ms", "300000"),
    ],
)
def test_a_macro_is_what_grafana_makes_of_it(sql: str, expanded: str) -> None:
    assert expand(sql) == expanded


def test_timescale_groups_by_its_own_buckets() -> None:
    assert expand("$__timeGroupAlias(at, $__interval)", timescale=True) == "time_bucket('300.000s',at) AS \"time\""


def test_arguments_end_at_the_first_bracket() -> None:
    assert expand("$__timeFilter(date_trunc('hour', at))").startswith("date_trunc('hour' BETWEEN ")


def test_values_are_quoted_and_their_quotes_doubled() -> None:
    assert expand("in (${site:sqlstring})", site=["a", "o'b"]) == "in ('a','o''b')"


@pytest.mark.parametrize(
    "sql", ["$__timesFilter(at)", "${site}", "${place:sqlstring}", "$__timeGroup(at)", "$__timeGroup(at, 'x')"]
)
def test_what_grafana_would_refuse_is_an_error(sql: str) -> None:
    with pytest.raises(ExpandError, match=r"expected .*; found"):
        expand(sql, site=["a"])


def test_the_interval_is_the_range_by_the_width_and_not_below_the_least() -> None:
    assert interval_of(SPAN, 1000, None) == 120_000
    assert interval_of(SPAN, 1000, "15m") == 900_000
    assert interval_of(Span(0, 365 * 86_400_000), 1000, "15m") == 43_200_000
