"""Formulas of virtual points: exact, linear, flattened."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.catalog.formula import FormulaError, flatten, parse_formula


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("main", ((Fraction(1), "main"),)),
        ("-main", ((Fraction(-1), "main"),)),
        ("main - chiller-1/kwh * 1.0", ((Fraction(1), "main"), (Fraction(-1), "chiller-1/kwh"))),
        ("0.1*a + b*1/3", ((Fraction(1, 10), "a"), (Fraction(1, 3), "b"))),
        ("2 * a * 1/4 -b", ((Fraction(1, 2), "a"), (Fraction(-1), "b"))),
        ("a + a - b", ((Fraction(2), "a"), (Fraction(-1), "b"))),
        ("1F/lights + 2-a", ((Fraction(1), "1F/lights"), (Fraction(1), "2-a"))),
        ("a-b", ((Fraction(1), "a-b"),)),
    ],
)
def test_a_linear_formula_is_parsed_exactly(text: str, terms: object) -> None:
    assert parse_formula(text) == terms


@pytest.mark.parametrize(
    "text",
    ["", " ", "+", "a +", "a b", "a * b", "a - - b", "3", "a + 3", "a * 1/0", "a / 2", "(a)", "2 a", "* a", "a *"],
)
def test_what_is_not_linear_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(FormulaError, match="expected"):
        parse_formula(text)


NAMES = st.sampled_from(["main", "chiller-1/kwh", "1F/lights", "pv.roof", "a_b"])
NUMBERS = st.fractions(min_value=0, max_value=1000, max_denominator=1000)


@given(st.lists(st.tuples(st.sampled_from("+-"), NUMBERS, NAMES), min_size=1, max_size=8))
def test_any_written_sum_is_read_back(terms: list[tuple[str, Fraction, str]]) -> None:
    text = " ".join(f"{sign} {number} * {name}" for sign, number, name in terms)
    expected: dict[str, Fraction] = {}
    for sign, number, name in terms:
        expected[name] = expected.get(name, Fraction(0)) + (number if sign == "+" else -number)
    assert {name: coefficient for coefficient, name in parse_formula(text)} == expected


def test_nested_formulas_are_written_out_and_what_cancels_is_left_out() -> None:
    formulas = {
        "rest": parse_formula("main - a - b"),
        "both": parse_formula("rest + a"),
        "twice": parse_formula("2 * both - 0.5 * rest"),
    }
    assert flatten(formulas, "both") == ((Fraction(1), "main"), (Fraction(-1), "b"))
    assert flatten(formulas, "twice") == (
        (Fraction(3, 2), "main"),
        (Fraction(1, 2), "a"),
        (Fraction(-3, 2), "b"),
    )


def test_a_circle_is_named() -> None:
    formulas = {"a": parse_formula("b"), "b": parse_formula("c + main"), "c": parse_formula("2 * a")}
    with pytest.raises(FormulaError, match="a → b → c → a"):
        flatten(formulas, "a")
