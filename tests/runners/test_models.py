"""A model becomes active at a recorded place among the readings, and scores the same from there on, whoever runs it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import orjson
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from streams.catalog.folder import SiteFolder
from streams.domain.findings import StoreError
from streams.ingest.codec import REJECTS
from streams.ingest.files import Block
from streams.ingest.records import Record
from streams.operators.models.parameters import Model, to_bytes
from streams.runners import audit, live
from streams.runners.audit import Verdict, replay
from streams.runners.embedded import EmbeddedRunner, Source
from streams.runners.live import Lane
from streams.stores import models
from streams.stores.duckdb import DuckDBStore
from streams.stores.models import Trained
from streams.stores.store import Store
from tests.operators.modelled_site import MINUTE_MS, START_MS, modelled_site, plain_model, telemetry

NOW = datetime(2026, 2, 1, tzinfo=UTC)
BEGINS, ENDS = datetime(2025, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
SITE = modelled_site()
ROWS = telemetry()
SCORES = "select * from fact.model_score order by point_id, starts_at"
CONTROLS = "select seq, kind, nth, detail from op.control order by seq, nth"


def train(store: Store, model: Model | None, point: str = "depot/kwh") -> int:
    """Add a version, as training does."""
    return models.add(
        store, Trained("depot", "compressor", point, NOW, "{}", parameters=None if model is None else to_bytes(model))
    )


def ingest(store: DuckDBStore, name: str, rows: pl.DataFrame, sizes: list[int], *, ends: bool = False) -> None:
    """A file in blocks of these sizes in turn."""

    def blocks(start: int) -> Iterator[Block]:
        at, turn = start, 0
        while at < len(rows):
            part = rows[at : at + sizes[turn % len(sizes)]]
            at, turn = at + len(part), turn + 1
            yield Block(part, REJECTS.to_frame(), at)

    runner = EmbeddedRunner(SITE, store, lambda: NOW)
    runner.ingest(Source(name, name, blocks), lambda _: None)
    if ends:
        runner.finish()


def files(folder: Path, sizes: list[int], at: int = 500) -> tuple[DuckDBStore, Verdict]:
    """Two files with a model that becomes active between them, another after it, none at last; and a replay."""
    store = DuckDBStore(folder / "a.duckdb")
    ingest(store, "one", ROWS[:at], sizes)
    train(store, plain_model())
    ingest(store, "two", ROWS[at : at + 400], sizes)
    train(store, plain_model(shift=1.0, seed=2))
    ingest(store, "three", ROWS[at + 400 : -100], sizes)
    train(store, None)
    ingest(store, "four", ROWS[-100:], sizes, ends=True)
    return store, replay(SITE, store, folder / "b.duckdb", BEGINS, ENDS, lambda _: None)


def check(sizes: list[int], at: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store, verdict = files(Path(folder), sizes, at)
        store.close()
        assert verdict.identical, {name: rows for name, rows in verdict.differing.items() if len(rows)}


def test_a_replay_over_activations_gives_the_same_scores_bit_for_bit(tmp_path: Path) -> None:
    store, verdict = files(tmp_path, [130])
    with closing(store):
        assert verdict.identical, verdict.differing
        scores = store.frame(SCORES)
        assert scores["version"].unique().sort().to_list() == [1, 2]
        assert (scores["score"] > 0).sum() > 7
        kinds = [(kind, detail) for _, kind, _, detail in store.rows(CONTROLS)]
        assert kinds == [(models.CONTROL, f"{nth} compressor") for nth in (1, 2, 3)] + [("flush", None)]
        active = store.rows("select version, active_seq, active_at from op.model order by version")
        seqs = [seq for seq, kind, *_ in store.rows(CONTROLS) if kind == models.CONTROL]
        assert active == [(nth + 1, seq, NOW.replace(tzinfo=None)) for nth, seq in enumerate(seqs)]


@settings(max_examples=4, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(20, 400), min_size=1, max_size=3), st.integers(100, 700))
def test_however_files_are_cut_the_replay_is_identical(sizes: list[int], at: int) -> None:
    check(sizes, at)


def test_it_is_missed_when_a_replay_activates_a_model_at_another_place(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = audit.SiteStore.controls

    def early(site: audit.SiteStore) -> list[audit.Control]:
        found = kept(site)
        moved = [audit.Control(each.seq - 90, each.kind, each.happened_at, each.detail) for each in found[:1]]
        return [*moved, *found[1:]]

    monkeypatch.setattr(audit.SiteStore, "controls", early)
    searched = settings(max_examples=5, phases=(Phase.generate,), derandomize=True, database=None)(
        given(st.just([130]), st.integers(400, 600))(check)
    )
    with pytest.raises((AssertionError, ExceptionGroup)):
        searched()


def test_a_version_that_was_never_active_and_has_a_successor_stays_so(tmp_path: Path) -> None:
    with closing(DuckDBStore(tmp_path / "a.duckdb")) as store:
        for shift in (0.0, 1.0):
            train(store, plain_model(shift=shift))
        ingest(store, "one", ROWS[:50], [50])
        assert models.wanted(store, "depot") == []
        assert store.rows("select version from op.model where active_seq is not null") == [(2,)]


def test_parameters_that_somebody_changed_are_not_used(tmp_path: Path) -> None:
    with closing(DuckDBStore(tmp_path / "a.duckdb")) as store:
        train(store, plain_model())
        store.execute("update op.model set parameters = $1", [to_bytes(plain_model(shift=0.5))])
        with pytest.raises(StoreError, match=r"expected parameters with SHA-256 .* somebody has changed them"):
            ingest(store, "one", ROWS[:50], [50])


def records() -> list[Record]:
    """Messages of the site in order of arrival, ticks of every minute among them, and ticks after the last."""
    made: list[tuple[bytes, int | None]] = []
    newest = START_MS
    for begin in range(0, len(ROWS), 12):
        part = ROWS[begin : begin + 12]
        readings = [
            {"point": point, "time": time_ms, "value": value if text is None else text}
            for point, time_ms, value, text in part.select("point", "time_ms", "value", "text").iter_rows()
        ]
        made.append((orjson.dumps(readings), None))
        newest = max(newest, int(part["time_ms"].max()))  # type: ignore[arg-type]
        made.append((b"", newest + MINUTE_MS))
    made += [(b"", newest + at * MINUTE_MS) for at in range(2, 60)]
    received = int(NOW.timestamp() * 1000)
    return [
        Record(offset, "" if tick else "depot", "gw", value, received, tick)
        for offset, (value, tick) in enumerate(made)
    ]


RECORDS = records()
HALF = len(RECORDS) // 3


@contextmanager
def lane() -> Iterator[Lane]:
    with tempfile.TemporaryDirectory() as path, closing(DuckDBStore(Path(path) / "a.duckdb")) as store:
        yield Lane("log", 0, store, SiteFolder(Path("none"), sites={"depot": SITE}), lambda: NOW)


def feed(made: Lane, some: list[Record]) -> None:
    for piece in made.batches(some):
        while made.next_offset <= piece[-1].offset:
            made.commit(made.prepare(piece))


def rest(made: Lane) -> None:
    while (batch := made.rest()) is not None:
        made.commit(batch)


def outcome(cuts: list[int], work_s: float, *, reloads: bool = False) -> dict[str, pl.DataFrame]:
    """A model becomes active at one place, whatever the cuts; scores, controls and what is remembered at the end."""
    with pytest.MonkeyPatch.context() as patch, lane() as made:
        patch.setattr(live, "WORK_S", work_s)
        patch.setattr(live, "TICK_S", work_s)
        for begin, end in ((0, HALF), (HALF, len(RECORDS))):
            at, turn = begin, 0
            while at < end:
                size = cuts[turn % len(cuts)]
                feed(made, RECORDS[at : min(at + size, end)])
                at, turn = at + size, turn + 1
                if reloads:
                    made.prepare(RECORDS[at : at + 3] or RECORDS[-1:])  # computed, and never committed
                    made.reload()
            if begin == 0:
                train(made.store, plain_model())
                assert made.look_for_models()
                rest(made)
                assert not made.look_for_models()
        rest(made)
        return {
            "scores": made.store.frame(SCORES),
            "controls": made.store.frame(CONTROLS),
            "episodes": made.store.frame("select * from fact.alert_episode order by episode_id"),
            "outbox": made.store.frame("select message_id, kind, happened_at from op.alert_outbox order by message_id"),
            "anomaly": made.store.frame("select * from fact.anomaly order by point_id, starts_at"),
        }


@pytest.fixture(scope="module")
def whole() -> dict[str, pl.DataFrame]:
    return outcome([50], 100.0)


@settings(max_examples=2, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(
    cuts=st.lists(st.integers(7, 60), min_size=1, max_size=4),
    work_s=st.sampled_from([-1.0, 100.0]),
    reloads=st.booleans(),
)
def test_in_a_lane_cuts_and_restarts_and_when_intervals_are_closed_change_no_score(
    whole: dict[str, pl.DataFrame], cuts: list[int], work_s: float, reloads: bool
) -> None:
    again = outcome(cuts, work_s, reloads=reloads)
    assert [name for name, rows in whole.items() if not rows.equals(again[name])] == []


def test_the_lane_scores_each_window_from_the_activation_on_and_records_what_ticks_gave_up(
    whole: dict[str, pl.DataFrame],
) -> None:
    scores, controls = whole["scores"], whole["controls"]
    assert (scores["score"] > 0).sum() > 7
    assert set(whole["episodes"]["rule"]) == {"odd"}
    assert {"opened", "closed"} <= set(whole["outbox"]["kind"])
    assert "is unlike what its state, temperature and output explain" in whole["episodes"]["said_en"][0]
    first = controls.filter(pl.col("kind") == "model")
    assert len(first) == 1
    starts = scores["starts_at"].dt.epoch("ms")
    assert starts.diff().drop_nulls().unique().to_list() == [15 * MINUTE_MS]
    assert controls.filter(pl.col("kind") == "look").height > 3


def test_what_a_lane_scored_a_replay_scores_again() -> None:
    with lane() as made, tempfile.TemporaryDirectory() as folder:
        feed(made, RECORDS[:HALF])
        train(made.store, plain_model())
        made.look_for_models()
        feed(made, RECORDS[HALF:])  # it becomes active when there is time for it
        rest(made)
        train(made.store, plain_model(shift=0.25))
        made.look_for_models()
        rest(made)
        found = replay(SITE, made.store, Path(folder) / "b.duckdb", BEGINS, ENDS, lambda _: None)
        assert found.identical, found.differing
        made.wanted = []


def test_a_lane_that_was_fenced_does_not_activate(tmp_path: Path) -> None:
    with closing(DuckDBStore(tmp_path / "a.duckdb")) as store:
        folder = SiteFolder(Path("none"), sites={"depot": SITE})
        one, other = (Lane("log", 0, store, folder, lambda: NOW) for _ in range(2))
        feed(one, RECORDS[:20])
        other.reload()
        train(store, plain_model())
        assert one.look_for_models()
        assert other.look_for_models()
        rest(one)
        batch = other.rest()
        assert batch is not None
        with pytest.raises(live.FencedError):
            other.commit(batch)
        assert store.rows("select count(*) from op.control where kind = 'model'") == [(1,)]
