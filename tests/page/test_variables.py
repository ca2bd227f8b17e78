"""Variables: their options, and what is chosen of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest

from jobs.page.intervals import QueryError
from jobs.page.macros import TimeRange
from jobs.page.variables import Chosen, Given, Variable, choose, custom_options, options_of, variables_of

SPAN = TimeRange(0, 1)
ASSETS = {"depot": ["chiller", "room"], "yard": ["crane"]}
SITE = Variable("site", "query", "select site")
ASSET = Variable("asset", "query", "assets of '$site'", multi=True, include_all=True)


async def answers(statement: str) -> pl.DataFrame:
    if statement == "select site":
        return pl.DataFrame({"site": list(ASSETS)})
    return pl.DataFrame({"asset": ASSETS[statement.split("'")[1]]})


def chosen(variables: Sequence[Variable], given: Given) -> dict[str, Chosen]:
    return asyncio.run(choose(variables, given, SPAN, answers))


def values(given: Given, *variables: Variable) -> dict[str, tuple[str, ...]]:
    return {name: each.values for name, each in chosen(variables or (ASSET, SITE), given).items()}


def test_a_variable_is_asked_after_what_it_depends_on_and_told_in_the_order_of_the_dashboard() -> None:
    assert list(chosen((ASSET, SITE), {"site": ["yard"]})) == ["asset", "site"]
    assert values({"site": ["yard"], "asset": ["crane"]}) == {"asset": ("crane",), "site": ("yard",)}


def test_a_value_that_is_no_option_is_replaced_and_said() -> None:
    found = chosen((SITE, ASSET), {"site": ["x' or 1=1 --"], "asset": ["room", "crane"]})
    assert (found["site"].values, found["site"].replaced) == (("depot",), True)
    assert (found["asset"].values, found["asset"].replaced) == (("room",), True)


def test_without_a_value_the_one_of_the_dashboard_is_chosen_else_all_else_the_first() -> None:
    assert values({}, SITE)["site"] == ("depot",)
    assert values({}, Variable("site", "query", "select site", current=("yard",)))["site"] == ("yard",)
    assert values({}, Variable("site", "query", "select site", current=("gone",)))["site"] == ("depot",)
    assert values({}, SITE, ASSET)["asset"] == ("$__all",)


def test_all_stands_for_every_option_or_for_what_the_dashboard_says() -> None:
    assert chosen((SITE, ASSET), {})["asset"].value().value == ("chiller", "room")
    said = Variable("asset", "query", "assets of '$site'", include_all=True, all_value=".*")
    value = chosen((SITE, said), {})["asset"].value()
    assert (value.value, value.literal) == (".*", True)


def test_all_is_no_value_where_the_dashboard_does_not_have_it() -> None:
    assert values({"site": ["$__all"]}, SITE)["site"] == ("depot",)


def test_one_value_alone_is_taken_where_there_is_no_choice_of_several() -> None:
    assert values({"site": ["yard", "depot"]}, SITE)["site"] == ("yard",)
    assert values({"asset": ["room", "chiller", "room"]}, SITE, ASSET)["asset"] == ("room", "chiller")


def test_a_circle_of_variables_is_refused() -> None:
    with pytest.raises(QueryError, match="expected no circle"):
        chosen((Variable("a", "query", "$b"), Variable("b", "query", "$a")), {})


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("a,b", [("a", "a"), ("b", "b")]),
        (" 15 min : 15m , 1h", [("15 min", "15m"), ("1h", "1h")]),
        (r"a\,b,c", [("a,b", "a,b"), ("c", "c")]),
        ("a:b", [("a:b", "a:b")]),
    ],
)
def test_options_of_a_custom_variable(query: str, options: list[tuple[str, str]]) -> None:
    assert custom_options(query) == options


def ordered(names: list[Any], **settings: Any) -> list[tuple[str, str]]:
    return list(options_of(Variable("v", "query", "", **settings), pl.DataFrame({"v": names})))


def test_options_of_an_answer_are_every_value_of_every_column_once() -> None:
    rows = pl.DataFrame({"a": ["x", "y", "x"], "b": ["y", "z", None]})
    assert list(options_of(SITE, rows)) == [("x", "x"), ("y", "y"), ("z", "z"), ("", "")]


def test_columns_of_text_and_value_are_that() -> None:
    rows = pl.DataFrame({"__value": [1, 2], "__text": ["one", "two"], "more": [3, 4]})
    assert list(options_of(SITE, rows)) == [("one", "1"), ("two", "2")]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        (0, ["b10", "B2", "a1"]),
        (1, ["B2", "a1", "b10"]),
        (2, ["b10", "a1", "B2"]),
        (3, ["a1", "B2", "b10"]),
        (4, ["b10", "B2", "a1"]),
        (5, ["a1", "b10", "B2"]),
        (6, ["B2", "b10", "a1"]),
        (7, ["a1", "B2", "b10"]),
        (8, ["b10", "B2", "a1"]),
    ],
)
def test_options_are_sorted_as_the_variable_says(sort: int, order: list[str]) -> None:
    assert [text for text, _ in ordered(["b10", "B2", "a1"], sort=sort)] == order


@pytest.mark.parametrize(
    ("regex", "found"),
    [
        ("/depot/", [("depot/a", "depot/a"), ("depot/b", "depot/b")]),
        ("/DEPOT\\/(.*)/i", [("a", "a"), ("b", "b")]),
        ("/(?<text>[a-z]+)\\/(?<value>a)/", [("depot", "a")]),
        ("yard", [("yard", "yard")]),
        ("/([a-z])(?=\\/)/g", [("t", "t")]),
        ("/x/", []),
    ],
)
def test_a_regex_picks_options_and_parts_of_them(regex: str, found: list[tuple[str, str]]) -> None:
    assert ordered(["depot/a", "depot/b", "yard"], regex=regex) == found


def test_variables_of_a_dashboard_are_read_with_what_they_say() -> None:
    content = {
        "templating": {
            "list": [
                {"name": "site", "type": "query", "query": {"rawSql": "select 1"}, "multi": True, "includeAll": True,
                 "current": {"value": ["a", "b"]}},
                {"name": "width", "type": "custom", "query": "1h,1d", "current": {"value": "1d"}},
            ]
        }
    }  # fmt: skip
    site, width = variables_of(content)
    assert (site.query, site.multi, site.include_all, site.current) == ("select 1", True, True, ("a", "b"))
    assert values({}, width)["width"] == ("1d",)


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ({"name": "t", "type": "textbox", "query": "x"}, "found 'textbox'"),
        ({"name": "f", "type": "adhoc"}, "found 'adhoc'"),
        ({"name": "i", "type": "interval", "query": "1m", "auto": True}, "without auto"),
    ],
)
def test_a_variable_that_would_let_text_in_is_refused(variable: dict[str, Any], said: str) -> None:
    with pytest.raises(QueryError, match=said):
        variables_of({"templating": {"list": [variable]}})
