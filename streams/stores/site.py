"""The part of a store that belongs to one site: outputs, operator state and position commit together (law 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray

from streams.catalog.reference import load_reference
from streams.domain.findings import FencedError, StoreError
from streams.domain.site import PointKind
from streams.operators.models.windows import word_of
from streams.operators.points import PointTable
from streams.operators.readings import NEVER
from streams.operators.state import EnergyState
from streams.pipeline import FACT, Memory, Outputs, Pipeline
from streams.stores import models
from streams.stores.archive import Archive, ArchiveFile
from streams.stores.rows import EARLIEST_MS, RowMaker, quarantined
from streams.stores.store import Store, aware, naive, naive_ms
from streams.stores.writer import write

RAW = (
    "select r.point_id, r.read_at, r.value, r.quality, r.seq, "
    "coalesce(r.late_at, timestamp '1900-01-01 00:00:00') as late_at"
)
"""Columns without null, since a frame of those is the quickest to read; `unit`, which few senders name, is apart."""
NEWEST = (
    "select r.point_id, r.read_at, r.text, r.value from raw.reading as r inner join ("
    "select point_id, max(read_at) as read_at from raw.reading where point_id = any($1) and read_at > $2 "
    "group by point_id) as l on r.point_id = l.point_id and r.read_at = l.read_at where r.read_at > $2"
)
"""Readings of the newest time of each point."""
NOT_LATE = datetime(1900, 1, 1)  # noqa: DTZ001 - as stores keep times
WORKED = (
    "(select unnest(cast($1 as integer[])) as point_id, unnest(cast($2 as timestamp[])) as worked_at, "
    "unnest(cast($3 as bigint[])) as late_seq) as w"
)
FACTS = (
    "select point_id, starts_at, ends_at, coalesce(amount, -9223372036854775808) as amount, estimated, estimated_ms, "
    "missing_ms, local_day, quality, revision from fact.interval "
    "where point_id = any($1) and starts_at >= $2 and starts_at < $3"
)
NO_AMOUNT = -(1 << 63)
"""Stands for null in FACTS, since a frame without nulls is the quickest to read."""
UNARCHIVED = (
    "r.seq, r.point_id, r.read_at, r.value, r.quality, "
    "coalesce(r.late_at, timestamp '1900-01-01 00:00:00') as late_at, r.received_at, r.source_id"
)
BEYOND = "from raw.reading as r where r.point_id = any($1) and r.seq >= $2 and r.received_at >= $3"
WORDLESS = "r.text is null and r.unit is null and r.extra is null"
POINT_COLUMNS = ("point_id", "site", "asset", "point", "kind", "quantity", "unit", "resolution_ms", "time_zone")
KPI: dict[str, pl.DataType] = {
    **dict.fromkeys(("site", "kind", "asset", "system", "role"), pl.String()),
    "point_id": pl.Int32(),
    "number": pl.Float64(),
}
MEASURE: dict[str, pl.DataType] = {
    **dict.fromkeys(("site", "measure"), pl.String()),
    "from_day": pl.Date(),
    **dict.fromkeys(("title_zh", "title_en", "role"), pl.String()),
    "point_id": pl.Int32(),
}
UNKNOWN = -1
LAGGING_MS = 7 * 86_400_000
"""Points further behind than this are looked up apart, since their rows lie far back."""
CLOCKS_APART = timedelta(days=1)
"""So much may the clocks of those who receive differ."""


@dataclass(frozen=True, slots=True)
class Control:
    """A recorded tick, end of a stream, or activation of a model: before which reading it came, its kind and time.

    `detail` names the model (`models.named`).
    """

    seq: int
    kind: str
    happened_at: datetime
    detail: str


@dataclass(frozen=True, slots=True)
class Move:
    """Where a site's position was before a step and is after it."""

    site: str
    before: int
    after: int


def move(store: Store, moves: Sequence[Move]) -> None:
    """Move positions on inside the caller's transaction; FencedError where one is not where it was taken to be."""
    columns = [[getattr(each, name) for each in moves] for name in ("site", "before", "after")]
    moved = store.execute(
        "update op.position as p set next_seq = m.after_seq from ("
        "select unnest(cast($1 as varchar[])) as site, unnest(cast($2 as bigint[])) as before_seq, "
        "unnest(cast($3 as bigint[])) as after_seq) as m where p.site = m.site and p.next_seq = m.before_seq",
        columns,
    )
    if moved != len(moves):
        names = ", ".join(repr(each.site) for each in moves)
        raise FencedError(f"store {store.where}: another writer has moved site {names} on")


