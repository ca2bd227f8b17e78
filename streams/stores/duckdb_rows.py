"""Rows of a step's outputs as a DuckDB store keeps them. What a row replaces stays readable in its history (law 5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb
import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray

from streams.operators.conservation import DAY_COLUMNS, Day
from streams.operators.points import PointTable
from streams.operators.registers import Event
from streams.operators.state import EnergyState
from streams.pipeline import Outputs

EARLIEST_MS = -2_000_000_000_000


@dataclass(frozen=True, slots=True)
class Rows:
    """Writes the rows of one site. Everything here happens inside the caller's transaction.

    `ids` are the numbers of the site's points by their places, `catalog_id` names the version of its file.
    """

    con: duckdb.DuckDBPyConnection
    table: PointTable
    ids: NDArray[np.int32]
    catalog_id: int

    def write(self, outputs: Outputs, moment: datetime) -> None:
        """Write all but the raw rows; `moment` (UTC, without a zone) is when they became known."""
        self._write_facts(outputs.facts, moment)
        self._write_decisions(outputs, moment)
        self._write_days(outputs.days)
        self._write_rolling(outputs)
        of_site = pl.lit(self.table.site.name).alias("site")
        for name, rows in (("demand", outputs.demand), ("cost", outputs.cost)):
            if len(rows):
                starts = pl.from_epoch("starts_ms", "ms").alias("starts_at")
                self._replace(name, ("site", "starts_at"), rows.select(of_site, starts, *rows.columns[1:]), moment)
        if len(outputs.emissions):
            self._write_emissions(outputs.emissions, moment)
        self._write_state(outputs.state, outputs.touched)

    def write_raw(self, outputs: Outputs, number: int, name: str, moment: datetime) -> None:
        """Write the usable readings of a source and the rejected ones."""
        if len(outputs.raw):
            raw = outputs.raw
            rows = pl.DataFrame(
                [
                    raw["seq"],
                    pl.Series("point_id", self.ids[raw["place"].to_numpy()]),
                    raw["time_ms"].cast(pl.Datetime("ms")).alias("read_at"),
                    raw["value"],
                    raw["text"],
                    raw["unit"],
                    raw["quality"].cast(pl.Int16),
                    raw["extra"],
                    raw["late_ms"].cast(pl.Datetime("ms")).alias("late_at"),
                    pl.Series("source_id", np.full(len(raw), number, dtype=np.int32)),
                ]
            )
            self._append("raw.reading", rows)
        if len(outputs.rejects):
            rejects = outputs.rejects.select(
                pl.lit(moment).alias("received_at"), pl.lit(name).alias("source"), "reason", "payload"
            )
            self._append("fact.quarantine", rejects)

    def _append(self, name: str, rows: pl.DataFrame) -> None:
        self.con.register("incoming", rows)
        self.con.execute(f"insert into {name} select * from incoming")  # noqa: S608 - a name of this module's own
        self.con.unregister("incoming")

    def _replace(self, name: str, key: tuple[str, ...], rows: pl.DataFrame, moment: datetime) -> None:
        """Put rows in the place of those of the same key; those that were otherwise go to the table's history."""
        stamped = rows.with_columns(pl.lit(self.catalog_id, pl.Int32).alias("catalog_id"))
        values = [column for column in stamped.columns if column not in key]
        same_key = " and ".join(f"f.{column} = n.{column}" for column in key)
        mine, theirs = (", ".join(f"{side}.{column}" for column in values) for side in "fn")
        span = [stamped["starts_at"].min(), stamped["starts_at"].max()]
        self.con.register("incoming", stamped)
        self.con.execute(
            f"create or replace temp table changed as select n.*, ? as recorded_at from incoming as n "  # noqa: S608 - names of this module's own
            f"left join (select * from fact.{name} where starts_at between ? and ?) as f on {same_key} "
            f"where f.{key[0]} is null or row({mine}) is distinct from row({theirs})",
            [moment, *span],
        )
        self.con.unregister("incoming")
        self.con.execute(
            f"insert into fact.{name}_history select f.*, ? from fact.{name} as f semi join changed as n "  # noqa: S608 - likewise
            f"on {same_key} where f.starts_at between ? and ?",
            [moment, *span],
        )
        self.con.execute(
            f"delete from fact.{name} as f using changed as n where {same_key} and f.starts_at between ? and ?",  # noqa: S608 - likewise
            span,
        )
        self.con.execute(f"insert into fact.{name} select * from changed")  # noqa: S608 - likewise

    def _write_facts(self, facts: pl.DataFrame, moment: datetime) -> None:
        if not len(facts):
            return
        rows = facts.select(
            pl.Series("point_id", self.ids[facts["place"].to_numpy()]),
            pl.from_epoch("starts_ms", "ms").alias("starts_at"),
            pl.from_epoch("ends_ms", "ms").alias("ends_at"),
            *("local_day", "amount", "estimated", "estimated_ms", "missing_ms", "quality", "revision"),
        )
        again = pl.col("revision") > 0
        if len(revised := rows.filter(again)):
            self._replace("interval", ("point_id", "starts_at"), revised, moment)
        fresh = rows.filter(~again).with_columns(
            pl.lit(self.catalog_id, pl.Int32).alias("catalog_id"), pl.lit(moment).alias("recorded_at")
        )
        if len(fresh):
            self._append("fact.interval", fresh)

    def _write_emissions(self, emissions: pl.DataFrame, moment: datetime) -> None:
        rows = emissions.select(
            pl.lit(self.table.site.name).alias("site"),
            "source",
            pl.Series("point_id", self.ids[emissions["place"].to_numpy()]),
            pl.from_epoch("starts_ms", "ms").alias("starts_at"),
            pl.from_epoch("ends_ms", "ms").alias("ends_at"),
            *("scope", "iso_category", "location_e10", "market_e10", "factor_id", "quality", "revision"),
        )
        self._replace("emission", ("site", "source", "starts_at"), rows, moment)

    def _write_decisions(self, outputs: Outputs, moment: datetime) -> None:
        if outputs.redecided:
            after = pl.DataFrame(
                {
                    "point_id": self.ids[list(outputs.redecided)],
                    "since_at": pl.Series([max(each, EARLIEST_MS) for each in outputs.redecided.values()]).cast(
                        pl.Datetime("ms")
                    ),
                }
            )
            self.con.register("redecided", after)
            self.con.execute(
                "delete from fact.register_event as e using redecided as n "
                "where e.point_id = n.point_id and e.decided_at > n.since_at"
            )
            self.con.execute(
                "delete from fact.rejected_reading as r using redecided as n "
                "where r.point_id = n.point_id and r.read_at > n.since_at"
            )
            self.con.unregister("redecided")
        if outputs.events:
            self._append("fact.register_event", self._events(outputs.events))
        if outputs.rejected:
            place = [each[0] for each in outputs.rejected]
            rows = pl.DataFrame(
                {
                    "point_id": self.ids[place],
                    "read_at": pl.Series([each[1] for each in outputs.rejected]).cast(pl.Datetime("ms")),
                    "value": np.array([each[2] for each in outputs.rejected]) / self.table.ticks_per_unit[place],
                    "reason": [each[3] for each in outputs.rejected],
                    "recorded_at": [moment] * len(place),
                }
            )
            self._append("fact.rejected_reading", rows)

    def _events(self, events: list[tuple[int, Event]]) -> pl.DataFrame:
        place = [at for at, _ in events]
        made = [event for _, event in events]
        scale = self.table.ticks_per_unit[place]
        return pl.DataFrame(
            {
                "point_id": self.ids[place],
                "decided_at": pl.Series([event.decided_ms for event in made]).cast(pl.Datetime("ms")),
                "happened_at": pl.Series([event.happened_ms for event in made]).cast(pl.Datetime("ms")),
                "kind": [event.kind for event in made],
                "before_value": np.array([event.before for event in made]) / scale,
                "after_value": np.array([event.after for event in made]) / scale,
                "counted_value": np.array([event.energy_ticks for event in made]) / scale,
                "reason": [event.reason for event in made],
            }
        )

    def _write_rolling(self, outputs: Outputs) -> None:
        if not len(outputs.rolling):
            return
        rows = outputs.rolling.select(
            pl.Series("point_id", self.ids[outputs.rolling["place"].to_numpy()]),
            pl.from_epoch("ends_ms", "ms").alias("ends_at"),
            *list(outputs.rolling.columns)[2:],
        )
        self.con.register("rolled", rows)
        self.con.execute(
            "delete from fact.rolling as r using rolled as n where r.point_id = n.point_id "
            "and r.ends_at = n.ends_at and r.ends_at >= ?",
            [rows["ends_at"].min()],
        )
        self.con.execute("insert into fact.rolling select * from rolled")
        self.con.unregister("rolled")

    def _write_days(self, days: list[Day]) -> None:
        latest = {(day[0], day[1]): day for day in days}
        if not latest:
            return
        rows = pl.DataFrame(list(latest.values()), schema=list(DAY_COLUMNS), orient="row").select(
            pl.Series("point_id", self.ids[[place for place, _ in latest]]),
            pl.from_epoch("begins_ms", "ms").alias("begins_at"),
            pl.from_epoch("ends_ms", "ms").alias("ends_at"),
            pl.from_epoch("begins_ms", "ms")
            .dt.replace_time_zone("UTC")
            .dt.convert_time_zone(self.table.site.time_zone.key)
            .dt.date()
            .alias("local_day"),
            *DAY_COLUMNS[3:],
        )
        self.con.register("closed", rows)
        self.con.execute(
            "delete from fact.register_day as d using closed as c where d.point_id = c.point_id "
            "and d.local_day = c.local_day"
        )
        self.con.execute("insert into fact.register_day select * from closed")
        self.con.unregister("closed")

    def _write_state(self, state: EnergyState, touched: list[int]) -> None:
        if not touched:
            return
        rows = pl.DataFrame(
            {
                "point_id": self.ids[touched],
                "counters": [state.table[place].tobytes() for place in touched],
                "pending": [orjson.dumps(state.pending.get(place, [])).decode() for place in touched],
            },
            schema={"point_id": pl.Int32, "counters": pl.Binary, "pending": pl.String},
        )
        self.con.register("changed_state", rows)
        self.con.execute("delete from op.energy_state as s using changed_state as c where s.point_id = c.point_id")
        self.con.execute("insert into op.energy_state select * from changed_state")
        self.con.unregister("changed_state")


def make_timestamp(time_ms: int) -> datetime:
    """A moment as the store keeps it: UTC without a zone."""
    return datetime.fromtimestamp(time_ms / 1000, tz=UTC).replace(tzinfo=None)
