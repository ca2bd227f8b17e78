"""The part of a DuckDB store that belongs to one site: outputs, operator state and position commit together (law 7)."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import orjson
import polars as pl

from streams.catalog.reference import load_reference
from streams.domain.findings import FencedError, StoreError
from streams.operators.clean import event_time
from streams.operators.points import PointTable
from streams.operators.state import EnergyState
from streams.pipeline import FACT, Memory, Outputs, Pipeline
from streams.stores.archive import ArchiveFile
from streams.stores.duckdb import DuckDBStore
from streams.stores.duckdb_rows import EARLIEST_MS, Rows, make_timestamp

RAW = (
    "select r.point_id, epoch_ms(r.read_at) as time_ms, r.value, r.unit, cast(r.quality as tinyint) as quality, "
    "r.seq, epoch_ms(r.late_at) as late_ms from raw.reading as r where r.point_id in (select unnest(?))"
)
FACTS = (
    "select point_id, epoch_ms(starts_at) as starts_ms, epoch_ms(ends_at) as ends_ms, amount, estimated, "
    "estimated_ms, missing_ms, local_day, quality, revision from fact.interval where point_id in "
    "(select unnest(?)) and starts_at >= make_timestamp_ms(?) and starts_at < make_timestamp_ms(?)"
)
UNARCHIVED = (
    "select r.seq, p.point, epoch_ms(r.read_at) as time_ms, r.value, r.text, r.unit, "
    "cast(r.quality as tinyint) as quality, r.extra, epoch_ms(r.late_at) as late_ms, "
    "epoch_ms(s.received_at) as received_ms, s.source "
    "from raw.reading as r inner join op.point as p using (point_id) inner join op.source as s using (source_id) "
    "where r.point_id in (select unnest(?)) and r.seq >= ? order by r.seq"
)
UNKNOWN = -1


class SiteStore:
    """The part of a store that belongs to one site: its memory for the pipeline, and its commits."""

    def __init__(self, store: DuckDBStore, table: PointTable) -> None:
        """Register the site's points and load the position."""
        self.store = store
        self.con = store.con
        self.table = table
        self.site = table.site.name
        if store.read_only:
            self._ids = dict(self.con.execute("select point, point_id from op.point").fetchall())
            if missing := [point.name for point in table.every if point.name not in self._ids]:
                raise StoreError(f"store {store.path}: expected the points of {self.site!r}; found no {missing[0]!r}")
        else:
            with store.transaction():
                self._register()
        self.ids = np.array([self._ids[point.name] for point in table.every], dtype=np.int32)
        self.places = dict(zip(self.ids.tolist(), range(len(self.ids)), strict=True))
        self.rows = Rows(self.con, table, self.ids, self._catalog_id())
        self.next_seq: int = self._one("select next_seq from op.position where site = ?", [self.site])

    def _one(self, statement: str, values: list[object]) -> int:
        row = self.store.first(statement, values)
        if row is None:
            raise StoreError(f"store {self.store.path}: no row for {values}")
        return int(row[0])

    def _register(self) -> None:
        self._ids = dict(self.con.execute("select point, point_id from op.point").fetchall())
        every = self.table.site.points
        for name in sorted({point.name for point in every} - self._ids.keys()):
            self._ids[name] = len(self._ids)
        rows = pl.DataFrame(
            {
                "point_id": pl.Series([self._ids[point.name] for point in every], dtype=pl.Int32),
                "site": [self.site] * len(every),
                "asset": [point.asset for point in every],
                "point": [point.name for point in every],
                "kind": [point.kind.value for point in every],
                "quantity": [point.quantity.value for point in every],
                "unit": [point.unit for point in every],
                "resolution_ms": [point.resolution_ms for point in every],
                "time_zone": [self.table.site.time_zone.key] * len(every),
            }
        )
        self.con.register("declared", rows)
        self.con.execute("delete from op.point as p using declared as d where p.point_id = d.point_id")
        self.con.execute("insert into op.point select * from declared")
        self.con.unregister("declared")
        if self._catalog_id() == UNKNOWN:
            number = self._one("select count(*) from op.catalog", [])
            content = [number, self.site, self.table.site.sha256, self.table.site.source]
            self.con.execute("insert into op.catalog values (?, ?, ?, ?)", content)
        if not self.store.first("select 1 from op.position where site = ?", [self.site]):
            self.con.execute("insert into op.position values (?, 0)", [self.site])

    def _catalog_id(self) -> int:
        """The number of this version of the site's file, UNKNOWN where nothing was written with it."""
        row = self.store.first(
            "select catalog_id from op.catalog where site = ? and sha256 = ?", [self.site, self.table.site.sha256]
        )
        return int(row[0]) if row else UNKNOWN

    def pipeline(self, memory: Memory | None = None) -> Pipeline:
        """The site's pipeline as the last commit left it; it looks up in `memory`, or here."""
        state = EnergyState.empty(len(self.table.points))
        rows = self.con.execute("select point_id, counters, pending from op.energy_state").fetchall()
        for point_id, counters, pending in rows:
            if point_id not in self.places:
                continue
            place = self.places[point_id]
            state.table[place] = np.frombuffer(counters, dtype=np.int64)
            if readings := orjson.loads(pending):
                state.pending[place] = [(time_ms, ticks) for time_ms, ticks in readings]
        pipeline = Pipeline(self.table, memory or self, load_reference(), state, self.next_seq)
        unworked = self._unworked(state)
        if len(unworked):
            pipeline.restore(unworked)
            highest = unworked.group_by("place").agg(pl.col("time_ms").max())
            column = state.column("highest_ms")
            place = highest["place"].to_numpy()
            np.maximum.at(column, place, event_time(self.table, place, highest["time_ms"].to_numpy()))
        return pipeline

    def _unworked(self, state: EnergyState) -> pl.DataFrame:
        """Raw rows that the state does not hold: later than what was worked off, or late and not applied yet."""
        stamped = np.maximum(state.column("done_ms") - self.table.interval_ms, EARLIEST_MS)
        worked = pl.DataFrame(
            {
                "point_id": self.ids[: len(stamped)],
                "worked_at": pl.Series(stamped).cast(pl.Datetime("ms")),
                "late_seq": state.column("late_seq"),
            }
        )
        self.con.register("worked", worked)
        condition = (
            "exists (select 1 from worked as w where w.point_id = r.point_id and "
            "(r.read_at > w.worked_at or (r.late_at is not null and r.seq > w.late_seq)))"
        )
        rows = self._raw(condition, [])
        self.con.unregister("worked")
        return rows

    def _raw(self, condition: str, values: list[object]) -> pl.DataFrame:
        statement = f"{RAW} and {condition} order by r.seq"
        rows = self.con.sql(statement, params=[self.ids.tolist(), *values]).to_arrow_table()
        frame = pl.DataFrame(rows)
        return frame.with_columns(pl.col("point_id").replace_strict(self.places, return_dtype=pl.Int64).alias("place"))

    def readings(self, places: list[int], since_ms: int) -> pl.DataFrame:
        """See `streams.pipeline.Memory`."""
        since = make_timestamp(max(since_ms, EARLIEST_MS))
        condition = "r.point_id in (select unnest(?)) and r.read_at > ?"
        return self._raw(condition, [self.ids[places].tolist(), since]).drop("point_id")

    def facts(self, places: list[int], from_ms: int, to_ms: int) -> pl.DataFrame:
        """See `streams.pipeline.Memory`."""
        rows = self.con.sql(FACTS, params=[self.ids[places].tolist(), from_ms, to_ms]).to_arrow_table()
        frame = pl.DataFrame(rows)
        return frame.select(
            pl.col("point_id").replace_strict(self.places, return_dtype=pl.Int64).alias("place"),
            *(pl.col(name).cast(dtype) for name, dtype in FACT.items() if name != "place"),
        )

    def listed(self) -> list[ArchiveFile]:
        """The files of the raw archive that commits have listed, in order of arrival."""
        rows = self.con.execute(
            "select file, first_seq, readings, sha256 from op.archive_file where site = ? order by first_seq, file",
            [self.site],
        ).fetchall()
        return [ArchiveFile(*row) for row in rows]

    @property
    def archived_to(self) -> int:
        """The number of the first reading that is not in the archive."""
        return self._one("select coalesce(max(first_seq), 0) from op.archived where site = ?", [self.site])

    def unarchived(self) -> pl.DataFrame:
        """Raw rows that no file of the archive holds yet, in the columns of `archive.COLUMNS`."""
        rows = self.con.sql(UNARCHIVED, params=[self.ids.tolist(), self.archived_to]).to_arrow_table()
        return pl.DataFrame(rows)

    def list_files(self, files: list[ArchiveFile], next_seq: int) -> None:
        """List files of the archive, with which it holds every raw row before `next_seq`."""
        with self.store.transaction():
            for each in files:
                self.con.execute(
                    "insert into op.archive_file values (?, ?, ?, ?, ?)",
                    [each.file, self.site, each.first_seq, each.readings, each.sha256],
                )
            self.con.execute("delete from op.archived where site = ?", [self.site])
            self.con.execute("insert into op.archived values (?, ?)", [self.site, next_seq])

    def controls(self) -> list[tuple[int, str, datetime]]:
        """Recorded ticks and ends of streams: number of the reading they came before, kind, time."""
        rows = self.con.execute(
            "select seq, kind, happened_at from op.control where site = ? order by seq, happened_at", [self.site]
        ).fetchall()
        return [(int(seq), str(kind), moment.replace(tzinfo=UTC)) for seq, kind, moment in rows]

    def source(self, source: str, name: str, received_at: datetime) -> tuple[int, int, datetime, bool]:
        """Number, records already stored, first arrival and completeness of a source; it is registered if new."""
        row = self.store.first(
            "select source_id, records, received_at, is_complete from op.source where site = ? and source = ?",
            [self.site, source],
        )
        if row:
            return int(row[0]), int(row[1]), row[2].replace(tzinfo=UTC), bool(row[3])
        number = self._one("select count(*) from op.source", [])
        moment = received_at.replace(tzinfo=None)
        with self.store.transaction():
            self.con.execute(
                "insert into op.source values (?, ?, ?, ?, 0, ?, false)", [number, self.site, source, name, moment]
            )
        return number, 0, received_at, False

    def commit(
        self,
        outputs: Outputs,
        recorded_at: datetime,
        *,
        source: tuple[int, str, int, int] | None = None,
        control: tuple[str, datetime] | None = None,
    ) -> None:
        """Store what a step left, the state of the points it touched, and the position, together.

        `source` is (number, name, records before, records after); FencedError where the stored position is not the
        one this pipeline continued from.
        """
        moment = recorded_at.astimezone(UTC).replace(tzinfo=None)
        with self.store.transaction():
            moved = self.store.first(
                "update op.position set next_seq = ? where site = ? and next_seq = ?",
                [outputs.next_seq, self.site, self.next_seq],
            )
            if not moved or moved[0] != 1:
                raise FencedError(f"store {self.store.path}: another writer has moved site {self.site!r} on")
            if source:
                number, name, before, after = source
                moved = self.store.first(
                    "update op.source set records = ? where source_id = ? and records = ?", [after, number, before]
                )
                if not moved or moved[0] != 1:
                    raise FencedError(f"store {self.store.path}: source {name} is being read by another process too")
                self.rows.write_raw(outputs, number, name, moment)
            if control:
                self.con.execute(
                    "insert into op.control values (?, ?, ?, ?)",
                    [outputs.next_seq, self.site, control[0], control[1].astimezone(UTC).replace(tzinfo=None)],
                )
            self.rows.write(outputs, moment)
        self.next_seq = outputs.next_seq

    def complete(self, number: int) -> None:
        """Note that a source has been read to its end."""
        with self.store.transaction():
            self.con.execute("update op.source set is_complete = true where source_id = ?", [number])
