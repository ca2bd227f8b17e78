"""A DuckDB store's rows in a PostgreSQL database."""

from __future__ import annotations

import polars as pl

from streams.stores.duckdb import DuckDBStore
from streams.stores.postgres import PostgresStore
from streams.stores.schema import migrate

TABLES = (
    "select table_schema, table_name from information_schema.tables "
    "where table_schema in ('op', 'raw', 'fact') and table_type = 'BASE TABLE' order by 1, 2"
)
AT_ONCE = 500_000
MADE = {("op", "migration"), ("op", "unit")}
"""Tables that `migrate` fills."""


def copy(source: DuckDBStore, dsn: str, passwords: dict[str, str]) -> None:
    """Migrate the database and copy every table into it."""
    target = PostgresStore(dsn)
    try:
        migrate(target, passwords)
        for schema, name in source.rows(TABLES):
            if (schema, name) in MADE:
                continue
            for batch in source.con.sql(f"select * from {schema}.{name}").to_arrow_reader(AT_ONCE):
                rows = pl.DataFrame(batch)
                moments = [column for column, dtype in rows.schema.items() if isinstance(dtype, pl.Datetime)]
                target.append(f"{schema}.{name}", rows.with_columns(pl.col(moments).cast(pl.Datetime("us"))))
        target.con.execute("vacuum analyze")
        target.con.execute("checkpoint")  # or what asks next waits for the disk
    finally:
        target.close()
