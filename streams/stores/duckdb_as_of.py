"""A store as it stood at an earlier moment: the same views over the revisions that were known by then (law 5)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl

from streams.domain.findings import StoreError
from streams.stores.duckdb import DuckDBStore
from streams.stores.store import SQL

KEPT = {
    "energy_interval": "interval",
    "energy_daily": "interval",
    "demand_15min": "demand",
    "cost_interval": "cost",
    "emissions_interval": "emission",
}
"""Views whose earlier rows are kept, and the table behind each; the others only know the present."""


class EarlierStore(DuckDBStore):
    """The views of KEPT as they were at a moment; nothing can be changed through it."""

    def __init__(self, path: Path, moment: datetime) -> None:
        """Open the file for reading; StoreError says what is in the way."""
        DuckDBStore(path, read_only=True).close()  # its messages say what is wrong with the file
        self.path, self.where, self.read_only = path, str(path), True
        self.con = duckdb.connect()
        self.con.execute("set TimeZone = 'UTC'")
        quoted = str(path).replace("'", "''")
        self.con.execute(f"attach '{quoted}' as present (read_only)")
        at = moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")
        for schema in ("op", "fact", "mart"):
            self.con.execute(f"create schema {schema}")
        for name in ("point", "catalog"):
            self.con.execute(f"create view op.{name} as select * from present.op.{name}")  # noqa: S608 - own names
        for name in dict.fromkeys(KEPT.values()):
            self.con.execute(
                f"create view fact.{name} as select * from present.fact.{name} where recorded_at <= '{at}' "  # noqa: S608 - own names
                f"union all by name select * exclude (superseded_at) from present.fact.{name}_history "
                f"where recorded_at <= '{at}' and superseded_at > '{at}'"
            )
        for view in ("configuration", *KEPT):
            self.con.execute((SQL / "views" / f"{view}.sql").read_text(encoding="utf-8"))
        self._confine()

    def query(self, statement: str, values: dict[str, object] | None = None) -> pl.DataFrame:
        """Run a statement; StoreError also where it asks for a view that keeps no earlier rows."""
        try:
            return super().query(statement, values)
        except StoreError as error:
            if "does not exist" in str(error):
                known = ", ".join(f"mart.{view}" for view in KEPT)
                raise StoreError(f"{error}\nat an earlier moment there are: {known}") from error
            raise
