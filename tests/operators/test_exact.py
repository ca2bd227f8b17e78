"""Exact scaling against fractions, and virtual meters."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.operators.exact import scale_half_even
from streams.operators.virtual import virtual

START, QUARTER = 1_767_225_600_000, 900_000


@given(
    st.lists(st.integers(-(10**13), 10**13), max_size=20),
    st.fractions(min_value=-100, max_value=100, max_denominator=10**13),
)
def test_scaling_is_that_of_fractions_rounded_half_to_even(amounts: list[int], ratio: Fraction) -> None:
    expected = [round(each * ratio) for each in amounts]
    assert scale_half_even(np.array(amounts, dtype=np.int64), ratio).tolist() == expected


@given(st.lists(st.integers(-1000, 1000), max_size=20))
def test_halves_go_to_the_even_neighbour(amounts: list[int]) -> None:
    for ratio in (Fraction(1, 2), Fraction(3, 2), Fraction(-5, 2)):
        expected = [round(each * ratio) for each in amounts]
        assert scale_half_even(np.array(amounts, dtype=np.int64), ratio).tolist() == expected


def test_a_result_beyond_63_bits_is_an_error_and_never_wraps() -> None:
    with pytest.raises(OverflowError, match="expected at most"):
        scale_half_even(np.array([10**15], dtype=np.int64), Fraction(10**5))


def facts_of(place: int, amounts: list[int | None], revision: int = 0) -> pl.DataFrame:
    starts = [START + nth * QUARTER for nth in range(len(amounts))]
    return pl.DataFrame(
        {
            "place": [place] * len(amounts),
            "starts_ms": starts,
            "ends_ms": [each + QUARTER for each in starts],
            "amount": amounts,
            "estimated": [0] * len(amounts),
            "estimated_ms": [0] * len(amounts),
            "missing_ms": [QUARTER if each is None else 0 for each in amounts],
            "revision": [revision] * len(amounts),
        },
        schema_overrides={"place": pl.Int64, "amount": pl.Int64, "revision": pl.Int32},
    )


def test_a_virtual_meter_is_unknown_where_one_member_is_and_absent_where_one_has_no_fact() -> None:
    facts = pl.concat([facts_of(0, [1_000, 1_000, None, 500]), facts_of(1, [300, 301, 5], revision=1)])
    rows = virtual(facts, 9, {0: Fraction(1), 1: Fraction(-1, 2)})
    assert rows["amount"].to_list() == [850, 850, None]  # 849.5 goes to the even neighbour
    assert rows["missing_ms"].to_list() == [0, 0, QUARTER]
    assert rows["revision"].to_list() == [1, 1, 1]
    assert rows["place"].unique().to_list() == [9]
