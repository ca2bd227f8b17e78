"""The operators in the order of a reading: clean, energy, rules; results as rows for a store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.catalog.reference import Reference
from streams.domain.alerts import Episode, Notice
from streams.domain.quality import FactQuality
from streams.domain.site import PointKind
from streams.operators import anomaly, energy, watch
from streams.operators.advance import FACT_COLUMNS
from streams.operators.aligning import INTERVALS
from streams.operators.calendar import minute_of_week
from streams.operators.clean import clean, event_time
from streams.operators.closed import Closed, closed
from streams.operators.conservation import Day
from streams.operators.cost import COST, cost
from streams.operators.demand import DEMAND, QUARTER_MS, demand, quarters
from streams.operators.emissions import EMISSIONS, emissions
from streams.operators.fanning import Fanning
from streams.operators.heard import in_units
from streams.operators.models.parameters import Model
from streams.operators.models.site_models import Active, SiteModels
from streams.operators.models.watch import NOTHING as NO_MODEL_SCORES
from streams.operators.models.windows import STALE_MS
from streams.operators.packed import Waiting
from streams.operators.points import PointTable
from streams.operators.readings import NEVER, ON_TIME, Readings
from streams.operators.registers import Event
from streams.operators.rolling import LONGEST_MS, ROLLING, rolling
from streams.operators.rulebook import Watch
from streams.operators.scoring import SCORES, score
from streams.operators.state import EnergyState
from streams.operators.virtual import virtual
from streams.operators.watch_state import WatchState

FACT = {
    **dict.fromkeys(FACT_COLUMNS, pl.Int64),
    "local_day": pl.Date,
    "quality": pl.Int16,
    "revision": pl.Int32,
}
"""Facts as a store keeps them: place, ms, base units (null where missing), local day, FactQuality, revision."""

Int = NDArray[np.int64]
GRACE_MS = 60_000
KEY = ["place", "starts_ms"]
VALUES = ["amount", "estimated", "estimated_ms", "missing_ms"]


class Memory(Protocol):
    """What the pipeline may look back at: what earlier steps have left in the store."""

    def readings(self, places: list[int], since_ms: int) -> pl.DataFrame:
        """Raw rows of points stamped later than a time, in order of arrival.

        Columns `place`, `time_ms`, `value`, `text`, `unit`, `quality`, `seq`, `late_ms`; `text` alone of points whose
        words are tallied.
        """

    def facts(self, places: list[int], from_ms: int, to_ms: int) -> pl.DataFrame:
        """Facts of points that start in [from, to): columns of FACT."""

    def scored(self) -> dict[int, bytes]:
        """What the anomaly score remembers of points, by place: `anomaly.to_bytes`."""

    def words(self, places: list[int], since_ms: int) -> dict[int, tuple[int, str]]:
        """The newest word of states, by place, with its time, where one is later than a time (`windows.word_of`).

        Of words of one time the last in order of the alphabet.
        """


EMPTY = pl.DataFrame()
NO_SCORES = pl.DataFrame(schema=SCORES)
NO_FACTS = pl.DataFrame(schema=FACT)
NO_ROLLING = pl.DataFrame(schema=ROLLING)
NO_DEMAND = pl.DataFrame(schema=DEMAND)
NO_COST = pl.DataFrame(schema=COST)
NO_EMISSIONS = pl.DataFrame(schema=EMISSIONS)


@dataclass(slots=True)
class Told:
    """What the rules of a site told: notices in order, episodes as they stand, and their state where it has changed."""

    notices: list[Notice] = field(default_factory=list)
    episodes: list[Episode] = field(default_factory=list)
    state: WatchState | None = None


@dataclass(slots=True)
class Outputs:
    """Rows that one step adds or replaces, and where the pipeline stands after it.

    `raw`: usable readings with `seq` and `late_ms`; `rejects`: reason, payload; `facts`: FACT, replacing those of
    the same place and start where the revision is above 0; `days` (conservation.DAY_COLUMNS) replace those of the
    same place and begin; `events` and `rejected` replace those of the points in `redecided` that are
    later than the time given there; `rolling` (ROLLING) those
    of the same place and end, `demand` (DEMAND) and `cost` (COST) those of the same start, `emissions` (EMISSIONS)
    those of the same source and start; `scores` and `model_scores` (watch.MODEL_SCORES) are told once. `models` are
    those whose state has changed, by asset.
    """

    raw: pl.DataFrame
    rejects: pl.DataFrame
    facts: pl.DataFrame
    state: EnergyState
    next_seq: int
    events: list[tuple[int, Event]] = field(default_factory=list)
    rejected: list[tuple[int, int, int, str]] = field(default_factory=list)
    days: list[Day] = field(default_factory=list)
    rolling: pl.DataFrame = field(default_factory=lambda: NO_ROLLING)
    demand: pl.DataFrame = field(default_factory=lambda: NO_DEMAND)
    cost: pl.DataFrame = field(default_factory=lambda: NO_COST)
    emissions: pl.DataFrame = field(default_factory=lambda: NO_EMISSIONS)
    redecided: dict[int, int] = field(default_factory=dict)
    touched: list[int] = field(default_factory=list)
    scores: pl.DataFrame = field(default_factory=lambda: NO_SCORES)
    scored: dict[int, bytes] = field(default_factory=dict)
    told: Told = field(default_factory=Told)
    saw: bool = False
    model_scores: pl.DataFrame = field(default_factory=lambda: NO_MODEL_SCORES)
    models: dict[str, Active] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Arrived:
    """What becomes of readings on arrival: number and lateness of each (null on time), and places heard first.

    `told` is what the rules told that look at readings as they come; `models` are those that heard a word.
    """

    seq: Int
    late_ms: pl.Series
    first: list[int]
    told: Told
    models: dict[str, Active] = field(default_factory=dict)


class Pipeline:
    """The pipeline of one site: a point table, the operators' state, and the memory of a store."""

    def __init__(
        self,
        table: PointTable,
        memory: Memory,
        reference: Reference,
        state: EnergyState | None = None,
        next_seq: int = 0,
        rules: bytes | None = None,
        models: Mapping[str, Active] | None = None,
    ) -> None:
        """Start from a state, or from nothing; `rules` is what the site's rules remember (`WatchState.to_bytes`).

        `models` are those that are active, by asset.
        """
        self.reference = reference
        self.table = table
        self.memory = memory
        self.state = EnergyState.empty(len(table.points)) if state is None else state
        self.next_seq = next_seq
        self.fresh = Readings.concat([])
        self.counted = np.isin(table.kind, energy.WORKED)
        self.fanning = Fanning.of(table)
        self.formulas = {
            table.index[point.name]: {table.index[name]: coefficient for coefficient, name in point.formula}
            for point in table.virtual
        }
        self.holidays = reference.tariffs.off_days | set(table.site.off_peak_days)
        self.reading_ms = np.where(table.is_level, 0, table.interval_ms)
        self.scoring: anomaly.State | None = None
        self.watch = Watch.of(table, reference.tariffs) if table.site.rules or rules else None
        self.watching = self._watching(rules)
        self.models = SiteModels(table, models or {})
        self.purchased = sorted(table.index[name] for name in table.site.import_points if name in table.index)

    def _watching(self, rules: bytes | None) -> WatchState | None:
        if self.watch is None:
            return None
        return self.watch.from_bytes(rules) if rules else self.watch.empty()

    def step(self, decoded: pl.DataFrame, received_ms: int | Int) -> Outputs:
        """Take decoded readings (`clean.DECODED`) in order of arrival; `raw` and `rejects` keep other columns."""
        usable, rejects = clean(self.table.gate, decoded, received_ms)
        numbered = self._numbered(*(usable[name].to_numpy() for name in ("place", "time_ms", "ticks")))
        worked, row = self._worked(numbered, usable["text"], usable["value"])
        self.state, out = energy.step(self.table, self.state, worked, self._history)
        raw = usable.hstack([pl.Series("seq", numbered.seq), self._late(numbered, row, out.tags)])
        heard = self._hear(numbered)
        self.models.hear(numbered.place, numbered.time_ms, usable["text"], usable["value"])
        return self._outputs(out, raw, rejects, heard)

    def arrive(self, place: Int, time_ms: Int, ticks: Int, text: pl.Series, value: pl.Series) -> Arrived:
        """Take clean readings in order of arrival, and leave it to `work` what becomes of them.

        `text` and `value` are as they were sent. Until the readings are in the store they are `fresh`.
        """
        before = self.state.column("highest_ms") == NEVER
        numbered = self._numbered(place, time_ms, ticks)
        worked, row = self._worked(numbered, text, value)
        self.state, self.fresh = energy.arrive(self.table, self.state, worked)
        first = before & (self.state.column("highest_ms") > NEVER)
        late_ms = self._late(numbered, row, self.fresh.tag)
        self.models.hear(numbered.place, numbered.time_ms, text, value)
        told = self._hear(numbered)
        return Arrived(numbered.seq, late_ms, np.flatnonzero(first).tolist(), told, self.models.remembered())

    @property
    def is_behind(self) -> bool:
        """Whether there is something to work off."""
        return energy.is_due(self.table, self.state) or self.models.is_ready

    @property
    def behind_ms(self) -> int:
        """How much event time there is to work off, of the point with the most."""
        return energy.behind_ms(self.table, self.state)

    def work(self) -> Outputs:
        """Work off what has arrived."""
        self.state, out = energy.work(self.table, self.state, self.fresh, self._history)
        return self._outputs(out, EMPTY, EMPTY)

    def _numbered(self, place: Int, time_ms: Int, ticks: Int) -> Readings:
        seq = np.arange(self.next_seq, self.next_seq + len(place), dtype=np.int64)
        self.next_seq += len(place)
        return Readings(place, event_time(self.table, place, time_ms), ticks, seq, np.zeros_like(seq))

    def _worked(self, readings: Readings, text: pl.Series, value: pl.Series) -> tuple[Readings, Int | None]:
        """Readings of points that are worked off, then those of tallies of them.

        With the reading that each is or was made from; None where they are the same.
        """
        counted = self.counted[readings.place]
        if counted.all() and not self.fanning:
            return readings, None
        row = np.flatnonzero(counted)
        mine = readings if counted.all() else readings.take(row)
        if not self.fanning:
            return mine, row
        derived, of = self.fanning.fanned(readings, text, value)
        return Readings.concat([mine, derived]), np.concatenate((row, of))

    def _late(self, readings: Readings, row: Int | None, tags: Int) -> pl.Series:
        """The tags of readings that are late, null for all others."""
        was_late = pl.Series("late_ms", [None], dtype=pl.Int64).new_from_index(0, len(readings))
        late = np.flatnonzero(tags != ON_TIME)
        if not len(late):
            return was_late
        return was_late.scatter(late if row is None else row[late], tags[late])

    def tick(self, now_ms: int) -> Outputs:
        """Take a recorded tick of the clock."""
        self.state, out = energy.tick(self.table, self.state, now_ms, self._history)
        outputs = self._outputs(out, EMPTY, EMPTY)
        return self._look(outputs, now_ms)

    def look(self, now_ms: int) -> Outputs:
        """Take a recorded tick of the clock that moves no watermark: rules and models alone have a look at the time.

        It need not be recorded unless they `saw` something.
        """
        return self._look(self.work() if self.is_behind else self._nothing(), now_ms)

    def is_due(self, now_ms: int) -> bool:
        """Tell whether a tick would change anything: some point that was heard does not move its watermark itself.

        It is given a while for that, since its readings may be on their way.
        """
        heard = self.state.column("highest_ms") > NEVER
        passed = energy.passed(self.table, now_ms - GRACE_MS)
        return bool((passed > energy.watermark(self.table, self.state))[heard].any())

    @property
    def watermark_ms(self) -> int:
        """Up to where nothing more is waited for, of the point that is furthest behind among those that were heard."""
        heard = self.state.column("highest_ms") > NEVER
        return int(energy.watermark(self.table, self.state)[heard].min())

    def flush(self) -> Outputs:
        """Take the recorded end of a stream."""
        self.state, out = energy.flush(self.table, self.state, self._history)
        return self._outputs(out, EMPTY, EMPTY, is_end=True)

    def activate(self, asset: str, version: int, model: Model | None) -> Outputs:
        """Take a recorded activation: from here on the asset's windows are scored by this version, or by none.

        What has arrived before is worked off first, so that its place among the readings is all that counts.
        """
        outputs = self.work() if self.is_behind else self._nothing()
        heard_ms = self.state.column("highest_ms")
        since_ms = int(heard_ms.max(initial=NEVER)) - STALE_MS
        self.models.activate(asset, version, model, heard_ms, lambda places: self.memory.words(places, since_ms))
        outputs.models |= self.models.remembered()
        return outputs

    @property
    def looks(self) -> bool:
        """Whether a tick that moves no watermark may matter to anybody."""
        return self.watch is not None or bool(self.models.watched)

    def _nothing(self) -> Outputs:
        return Outputs(EMPTY, EMPTY, NO_FACTS, self.state, self.next_seq)

    def _hear(self, readings: Readings) -> Told:
        """What the rules make of readings as they come."""
        if self.watch is None or self.watching is None:
            return Told()
        values = in_units(self.table, readings.place, readings.ticks)
        return self._keep(watch.readings(self.watch, self.watching, readings.place, readings.time_ms, values), Told())

    def _keep(self, told: watch.Told, before: Told) -> Told:
        """What the rules told now, after what they told before in the same step."""
        state, notices, episodes = told
        changed = state if state is not self.watching else before.state
        self.watching = state
        return Told([*before.notices, *notices], [*before.episodes, *episodes], changed)

    def _score(self, rows: Closed) -> tuple[pl.DataFrame, NDArray[np.float64], dict[int, bytes]]:
        """Scores of intervals as rows and by interval, and what is remembered after them."""
        if not len(rows):
            return NO_SCORES, np.zeros(0), {}
        if self.scoring is None:
            self.scoring = anomaly.from_bytes(len(self.table.points), self.memory.scored())
        minute = minute_of_week(rows.starts_ms, self.table.site.time_zone, self.holidays)
        self.scoring, frame, found = score(self.scoring, rows, minute, self.reading_ms[rows.place])
        place = np.unique(rows.place)
        return frame, found, dict(zip(place.tolist(), anomaly.to_bytes(self.scoring, place), strict=True))

    def _intervals(self, rows: Closed, scores: NDArray[np.float64], before: Told) -> Told:
        """What the rules make of intervals that have closed."""
        if self.watch is None or self.watching is None or not len(rows):
            return before
        frame = pl.DataFrame(
            {name: getattr(rows, name) for name in list(INTERVALS)[:-2]}
            | {
                "estimated": rows.is_estimated,
                "score": scores,
            }
        )
        return self._keep(watch.intervals(self.watch, self.watching, frame), before)

    def _modelled(self, scores: pl.DataFrame, before: Told) -> Told:
        """What the rules make of windows that models have scored."""
        if self.watch is None or self.watching is None or not len(scores):
            return before
        return self._keep(watch.modelled(self.watch, self.watching, scores), before)

    def _look(self, outputs: Outputs, now_ms: int) -> Outputs:
        """Let models and rules look at the time."""
        if self.models.watched:
            scores = self.models.look(now_ms)
            outputs.saw = len(scores) > 0
            outputs.model_scores = pl.concat([outputs.model_scores, scores])
            outputs.models |= self.models.remembered()
            outputs.told = self._modelled(scores, outputs.told)
        if self.watch is None or self.watching is None:
            return outputs
        highest = np.full(len(self.table.every), NEVER)
        highest[: len(self.table.points)] = self.state.column("highest_ms")
        before = self.watching.to_bytes()
        told = watch.tick(self.watch, self.watching, now_ms, highest)
        has_changed = told[0].to_bytes() != before
        outputs.saw |= has_changed
        if not has_changed:
            told = (self.watching, *told[1:])
        outputs.told = self._keep(told, outputs.told)
        return outputs

    def restore(self, raw: pl.DataFrame) -> None:
        """Fill the buffers from raw rows (`place` and the columns of `Memory.readings`) that are not worked off yet."""
        readings = self._stored(raw)
        np.maximum.at(self.state.column("highest_ms"), readings.place, readings.time_ms)
        late = readings.tag != ON_TIME
        waits = ~late & (readings.time_ms > self.state.column("done_ms")[readings.place])
        amounts = ~self.table.of_kind(PointKind.GAUGE)[readings.place]  # what is late of a gauge changes nothing
        unapplied = late & amounts & (readings.seq > self.state.column("late_seq")[readings.place])
        self.state.buffer = Waiting.of(readings.take(waits))
        self.state.late = [readings.take(unapplied)] if unapplied.any() else []

    def _history(self, places: list[int], since_ms: int) -> Readings:
        stamped = since_ms - int(self.table.interval_ms.max(initial=0))
        sources = np.unique(self.table.source[places]).tolist()
        readings = self._stored(self.memory.readings(sources, stamped))
        known = readings.time_ms > since_ms
        return readings.take(known & np.isin(readings.place, places) if self.fanning else known)

    def _stored(self, rows: pl.DataFrame) -> Readings:
        names = pl.Series([point.name for point in self.table.points], dtype=pl.String)
        decoded = rows.select(names.gather(rows["place"]).alias("point"), pl.exclude("place"))
        usable, _ = clean(self.table.gate, decoded, np.iinfo(np.int64).max // 2)
        tag = usable["late_ms"].fill_null(ON_TIME).to_numpy()
        place = usable["place"].to_numpy()
        time_ms = event_time(self.table, place, usable["time_ms"].to_numpy())
        stored = Readings(place, time_ms, usable["ticks"].to_numpy(), usable["seq"].to_numpy(), tag)
        return self._worked(stored, usable["text"], usable["value"])[0]

    def _outputs(
        self,
        out: energy.EnergyOutputs,
        raw: pl.DataFrame,
        rejects: pl.DataFrame,
        heard: Told | None = None,
        *,
        is_end: bool = False,
    ) -> Outputs:
        facts = self._facts(out.fact_sets)
        if len(facts) and self.formulas:
            facts = pl.concat([facts, *self._virtual(facts)])
        site_quarters = self._quarters(facts)
        intervals = closed(self.table, out)
        scores, by_interval, scored = self._score(intervals)
        model_scores = self.models.step(intervals, is_end=is_end) if self.models.watched else NO_MODEL_SCORES
        rejected = out.decisions.rejected + [(*each, "conflicting duplicate") for each in out.conflicts]
        return Outputs(
            raw=raw,
            rejects=rejects,
            facts=facts,
            state=self.state,
            next_seq=self.next_seq,
            events=out.decisions.events,
            days=out.decisions.days,
            rolling=self._rolling(facts),
            demand=demand(site_quarters, self.table.site) if len(site_quarters) else NO_DEMAND,
            emissions=self._emissions(facts),
            cost=cost(site_quarters, self.table.site, self.reference.tariffs) if len(site_quarters) else NO_COST,
            rejected=rejected,
            redecided=out.redecided,
            touched=np.flatnonzero(out.touched).tolist(),
            scores=scores,
            scored=scored,
            told=self._modelled(model_scores, self._intervals(intervals, by_interval, heard or Told())),
            model_scores=model_scores,
            models=self.models.remembered(),
        )

    def _facts(self, fact_sets: list[energy.FactSet]) -> pl.DataFrame:
        """Number the revisions: a fact that is as it was is left out, one that differs follows its last revision."""
        if not fact_sets:
            return NO_FACTS
        sizes = [len(each.facts["place"]) for each in fact_sets]
        fresh = self._dated(
            pl.DataFrame({name: np.concatenate([each.facts[name] for each in fact_sets]) for name in FACT_COLUMNS})
        )
        if not any(each.again for each in fact_sets):
            return fresh
        again = fresh.filter(pl.Series(np.repeat([each.again for each in fact_sets], sizes)))
        first, last = again["starts_ms"].min(), again["starts_ms"].max()
        known = self.memory.facts(again["place"].unique().sort().to_list(), int(first), int(last) + 1)  # type: ignore[arg-type]
        known = known.select(list(FACT)).join(again, on=KEY, how="semi")
        before = known.with_columns(pl.lit(-1, pl.Int64).alias("turn"))
        now = fresh.with_columns(pl.Series("turn", np.repeat(np.arange(len(sizes)), sizes)))
        rows = pl.concat([before, now]).sort(*KEY, "turn")
        follows = pl.all_horizontal(pl.col(name) == pl.col(name).shift() for name in KEY).fill_null(value=False)
        same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift()) for name in VALUES)
        rows = rows.with_columns((pl.col("turn") >= 0).alias("fresh"), (~(follows & same)).alias("moved"))
        moves = (pl.col("moved") & pl.col("fresh")).sum()
        latest = rows.group_by(KEY, maintain_order=True).agg(
            pl.exclude("turn", "fresh", "moved", "revision").last(),
            pl.when(pl.col("fresh").first())
            .then(moves - 1)
            .otherwise(pl.col("revision").first() + moves)
            .alias("revision"),
            moves.alias("moves"),
        )
        return latest.filter(pl.col("moves") > 0).select(pl.col(name).cast(kind) for name, kind in FACT.items())

    def _virtual(self, facts: pl.DataFrame) -> list[pl.DataFrame]:
        found = []
        for place, terms in self.formulas.items():
            mine = facts.filter(pl.col("place").is_in(list(terms)))
            if not len(mine):
                continue
            touched = (mine["starts_ms"] // QUARTER_MS * QUARTER_MS).unique()
            first, last = int(touched.min()), int(touched.max()) + QUARTER_MS  # type: ignore[arg-type]
            rows = virtual(self._around(sorted(terms), mine, first, last), place, terms)
            changed = rows.filter(pl.col("starts_ms").is_in(touched.implode()))
            found.append(self._dated(changed).with_columns(changed["revision"]))
        return found

    def _rolling(self, facts: pl.DataFrame) -> pl.DataFrame:
        if self.fanning:
            facts = facts.filter(~pl.col("place").is_between(self.table.measured, len(self.table.points) - 1))
        if not len(facts):
            return NO_ROLLING
        first, last = int(facts["starts_ms"].min()), int(facts["ends_ms"].max())  # type: ignore[arg-type]
        window = self._around(facts["place"].unique().to_list(), facts, first - LONGEST_MS, last + LONGEST_MS)
        reach = facts.group_by("place").agg(
            since=pl.col("starts_ms").min(), until=pl.col("ends_ms").max() + LONGEST_MS - 1
        )
        rows = rolling(window, first).join(reach, on="place", maintain_order="left")
        return rows.filter(pl.col("ends_ms").is_between(pl.col("since") + 1, pl.col("until"))).select(list(ROLLING))

    def _quarters(self, facts: pl.DataFrame) -> pl.DataFrame:
        """The quarter-hours of purchased energy that the facts change."""
        mine = facts.filter(pl.col("place").is_in(self.purchased)) if len(facts) else facts
        if not len(mine):
            return EMPTY
        touched = (mine["starts_ms"] // QUARTER_MS * QUARTER_MS).unique()
        first, last = int(touched.min()), int(touched.max()) + QUARTER_MS  # type: ignore[arg-type]
        rows = quarters(self._around(self.purchased, mine, first, last), len(self.purchased))
        return rows.filter(pl.col("starts_ms").is_in(touched.implode()))

    def _emissions(self, facts: pl.DataFrame) -> pl.DataFrame:
        """The emissions of the sources whose facts, or whose green energy, the step changes."""
        found = []
        for source in self.table.site.emission_sources if len(facts) else ():
            place = self.table.index[source.point]
            green_place = self.table.index[source.green_point] if source.green_point else place
            mine = facts.filter(pl.col("place").is_in([place, green_place]))
            if not len(mine):
                continue
            green = None
            if source.green_point:
                resolution = self.table.every[place].resolution_ms
                touched = (mine["starts_ms"] // resolution * resolution).unique()
                first, last = int(touched.min()), int(touched.max()) + resolution  # type: ignore[arg-type]
                both = self._around([place, green_place], mine, first, last)
                green = both.filter(pl.col("place") == green_place)
                mine = both.filter(pl.col("place") == place, pl.col("starts_ms").is_in(touched.implode()))
            found.append(emissions(mine, green, source, place, self.table.site, self.reference.factors))
        return pl.concat([NO_EMISSIONS, *found]) if found else NO_EMISSIONS

    def _around(self, places: list[int], facts: pl.DataFrame, from_ms: int, to_ms: int) -> pl.DataFrame:
        """The facts of points that start in [from, to), as they are after this step."""
        known = self.memory.facts(places, from_ms, to_ms).select(list(FACT))
        both = pl.concat([known, facts.filter(pl.col("starts_ms").is_between(from_ms, to_ms - 1))])
        return both.unique(["place", "starts_ms"], keep="last", maintain_order=True)

    def _dated(self, facts: pl.DataFrame) -> pl.DataFrame:
        whole = pl.col("ends_ms") - pl.col("starts_ms")
        quality = (
            pl.when(pl.col("missing_ms") >= whole)
            .then(int(FactQuality.MISSING))
            .when(pl.col("missing_ms") > 0)
            .then(int(FactQuality.PARTIAL))
            .when(pl.col("estimated_ms") > 0)
            .then(int(FactQuality.ESTIMATED))
            .otherwise(int(FactQuality.MEASURED))
        )
        zone = self.table.site.time_zone.key
        local = pl.from_epoch("starts_ms", "ms").dt.replace_time_zone("UTC").dt.convert_time_zone(zone).dt.date()
        return facts.with_columns(
            pl.when(pl.col("missing_ms") < whole).then("amount").alias("amount"),
            local.alias("local_day"),
            quality.cast(pl.Int16).alias("quality"),
            pl.lit(0, pl.Int32).alias("revision"),
        ).select(list(FACT))
