"""The register state machine: what each kind of drop or leap does to the energy."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.domain.site import Exchange, Point, PointKind, Quantity, Site, SiteKind
from streams.operators.advance import advance
from streams.operators.points import PointTable
from streams.operators.registers import Course, Flag, Rules, Totals, scan
from streams.operators.segments import Decisions, registers
from streams.operators.state import EnergyState

START_MS = 1_767_225_600_000
MINUTE_MS = 60_000
MWH_PER_TICK = 1_000  # kWh with three decimals


def table_of(**point: object) -> PointTable:
    """A site with one register of five digits and three decimals."""
    declared = {"modulus": 100_000.0, "max_rate": 1_000.0, "noise": 0.002, **point}
    register = Point("site/main", "hall", PointKind.REGISTER, Quantity.ENERGY, "kWh", **declared)  # type: ignore[arg-type]
    return PointTable.of(
        Site(
            "site",
            SiteKind.MACHINING,
            ZoneInfo("Asia/Taipei"),
            "",
            "",
            date(2025, 1, 1),
            (),
            (register,),
            ("site/main",),
            (),
            (),
            (),
            "AR5",
            (),
            "",
        )
    )


def run(table: PointTable, ticks: list[int], cuts: list[int] | None = None) -> tuple[EnergyState, Decisions, list[int]]:
    """Feed one reading a minute, in as many batches as the cuts make; return state, decisions and fact amounts."""
    state, out, amounts = EnergyState.empty(1), Decisions(), []
    edges = [0, *sorted(set(cuts or [])), len(ticks)]
    for begin, end in pairwise(edges):
        if begin == end:
            continue
        place = np.zeros(end - begin, dtype=np.int64)
        time_ms = START_MS + np.arange(begin, end, dtype=np.int64) * MINUTE_MS
        facts = advance(table, state, registers(table, state, place, time_ms, np.array(ticks[begin:end]), out))
        amounts += facts["amount"].tolist()
    return state, out, amounts


def energy_ticks(state: EnergyState) -> int:
    """Cumulative energy in ticks."""
    return int(state.column("amount")[0]) // MWH_PER_TICK


def kinds(out: Decisions) -> list[str]:
    return [event.kind for _, event in out.events]


def test_a_rollover_counts_across_the_top_of_the_width() -> None:
    state, out, _ = run(table_of(), [99_999_000, 99_999_500, 400, 900, 1_400])
    assert energy_ticks(state) == 2_400
    assert kinds(out) == ["rollover"]


def test_a_glitch_of_a_few_samples_is_quarantined_and_costs_no_energy() -> None:
    state, out, _ = run(table_of(), [5_000_000, 5_000_100, 0, 0, 0, 5_000_500, 5_000_600])
    assert energy_ticks(state) == 600
    assert kinds(out) == ["glitch"]
    assert [reading[2] for reading in out.rejected] == [0, 0, 0]


def test_a_leap_that_returns_is_a_glitch_too() -> None:
    state, _, _ = run(table_of(), [5_000_000, 90_000_000, 5_000_200])
    assert energy_ticks(state) == 200


def test_a_drop_is_not_a_reset_before_enough_readings_stay_low() -> None:
    state, out, _ = run(table_of(), [5_000_000, 10, 20, 30, 40])
    assert energy_ticks(state) == 0
    assert kinds(out) == []
    assert len(state.pending[0]) == 4


def test_a_reset_counts_the_new_value_once_it_stays_low() -> None:
    state, out, _ = run(table_of(), [5_000_000, 10, 20, 30, 40, 50, 60])
    assert energy_ticks(state) == 60
    assert kinds(out) == ["reset"]


def test_a_declared_reset_is_decided_at_its_boundary() -> None:
    midnight = 16 * 60  # START_MS is 08:00 in Taipei
    ticks = [1_000_000 + nth * 100 for nth in range(midnight)] + [0, 100, 200]
    state, out, _ = run(table_of(resets="daily"), ticks)
    assert energy_ticks(state) == (midnight - 1) * 100 + 200
    assert kinds(out) == ["reset"]


def test_a_small_back_step_invents_no_energy() -> None:
    state, out, _ = run(table_of(), [5_000_000, 5_000_100, 5_000_099, 5_000_098, 5_000_200])
    assert energy_ticks(state) == 200
    assert kinds(out) == ["back_step"]


def test_an_exchange_counts_both_parts() -> None:
    exchange = Exchange(START_MS + 90_000, closing=5_000.150, opening=7.0)
    state, out, _ = run(table_of(exchanges=(exchange,)), [5_000_000, 5_000_100, 7_025, 7_100])
    assert energy_ticks(state) == 100 + 50 + 100
    assert kinds(out) == ["exchange"]


def test_a_drop_to_the_middle_is_never_energy() -> None:
    state, out, _ = run(table_of(), [50_000_000, *range(30_000_000, 30_000_080, 10)])
    assert energy_ticks(state) == 70
    assert kinds(out) == ["unclear_drop"]


@st.composite
def courses(draw: st.DrawFn) -> list[int]:
    """A register with steps, glitches, resets, wraps and back-steps in any mixture."""
    value, ticks = draw(st.integers(0, 99_999_999)), []
    for _ in range(draw(st.integers(1, 60))):
        odd = draw(st.sampled_from(["step"] * 8 + ["glitch", "reset", "back", "leap", "pause"]))
        if odd == "glitch":
            ticks.append(draw(st.integers(0, 99_999_999)))
            continue
        if odd == "reset":
            value = 0
        elif odd == "leap":
            value = draw(st.integers(0, 99_999_999))
        elif odd == "back":
            value = max(value - draw(st.integers(0, 3)), 0)
        elif odd == "step":
            value = (value + draw(st.integers(0, 18_000))) % 100_000_000
        ticks.append(value)
    return ticks


@given(courses())
def test_energy_is_conserved_to_the_tick(ticks: list[int]) -> None:
    state, _, _ = run(table_of(), ticks)
    total = {name: int(state.column(name)[0]) for name in ("value", "wrapped", "reset", "exchanged", "quarantined")}
    register = total["value"] - ticks[0] + total["wrapped"] + total["reset"] + total["exchanged"] - total["quarantined"]
    assert energy_ticks(state) == register


@given(courses(), st.lists(st.integers(0, 60), max_size=8))
def test_cutting_the_readings_does_not_change_facts_or_decisions(ticks: list[int], cuts: list[int]) -> None:
    whole = run(table_of(), ticks)
    cut = run(table_of(), ticks, [at for at in cuts if at <= len(ticks)])
    one_by_one = run(table_of(), ticks, list(range(len(ticks))))
    for other in (cut, one_by_one):
        assert other[2] == whole[2]
        assert other[1] == whole[1]
        assert np.array_equal(other[0].table, whole[0].table)
        assert other[0].pending == whole[0].pending


def test_a_register_that_stood_still_and_catches_up_has_its_energy_labelled_estimated() -> None:
    rules = Rules(modulus=0, cap=3_600_000, noise=0, confirm=5, max_gap_ms=3_600_000)
    course = Course(30 * 60_000, 1_000, 0, 1_000, [], Totals())
    used = scan(course, [(31 * 60_000, 1_000 + 1_200_000)], rules)
    assert (used, course.rows[-1].growth, course.rows[-1].flag) == (1, 1_200_000, int(Flag.DOUBTFUL))
    assert [(event.kind, event.happened_ms) for event in course.events] == [("catch_up", 0)]
    steady = Course(0, 1_000, 0, 1_000, [], Totals())
    scan(steady, [(60_000, 2_000)], rules)
    assert (steady.rows[-1].flag, steady.events) == (int(Flag.PLAIN), [])
