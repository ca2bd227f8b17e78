"""Episodes, messages and receipts: the same rows in the mart views of both stores, payloads that keep to the schema."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import orjson
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.domain.alerts import Episode, Notice, NoticeKind, Severity, Words
from streams.runners.delivery.deciding import settled
from streams.runners.delivery.outcome import Outcome, Result
from streams.stores.alert_desk import StoreDesk
from streams.stores.alerts import TEST, episode_rows, outbox_rows, payload
from streams.stores.dispatch import Record, Status
from streams.stores.duckdb import DuckDBStore
from streams.stores.outbox import Outbox, ancestors
from streams.stores.postgres import PostgresStore
from streams.stores.schema import migrate
from streams.stores.store import SQL, Store, naive
from tests.live.harness import differing
from tests.runners.deliveries import episode, notices, put

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SCHEMA = orjson.loads((SQL.parent / "streams" / "stores" / "alert.schema.json").read_bytes())
TEXT = st.text(st.characters(blacklist_categories=("Cs",)), max_size=20)
MS = st.integers(0, 4_000_000_000_000)
NUMBER = st.floats()
EPISODES = st.builds(
    Episode, episode_id=st.text("abc1", min_size=1), site=st.text("abc", min_size=1), rule=st.text("ab_", min_size=1),
    subject=TEXT, asset=TEXT, severity=st.sampled_from(Severity), opened_ms=MS, updated_ms=MS,
    closed_ms=st.none() | MS, value=NUMBER, worst=NUMBER, limit=NUMBER, unit=TEXT, flaps=st.integers(0, 9),
    said=st.builds(Words, TEXT, TEXT), advice=st.builds(Words, TEXT, TEXT),
)  # fmt: skip


@given(EPISODES, st.integers(0, 99), st.sampled_from(NoticeKind), MS, st.sampled_from([None, TEST]))
def test_every_payload_keeps_to_the_schema(
    one: Episode, number: int, kind: NoticeKind, at: int, test: str | None
) -> None:
    content = orjson.loads(payload(Notice(one, number, kind, at), test))
    jsonschema.validate(content, SCHEMA, jsonschema.Draft202012Validator)
    assert content["type"] == (test or f"kilowatch.alert.{kind.value}")
    assert set(content["data"]) == set(SCHEMA["properties"]["data"]["properties"])


@pytest.mark.parametrize("gone", ["type", "timestamp", "data"])
def test_the_schema_misses_what_is_missing(gone: str) -> None:
    content = orjson.loads(payload(notices(episode())[0]))
    for changed in ({k: v for k, v in content.items() if k != gone}, {**content, gone: 1}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(changed, SCHEMA, jsonschema.Draft202012Validator)


def test_notices_of_a_run_are_no_messages() -> None:
    live, run = episode(), episode(site="depot@again")
    rows = outbox_rows([*notices(live), *notices(run)], naive(NOW))
    assert rows["site"].to_list() == ["depot"]


def test_the_last_state_of_an_episode_is_its_row() -> None:
    rows = episode_rows([episode(flaps=1), episode("e2"), episode(flaps=3)], 7)
    assert dict(rows.select("episode_id", "flaps").iter_rows()) == {"e1": 3, "e2": 0}


@contextmanager
def both(database: str, folder: Path) -> Iterator[list[Store]]:
    with closing(PostgresStore(database)) as server, closing(DuckDBStore(folder / "a.duckdb")) as file:
        migrate(server, {})
        yield [server, file]


def test_both_stores_tell_the_same_of_alerts(database: str, tmp_path: Path) -> None:
    with both(database, tmp_path) as stores:
        for store in stores:
            lived(store)
        found = [{name: seen(store, name) for name in ("alert_episode", "alert_delivery")} for store in stores]
        assert [len(view) for view in found[0].values()] == [5, 6]
        assert differing(*found) == {}
        again = [{name: seen(store, name, "run") for name in ("alert_episode", "alert_delivery")} for store in stores]
        assert [len(view) for view in again[0].values()] == [1, 0]
        assert differing(*again) == {}
        dead = found[0]["alert_delivery"].filter(pl.col("status") == "dead")
        assert dead.select("message_id", "code", "attempts", "next_at").rows() == [("e2.0", 404, 1, None)]


def seen(store: Store, view: str, schema: str = "mart") -> pl.DataFrame:
    rows = store.query(f"select * from {schema}.{view}")
    return rows.sort(rows.columns, nulls_last=True)


def lived(store: Store) -> None:
    """Episodes of every kind of end."""
    outbox, chance = Outbox(store), random.Random(1)
    put(store, notices(episode(), [NoticeKind.OPENED, NoticeKind.REMINDED]), NOW)
    put(store, notices(episode("e2", value=float("nan"), worst=float("nan"))), NOW)
    put(store, notices(replace(episode("e3"), closed_ms=episode().opened_ms + 5)), NOW)
    put(store, notices(episode("e4", site="elsewhere")), NOW)
    put(store, notices(episode("e5", site="depot@again")), NOW)
    put(store, notices(episode("e6")), NOW)
    now = naive(NOW)
    planned = outbox.plan(lambda message, _: ["ops"] if message.site == "depot" else [], now)
    assert planned == (6, 1)
    outcomes = {
        "e1.0": Record(Status.SENT, "HTTP 204", code=204, is_attempt=True),
        "e1.1": Record(Status.ACKNOWLEDGED, "somebody has"),
        "e2.0": Record(Status.DEAD, "HTTP 404", code=404, is_attempt=True),
        "e3.0": Record(Status.GROUPED, "stands under", parent_episode_id="e2"),
    }
    for turn in range(2):
        for dispatch in outbox.due(["ops"], now, 9):
            record = outcomes.get(dispatch.message.message_id)
            if record is None:
                failed = Outcome(Result.FAILED, "no answer")
                record = settled(dispatch, failed, now, chance)
            assert outbox.record(dispatch, record, now + timedelta(seconds=turn))
    StoreDesk(store, lambda: NOW).ask("acknowledge", {"episode_id": "e1", "by": "chen", "note": "on my way"})
    StoreDesk(store, lambda: NOW + timedelta(hours=1)).ask("acknowledge", {"episode_id": "e1", "by": "lin"})


def test_what_somebody_else_noted_meanwhile_stands(database: str, tmp_path: Path) -> None:
    with both(database, tmp_path) as stores:
        for store in stores:
            outbox, now = Outbox(store), naive(NOW)
            put(store, notices(episode()), NOW)
            outbox.plan(lambda *_: ["ops"], now)
            (dispatch,) = outbox.due(["ops"], now, 9)
            sent = Record(Status.SENT, "HTTP 204", code=204, is_attempt=True)
            assert [outbox.record(dispatch, sent, now) for _ in range(2)] == [True, False]
            assert len(seen(store, "alert_delivery")) == 1


def test_a_message_that_is_committed_again_stays_as_it_was(database: str, tmp_path: Path) -> None:
    with both(database, tmp_path) as stores:
        for store in stores:
            put(store, notices(episode()), NOW)
            put(store, notices(episode(flaps=5), [NoticeKind.OPENED, NoticeKind.CLOSED]), NOW)
            rows = store.rows("select message_id, payload from op.alert_outbox order by 1")
            assert [orjson.loads(row[1])["data"]["flaps"] for row in rows] == [0, 5]
            assert store.rows("select flaps from fact.alert_episode") == [(5,)]


def test_a_channel_has_one_sender_until_its_connection_ends(database: str) -> None:
    with closing(PostgresStore(database)) as one, closing(PostgresStore(database)) as other:
        assert (one.hold("a"), other.hold("a"), other.hold("b")) == (True, False, True)
        one.let_go("a")
        assert other.hold("a")
        other.close()
        for _ in range(200):
            if one.hold("b"):
                return
            one.rows("select pg_sleep(0.02)")
        raise AssertionError("the channel stays with a connection that has ended")


def test_a_tree_that_bites_its_tail_has_an_end() -> None:
    file = {"assets": [{"name": "a", "parent": "b"}, {"name": "b", "parent": "c"}, {"name": "c", "parent": "a"}, 7]}
    assert ancestors(file, "a") == ["b", "c", "a"]
    assert ancestors({}, "a") == []
