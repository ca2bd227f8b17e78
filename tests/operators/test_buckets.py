"""Amounts of events: summed by interval, with late ones as revisions, whatever the cuts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.domain.site import PointKind
from tests.operators.test_energy import Reading, Run, outcome, table_of

TABLE = table_of(PointKind.AMOUNT)


@st.composite
def events(draw: st.DrawFn) -> list[Reading]:
    """Fills at odd minutes, some of them reported late."""
    minutes = draw(st.lists(st.integers(0, 300), unique=True, max_size=30))
    delay = {minute: draw(st.sampled_from([0, 0, 0, 3, 40, 500])) for minute in minutes}
    return [(0, minute, draw(st.integers(1, 900))) for minute in sorted(minutes, key=lambda each: each + delay[each])]


@given(events(), st.lists(st.integers(0, 30), max_size=6))
def test_events_add_up_by_interval_whatever_the_cuts_and_delays(readings: list[Reading], cuts: list[int]) -> None:
    facts, log = outcome(TABLE, readings, cuts)
    assert isinstance(facts, dict)
    expected: dict[int, int] = {}
    for _, minute, amount in readings:
        expected[minute // 15] = expected.get(minute // 15, 0) + amount
    assert [value[0] for _, value in sorted(facts.items())] == [expected[key] for key in sorted(expected)]
    assert (facts, log) == outcome(TABLE, readings, [])
    assert (facts, log) == outcome(TABLE, readings, list(range(len(readings))))


def test_an_event_after_the_end_of_a_stream_revises_its_interval() -> None:
    run = Run(TABLE)
    run.feed([(0, 1, 100)])
    run.end()
    run.feed([(0, 2, 50), (0, 20, 7)])
    run.end()
    assert [(value[0], value[-1]) for value in run.facts.values()] == [(150, 1), (7, 0)]
