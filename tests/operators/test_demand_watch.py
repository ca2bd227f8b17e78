"""Demand about to pass the contract: early enough to shed, not in the first minutes, not when nothing can be shed."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.catalog.reference import load_reference
from streams.domain.site import Contract
from streams.operators.bill import MonthUse, agreed_kw, bill
from streams.operators.metering import Count, Meter, run
from tests.operators.watched_site import FEED, MAIN, MINUTE_MS, POINTS, START_MS, Reading, Run, contract, watch_of

MARGINS = (0.0, 0.1, 0.2, 0.4)
TARIFFS = load_reference().tariffs


def power(kw: dict[int, float], until: int) -> list[Reading]:
    """A reading a minute from ten minutes before on, of the power that the last key names."""
    return [(FEED, minute, kw[max(each for each in kw if each <= max(minute, 0))]) for minute in range(-10, until + 1)]


def opened(kw: dict[int, float], until: int = 45, **changes: object) -> list[float]:
    found = Run(watch_of(contract(**changes), imports=("site/feed",))).read(*power(kw, until))
    return [at for kind, at in found.told() if kind == "opened"]


def test_it_opens_once_a_third_of_the_quarter_hour_has_passed() -> None:
    before = {0: 300.0}
    assert opened({**before, 15: 500.0}) == [20.0]
    assert opened({**before, 15: 390.0}) == []
    assert opened({**before, 15: 500.0}, numbers={"share": 1.0, "after_min": 9.0, "margin": 0.0}) == [24.0]
    assert opened({**before, 15: 450.0}, numbers={"share": 0.9, "after_min": 5.0, "margin": 0.0}) == [20.0]


def test_the_excess_must_outweigh_a_share_of_what_is_still_to_come() -> None:
    found = {
        margin: opened({0: 420.0}, numbers={"share": 1.0, "after_min": 5.0, "margin": margin}) for margin in MARGINS
    }
    assert found == {0.0: [5.0], 0.1: [8.0], 0.2: [12.0], 0.4: [14.0]}


def test_a_burst_that_the_quarter_hour_bears_is_none() -> None:
    assert opened({0: 100.0, 15: 900.0, 16: 300.0}) == []


def test_a_step_late_in_the_quarter_hour_counts_with_the_present_power() -> None:
    (at,) = opened({0: 300.0, 22: 800.0}, until=29)
    assert 23 <= at <= 27


def test_what_is_decided_opens_nothing_and_what_is_open_stays_open() -> None:
    late = {"share": 1.0, "after_min": 13.0, "margin": 0.0}
    assert opened({0: 1000.0}, until=14, numbers=late) == []
    found = Run(watch_of(contract(), imports=("site/feed",))).read(*power({0: 1000.0}, 14))
    (episode,) = found.episodes.values()
    assert (episode.closed_ms, round(episode.worst)) == (None, 1000)


def test_the_first_quarter_hour_is_not_known_where_its_beginning_was_not_heard() -> None:
    rows = [(FEED, minute, kw) for _, minute, kw in power({0: 900.0}, 14) if minute >= 1]
    assert Run(watch_of(contract(), imports=("site/feed",))).read(*rows).notices == []


def test_it_closes_when_the_projection_is_back_for_ten_minutes() -> None:
    found = Run(watch_of(contract(), imports=("site/feed",))).read(*power({0: 420.0, 10: 100.0}, 45))
    assert [kind for kind, _ in found.told()] == ["opened", "closed"]


def test_a_meter_that_falls_silent_is_let_go_after_a_quarter_hour() -> None:
    found = Run(watch_of(contract(), imports=("site/feed",))).read(*power({0: 420.0}, 10)).tick(30)
    assert len(found.notices) == 1
    found.tick(31).tick(36)
    assert [kind for kind, _ in found.told()] == ["opened", "closed"]
    assert found.notices[-1].episode.closed_ms == START_MS + 15 * MINUTE_MS


def test_two_meters_are_added_and_both_must_be_heard() -> None:
    def rows(register_kw: float) -> list[Reading]:
        return [(MAIN, minute, 1000 + register_kw * minute / 60) for minute in range(-10, 15)]

    both = sorted(power({0: 200.0}, 14) + rows(290.0), key=lambda row: row[1])
    imports = ("site/main", "site/feed")
    assert [at for _, at in Run(watch_of(contract(), imports=imports)).read(*both).told()] == [5.0]
    assert Run(watch_of(contract(), imports=imports)).read(*rows(900.0)).notices == []


def test_a_register_that_wraps_goes_on_and_one_that_falls_begins_anew() -> None:
    rows = [(MAIN, minute, (999_990 + 9.0 * minute) % 1e6) for minute in range(-10, 15)]
    assert [at for _, at in Run(watch_of(contract())).read(*rows).told()] == [5.0]
    fallen = [(MAIN, minute, 9.0 * minute + (1000 if minute < 3 else 200)) for minute in range(-10, 15)]
    assert Run(watch_of(contract())).read(*fallen).notices == []
    leap = [(MAIN, minute, 100 + 1.0 * minute + (5000 if minute > 6 else 0)) for minute in range(-10, 15)]
    assert Run(watch_of(contract())).read(*leap).notices == []


@given(
    st.lists(st.tuples(st.integers(1, 400), st.floats(0, 900, width=32)), min_size=2, max_size=60),
    st.sets(st.integers(1, 60)),
)
def test_a_meter_counts_the_same_however_its_readings_are_cut(steps: list[tuple[int, float]], cuts: set[int]) -> None:
    times = START_MS + np.cumsum([step for step, _ in steps]) * 5_000
    values = np.array([value for _, value in steps])
    meter = Meter(POINTS[FEED], 0, 1.0)
    whole, course = run(meter, Count(), times, values)
    count, known, power_mw = Count(), [], []
    for part in np.split(np.arange(len(steps)), sorted(cut for cut in cuts if cut < len(steps))):
        if len(part):
            count, of = run(meter, count, times[part], values[part])
            known += of.is_known.tolist()
            power_mw += of.power_mw.tolist()
    assert count == whole
    assert known == course.is_known.tolist()
    assert [p for p, k in zip(power_mw, known, strict=True) if k] == course.power_mw[course.is_known].tolist()


def test_the_cost_is_what_the_bill_grows_by() -> None:
    agreed = Contract(watch_of(contract()).site.contracts[0].from_day, "HV_3T", regular_kw=400.0)
    found = Run(watch_of(contract(), imports=("site/feed",))).read(*power({0: 480.0}, 5))
    (cost,) = re.findall(r"NT\$([0-9,]+)", found.notices[0].episode.said.en)
    season = TARIFFS.season("HV_3T", agreed.from_day.replace(month=7))
    use = MonthUse(2026, 7, {(season, "semi"): 1}, {(season, "semi"): 480_000_000})
    most = bill(use, agreed, TARIFFS).excess_ntd
    price = TARIFFS.basic_price("HV_3T", "semi", "summer", agreed.from_day.replace(month=7))
    assert most == price * (40 * 2 + 40 * 3)
    assert abs(int(cost.replace(",", "")) - most) < 1


def test_a_peak_of_the_month_that_was_passed_already_costs_nothing_more() -> None:
    found = Run(watch_of(contract(clear_ms=MINUTE_MS), imports=("site/feed",)))
    found.read(*power({0: 500.0, 15: 100.0, 30: 100.0, 45: 480.0}, 59))
    first, second = [notice.episode.said.en for notice in found.notices if str(notice.kind) == "opened"]
    assert "NT$0." not in first
    assert second.endswith("grows by about NT$0.")


@pytest.mark.parametrize(("band", "kw"), [("peak", 300), ("semi", 320), ("sat_semi", 330), ("off", 380)])
def test_the_capacity_of_a_band_is_its_own_and_those_before_it(band: str, kw: int) -> None:
    agreed = replace(
        Contract(watch_of().site.contracts[0].from_day, "HV_3T", regular_kw=300.0),
        semi_peak_kw=20.0,
        saturday_semi_peak_kw=10.0,
        off_peak_kw=50.0,
    )
    assert agreed_kw(agreed, "summer", band, TARIFFS) == Fraction(kw)
