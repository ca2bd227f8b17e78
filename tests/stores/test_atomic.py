"""Law 7: what a step leaves is stored whole or not at all, whichever of its writes breaks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from streams.stores.duckdb import DuckDBStore
from streams.stores.site import SiteStore
from tests.stores.test_duckdb import RECEIVED, RECEIVED_MS, table_of, telemetry

COUNTED = (
    "raw.reading",
    "fact.interval",
    "fact.rolling",
    "fact.register_event",
    "op.energy_state",
    "fact.register_day",
)


class BrokenError(Exception):
    """Stands for a process that ends there."""


class Breaking(DuckDBStore):
    """A store whose writes break after so many, of which it keeps count."""

    writes = 0
    most = 10**9

    def _wrote(self) -> None:
        self.writes += 1
        if self.writes >= self.most:
            raise BrokenError

    def append(self, *given: Any) -> None:
        super().append(*given)
        self._wrote()

    def execute(self, *given: Any) -> int:
        changed = super().execute(*given)
        self._wrote()
        return changed


def check(folder: Path, most: int) -> int:
    """Break the second commit after so many writes; what the first one left must be all there is; return its writes."""
    store = Breaking(folder / "a.duckdb")
    site = SiteStore(store, table_of(2))
    pipeline, frame = site.pipeline(), telemetry(2, 3_000)
    number, done, _, _ = site.source("abc", "test", RECEIVED)
    site.commit(pipeline.step(frame[:3_000], RECEIVED_MS), RECEIVED, source=(number, "test", done, 3_000))
    statement = " union all ".join(f"select count(*) as n from {each}" for each in COUNTED)
    position = "select p.next_seq, s.records from op.position as p cross join op.source as s"
    before = store.rows(statement), store.rows(position)
    outputs = pipeline.step(frame[3_000:], RECEIVED_MS)
    store.writes, store.most = 0, most
    try:
        site.commit(outputs, RECEIVED, source=(number, "test", 3_000, len(frame)))
    except BrokenError:
        assert (store.rows(statement), store.rows(position)) == before
    store.close()
    return store.writes


def test_a_commit_that_breaks_after_any_write_leaves_nothing(tmp_path: Path) -> None:
    folders = iter([tmp_path / str(nth) for nth in range(100)])

    def folder() -> Path:
        made = next(folders)
        made.mkdir()
        return made

    writes = check(folder(), 10**9)
    assert writes > 10
    assert [check(folder(), most) for most in range(1, writes + 1)] == list(range(1, writes + 1))


def test_law_7_is_missed_when_each_write_commits_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def apart(_store: DuckDBStore) -> Iterator[None]:
        yield

    monkeypatch.setattr(DuckDBStore, "transaction", apart)
    with pytest.raises(AssertionError):
        check(tmp_path, 3)
