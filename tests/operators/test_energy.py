"""The energy operator: order, repetition, lateness and cuts do not change what comes out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streams.domain.site import Point, PointKind, Quantity, Ratio, Site, SiteKind
from streams.operators import energy, packed, state
from streams.operators.energy import EnergyOutputs, arrive, flush, is_due, step, work
from streams.operators.points import PointTable
from streams.operators.readings import Readings
from streams.operators.state import EnergyState

START_MS = 1_767_225_600_000
MINUTE_MS = 60_000
Reading = tuple[int, int, int]  # place, minute, ticks
Fact = tuple[int, int, int, int, int]


def table_of(*kinds: PointKind) -> PointTable:
    """A site with one point of each kind; registers in Wh without a largest rate."""
    points = tuple(
        Point(
            f"site/{nth}",
            "hall",
            kind,
            Quantity.ENERGY,
            "kW" if kind is PointKind.POWER else "kWh",
            interval_ms=15 * MINUTE_MS,
            modulus=100_000.0,
            max_rate=60_000.0,
        )
        for nth, kind in enumerate(kinds)
    )
    return PointTable.of(
        Site(
            "site",
            SiteKind.MACHINING,
            ZoneInfo("Asia/Taipei"),
            "",
            "",
            date(2025, 1, 1),
            (),
            points,
            ("site/0",),
            (),
            (),
            (),
            "AR5",
            (),
            "",
        )
    )


class Run:
    """Feeds readings in batches and keeps the facts as a store would, with revisions."""

    def __init__(self, table: PointTable) -> None:
        self.table, self.state = table, EnergyState.empty(len(table.points))
        self.seen: list[Readings] = []
        self.facts: dict[tuple[int, int], tuple[int, ...]] = {}
        self.log: list[tuple[int, ...]] = []

    def history(self, places: list[int], since_ms: int) -> Readings:
        every = Readings.concat(self.seen)
        return every.take(np.isin(every.place, places) & (every.time_ms > since_ms))

    def batch(self, readings: list[Reading]) -> Readings:
        columns = np.array(readings, dtype=np.int64).reshape(-1, 3)
        first = sum(map(len, self.seen))
        seq = np.arange(first, first + len(columns), dtype=np.int64)
        return Readings(columns[:, 0], START_MS + columns[:, 1] * MINUTE_MS, columns[:, 2], seq, np.zeros_like(seq))

    def feed(self, readings: list[Reading]) -> None:
        batch = self.batch(readings)
        self.state, out = step(self.table, self.state, batch, self.history)
        self.seen.append(replace(batch, tag=out.tags))
        self.keep(out)

    def let_wait(self, readings: list[Reading], *, works: bool) -> None:
        """The two halves of a step; the second may be left to a later call."""
        self.state, batch = arrive(self.table, self.state, self.batch(readings))
        if works and is_due(self.table, self.state):
            self.state, out = work(self.table, self.state, batch, self.history)
            self.keep(out)
        self.seen.append(batch)

    def end(self) -> None:
        self.state, out = flush(self.table, self.state, self.history)
        self.keep(out)

    def keep(self, out: EnergyOutputs) -> None:
        names = ("place", "starts_ms", "amount", "estimated", "estimated_ms", "missing_ms")
        for facts in out.fact_sets:
            for row in zip(*(facts.facts[name].tolist() for name in names), strict=True):
                key, value = (row[0], row[1]), row[2:]
                old = self.facts.get(key)
                assert facts.again or old is None
                if old is None or old[:-1] != value:
                    self.facts[key] = (*value, 0 if old is None else old[-1] + 1)
                    self.log.append((*key, *self.facts[key]))


def outcome(table: PointTable, readings: list[Reading], cuts: list[int]) -> tuple[object, object]:
    """Facts and sorted revision log of a run with the cuts."""
    run = Run(table)
    for begin, end in pairwise([0, *sorted({cut for cut in cuts if 0 < cut < len(readings)}), len(readings)]):
        run.feed(readings[begin:end])
    run.end()
    return run.facts, sorted(run.log)


ALL = table_of(PointKind.REGISTER, PointKind.REGISTER, PointKind.POWER)


@st.composite
def streams(draw: st.DrawFn) -> list[Reading]:
    """Readings of three points, minutes apart, with gaps, glitches, late ones and duplicates, in order of arrival."""
    readings: list[Reading] = []
    for place in range(3):
        minute, value = 0, draw(st.integers(0, 50_000_000))
        for _ in range(draw(st.integers(0, 40))):
            minute += draw(st.sampled_from([1, 1, 1, 2, 5, 16, 90]))
            value = value + draw(st.integers(0, 5_000)) if place < 2 else draw(st.integers(0, 9_000))
            shown = draw(st.sampled_from([value] * 9 + [0]))
            readings.append((place, minute, shown))
            if draw(st.integers(0, 9)) == 0:
                readings.append((place, minute, shown))
    delays = draw(st.lists(st.sampled_from([0] * 9 + [3, 30, 400]), min_size=len(readings), max_size=len(readings)))
    arrival = sorted(range(len(readings)), key=lambda nth: (readings[nth][1] + delays[nth], nth))
    return [readings[nth] for nth in arrival]


@given(streams(), st.lists(st.integers(0, 140), max_size=12))
def test_cutting_leaves_facts_and_revisions_alike_also_with_late_readings(
    readings: list[Reading], cuts: list[int]
) -> None:
    whole = outcome(ALL, readings, [])
    assert outcome(ALL, readings, cuts) == whole
    assert outcome(ALL, readings, list(range(len(readings)))) == whole


@given(streams())
def test_late_readings_end_in_the_facts_that_order_would_have_given(readings: list[Reading]) -> None:
    late, _ = outcome(ALL, readings, list(range(len(readings))))
    ordered, _ = outcome(ALL, sorted(readings, key=lambda reading: reading[1]), [])
    assert isinstance(late, dict)
    assert isinstance(ordered, dict)
    assert {key: value[:-1] for key, value in late.items()} == {key: value[:-1] for key, value in ordered.items()}


@given(streams(), st.randoms(use_true_random=False))
def test_shuffling_within_the_lateness_and_repeating_change_nothing(readings: list[Reading], random: object) -> None:
    ordered = sorted(readings, key=lambda reading: reading[1])
    shuffled = sorted(ordered + ordered[::3], key=lambda reading: reading[1] + random.random() * 4.9)  # type: ignore[attr-defined]
    assert outcome(ALL, shuffled, []) == outcome(ALL, ordered, [])


@given(streams())
def test_points_do_not_depend_on_each_other(readings: list[Reading]) -> None:
    together, _ = outcome(ALL, readings, [])
    assert isinstance(together, dict)
    for place in range(3):
        run = Run(ALL)
        run.feed([reading for reading in readings if reading[0] == place])
        run.end()
        last = max((start for at, start in run.facts if at == place), default=0)
        alone = {key: value for key, value in together.items() if key[0] == place and key[1] <= last}
        assert run.facts == alone


def test_a_ramp_of_power_is_integrated_to_the_area_under_it() -> None:
    table = table_of(PointKind.POWER)
    run = Run(table)
    run.feed([(0, 0, 0), (0, 30, 10_000_000)])  # 0 to 10 kW in half an hour
    run.end()
    assert [value[0] for value in run.facts.values()] == [625_000, 1_875_000]


def test_energy_over_a_gap_that_a_register_brackets_is_kept_and_estimated() -> None:
    run = Run(table_of(PointKind.REGISTER))
    run.feed([(0, 0, 0), (0, 240, 8_000)])
    run.end()
    assert sum(value[0] for value in run.facts.values()) == 8_000_000
    assert all(value[1] == value[0] for value in run.facts.values())


def test_a_gap_in_power_is_missing_and_never_a_zero() -> None:
    run = Run(table_of(PointKind.POWER))
    run.feed([(0, 0, 1_000), (0, 15, 1_000), (0, 120, 1_000), (0, 135, 1_000)])
    run.end()
    assert [value[3] for value in run.facts.values()] == [0, *[900_000] * 7, 0]


@pytest.mark.parametrize("cuts", [[], [1, 2, 3]])
def test_interval_amounts_are_taken_as_they_are(cuts: list[int]) -> None:
    facts, _ = outcome(table_of(PointKind.INTERVAL), [(0, 15, 700), (0, 30, 800), (0, 60, 900)], cuts)
    assert isinstance(facts, dict)
    assert [(value[0], value[3]) for value in facts.values()] == [(700, 0), (800, 0), (0, 900_000), (900, 0)]


@given(streams(), st.lists(st.tuples(st.integers(1, 30), st.booleans()), min_size=1, max_size=12))
def test_when_that_which_has_arrived_is_worked_off_changes_nothing(
    readings: list[Reading], batches: list[tuple[int, bool]]
) -> None:
    run, at, turn = Run(ALL), 0, 0
    while at < len(readings):
        size, works = batches[turn % len(batches)]
        run.let_wait(readings[at : at + size], works=works)
        at, turn = at + size, turn + 1
    run.end()
    assert (run.facts, sorted(run.log)) == outcome(ALL, readings, [])


@given(streams(), st.lists(st.integers(0, 140), max_size=6), st.integers(1, 30), st.integers(1, 40))
def test_how_much_is_taken_at_once_and_kept_in_memory_changes_nothing(
    readings: list[Reading], cuts: list[int], at_once: int, recent: int
) -> None:
    whole = outcome(ALL, readings, cuts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(energy, "AT_ONCE", at_once)
        patch.setattr(packed, "PACK_AT", recent)
        patch.setattr(
            EnergyState, "empty", lambda points, empty=EnergyState.empty: replace(empty(points), room=99 * recent)
        )
        assert outcome(ALL, readings, cuts) == whole
        patch.setattr(state, "FRAMES", 1)
        assert outcome(ALL, readings, cuts) == whole


def with_ratios(*kinds: PointKind) -> PointTable:
    """Points behind a transformer of 400/5, of 600/5 an hour later."""
    site = table_of(*kinds).site
    ratios = (Ratio(START_MS, Fraction(80)), Ratio(START_MS + 60 * MINUTE_MS, Fraction(120)))
    return PointTable.of(replace(site, points=tuple(replace(point, ratios=ratios) for point in site.points)))


@given(streams(), st.lists(st.integers(0, 140), max_size=12))
@example([(2, 0, 1_000), (2, 5, 3_000)], [1])
def test_a_power_behind_a_transformer_is_one_of_as_many_times_the_size(
    readings: list[Reading], cuts: list[int]
) -> None:
    ratios = (Ratio(START_MS, Fraction(400, 5)),)
    points = (*ALL.site.points[:2], replace(ALL.site.points[2], ratios=ratios))
    behind = PointTable.of(replace(ALL.site, points=points))
    larger = [(place, minute, ticks * 80 if place == 2 else ticks) for place, minute, ticks in readings]
    assert outcome(behind, readings, cuts) == outcome(ALL, larger, [])


@pytest.mark.parametrize("cuts", [[], [1, 2, 3, 4, 5, 6, 7]])
def test_a_power_behind_a_transformer_is_that_of_the_primary_side_by_the_ratio_of_its_time(cuts: list[int]) -> None:
    kilowatt = 1_000_000
    readings = [(0, minute, kilowatt) for minute in (0, 15, 30, 45, 60, 75, 90)]
    facts, _ = outcome(with_ratios(PointKind.POWER), readings, cuts)
    assert isinstance(facts, dict)
    assert [value[0] for value in facts.values()] == [20 * kilowatt] * 3 + [25 * kilowatt] + [30 * kilowatt] * 2


def test_reported_intervals_behind_a_transformer_are_those_of_the_primary_side() -> None:
    readings = [(0, minute, 1_000) for minute in (15, 30, 45, 75, 90)]
    facts, _ = outcome(with_ratios(PointKind.INTERVAL), readings, [2])
    assert isinstance(facts, dict)
    assert [value[0] for value in facts.values()] == [80_000] * 3 + [0] + [120_000] * 2
