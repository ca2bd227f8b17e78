"""Law 7: a commit that breaks anywhere leaves nothing behind, and a test that would see it if it did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from streams.stores.duckdb import DuckDBStore
from streams.stores.duckdb_rows import Rows
from streams.stores.duckdb_site import SiteStore
from tests.stores.test_duckdb import RECEIVED, RECEIVED_MS, table_of, telemetry

WRITES = ("write_raw", "_write_facts", "_write_decisions", "_write_days", "_write_rolling", "_write_state")
COUNTED = ("raw.reading", "fact.interval", "fact.register_day", "fact.rolling", "op.energy_state")


class BrokenError(Exception):
    """The process fails at this point."""


def then_break(kept: Callable[..., None]) -> Callable[..., None]:
    def broken(*arguments: object) -> None:
        kept(*arguments)
        raise BrokenError

    return broken


def check(folder: Path, name: str) -> None:
    """Break the second commit after one of its writes; what the first one left must be all there is."""
    store = DuckDBStore(folder / "a.duckdb")
    site = SiteStore(store, table_of(2))
    pipeline, frame = site.pipeline(), telemetry(2, 3_000)
    number, done, _, _ = site.source("abc", "test", RECEIVED)
    site.commit(pipeline.step(frame[:3_000], RECEIVED_MS), RECEIVED, source=(number, "test", done, 3_000))
    statement = " union all ".join(f"select count(*) as n from {each}" for each in COUNTED)
    position = "select p.next_seq, s.records from op.position as p cross join op.source as s"
    before = store.con.execute(statement).fetchall(), store.con.execute(position).fetchall()
    outputs = pipeline.step(frame[3_000:], RECEIVED_MS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rows, name, then_break(getattr(Rows, name)))
        with pytest.raises(BrokenError):
            site.commit(outputs, RECEIVED, source=(number, "test", 3_000, len(frame)))
    after = store.con.execute(statement).fetchall(), store.con.execute(position).fetchall()
    store.close()
    assert after == before


@pytest.mark.parametrize("name", WRITES)
def test_a_commit_that_breaks_after_any_write_leaves_nothing(tmp_path: Path, name: str) -> None:
    check(tmp_path, name)


def test_law_7_is_missed_when_each_write_commits_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def apart(_store: DuckDBStore) -> Iterator[None]:
        yield

    monkeypatch.setattr(DuckDBStore, "transaction", apart)
    with pytest.raises(AssertionError):
        check(tmp_path, "write_raw")
