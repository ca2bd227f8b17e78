"""Records are worked off in runs without a gap, and cut so that a tick stands alone."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from streams.ingest.records import Record
from streams.runners.batch import runs


def record(offset: int) -> Record:
    return Record(offset=offset, site="a", gateway="g", value=b"{}", received_ms=0, tick_ms=None, sent_ms=None)


@given(st.lists(st.integers(0, 12), max_size=30))
def test_runs_hold_every_record_in_order_and_break_where_offsets_do(offsets: list[int]) -> None:
    found = [[each.offset for each in run] for run in runs([record(each) for each in offsets])]
    assert [each for run in found for each in run] == offsets
    for run in found:
        assert run == list(range(run[0], run[0] + len(run)))
    for before, after in pairwise(found):
        assert after[0] != before[-1] + 1
