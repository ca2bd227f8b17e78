"""One DuckDB file: outputs, operator state and position in one transaction (law 7)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import orjson
import polars as pl

from streams.catalog.reference import load_reference
from streams.domain.findings import FencedError, StoreError
from streams.operators.clean import event_time
from streams.operators.conservation import DAY_COLUMNS, Day
from streams.operators.points import PointTable
from streams.operators.state import ON_TIME, EnergyState
from streams.pipeline import FACT, Memory, Outputs, Pipeline
from streams.stores.archive import ArchiveFile

SQL = Path(__file__).parents[2] / "sql"
FACT_ROW = (
    "starts_at",
    "ends_at",
    "local_day",
    "amount",
    "estimated",
    "estimated_ms",
    "missing_ms",
    "quality",
    "revision",
)
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
DAY_MS = 86_400_000
EARLIEST_MS = -2_000_000_000_000


def path_of(url: str) -> Path:
    """The file that a `duckdb:///…` URL names; StoreError for any other URL."""
    prefix = "duckdb:///"
    if not url.startswith(prefix) or len(url) == len(prefix):
        raise StoreError(f"store {url!r}: expected duckdb:///path/to/file.duckdb")
    return Path("/" + url[len(prefix) :]) if url.startswith(prefix + "/") else Path(url[len(prefix) :])


class DuckDBStore:
    """A store in one file. One process at a time can hold it."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open or create the file and bring its schema up to date; StoreError says what is in the way."""
        self.path = path
        self.read_only = read_only
        if read_only and not path.exists():
            raise StoreError(f"store {path}: expected a file; found none")
        if not path.parent.is_dir():
            raise StoreError(f"store {path}: expected the folder {path.parent} to exist; found none")
        try:
            self.con = duckdb.connect(str(path), read_only=read_only)
        except duckdb.IOException as error:
            if "not a valid DuckDB" in str(error):
                raise StoreError(f"store {path}: expected a DuckDB file; found something else") from error
            if "lock" in str(error).lower():
                raise StoreError(f"store {path}: another process holds it; stop that one first") from error
            raise StoreError(f"store {path}: cannot be opened: {_first_line(error)}") from error
        except duckdb.Error as error:
            raise StoreError(f"store {path}: cannot be opened: {_first_line(error)}") from error
        self.con.execute("set TimeZone = 'UTC'")
        if not read_only:
            self._migrate()

    def close(self) -> None:
        """Let go of the file."""
        self.con.close()

    def query(self, statement: str, values: dict[str, object] | None = None) -> pl.DataFrame:
        """Run a statement, with its named values; StoreError carries what DuckDB says."""
        try:
            return pl.DataFrame(self.con.sql(statement, params=values).to_arrow_table())
        except duckdb.Error as error:
            raise StoreError(f"query: {error}") from error

    def first(self, statement: str, values: list[object] | None = None) -> tuple[Any, ...] | None:
        """Run a statement and return its first row, or None; the result is read to its end."""
        rows = self.con.execute(statement, values or []).fetchall()
        return rows[0] if rows else None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; a full disk or a broken file becomes a StoreError and nothing is stored."""
        self.con.begin()
        try:
            yield
            self.con.commit()
        except duckdb.Error as error:
            self._rollback()
            raise StoreError(f"store {self.path}: nothing of this batch was stored: {_first_line(error)}") from error
        except BaseException:
            self._rollback()
            raise

    def _rollback(self) -> None:
        try:
            self.con.rollback()
        except duckdb.Error as error:  # DuckDB has rolled back by itself already
            if "no transaction" not in str(error):
                raise

    def _migrate(self) -> None:
        known = self.first(
            "select count(*) from information_schema.tables where table_schema = 'op' and table_name = 'migration'"
        )
        done = dict(self.con.execute("select name, sha256 from op.migration").fetchall()) if known and known[0] else {}
        with self.transaction():
            for file in sorted((SQL / "migrations").glob("*.sql")):
                content = file.read_text(encoding="utf-8")
                digest = hashlib.sha256(content.encode()).hexdigest()
                if file.name not in done:
                    self.con.execute(content)
                    self.con.execute("insert into op.migration values (?, ?)", [file.name, digest])
                elif done[file.name] != digest:
                    raise StoreError(f"store {self.path}: {file.name} was applied in another version of it")
            for file in sorted((SQL / "views").glob("*.sql")):
                self.con.execute(file.read_text(encoding="utf-8"))


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
        if not self.store.first("select 1 from op.position where site = ?", [self.site]):
            self.con.execute("insert into op.position values (?, 0)", [self.site])

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
        done = state.column("done_ms")
        started = done[done > ON_TIME]
        earliest = int(started.min(initial=1 << 60)) if len(started) else ON_TIME
        since = max(earliest - DAY_MS, -(1 << 50))
        unworked = self._raw("(r.late_at is not null or epoch_ms(r.read_at) > ?)", [since])
        if len(unworked):
            pipeline.restore(unworked)
            highest = unworked.group_by("place").agg(pl.col("time_ms").max())
            column = state.column("highest_ms")
            place = highest["place"].to_numpy()
            np.maximum.at(column, place, event_time(self.table, place, highest["time_ms"].to_numpy()))
        return pipeline

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
                self._write_raw(outputs, source, moment)
            if control:
                self.con.execute(
                    "insert into op.control values (?, ?, ?, ?)",
                    [outputs.next_seq, self.site, control[0], control[1].astimezone(UTC).replace(tzinfo=None)],
                )
            self._write_facts(outputs.facts, moment)
            self._write_decisions(outputs)
            self._write_days(outputs.days)
            self._write_derived(outputs)
            self._write_state(outputs.state, outputs.touched)
        self.next_seq = outputs.next_seq

    def _write_raw(self, outputs: Outputs, source: tuple[int, str, int, int], moment: datetime) -> None:
        number, name, before, after = source
        moved = self.store.first(
            "update op.source set records = ? where source_id = ? and records = ?", [after, number, before]
        )
        if not moved or moved[0] != 1:
            raise FencedError(f"store {self.store.path}: source {name} is being read by another process too")
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

    def _write_facts(self, facts: pl.DataFrame, moment: datetime) -> None:
        if not len(facts):
            return
        rows = facts.select(
            pl.Series("point_id", self.ids[facts["place"].to_numpy()]),
            pl.from_epoch("starts_ms", "ms").alias("starts_at"),
            pl.from_epoch("ends_ms", "ms").alias("ends_at"),
            *(pl.col(name) for name in FACT_ROW[2:]),
            pl.lit(moment).alias("recorded_at"),
        )
        revised = rows.filter(pl.col("revision") > 0)
        if len(revised):
            self.con.register("revised", revised)
            self.con.execute(
                "insert into fact.interval_history select f.*, ? from fact.interval as f "
                "semi join revised as r on f.point_id = r.point_id and f.starts_at = r.starts_at",
                [moment],
            )
            self.con.execute(
                "delete from fact.interval as f using revised as r "
                "where f.point_id = r.point_id and f.starts_at = r.starts_at"
            )
            self.con.unregister("revised")
        self._append("fact.interval", rows)

    def _write_decisions(self, outputs: Outputs) -> None:
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
            place = [place for place, _ in outputs.events]
            events = [event for _, event in outputs.events]
            scale = self.table.ticks_per_unit[place]
            rows = pl.DataFrame(
                {
                    "point_id": self.ids[place],
                    "decided_at": pl.Series([event.decided_ms for event in events]).cast(pl.Datetime("ms")),
                    "happened_at": pl.Series([event.happened_ms for event in events]).cast(pl.Datetime("ms")),
                    "kind": [event.kind for event in events],
                    "before_value": np.array([event.before for event in events]) / scale,
                    "after_value": np.array([event.after for event in events]) / scale,
                    "counted_value": np.array([event.energy_ticks for event in events]) / scale,
                    "reason": [event.reason for event in events],
                }
            )
            self._append("fact.register_event", rows)
        if outputs.rejected:
            place = [each[0] for each in outputs.rejected]
            rows = pl.DataFrame(
                {
                    "point_id": self.ids[place],
                    "read_at": pl.Series([each[1] for each in outputs.rejected]).cast(pl.Datetime("ms")),
                    "value": np.array([each[2] for each in outputs.rejected]) / self.table.ticks_per_unit[place],
                    "reason": [each[3] for each in outputs.rejected],
                }
            )
            self._append("fact.rejected_reading", rows)

    def _write_derived(self, outputs: Outputs) -> None:
        revised = len(outputs.facts) > 0 and bool((outputs.facts["revision"] > 0).any())
        if len(outputs.rolling):
            rows = outputs.rolling.select(
                pl.Series("point_id", self.ids[outputs.rolling["place"].to_numpy()]),
                pl.from_epoch("ends_ms", "ms").alias("ends_at"),
                *list(outputs.rolling.columns)[2:],
            )
            self.con.register("rolled", rows)
            if revised:
                self.con.execute(
                    "delete from fact.rolling as r using rolled as n where r.point_id = n.point_id "
                    "and r.ends_at = n.ends_at"
                )
            self.con.execute("insert into fact.rolling select * from rolled")
            self.con.unregister("rolled")
        for name, rows in (("demand", outputs.demand), ("cost", outputs.cost)):
            if len(rows):
                self._replace_quarters(name, rows)

    def _replace_quarters(self, name: str, rows: pl.DataFrame) -> None:
        of_site = rows.select(
            pl.lit(self.site).alias("site"),
            pl.from_epoch("starts_ms", "ms").alias("starts_at"),
            *rows.columns[1:],
        )
        self.con.register("quarters", of_site)
        self.con.execute(
            f"delete from fact.{name} as d using quarters as n "  # noqa: S608 - a name of this module's own
            "where d.site = n.site and d.starts_at = n.starts_at"
        )
        self.con.execute(f"insert into fact.{name} select * from quarters")  # noqa: S608 - likewise
        self.con.unregister("quarters")

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
        self.con.register("changed", rows)
        self.con.execute("delete from op.energy_state as s using changed as c where s.point_id = c.point_id")
        self.con.execute("insert into op.energy_state select * from changed")
        self.con.unregister("changed")

    def complete(self, number: int) -> None:
        """Note that a source has been read to its end."""
        with self.store.transaction():
            self.con.execute("update op.source set is_complete = true where source_id = ?", [number])


def make_timestamp(time_ms: int) -> datetime:
    """A moment as the store keeps it: UTC without a zone."""
    return datetime.fromtimestamp(time_ms / 1000, tz=UTC).replace(tzinfo=None)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
