"""Virtual meters: linear formulas over the quarter-hour amounts of other points."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import polars as pl

from streams.operators.demand import QUARTER_MS
from streams.operators.exact import scale_half_even

VIRTUAL = {
    "place": pl.Int64,
    "starts_ms": pl.Int64,
    "ends_ms": pl.Int64,
    "amount": pl.Int64,
    "estimated": pl.Int64,
    "estimated_ms": pl.Int64,
    "missing_ms": pl.Int64,
    "revision": pl.Int32,
}


def virtual(facts: pl.DataFrame, place: int, terms: dict[int, Fraction]) -> pl.DataFrame:
    """Apply `Σ coefficient × amount` to each quarter-hour that every member has facts for, whole.

    `facts`: those of the members, at a grain that divides the quarter-hour. Returns VIRTUAL: an amount is null and the
    quarter missing where one member's is not known whole; it is estimated as far as the members' are (sizes added);
    the revision is the sum of those behind it. The sum is exact and rounded half to even once.
    """
    quarter = (pl.col("starts_ms") // QUARTER_MS * QUARTER_MS).alias("starts_ms")
    members = (
        facts.group_by("place", quarter)
        .agg(
            (pl.col("ends_ms") - pl.col("starts_ms")).sum().alias("covered"),
            pl.col("amount").is_not_null().all().alias("known"),
            pl.col("amount").sum(),
            pl.col("estimated", "estimated_ms", "missing_ms", "revision").sum(),
        )
        .filter(pl.col("covered") == QUARTER_MS)
    )
    whole = members.group_by("starts_ms").agg(pl.len().alias("members")).filter(pl.col("members") == len(terms))
    starts = whole["starts_ms"].sort()
    common = np.lcm.reduce([term.denominator for term in terms.values()]) if terms else 1
    total = np.zeros(len(starts), dtype=np.int64)
    estimated = np.zeros(len(starts), dtype=np.int64)
    estimated_ms, missing_ms, revision = (np.zeros(len(starts), dtype=np.int64) for _ in range(3))
    known = np.ones(len(starts), dtype=np.bool_)
    for member, coefficient in sorted(terms.items()):
        rows = members.filter(pl.col("place") == member, pl.col("starts_ms").is_in(starts.implode())).sort("starts_ms")
        total += rows["amount"].to_numpy() * int(coefficient * int(common))
        estimated += scale_half_even(rows["estimated"].to_numpy(), abs(coefficient))
        estimated_ms = np.maximum(estimated_ms, rows["estimated_ms"].to_numpy())
        missing_ms = np.maximum(missing_ms, rows["missing_ms"].to_numpy())
        revision += rows["revision"].to_numpy()
        known &= rows["known"].to_numpy() & (rows["missing_ms"].to_numpy() == 0)
    amount = scale_half_even(total, Fraction(1, int(common)))
    return pl.DataFrame(
        {
            "place": np.full(len(starts), place, dtype=np.int64),
            "starts_ms": starts,
            "ends_ms": starts + QUARTER_MS,
            "amount": pl.Series(amount).set(pl.Series(~known), None),
            "estimated": estimated,
            "estimated_ms": estimated_ms,
            "missing_ms": np.where(known, 0, QUARTER_MS),
            "revision": pl.Series(revision).cast(pl.Int32),
        },
        schema_overrides=VIRTUAL,
    )
