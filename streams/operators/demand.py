"""Demand: the average power of clock-aligned quarter-hours, against the contract.

Local quarter-hours are those of UTC: every time zone's offset is a whole number of quarter-hours.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from streams.domain.quality import FactQuality
from streams.domain.site import Contract, Site

QUARTER_MS = 900_000

DEMAND = {
    "starts_ms": pl.Int64,
    "amount": pl.Int64,
    "estimated": pl.Int64,
    "missing_ms": pl.Int64,
    "demand_mw": pl.Int64,
    "contract_mw": pl.Int64,
    "quality": pl.Int16,
    "revision": pl.Int32,
}
"""`demand_mw` and `contract_mw` in milliwatts, `amount` in mWh; null demand where a part of the quarter is missing."""


def quarters(facts: pl.DataFrame, points: int) -> pl.DataFrame:
    """Add the facts of the purchasing points up to quarter-hours.

    `facts`: place, starts_ms, amount, estimated, missing_ms, revision at a grain that divides the quarter-hour.
    Returns starts_ms, amount (null where nothing is known), estimated, missing_ms (the longest of the points, a point
    without a fact missing whole) and revision (the sum of the revisions behind it: it moves whenever one of them does).
    """
    quarter = (pl.col("starts_ms") // QUARTER_MS * QUARTER_MS).alias("starts_ms")
    per_point = facts.group_by("place", quarter).agg(
        pl.when(pl.col("amount").is_not_null().any()).then(pl.col("amount").sum()).alias("amount"),
        pl.col("estimated").sum(),
        (QUARTER_MS - (pl.col("ends_ms") - pl.col("starts_ms")).sum() + pl.col("missing_ms").sum()).alias("missing_ms"),
        pl.col("revision").sum(),
    )
    return (
        per_point.group_by("starts_ms")
        .agg(
            pl.when(pl.col("amount").is_not_null().any()).then(pl.col("amount").sum()).alias("amount"),
            pl.col("estimated").sum(),
            pl.when(pl.len() < points).then(QUARTER_MS).otherwise(pl.col("missing_ms").max()).alias("missing_ms"),
            pl.col("revision").sum().cast(pl.Int32),
        )
        .sort("starts_ms")
    )


def demand(of_site: pl.DataFrame, site: Site) -> pl.DataFrame:
    """Average power of each quarter-hour (columns of `quarters` in, DEMAND out), with the contract of its local day."""
    day = (
        pl.from_epoch("starts_ms", "ms")
        .dt.replace_time_zone("UTC")
        .dt.convert_time_zone(site.time_zone.key)
        .dt.date()
        .alias("day")
    )
    quality = (
        pl.when(pl.col("missing_ms") >= QUARTER_MS)
        .then(int(FactQuality.MISSING))
        .when(pl.col("missing_ms") > 0)
        .then(int(FactQuality.PARTIAL))
        .when(pl.col("estimated") > 0)
        .then(int(FactQuality.ESTIMATED))
        .otherwise(int(FactQuality.MEASURED))
    )
    return (
        of_site.with_columns(day)
        .with_columns(
            pl.when(pl.col("missing_ms") == 0).then(pl.col("amount") * 4).alias("demand_mw"),
            pl.col("day")
            .map_elements(lambda each: contract_mw(site.contracts, each), return_dtype=pl.Int64, skip_nulls=False)
            .alias("contract_mw"),
            quality.cast(pl.Int16).alias("quality"),
        )
        .select(list(DEMAND))
    )


def contract_mw(contracts: tuple[Contract, ...], day: date) -> int | None:
    """The regular contract capacity that holds on a local day, in milliwatts; None where none is agreed."""
    held = [contract for contract in contracts if contract.from_day <= day]
    if not held:
        return None
    return round(max(held, key=lambda contract: contract.from_day).regular_kw * 1_000_000) or None


def projected_mw(known_mwh: int, elapsed_ms: int, rate_mw: int) -> int:
    """The demand at which a running quarter-hour will end if the present power holds.

    `known_mwh` since its start, `elapsed_ms` of it, `rate_mw` the present power; half-mWh are cut off.
    """
    if not 0 <= elapsed_ms <= QUARTER_MS:
        raise ValueError(f"elapsed_ms: expected 0 to {QUARTER_MS}; got {elapsed_ms}")
    return 4 * (known_mwh + rate_mw * (QUARTER_MS - elapsed_ms) // 3_600_000)
