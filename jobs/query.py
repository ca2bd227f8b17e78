"""`kilowatch query`: SQL on a store."""

from __future__ import annotations

import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from jobs import options
from jobs.opening import opened

EPILOG = (
    "Examples: kilowatch query 'select * from mart.energy_daily' --store duckdb:///site.duckdb · "
    "kilowatch query 'select * from mart.energy_daily' --store duckdb:///site.duckdb --as-of 2026-02-01T00:00"
)

AsOf = Annotated[datetime | None, typer.Option("--as-of", help="Answer as it would have then (UTC).")]


class Format(StrEnum):
    """How a query's result is written."""

    TABLE = "table"
    CSV = "csv"
    PARQUET = "parquet"


def query(
    store: options.StoreUrl,
    sql: Annotated[
        str | None, typer.Argument(metavar="[SQL]", help="One statement; the views are in schema mart.")
    ] = None,
    file: Annotated[Path | None, typer.Option("--file", help="A file with the statement, instead.")] = None,
    form: Annotated[Format, typer.Option("--format", help="How to write the result.")] = Format.TABLE,
    output: Annotated[Path | None, typer.Option("--output", help="A file, instead of standard output.")] = None,
    as_of: AsOf = None,
) -> None:
    """Ask a store; nothing can be changed by it.

    With --as-of the views of energy, demand, cost and emissions answer as they did at that moment.
    """
    statements = [*([sql] if sql is not None else []), *([file.read_text(encoding="utf-8")] if file else [])]
    if len(statements) != 1:
        raise typer.BadParameter(f"expected a statement or --file, one of the two; found {len(statements)}")
    with opened(store, read_only=True, as_of=as_of) as kept:
        rows = kept.query(statements[0])
    if form is Format.TABLE:
        text = table(rows)
        (output.write_text(text, encoding="utf-8") if output else sys.stdout.write(text))
    elif form is Format.CSV:
        rows.write_csv(output or sys.stdout.buffer)
    else:
        rows.write_parquet(output or sys.stdout.buffer)


def table(rows: pl.DataFrame, width: int = 240) -> str:
    """Rows as people read them; what is wider is broken."""
    with pl.Config(
        tbl_rows=1_000, tbl_cols=-1, fmt_str_lengths=80, tbl_hide_dataframe_shape=True, tbl_width_chars=width
    ):
        return f"{rows}\n({len(rows):,} rows)\n"
