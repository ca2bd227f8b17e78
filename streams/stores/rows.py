"""A step's outputs as rows of the tables in `sql/`, those of many sites together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray

from streams.operators.conservation import DAY_COLUMNS, Day
from streams.operators.models.site_models import Active
from streams.operators.models.watch import ModelState
from streams.operators.points import PointTable
from streams.operators.registers import Event
from streams.operators.state import EnergyState
from streams.pipeline import Outputs, Told
from streams.stores.alerts import NUL, REPLACED, episode_rows

EARLIEST_MS = -2_000_000_000_000
Tables = dict[str, pl.DataFrame]
"""Rows by what they are: see `writer.write`."""


LAST = {
    "rules": ["site"],
    "episode": ["episode_id"],
    "scoring": ["point_id"],
    "state": ["point_id"],
    "model_state": ["site", "asset"],
}
"""Rows of which the last of a key counts, where one commit holds several."""


def together(parts: Sequence[Tables]) -> Tables:
    """The rows of several steps as those of one."""
    if len(parts) == 1:
        return parts[0]
    tables = {
        name: pl.concat([part[name] for part in parts if name in part])
        for name in dict.fromkeys(name for part in parts for name in part)
    }
    for name, key in LAST.items():
        if name in tables:
            tables[name] = tables[name].unique(key, keep="last", maintain_order=True)
    return tables


@dataclass(frozen=True, slots=True)
class RowMaker:
    """Makes the rows of one site.

    `ids` are the numbers of the site's points by their places, `catalog_id` names the version of its file.
    """

    table: PointTable
    ids: NDArray[np.int32]
    catalog_id: int

    def made(self, outputs: Outputs, moment: datetime) -> Tables:
        """All rows but the raw ones; `moment` (UTC, without a zone) is when they became known.

        There are none of what would be empty.
        """
        tables = self._facts(outputs.facts, moment) | self._decisions(outputs, moment)
        if outputs.days:
            tables["day"] = self._days(outputs.days)
        if len(outputs.rolling):
            tables["rolling"] = self._rolling(outputs.rolling)
        of_site, starts = (
            pl.lit(self.table.site.name).alias("site"),
            pl.from_epoch("starts_ms", "ms").alias("starts_at"),
        )
        for name, rows in (("demand", outputs.demand), ("cost", outputs.cost)):
            if len(rows):
                tables[name] = self._dated(rows.select(of_site, starts, pl.exclude("starts_ms")), moment)
        if len(outputs.emissions):
            tables["emission"] = self._emissions(outputs.emissions, moment)
        tables |= self._scores(outputs) | self.told(outputs.told) | self.models(outputs.models)
        return tables | self.states(outputs.state, outputs.touched)

    def _scores(self, outputs: Outputs) -> Tables:
        """Scores, and what is remembered after them."""
        tables: Tables = {}
        if outputs.scored:
            tables["scoring"] = pl.DataFrame(
                {"point_id": self.ids[list(outputs.scored)], "content": list(outputs.scored.values())},
                schema={"point_id": pl.Int32, "content": pl.Binary},
            )
        if len(outputs.scores):
            tables["score"] = outputs.scores.select(
                self._point_id(outputs.scores["place"]),
                pl.from_epoch("starts_ms", "ms").alias("starts_at"),
                pl.from_epoch("ends_ms", "ms").alias("ends_at"),
                *("value", "score", "expected", "lower", "upper"),
                pl.col("cause").cast(pl.Int16),
                "is_warming",
            )
        if len(outputs.model_scores):
            tables["model_score"] = outputs.model_scores.select(
                self._point_id(outputs.model_scores["place"]),
                pl.from_epoch("starts_ms", "ms").alias("starts_at"),
                pl.from_epoch("ends_ms", "ms").alias("ends_at"),
                *("version", "value", "score", "expected", "lower", "upper"),
                pl.col("cause").cast(pl.Int16),
            )
        return tables

    def models(self, models: Mapping[str, Active]) -> Tables:
        """What the models of assets remember."""
        if not models:
            return {}
        rows = [
            (self.table.site.name, asset, each.version, (each.state or ModelState()).to_bytes())
            for asset, each in models.items()
        ]
        schema = {"site": pl.String, "asset": pl.String, "version": pl.Int32, "content": pl.Binary}
        return {"model_state": pl.DataFrame(rows, schema=schema, orient="row")}

    def told(self, told: Told) -> Tables:
        """Episodes as they stand, and what the rules remember."""
        tables: Tables = {}
        if told.episodes:
            tables["episode"] = episode_rows(told.episodes, self.catalog_id)
        if told.state is not None:
            schema = {"site": pl.String, "content": pl.Binary}
            tables["rules"] = pl.DataFrame([(self.table.site.name, told.state.to_bytes())], schema=schema, orient="row")
        return tables

    def raw(self, outputs: Outputs, sources: pl.Series, received_at: pl.Series) -> Tables:
        """The usable readings; `sources` (Int32) and `received_at` (Datetime, ms) have an entry each or one for all."""
        point_id = self.ids[outputs.raw["place"].to_numpy()] if len(outputs.raw) else np.zeros(0, dtype=np.int32)
        return raw_rows(outputs.raw, point_id, sources, received_at)

    def _dated(self, rows: pl.DataFrame, moment: datetime) -> pl.DataFrame:
        return rows.with_columns(
            pl.lit(self.catalog_id, pl.Int32).alias("catalog_id"),
            pl.lit(moment, pl.Datetime("us")).alias("recorded_at"),
        )

    def _point_id(self, place: pl.Series) -> pl.Series:
        return pl.Series("point_id", self.ids[place.to_numpy()])

    def _facts(self, facts: pl.DataFrame, moment: datetime) -> Tables:
        if not len(facts):
            return {}
        rows = self._dated(
            facts.select(
                self._point_id(facts["place"]),
                pl.from_epoch("starts_ms", "ms").alias("starts_at"),
                pl.from_epoch("ends_ms", "ms").alias("ends_at"),
                *("local_day", "amount", "estimated", "estimated_ms", "missing_ms", "quality", "revision"),
            ),
            moment,
        )
        again = rows["revision"] > 0
        parts = {"fresh": rows.filter(~again), "revised": rows.filter(again)} if again.any() else {"fresh": rows}
        return {name: part for name, part in parts.items() if len(part)}

    def _emissions(self, emissions: pl.DataFrame, moment: datetime) -> pl.DataFrame:
        rows = emissions.select(
            pl.lit(self.table.site.name).alias("site"),
            "source",
            self._point_id(emissions["place"]),
            pl.from_epoch("starts_ms", "ms").alias("starts_at"),
            pl.from_epoch("ends_ms", "ms").alias("ends_at"),
            *("scope", "iso_category", "location_e10", "market_e10", "factor_id", "quality", "revision"),
        )
        return self._dated(rows, moment)

    def _decisions(self, outputs: Outputs, moment: datetime) -> Tables:
        tables: Tables = {}
        if outputs.redecided:
            since = [max(each, EARLIEST_MS) for each in outputs.redecided.values()]
            tables["redecided"] = pl.DataFrame(
                {"point_id": self.ids[list(outputs.redecided)], "since_at": pl.Series(since).cast(pl.Datetime("ms"))}
            )
        if outputs.events:
            tables["event"] = self._events(outputs.events)
        if outputs.rejected:
            place = [each[0] for each in outputs.rejected]
            tables["rejected"] = pl.DataFrame(
                {
                    "point_id": self.ids[place],
                    "read_at": pl.Series([each[1] for each in outputs.rejected]).cast(pl.Datetime("ms")),
                    "value": np.array([each[2] for each in outputs.rejected]) / self.table.ticks_per_unit[place],
                    "reason": [each[3] for each in outputs.rejected],
                    "recorded_at": pl.Series([moment] * len(place), dtype=pl.Datetime("us")),
                }
            )
        return tables

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

    def _rolling(self, rolling: pl.DataFrame) -> pl.DataFrame:
        return rolling.select(
            self._point_id(rolling["place"]),
            pl.from_epoch("ends_ms", "ms").alias("ends_at"),
            *rolling.columns[2:],
        )

    def _days(self, days: list[Day]) -> pl.DataFrame:
        latest = {(day[0], day[1]): day for day in days}
        return pl.DataFrame(list(latest.values()), schema=list(DAY_COLUMNS), orient="row").select(
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

    def states(self, state: EnergyState, touched: list[int]) -> Tables:
        """The operator's state of some points."""
        if not touched:
            return {}
        rows = pl.DataFrame(
            {
                "point_id": self.ids[touched],
                "counters": [state.table[place].tobytes() for place in touched],
                "pending": [orjson.dumps(state.pending.get(place, [])).decode() for place in touched],
            },
            schema={"point_id": pl.Int32, "counters": pl.Binary, "pending": pl.String},
        )
        return {"state": rows}


