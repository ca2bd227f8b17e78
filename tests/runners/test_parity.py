"""Law 6: the embedded run and the audit give equal results for the same readings, however they were cut."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from streams.domain.site import Contract, EmissionSource, Site
from streams.ingest.codec import REJECTS
from streams.ingest.files import Block
from streams.runners import audit
from streams.runners.audit import Verdict, replay
from streams.runners.embedded import EmbeddedRunner, Source
from streams.stores.duckdb import DuckDBStore
from tests.stores.test_duckdb import table_of, telemetry

NOW = datetime(2026, 2, 1, tzinfo=UTC)
BEGINS, ENDS = datetime(2025, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


def site() -> Site:
    contract = Contract(date(2025, 1, 1), "HV_3T", 100)
    grid = EmissionSource("grid", "site/m0", "grid_tw", 2, 2)
    return replace(
        table_of(2).site, import_points=("site/m0",), contracts=(contract,), emission_sources=(grid,), sha256="a"
    )


def verdict(seed: int, sizes: list[int]) -> Verdict:
    """Ingest two files cut into blocks of these sizes in turn, with an end of stream after each; replay the archive."""
    rows = telemetry(2, 400, seed)
    with tempfile.TemporaryDirectory() as folder:
        store = DuckDBStore(Path(folder) / "a.duckdb")
        for nth, part in enumerate((rows[:500], rows[500:])):

            def blocks(start: int, part: pl.DataFrame = part) -> Iterator[Block]:
                at, turn = start, 0
                while at < len(part):
                    taken = part[at : at + sizes[turn % len(sizes)]]
                    at, turn = at + len(taken), turn + 1
                    yield Block(taken, REJECTS.to_frame(), at)

            runner = EmbeddedRunner(site(), store, lambda: NOW)
            runner.ingest(Source(f"file {nth}", f"file {nth}", blocks), lambda _: None)
            runner.finish()
        found = replay(site(), store, Path(folder) / "b.duckdb", BEGINS, ENDS, lambda _: None)
        store.close()
    return found


def check(seed: int, sizes: list[int]) -> None:
    found = verdict(seed, sizes)
    assert found.readings == 800
    assert found.identical, found.differing


seeds, cuts = st.integers(0, 1_000), st.lists(st.integers(40, 900), min_size=1, max_size=4)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seeds, cuts)
def test_the_audit_finds_what_the_embedded_run_left(seed: int, sizes: list[int]) -> None:
    check(seed, sizes)


def test_law_6_is_missed_when_the_audit_forgets_the_order_of_arrival(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = audit._parts

    def orderly(stretch: pl.DataFrame, cuts: list[int]) -> list[pl.DataFrame]:
        return [part.sort("time_ms") for part in kept(stretch, cuts)]

    monkeypatch.setattr(audit, "_parts", orderly)
    searched = settings(max_examples=20, phases=(Phase.generate,), derandomize=True, deadline=None, database=None)(
        given(seeds, cuts)(check)
    )
    with pytest.raises((AssertionError, ExceptionGroup)):
        searched()