class SiteStore:
    """The part of a store that belongs to one site: its memory for the pipeline, and its commits."""

    def __init__(self, store: Store, table: PointTable, archive: Archive | None = None) -> None:
        """Register the site's points and load the position; `archive` holds raw rows that were trimmed."""
        self.store = store
        self.archive = archive
        self.table = table
        self.site = table.site.name
        if store.read_only:
            ids = dict(store.rows("select point, point_id from op.point where site = $1", [self.site]))
            if missing := [point.name for point in table.every if point.name not in ids]:
                raise StoreError(f"store {store.where}: expected the points of {self.site!r}; found no {missing[0]!r}")
        else:
            with store.transaction():
                store.alone("register")
                ids = self._register()
        self.ids = np.array([ids[point.name] for point in table.every], dtype=np.int32)
        self.places = dict(zip(self.ids.tolist(), range(len(self.ids)), strict=True))
        self.maker = RowMaker(table, self.ids, self._catalog_id())
        self.next_seq = self._one("select next_seq from op.position where site = $1", [self.site])

    def _one(self, statement: str, values: list[object]) -> int:
        rows = self.store.rows(statement, values)
        if not rows:
            raise StoreError(f"store {self.store.where}: no row for {values}")
        return int(rows[0][0])

    def _register(self) -> dict[str, int]:
        """Number the points of the site that have no number yet; return the numbers by name."""
        every = self.table.every
        known = self.store.rows(f"select {', '.join(POINT_COLUMNS)} from op.point where site = $1", [self.site])  # noqa: S608 - columns of our own
        ids = {row[POINT_COLUMNS.index("point")]: row[0] for row in known}
        new = sorted({point.name for point in every} - ids.keys())
        if new:
            first = self._one("select coalesce(max(point_id) + 1, 0) from op.point", [])
            ids |= {name: first + nth for nth, name in enumerate(new)}
        rows = pl.DataFrame(
            {
                "point_id": pl.Series([ids[point.name] for point in every], dtype=pl.Int32),
                "site": [self.site] * len(every),
                "asset": [point.asset for point in every],
                "point": [point.name for point in every],
                "kind": [point.kind.value for point in every],
                "quantity": [point.quantity.value for point in every],
                "unit": [point.unit for point in every],
                "resolution_ms": pl.Series([point.resolution_ms for point in every], dtype=pl.Int64),
                "time_zone": [self.table.site.time_zone.key] * len(every),
            }
        )
        if not set(rows.rows()) <= set(known):
            self.store.execute("delete from op.point where point_id = any($1)", [rows["point_id"].to_list()])
            self.store.append("op.point", rows)
        self._describe(ids)
        if self._catalog_id() == UNKNOWN:
            number = self._one("select count(*) from op.catalog", [])
            content = [number, self.site, self.table.site.sha256, self.table.site.source]
            self.store.execute("insert into op.catalog values ($1, $2, $3, $4)", content)
        if not self.store.rows("select 1 from op.position where site = $1", [self.site]):
            self.store.execute("insert into op.position (site, next_seq) values ($1, 0)", [self.site])
        return ids

    def _describe(self, ids: dict[str, int]) -> None:
        """Write what the site's key figures and measures are made from, where it is not what the store has."""
        kpis: set[tuple[object, ...]] = set()
        for kpi in self.table.site.kpis:
            key = (self.site, kpi.kind.value, kpi.asset, kpi.system)
            named = [*kpi.points, *((role, each.name) for role, each in kpi.derived)]
            kpis |= {(*key, role, ids[name], None) for role, name in named}
            kpis |= {(*key, name, None, value) for name, value in kpi.numbers}
        measures: set[tuple[object, ...]] = set()
        for each in self.table.site.measures:
            head = (self.site, each.name, each.from_day, each.title_zh, each.title_en)
            for role in ("energy", "fuel", "material", "output"):
                measures |= {(*head, role, ids[name]) for name in getattr(each, role)}
            measures |= {(*head, role, ids[derived.name]) for role, derived in each.derived}
        self._written("op.kpi", KPI, kpis)
        self._written("op.measure", MEASURE, measures)

    def _written(self, table: str, columns: dict[str, pl.DataType], rows: set[tuple[object, ...]]) -> None:
        """See that a table has these rows of the site, and no others."""
        if rows != set(self.store.rows(f"select {', '.join(columns)} from {table} where site = $1", [self.site])):  # noqa: S608 - names of our own
            self.store.execute(f"delete from {table} where site = $1", [self.site])  # noqa: S608 - likewise
            self.store.append(table, pl.DataFrame(sorted(rows, key=str), schema=columns, orient="row"))

    def _catalog_id(self) -> int:
        """The number of this version of the site's file, UNKNOWN where nothing was written with it."""
        rows = self.store.rows(
            "select catalog_id from op.catalog where site = $1 and sha256 = $2", [self.site, self.table.site.sha256]
        )
        return int(rows[0][0]) if rows else UNKNOWN

    def pipeline(self, memory: Memory | None = None) -> Pipeline:
        """The site's pipeline as the last commit left it; it looks up in `memory`, or here."""
        state = EnergyState.empty(len(self.table.points))
        measured = self.ids[: len(self.table.points)].tolist()
        rows = self.store.rows(
            "select point_id, counters, pending from op.energy_state where point_id = any($1)", [measured]
        )
        for point_id, counters, pending in rows:
            place = self.places[point_id]
            state.table[place] = np.frombuffer(counters, dtype=np.int64)
            if readings := orjson.loads(pending):
                state.pending[place] = [(time_ms, ticks) for time_ms, ticks in readings]
        kept = self.store.rows("select content from op.rule_state where site = $1", [self.site])
        rules = bytes(kept[0][0]) if kept else None
        known = models.active(self.store, self.site)
        pipeline = Pipeline(self.table, memory or self, load_reference(), state, self.next_seq, rules, known)
        unworked = self._unworked(state)
        if len(unworked):
            pipeline.restore(unworked)
        return pipeline

    def _unworked(self, state: EnergyState) -> pl.DataFrame:
        """Raw rows that the state does not hold: later than what was worked off, or late and not applied yet."""
        heard = np.flatnonzero(state.column("highest_ms") > NEVER)
        worked = state.column("done_ms") > NEVER
        first = state.column("edge_ms") - self.table.lateness_ms - self.table.resolution_ms
        since_ms = np.where(worked, state.column("done_ms"), first) - self.table.interval_ms
        recent = since_ms[heard] >= since_ms[heard].max(initial=EARLIEST_MS) - LAGGING_MS
        parts = [self._since(state, heard[which], since_ms) for which in (recent, ~recent) if which.any()]
        return pl.concat(parts).unique("seq").sort("seq") if parts else pl.DataFrame()

    def _since(self, state: EnergyState, places: NDArray[np.int64], since_ms: NDArray[np.int64]) -> pl.DataFrame:
        """The same of some points, whose rows lie no further back than the first of them needs."""
        worked = (
            pl.DataFrame(
                {
                    "source": self.table.source[places],
                    "since": np.maximum(since_ms[places], EARLIEST_MS),
                    "late_seq": state.column("late_seq")[places],
                }
            )
            .group_by("source", maintain_order=True)
            .min()
        )
        since = worked["since"].cast(pl.Datetime("ms")).to_list()
        late_seq = worked["late_seq"].to_list()
        of_points = f"inner join {WORKED} on r.point_id = w.point_id"
        later = f"raw.reading as r {of_points} and r.read_at > w.worked_at where r.read_at > $4"
        late = (
            f"raw.reading as r {of_points} and r.read_at <= w.worked_at and r.seq > w.late_seq "
            "where r.late_at is not null and r.seq > $4"
        )
        values = [self.ids[worked["source"].to_numpy()].tolist(), since, late_seq]
        found = [self._raw(later, [*values, min(since)]), self._raw(late, [*values, min(late_seq)])]
        return pl.concat(found)

    def _raw(self, source: str, values: list[object]) -> pl.DataFrame:
        """Rows of `source`, a table with its conditions, in the columns of `streams.pipeline.Memory`."""
        none = pl.lit(None, pl.String)
        plain = self.store.frame(f"{RAW} from {source} and r.unit is null and r.text is null", values)
        named = self.store.frame(f"{RAW}, r.unit from {source} and r.unit is not null and r.text is null", values)
        parts = [
            plain.with_columns(none.alias("unit"), none.alias("text")),
            named.with_columns(pl.col("unit").cast(pl.String), none.alias("text")),
        ]
        if self.table.words:
            worded = self.store.frame(f"{RAW}, r.unit, r.text from {source} and r.text is not null", values)
            parts.append(worded.with_columns(pl.col("unit").cast(pl.String), pl.col("text").cast(pl.String)))
        return (
            pl.concat([part for part in parts if len(part)] or parts[:1])
            .select(
                pl.col("point_id").replace_strict(self.places, return_dtype=pl.Int64).alias("place"),
                pl.col("read_at").dt.epoch("ms").alias("time_ms"),
                pl.col("value").cast(pl.Float64),
                *("text", "unit"),
                pl.col("quality").cast(pl.Int8),
                "seq",
                pl.when(pl.col("late_at") != NOT_LATE).then(pl.col("late_at").dt.epoch("ms")).alias("late_ms"),
            )
            .sort("seq")
        )

    def readings(self, places: list[int], since_ms: int) -> pl.DataFrame:
        """See `streams.pipeline.Memory`."""
        since = naive_ms(max(since_ms, EARLIEST_MS))
        source = "raw.reading as r where r.point_id = any($1) and r.read_at > $2"
        kept = self._raw(source, [self.ids[places].tolist(), since])
        trimmed = self.store.rows("select trimmed_at from op.position where site = $1", [self.site])[0][0]
        if trimmed is None or trimmed <= since:
            return kept
        return pl.concat([self._trimmed(places, since_ms), kept]).unique("seq", keep="last").sort("seq")

    def _trimmed(self, places: list[int], since_ms: int) -> pl.DataFrame:
        """The same from the archive."""
        if self.archive is None:
            raise StoreError(f"store {self.store.where}: readings of {self.site!r} were trimmed; name their archive")
        named = {self.table.points[place].name: place for place in places}
        day = str(aware(naive_ms(max(since_ms, EARLIEST_MS))).astimezone(self.table.site.time_zone).date())
        rows = self.archive.since(self.listed(), day, list(named))
        return rows.filter(pl.col("time_ms") > since_ms).select(
            pl.col("point").replace_strict(named, return_dtype=pl.Int64).alias("place"),
            pl.col("time_ms").cast(pl.Int64),
            pl.col("value").cast(pl.Float64),
            pl.col("text").cast(pl.String),
            pl.col("unit").cast(pl.String),
            pl.col("quality").cast(pl.Int8),
            pl.col("seq").cast(pl.Int64),
            pl.col("late_ms").cast(pl.Int64),
        )

    def facts(self, places: list[int], from_ms: int, to_ms: int) -> pl.DataFrame:
        """See `streams.pipeline.Memory`."""
        frame = self.store.frame(FACTS, [self.ids[places].tolist(), naive_ms(from_ms), naive_ms(to_ms)])
        return frame.select(
            pl.col("point_id").replace_strict(self.places, return_dtype=pl.Int64).alias("place"),
            pl.col("starts_at").dt.epoch("ms").alias("starts_ms"),
            pl.col("ends_at").dt.epoch("ms").alias("ends_ms"),
            pl.when(pl.col("amount") != NO_AMOUNT).then("amount").alias("amount"),
            *(pl.col(name).cast(FACT[name]) for name in frame.columns[4:]),
        ).select(pl.col(name).cast(dtype) for name, dtype in FACT.items())

    def scored(self) -> dict[int, bytes]:
        """See `streams.pipeline.Memory`."""
        measured = self.ids[: len(self.table.points)].tolist()
        rows = self.store.rows("select point_id, content from op.anomaly_state where point_id = any($1)", [measured])
        return {self.places[point_id]: bytes(content) for point_id, content in rows}

    def words(self, places: list[int], since_ms: int) -> dict[int, tuple[int, str]]:
        """See `streams.pipeline.Memory`."""
        since = naive_ms(max(since_ms, EARLIEST_MS))
        found: dict[int, tuple[int, str]] = {}
        for point_id, read_at, text, value in self.store.rows(NEWEST, [self.ids[places].tolist(), since]):
            place, newest = self.places[point_id], (round(aware(read_at).timestamp() * 1000), word_of(text, value))
            found[place] = max(newest, found.get(place, newest))
        return found

    def listed(self) -> list[ArchiveFile]:
        """The files of the raw archive that commits have listed, in order of arrival."""
        rows = self.store.rows(
            "select file, first_seq, readings, sha256 from op.archive_file where site = $1 order by first_seq, file",
            [self.site],
        )
        return [ArchiveFile(*row) for row in rows]

    @property
    def archived_to(self) -> int:
        """The number of the first reading that is not in the archive."""
        return self._one("select coalesce(max(first_seq), 0) from op.archived where site = $1", [self.site])

    def unarchived(self) -> pl.DataFrame:
        """Raw rows that no file of the archive holds yet, in the columns of `archive.COLUMNS`."""
        known = self.store.rows("select first_seq, received_at from op.archived where site = $1", [self.site])
        first, latest = known[0] if known else (0, naive_ms(EARLIEST_MS))
        rows = self._unarchived(int(first), latest - CLOCKS_APART)
        if len(rows) and len(rows) <= next_seq(rows) - 1 - int(first):  # some arrived by another clock, a backfill's
            rows = self._unarchived(int(first), naive_ms(EARLIEST_MS))
        return rows

    def _unarchived(self, first_seq: int, since: datetime) -> pl.DataFrame:
        values = [self.ids.tolist(), first_seq, since]
        plain = self.store.frame(f"select {UNARCHIVED} {BEYOND} and {WORDLESS}", values)
        wordy = self.store.frame(f"select {UNARCHIVED}, r.text, r.unit, r.extra {BEYOND} and not ({WORDLESS})", values)
        words = ("text", "unit", "extra")
        parts = [
            plain.with_columns(pl.lit(None, pl.String).alias(name) for name in words),
            wordy.with_columns(pl.col(name).cast(pl.String) for name in words),
        ]
        rows = pl.concat([part for part in parts if len(part)] or parts[:1])
        late_at = pl.when(pl.col("late_at") != NOT_LATE).then("late_at").alias("late_at")
        return self.archivable(rows.sort("seq").with_columns(late_at))

    def archivable(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows of the table `raw.reading` in the columns of `archive.COLUMNS`."""
        sources = dict(self.store.rows("select source_id, source from op.source where site = $1", [self.site]))
        names = {int(number): point.name for number, point in zip(self.ids, self.table.every, strict=True)}
        return rows.select(
            "seq",
            pl.col("point_id").replace_strict(names, return_dtype=pl.String).alias("point"),
            pl.col("read_at").dt.epoch("ms").alias("time_ms"),
            pl.col("value").cast(pl.Float64),
            *("text", "unit"),
            pl.col("quality").cast(pl.Int8),
            "extra",
            pl.col("late_at").dt.epoch("ms").alias("late_ms"),
            pl.col("received_at").dt.epoch("ms").alias("received_ms"),
            pl.col("source_id").replace_strict(sources, return_dtype=pl.String).alias("source"),
        )

    def list_files(self, files: list[ArchiveFile], rows: pl.DataFrame) -> None:
        """List files of the archive that hold these rows, the next ones after those that it held.

        FencedError where another worker, who has taken the site over, has archived some of them.
        """
        first_seq = int(rows["seq"].min())  # type: ignore[arg-type]  # not empty
        with self.store.transaction():
            self.store.alone(f"archive {self.site}")
            if self.archived_to > first_seq:
                raise FencedError(f"store {self.store.where}: another writer has archived {self.site!r} further")
            for each in files:
                self.store.execute(
                    "insert into op.archive_file values ($1, $2, $3, $4, $5)",
                    [each.file, self.site, each.first_seq, each.readings, each.sha256],
                )
            self.store.execute("delete from op.archived where site = $1", [self.site])
            self.store.execute(
                "insert into op.archived values ($1, $2, $3)",
                [self.site, next_seq(rows), naive_ms(int(rows["received_ms"].max()))],  # type: ignore[arg-type]  # not empty
            )

    def replace_files(self, old: list[ArchiveFile], merged: ArchiveFile) -> None:
        """List a file in the place of those whose readings it holds."""
        with self.store.transaction():
            for each in old:
                self.store.execute("delete from op.archive_file where site = $1 and file = $2", [self.site, each.file])
            self.store.execute(
                "insert into op.archive_file values ($1, $2, $3, $4, $5)",
                [merged.file, self.site, merged.first_seq, merged.readings, merged.sha256],
            )

    def trim(self, before: datetime, state: EnergyState) -> int:
        """Delete raw rows that are archived, worked off and older; return how many.

        Those of gauges and states stay, since views read them.
        """
        done_ms = state.column("done_ms") - self.table.interval_ms
        counted = ~(self.table.of_kind(PointKind.GAUGE) | self.table.of_kind(PointKind.STATE))
        heard = counted & (done_ms > EARLIEST_MS)
        if not heard.any():
            return 0
        until = min(naive(before), naive_ms(int(done_ms[heard].min())))
        late_seq = int(state.column("late_seq")[heard].min())
        with self.store.transaction():
            gone = self.store.execute(
                "delete from raw.reading where point_id = any($1) and read_at <= $2 and seq < $3 "
                "and (late_at is null or seq <= $4)",
                [self.ids[: len(heard)][heard].tolist(), until, self.archived_to, late_seq],
            )
            if gone:
                self.store.execute(
                    "update op.position set trimmed_at = $1 where site = $2 "
                    "and (trimmed_at is null or trimmed_at < $1)",
                    [until, self.site],
                )
        return gone

    def controls(self) -> list[Control]:
        """Recorded ticks, ends of streams and activations, in order."""
        rows = self.store.rows(
            "select seq, kind, happened_at, detail from op.control where site = $1 "
            "order by seq, coalesce(nth, 0), happened_at",
            [self.site],
        )
        return [Control(int(seq), str(kind), aware(moment), detail or "") for seq, kind, moment, detail in rows]

    def source(self, source: str, name: str, received_at: datetime) -> tuple[int, int, datetime, bool]:
        """Number, records already stored, first arrival and completeness of a source; it is registered if new."""
        known = "select source_id, records, received_at, is_complete from op.source where site = $1 and source = $2"
        if not self.store.rows(known, [self.site, source]):
            with self.store.transaction():
                self.store.alone("register")
                self.store.execute(
                    "insert into op.source select count(*), $1, $2, $3, 0, $4, false from op.source",
                    [self.site, source, name, naive(received_at)],
                )
        number, records, moment, complete = self.store.rows(known, [self.site, source])[0]
        return int(number), int(records), aware(moment), bool(complete)

    def commit(
        self,
        outputs: Outputs,
        recorded_at: datetime,
        *,
        source: tuple[int, str, int, int] | None = None,
        received_at: datetime | None = None,
        control: tuple[str, datetime] | None = None,
        activated: models.Wanted | None = None,
    ) -> None:
        """Store what a step left, the state of the points it touched, and the position, together.

        `source` is (number, name, records before, records after), its readings received at `received_at`, else when
        they are recorded; FencedError where the stored position is not the one this pipeline continued from.
        `activated` is the model that the step has put into use.
        """
        moment = naive(recorded_at)
        tables = self.maker.made(outputs, moment)
        if source:
            arrived = pl.Series([naive(received_at or recorded_at)], dtype=pl.Datetime("ms"))
            tables |= self.maker.raw(outputs, pl.Series([source[0]], dtype=pl.Int32), arrived)
            tables |= quarantined(outputs.rejects, source[1], moment)
        with self.store.transaction():
            move(self.store, [Move(self.site, self.next_seq, outputs.next_seq)])
            if source:
                number, name, before, after = source
                if not self.store.execute(
                    "update op.source set records = $1 where source_id = $2 and records = $3", [after, number, before]
                ):
                    raise FencedError(f"store {self.store.where}: source {name} is being read by another process too")
            if control:
                self.control(outputs.next_seq, *control)
            if activated:
                self.activated(outputs.next_seq, activated, recorded_at)
            write(self.store, tables, moment)
        self.next_seq = outputs.next_seq

    def control(self, seq: int, kind: str, happened_at: datetime, detail: str | None = None) -> None:
        """Record a tick, the end of a stream or an activation inside the caller's transaction, after those before."""
        self.store.execute(
            "insert into op.control (seq, site, kind, happened_at, detail, nth) "
            "select cast($1 as bigint), cast($2 as varchar), cast($3 as varchar), cast($4 as timestamp), "
            "cast($5 as varchar), coalesce(max(nth), 0) + 1 from op.control where site = $2 and seq = $1",
            [seq, self.site, kind, naive(happened_at), detail],
        )

    def activated(self, seq: int, each: models.Wanted, moment: datetime) -> None:
        """Record inside the caller's transaction that a version of a model is active from here on."""
        self.control(seq, models.CONTROL, moment, each.detail)
        models.note_active(self.store, each, seq, moment)

    def complete(self, number: int) -> None:
        """Note that a source has been read to its end."""
        with self.store.transaction():
            self.store.execute("update op.source set is_complete = true where source_id = $1", [number])


def next_seq(rows: pl.DataFrame) -> int:
    """The number after that of the last of some raw rows."""
    return int(rows["seq"].max()) + 1  # type: ignore[arg-type]  # never empty
