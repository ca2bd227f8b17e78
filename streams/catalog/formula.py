"""Linear formulas of virtual points: `main - chiller-1/kwh * 1.5 + 1/3 * feed` to exact terms.

A minus that touches a name on both sides belongs to the name (`chiller-1`), so a subtraction has a space before it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction

Terms = tuple[tuple[Fraction, str], ...]

NAME = re.compile(r"[A-Za-z0-9_]+([./-][A-Za-z0-9_]+)*")
NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?(/[0-9]+)?")
TOKEN = re.compile(rf"\s*(?:(?P<number>{NUMBER.pattern})(?![\w./-])|(?P<name>{NAME.pattern})|(?P<sign>[-+*]))")


class FormulaError(ValueError):
    """A formula that is no linear sum of points; the text says what was expected where."""


def parse_formula(text: str) -> Terms:
    """Parse a formula to (coefficient, name) terms, equal names gathered, in order of first appearance.

    Terms are `name`, `number * name` or `name * number`, joined by + and -; numbers are decimals or fractions and
    kept exact. FormulaError for anything else: constants, products of points, division by zero.
    """
    tokens = _tokens(text)
    sums: dict[str, Fraction] = {}
    place = 0
    while place < len(tokens):
        sign = Fraction(1)
        if tokens[place][1] in ("+", "-"):
            sign = Fraction(-1 if tokens[place][1] == "-" else 1)
            place += 1
        elif place:
            raise FormulaError(f"expected +, - or * before {tokens[place][1]!r}")
        end = place
        while end < len(tokens) and tokens[end][1] not in ("+", "-"):
            end += 1
        coefficient, name = _term(tokens[place:end])
        sums[name] = sums.get(name, Fraction(0)) + sign * coefficient
        place = end
    if not sums:
        raise FormulaError("expected a sum of points such as main - chiller-1/kwh; got nothing")
    return tuple((coefficient, name) for name, coefficient in sums.items())


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    place, text = 0, text.rstrip()
    while place < len(text):
        match = TOKEN.match(text, place)
        if match is None:
            raise FormulaError(f"expected a point, a number, +, - or *; got {text[place:].strip()[:20]!r}")
        tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
        place = match.end()
    return tokens


def _term(tokens: list[tuple[str, str]]) -> tuple[Fraction, str]:
    """One product: exactly one name, any number of numbers, a `*` between each two."""
    shown = " ".join(text for _, text in tokens)
    names = [text for kind, text in tokens if kind == "name"]
    signs_right = all((kind == "sign") == bool(index % 2) for index, (kind, _) in enumerate(tokens))
    if not signs_right or len(tokens) % 2 == 0 or len(names) != 1:
        raise FormulaError(f"expected one point, with numbers joined by * (name * 1.5); got {shown or 'nothing'!r}")
    coefficient = Fraction(1)
    for kind, text in tokens:
        if kind == "number":
            try:
                over = text.partition("/")
                coefficient *= Fraction(over[0]) / Fraction(over[2] or 1)
            except ZeroDivisionError:
                raise FormulaError(f"expected a fraction; got {text!r}, which divides by zero") from None
    return coefficient, names[0]


def flatten(formulas: Mapping[str, Terms], name: str) -> Terms:
    """Terms of a virtual point over measured points only; nested virtual points are written out, zeros dropped.

    `formulas` holds every virtual point. FormulaError names the circle if a formula leads back to itself.
    """
    sums: dict[str, Fraction] = {}
    _expand(formulas, name, Fraction(1), sums, [])
    return tuple((coefficient, leaf) for leaf, coefficient in sums.items() if coefficient)


def _expand(
    formulas: Mapping[str, Terms], name: str, factor: Fraction, sums: dict[str, Fraction], way: list[str]
) -> None:
    if name in way:
        raise FormulaError("expected a formula that ends at measured points; got " + " → ".join([*way, name]))
    if name not in formulas:
        sums[name] = sums.get(name, Fraction(0)) + factor
        return
    for coefficient, inner in formulas[name]:
        _expand(formulas, inner, factor * coefficient, sums, [*way, name])
