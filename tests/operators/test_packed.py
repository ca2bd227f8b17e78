"""Packed readings are the readings again; how they are packed is nobody's business."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.operators import packed
from streams.operators.packed import Packed, Waiting
from streams.operators.readings import Readings

ROW = st.tuples(st.integers(0, 70_000), st.integers(0, 1 << 41), st.integers(-(1 << 50), 1 << 50))


def readings(rows: list[tuple[int, int, int]]) -> Readings:
    columns = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return Readings.on_time(*columns)


def rows(found: Readings) -> list[tuple[int, int, int]]:
    return sorted(zip(found.place.tolist(), found.time_ms.tolist(), found.ticks.tolist(), strict=True))


@given(st.lists(ROW, min_size=1, max_size=60))
def test_what_was_packed_comes_out_again(some: list[tuple[int, int, int]]) -> None:
    made = Packed.of(readings(some))
    assert len(made) == len(some)
    assert rows(made.readings()) == sorted(some)


@given(st.lists(st.lists(ROW, max_size=12), max_size=40), st.integers(1, 10), st.integers(2, 4))
def test_what_waits_is_all_that_was_added(parts: list[list[tuple[int, int, int]]], at: int, merged: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed, "PACK_AT", at)
        patch.setattr(packed, "MERGED", merged)
        waiting, added = Waiting(), list[tuple[int, int, int]]()
        for part in parts:
            before, then = waiting.copy(), sorted(added)
            waiting.add(readings(part))
            waiting.pack()
            added += part
            assert rows(before.readings()) == then
    assert rows(waiting.readings()) == sorted(added)


def test_a_register_read_each_second_takes_less_than_two_bytes_a_reading() -> None:
    chance = np.random.default_rng(5)
    place, second = np.divmod(np.arange(100_000), 1_000)
    growth = chance.integers(0, 40, 100_000)
    made = Packed.of(Readings.on_time(place, second * 1_000, np.cumsum(growth)))
    assert made.size < 2 * len(made)
