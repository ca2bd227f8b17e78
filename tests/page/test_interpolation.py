"""Variables in SQL, written and escaped as Grafana does."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.page.interpolation import Value, interpolated
from jobs.page.intervals import QueryError
from jobs.page.macros import TimeRange

SPAN = TimeRange(1_735_689_600_000, 1_735_693_200_000)
ONE = {"site": Value("depot", "The depot")}
ODD = {"site": Value("o'neill", "O'Neill")}
MANY = {"site": Value(("a", "b'c"), "a + b'c", quotes=True)}
ALONE = {"site": Value(("a",), "a", quotes=True)}
NONE = {"site": Value((), "", quotes=True)}


@pytest.mark.parametrize(
    ("sql", "values", "written"),
    [
        ("'$site'", ONE, "'depot'"),
        ("'${site}' '[[site]]'", ONE, "'depot' 'depot'"),
        ("'$site'", ODD, "'o''neill'"),
        ("in ($site)", MANY, "in ('a','b''c')"),
        ("in ($site)", ALONE, "in ('a')"),
        ("in ($site)", NONE, "in ()"),
        ("$site", {"site": Value("x", "x", quotes=True)}, "'x'"),
        ("${site:sqlstring}", ODD, "'o''neill'"),
        ("${site:sqlstring}", MANY, "'a','b''c'"),
        ("${site:sqlstring}", {"site": Value('a"b', "")}, "'a\\\"b'"),
        ("${site:singlequote}", ALONE, "'a'"),
        ("${site:doublequote}", MANY, '"a","b\'c"'),
        ("${site:csv} [[site:csv]]", MANY, "a,b'c a,b'c"),
        ("${site:raw}", MANY, "a,b'c"),
        ("${site:raw}", ODD, "o'neill"),
        ("${site:pipe}", MANY, "a|b'c"),
        ("${site:glob}", MANY, "{a,b'c}"),
        ("${site:glob}", ALONE, "a"),
        ("${site:join: and }", MANY, "a and b'c"),
        ("${site:regex}", {"site": Value(("a.b", "c/d"), "")}, r"(a\.b|c\/d)"),
        ("${site:json}", MANY, '["a","b\'c"]'),
        ("${site:text}", ONE, "The depot"),
        ("'${site.text}'", ODD, "'O''Neill'"),
        ("$other ${other:csv} $__timeFilter(at)", ONE, "$other ${other:csv} $__timeFilter(at)"),
        ("$sites", ONE, "$sites"),
        ("$__from ${__to}", {}, "1735689600000 1735693200000"),
        ("${__from:date} ${__from:date:seconds}", {}, "2025-01-01T00:00:00.000Z 1735689600"),
        ("'$__interval' ${__interval_ms}", {}, "'15m' 900000"),
    ],
)
def test_a_variable_is_written_so(sql: str, values: dict[str, Value], written: str) -> None:
    assert interpolated(sql, values, SPAN, 900_000) == written


def test_what_stands_for_all_goes_in_as_it_is() -> None:
    values = {"site": Value("select site from mart.site", "All", literal=True)}
    assert interpolated("in ($site) ${site:csv}", values, SPAN) == (
        "in (select site from mart.site) select site from mart.site"
    )


def test_without_a_panel_there_is_no_interval() -> None:
    assert interpolated("$__interval", {}, SPAN) == "$__interval"


@pytest.mark.parametrize(
    ("sql", "values", "said"),
    [
        ("${site:singlequote}", ODD, "expected no '"),
        ("${site:doublequote}", {"site": Value('a"b', "")}, 'expected no "'),
        ("${site:lucene}", ONE, "found 'lucene'"),
        ("${site.name}", ONE, "found .name"),
        ("${__from:date:YYYY}", {}, "found :date:YYYY"),
    ],
)
def test_what_would_be_another_text_on_postgresql_is_refused(sql: str, values: dict[str, Value], said: str) -> None:
    with pytest.raises(QueryError, match=said):
        interpolated(sql, values, SPAN)


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1, max_size=3))
def test_whatever_a_value_holds_it_stays_one_text(texts: list[str]) -> None:
    several = {"v": Value(tuple(texts), "", quotes=True)}
    one = {"v": Value(texts[0], "")}
    con = duckdb.connect()
    assert con.execute(f"select [{interpolated('$v', several, SPAN)}]").fetchall() == [(texts,)]
    assert con.execute(f"select '{interpolated('$v', one, SPAN)}'").fetchall() == [(texts[0],)]
