"""Emissions: the amounts of each source times the factor of their year, location- and market-based.

Late and repeated facts are the caller's: a fact that changes is computed again and carries its new revision. Credits
have no place here, so nothing can be netted. Method: ISO 14064-1:2018; GHG Protocol Scope 2 Guidance for the two bases.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import polars as pl

from streams.catalog.factors import Applied, Factors
from streams.domain.quantities import UNITS
from streams.domain.site import EmissionSource, Site
from streams.operators.exact import LIMIT, scale_half_even

EMISSIONS = {
    "source": pl.String,
    "place": pl.Int64,
    "starts_ms": pl.Int64,
    "ends_ms": pl.Int64,
    "scope": pl.Int16,
    "iso_category": pl.Int16,
    "location_e10": pl.Int64,
    "market_e10": pl.Int64,
    "factor_id": pl.String,
    "quality": pl.Int16,
    "revision": pl.Int32,
}
"""`location_e10` and `market_e10` in 1e-10 kgCO2e, null where the amount or the factor is unknown.

`scope` 0 is a memo line: a gas of the Montreal Protocol, reported beside the total.
"""

E10 = 10_000_000_000
MEMO = 0


def emissions(
    facts: pl.DataFrame, green: pl.DataFrame | None, source: EmissionSource, place: int, site: Site, factors: Factors
) -> pl.DataFrame:
    """Turn the facts of one source's point into emissions (EMISSIONS, in the order of the facts).

    `facts`: place, starts_ms, ends_ms, amount (base units, null where missing), missing_ms, local_day, quality,
    revision. `green`: facts of the point that measures what contractual instruments cover, in intervals that lie within
    those of `facts`; None where the source has none. Market-based, that energy counts as zero, up to what was bought in
    the interval; where one of the two is not known for the whole interval nothing is taken off. An amount of more than
    9e8 kgCO2e is not plausible and has none. The year of activity is that of the local day. Each row is rounded half to
    even once.
    """
    covered = _covered(facts, green)
    amount = facts["amount"].fill_null(0).to_numpy()
    bare = amount - np.clip(covered["amount"].to_numpy(), 0, np.maximum(amount, 0))
    day, day_of = np.unique(facts["local_day"].to_numpy(), return_inverse=True)
    on_day = [factors.resolve(source.factor, each, site.gwp_set, source.use) for each in day.tolist()]
    different = list(dict.fromkeys(on_day))
    which = np.array([different.index(each) for each in on_day], dtype=np.int64)[day_of]
    location, market = np.zeros(len(facts), dtype=np.int64), np.zeros(len(facts), dtype=np.int64)
    known = facts["amount"].is_not_null().to_numpy()
    name = np.full(len(facts), None, dtype=object)
    scope = np.full(len(facts), source.scope, dtype=np.int16)
    for nth, applied in enumerate(different):
        rows = which == nth
        if applied is None:
            known = known & ~rows
            continue
        ratio = per_base_unit(applied)
        most = LIMIT // (math.ceil(ratio) + 1)
        rows &= (-most <= amount) & (amount <= most)
        known &= rows | (which != nth)
        location[rows] = scale_half_even(amount[rows], ratio)
        market[rows] = scale_half_even(bare[rows], ratio)
        name[rows] = applied.factor_id
        if applied.memo:
            scope[rows] = MEMO
    told = pl.Series(known)
    return pl.DataFrame(
        {
            "source": pl.Series([source.name], dtype=pl.String).new_from_index(0, len(facts)),
            "place": pl.Series([place], dtype=pl.Int64).new_from_index(0, len(facts)),
            "starts_ms": facts["starts_ms"],
            "ends_ms": facts["ends_ms"],
            "scope": scope,
            "iso_category": pl.Series([source.iso_category], dtype=pl.Int16).new_from_index(0, len(facts)),
            "location_e10": _where(told, location),
            "market_e10": _where(told, market),
            "factor_id": pl.Series(name.tolist(), dtype=pl.String),
            "quality": facts["quality"],
            "revision": facts["revision"] + covered["revision"],
        },
        schema=EMISSIONS,
    )


def per_base_unit(applied: Applied) -> Fraction:
    """1e-10 kgCO2e per base unit (mWh, mL, mg) of the factor's activity."""
    return applied.kgco2e * E10 / UNITS[applied.unit][1]


def _where(told: pl.Series, values: np.ndarray) -> pl.Series:
    column = pl.Series(values)
    return column if told.all() else pl.select(pl.when(told).then(column)).to_series()


def _covered(facts: pl.DataFrame, green: pl.DataFrame | None) -> pl.DataFrame:
    """Green energy within each fact's interval (0 unless both are known for the whole of it), and its revisions."""
    if green is None or not len(green):
        none = np.zeros(len(facts), dtype=np.int32)
        return pl.DataFrame({"amount": none.astype(np.int64), "revision": none})
    spans = facts.select("starts_ms", "ends_ms", "missing_ms").with_row_index("row")
    parts = green.select(
        *(pl.col("starts_ms").alias("begins_ms"), pl.col("ends_ms").alias("until_ms"), "amount", "revision"),
        pl.col("missing_ms").alias("unknown_ms"),
    )
    within = spans.join_where(
        parts, pl.col("begins_ms") >= pl.col("starts_ms"), pl.col("until_ms") <= pl.col("ends_ms")
    )
    span = (pl.col("until_ms") - pl.col("begins_ms")).sum() - pl.col("unknown_ms").sum()
    whole = (span == (pl.col("ends_ms") - pl.col("starts_ms")).first()) & (pl.col("missing_ms").first() == 0)
    found = within.group_by("row").agg(
        pl.when(whole).then(pl.col("amount").sum()).otherwise(0).alias("amount"), pl.col("revision").sum()
    )
    return (
        spans.select("row")
        .join(found, on="row", how="left", maintain_order="left")
        .select(pl.col("amount").fill_null(0), pl.col("revision").fill_null(0).cast(pl.Int32))
    )
