"""A store against an answer key: how far its energy is from what is true, fault by fault."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from jobs.simulate import Simulated
from jobs.simulation.clock import QUARTER_MS
from jobs.simulation.truth import TRUTH
from streams.catalog.site import load_site
from streams.domain.findings import StoreError
from streams.domain.quantities import UNITS
from streams.domain.site import PointKind, Quantity
from streams.stores.duckdb import DuckDBStore

NO_FAULT = "none"
ERRORS = pl.Schema(
    {
        "kind": pl.String(),
        "faults": pl.Int64(),
        "kwh_true": pl.Float64(),
        "kwh_stored": pl.Float64(),
        "kwh_error_knowable": pl.Float64(),
        "kwh_error_unknowable": pl.Float64(),
        "kwh_labelled_missing": pl.Float64(),
        "kwh_misplaced": pl.Float64(),
    }
)
"""One row a kind of fault and one for all else (`none`), over the quarter-hours of energy meters that it struck.

`faults`: how many struck an energy meter. `kwh_error_knowable`: sum of the errors, without their signs, of the
quarter-hours that the readings sent can tell; of a rate, one base unit is no error (the carried fraction).
`kwh_error_unknowable`: stored minus true of all the others, which is zero too where the sum over the fault's span can
be told. `kwh_labelled_missing`: the part of the true energy whose quarter-hours the store says are missing or partial.
`kwh_misplaced`: what stands in another quarter-hour of the same fault than it belongs to.
"""


def quarters(store: DuckDBStore, made: Simulated) -> pl.DataFrame:
    """One row a point and quarter-hour of the answer key: `TRUTH` and what the store has.

    `stored` in base units, zero where it has nothing; `missing_ms`; `energy_kwh`: whether the point counts energy;
    `error`: stored minus true; `kind` and `fault` (its place in `faults.json`), null where no fault struck.
    StoreError where the store does not have the site.
    """
    site = load_site(made.site)
    rows = store.query(
        "select p.point, f.starts_at, f.amount, f.missing_ms from fact.interval as f"
        " inner join op.point as p on f.point_id = p.point_id where p.site = $site",
        {"site": site.name},
    )
    if rows.is_empty():
        raise StoreError(f"{store.path}: expected the energy of site {site.name}, ingested; got none")
    starts = (pl.col("starts_at").dt.epoch("ms") // QUARTER_MS * QUARTER_MS).cast(pl.Datetime("ms"))
    stored = (
        rows.with_columns(starts.dt.replace_time_zone("UTC").alias("starts_at"))
        .group_by("point", "starts_at")
        .agg(pl.col("amount").sum().cast(pl.Int64).alias("stored"), pl.col("missing_ms").sum().cast(pl.Int64))
    )
    truth = pl.read_parquet(made.truth, schema=TRUTH)
    energy = [point.name for point in site.points if point.quantity is Quantity.ENERGY]
    rates = [point.name for point in site.points if point.kind is PointKind.POWER]
    off = pl.col("stored") - pl.col("amount")
    carried = pl.col("point").is_in(rates) & (off.abs() <= 1)
    return (
        truth.join(stored, on=["point", "starts_at"], how="left")
        .join(_struck(made), on=["point", "starts_at"], how="left")
        .with_columns(
            pl.col("stored").fill_null(0),
            pl.col("missing_ms").fill_null(QUARTER_MS),
            pl.col("point").is_in(energy).alias("is_energy"),
        )
        .with_columns(pl.when(carried).then(0).otherwise(off).alias("error"))
    )


def wrong(store: DuckDBStore, made: Simulated) -> pl.DataFrame:
    """The quarter-hours (as in `quarters`, of all quantities) that could be told and are not told rightly."""
    return quarters(store, made).filter(pl.col("knowable") & (pl.col("error") != 0))


def unbalanced(store: DuckDBStore, made: Simulated) -> pl.DataFrame:
    """Stretches whose sum could be told and is not: point, begins_at, error in base units.

    A stretch is a run of quarter-hours that cannot be told one by one, all of them struck by faults whose energy can.
    """
    knowable_sum = pl.Series([each.energy_knowable for each in made.injected], dtype=pl.Boolean)
    rows = quarters(store, made).sort("point", "starts_at")
    told = pl.col("knowable")
    begins = (told != told.shift(1)) | (pl.col("point") != pl.col("point").shift(1))
    return (
        rows.with_columns(
            begins.fill_null(value=True).cum_sum().alias("run"),
            pl.col("fault").replace_strict(range(len(knowable_sum)), knowable_sum, default=False).alias("sum_known"),
        )
        .filter(~told)
        .group_by("run")
        .agg(
            pl.col("point").first(),
            pl.col("starts_at").min().alias("begins_at"),
            pl.col("kind").unique().sort(),
            pl.col("error").sum(),
            pl.col("sum_known").all(),
        )
        .filter(pl.col("sum_known") & (pl.col("error") != 0))
        .drop("run", "sum_known")
    )


def errors(store: DuckDBStore, made: Simulated) -> pl.DataFrame:
    """One row a kind of fault (ERRORS), in the order of injection, then all that no fault struck."""
    return summed(scored(store, made))


def scored(store: DuckDBStore, made: Simulated) -> pl.DataFrame:
    """What `summed` adds up, so that several sites can be: the quarter-hours of energy meters, with their site."""
    rows = quarters(store, made).filter("is_energy")
    return rows.with_columns(pl.lit(str(made.site)).alias("site"), pl.col("kind").fill_null(NO_FAULT))


def summed(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of `scored` by kind (ERRORS)."""
    kwh = float(UNITS["kWh"][1])
    knowable = pl.col("knowable")
    off = pl.col("error").filter(~knowable)
    columns = {
        "kwh_true": pl.col("amount"),
        "kwh_stored": pl.col("stored"),
        "kwh_error_knowable": pl.col("error").abs().filter(knowable),
        "kwh_error_unknowable": off,
        "kwh_labelled_missing": pl.col("amount").filter(pl.col("missing_ms") > 0),
    }
    misplaced = pl.min_horizontal(off.clip(0).sum(), -off.clip(None, 0).sum()) / kwh
    each_fault = rows.group_by("kind", "site", "fault").agg(misplaced.alias("kwh_misplaced"))
    return (
        rows.group_by("kind", maintain_order=True)
        .agg(
            pl.struct("site", "fault").filter(pl.col("fault").is_not_null()).n_unique().cast(pl.Int64).alias("faults"),
            *((each.sum() / kwh).alias(name) for name, each in columns.items()),
        )
        .join(each_fault.group_by("kind").agg(pl.col("kwh_misplaced").sum()), on="kind")
        .sort(pl.col("kind") == NO_FAULT, "kind")
        .select(ERRORS.names())
        .cast(ERRORS)
    )


def _struck(made: Simulated) -> pl.DataFrame:
    """Point, start of each quarter-hour that a fault struck, kind, and its place; the earliest where there are two."""
    rows = []
    for place, each in enumerate(made.injected):
        for begin, end in each.spans:
            first = int(datetime.fromisoformat(begin).timestamp() * 1000) // QUARTER_MS
            last = -(-int(datetime.fromisoformat(end).timestamp() * 1000) // QUARTER_MS)
            rows += [(each.point, quarter * QUARTER_MS, each.kind, place) for quarter in range(first, last)]
    schema = {"point": pl.String, "starts_at": pl.Int64, "kind": pl.String, "fault": pl.Int64}
    frame = pl.DataFrame(rows, schema=schema, orient="row").unique(
        ["point", "starts_at"], keep="first", maintain_order=True
    )
    return frame.with_columns(pl.col("starts_at").cast(pl.Datetime("ms")).dt.replace_time_zone("UTC"))