def raw_rows(raw: pl.DataFrame, point_id: NDArray[np.int32], sources: pl.Series, received_at: pl.Series) -> Tables:
    """Usable readings (`clean.DECODED` with `seq` and `late_ms`), of whatever sites; see `RowMaker.raw`."""
    if not len(raw):
        return {}
    columns = [
        raw["seq"],
        pl.Series("point_id", point_id),
        raw["time_ms"].cast(pl.Datetime("ms")).alias("read_at"),
        raw["value"],
        _storable(raw["text"]),
        _storable(raw["unit"]),
        raw["quality"].cast(pl.Int16),
        raw["extra"],
        raw["late_ms"].cast(pl.Datetime("ms")).alias("late_at"),
        *(
            (each if len(each) == len(raw) else each.new_from_index(0, len(raw))).alias(name)
            for name, each in (("source_id", sources), ("received_at", received_at))
        ),
    ]
    return {"raw": pl.DataFrame(columns)}


def _storable(texts: pl.Series) -> pl.Series:
    if texts.null_count() == len(texts):
        return texts
    return texts.str.replace_all(NUL, REPLACED, literal=True)


def quarantined(rejects: pl.DataFrame, source: str, moment: datetime) -> Tables:
    """Rejects (`reason`, `payload`) of a source."""
    if not len(rejects):
        return {}
    at = pl.lit(moment, pl.Datetime("us")).alias("received_at")
    shown = (pl.col(name).str.replace_all(NUL, REPLACED, literal=True) for name in ("reason", "payload"))
    return {"quarantine": rejects.select(at, pl.lit(source.replace(NUL, REPLACED)).alias("source"), *shown)}
