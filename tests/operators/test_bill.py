"""A month's bill: golden values of the text, and its laws."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.catalog.tariffs import load_tariffs
from streams.domain.site import Contract, Site
from streams.operators.bill import MonthUse, SeasonSplit, bill, month_use, power_factor_percent, season_shares
from streams.operators.cost import cost
from streams.operators.demand import QUARTER_MS, demand
from tests.operators.test_cost import average, frame, local_ms, site_with

TARIFFS = load_tariffs()
KWH = KW = 1_000_000
HV = Contract(date(2025, 10, 1), "HV_3T", regular_kw=500)


def use_of(
    month: int, energy: dict[tuple[str, str], int], maximum: dict[tuple[str, str], int], kvarh: int | None = None
) -> MonthUse:
    """A month of 2026 from kWh and kW."""
    return MonthUse(
        2026,
        month,
        {key: kwh * KWH for key, kwh in energy.items()},
        {key: kw * KW for key, kw in maximum.items()},
        None if kvarh is None else kvarh * KWH,
    )


def excess_of(
    plan: str, season: str, maximum: dict[str, int], **capacities: float
) -> dict[str, tuple[Fraction | int, Fraction | int]]:
    """Excess in kW and its charge by band, of January or July."""
    use = use_of(7 if season == "summer" else 1, {}, {(season, band): kw for band, kw in maximum.items()})
    contract = Contract(date(2025, 10, 1), plan, **capacities)  # type: ignore[arg-type]
    return {each.band: (each.kw, each.charge_ntd) for each in bill(use, contract, TARIFFS).excesses}


def test_eighty_kw_over_a_contract_of_500_cost_42_484() -> None:
    got = bill(use_of(7, {("summer", "peak"): 1}, {("summer", "peak"): 580}), HV, TARIFFS)
    assert got.excess_ntd == 42_484
    assert got.basic_ntd == Fraction("223.6") * 500
    assert got.total_ntd == 42_484 + 111_800 + Fraction("9.39")


def test_demand_up_to_the_contract_costs_nothing_more() -> None:
    assert bill(use_of(7, {}, {("summer", "peak"): 500}), HV, TARIFFS).excesses == ()


def test_excess_is_charged_once_at_the_price_of_its_band() -> None:
    capacities = {"regular_kw": 300.0, "semi_peak_kw": 100.0, "saturday_semi_peak_kw": 50.0, "off_peak_kw": 50.0}
    maximum = {"peak": 310, "semi": 425, "sat_semi": 470, "off": 540}
    assert excess_of("HV_3T", "summer", maximum, **capacities) == {
        "peak": (10, Fraction("223.6") * 20),
        "semi": (15, Fraction("166.9") * 30),  # 25 over 400, of which 10 are charged at peak
        "off": (15, Fraction("44.7") * 30),  # 40 over 500, of which 25; Saturday's 20 over 450 are charged already
    }


def test_two_stages_allow_the_non_summer_capacity_by_day_only_outside_summer() -> None:
    capacities = {"regular_kw": 300.0, "non_summer_kw": 100.0}
    assert excess_of("HV_2T", "summer", {"peak": 420}, **capacities) == {
        "peak": (120, Fraction("223.6") * (30 * 2 + 90 * 3))
    }
    assert excess_of("HV_2T", "non_summer", {"peak": 420}, **capacities) == {"peak": (20, Fraction("166.9") * 40)}
    assert excess_of("HV_2T", "summer", {"off": 420}, **capacities) == {"off": (20, Fraction("44.7") * 40)}


def test_a_flat_plan_is_charged_by_its_one_maximum() -> None:
    assert excess_of("LV_flat", "summer", {"all": 88}, regular_kw=80) == {"all": (8, Fraction("236.2") * 16)}
    use = use_of(1, {("non_summer", "all"): 100}, {("non_summer", "all"): 80})
    contract = Contract(date(2025, 10, 1), "LV_flat", regular_kw=50, non_summer_kw=30, off_peak_kw=0)
    got = bill(use, contract, TARIFFS)
    assert got.basic_ntd == Fraction("173.2") * 80
    assert got.account_ntd == got.excess_ntd == 0


def test_capacity_at_night_is_free_up_to_half_of_that_by_day() -> None:
    def basic(month: int, plan: str, **capacities: float) -> Fraction:
        contract = Contract(date(2025, 10, 1), plan, regular_kw=300, **capacities)  # type: ignore[arg-type]
        return bill(use_of(month, {}, {("summer", "off"): 1}), contract, TARIFFS).basic_ntd

    by_day = Fraction("223.6") * 300
    assert basic(7, "HV_3T", off_peak_kw=150) == by_day
    assert basic(7, "HV_3T", off_peak_kw=100, saturday_semi_peak_kw=60) == by_day + Fraction("44.7") * 10
    assert basic(7, "HV_3T", off_peak_kw=210, semi_peak_kw=100) == (
        by_day + Fraction("166.9") * 100 + Fraction("44.7") * 10
    )
    assert basic(7, "HV_2T", off_peak_kw=210, non_summer_kw=100) == by_day + Fraction("44.7") * 10
    assert basic(1, "HV_2T", off_peak_kw=210, non_summer_kw=100) == (Fraction("166.9") * 400 + Fraction("33.3") * 10)


def test_a_month_without_use_costs_half_of_the_basic_charge() -> None:
    contract = Contract(date(2025, 10, 1), "LV_3T", regular_kw=80)
    unused = bill(use_of(7, {("summer", "off"): 0}, {("summer", "off"): 0}, kvarh=0), contract, TARIFFS)
    used = bill(use_of(7, {}, {("summer", "off"): 1}), contract, TARIFFS)
    assert unused.total_ntd * 2 == used.total_ntd == Fraction("236.2") * 80 + Fraction("262.5")


@pytest.mark.parametrize(
    ("kvarh", "percent", "thousandths"),
    [(0, 100, -15), (484, 90, -10), (329, 95, -15), (750, 80, 0), (1020, 70, 10), (882, 75, 5), (757, 80, 0)],
)
def test_power_factor_changes_the_bill_by_a_thousandth_for_each_percent(
    kvarh: int, percent: int, thousandths: int
) -> None:
    use = use_of(7, {("summer", "peak"): 1000}, {("summer", "peak"): 500}, kvarh)
    got = bill(use, HV, TARIFFS)
    assert got.power_factor_percent == percent
    assert got.power_factor_ntd == (9390 + 111_800) * Fraction(thousandths, 1000)


def test_a_discount_leaves_out_the_account_and_the_excess_and_a_surcharge_only_the_account() -> None:
    contract = Contract(date(2025, 10, 1), "LV_3T", regular_kw=80)
    maximum = {("summer", "peak"): 88}
    energy, basic, excess = 8120, Fraction("236.2") * 80, Fraction("236.2") * 16
    good = bill(use_of(7, {("summer", "peak"): 1000}, maximum, 0), contract, TARIFFS)
    assert good.power_factor_ntd == -(energy + basic) * Fraction(15, 1000)
    poor = bill(use_of(7, {("summer", "peak"): 1000}, maximum, 1020), contract, TARIFFS)
    assert poor.power_factor_ntd == (energy + basic + excess) * Fraction(10, 1000)


def test_power_factor_counts_for_three_phases_from_30_kw_at_low_voltage() -> None:
    use = use_of(7, {("summer", "peak"): 1000}, {}, 0)
    low = Contract(date(2025, 10, 1), "LV_3T", regular_kw=30)
    assert power_factor_percent(use, low, TARIFFS) == 100
    assert power_factor_percent(use, replace(low, regular_kw=29.9), TARIFFS) is None
    assert power_factor_percent(use, replace(low, three_phase=False), TARIFFS) is None
    assert power_factor_percent(use, replace(HV, three_phase=False), TARIFFS) == 100
    assert power_factor_percent(replace(use, reactive_mvarh=None), low, TARIFFS) is None


def test_the_industry_coefficient_multiplies_the_whole_bill() -> None:
    use = use_of(7, {("summer", "peak"): 1000}, {("summer", "peak"): 580}, 0)
    plain = bill(use, HV, TARIFFS)
    warehouse = bill(use, replace(HV, industry_coefficient=Fraction("1.017")), TARIFFS)
    assert warehouse.total_ntd == plain.total_ntd * Fraction("1.017")
    assert warehouse.coefficient_ntd == plain.total_ntd * Fraction("0.017")


def test_a_month_of_two_seasons_is_shared_by_day_or_follows_its_first_day() -> None:
    use = use_of(5, {}, {("summer", "peak"): 580, ("non_summer", "semi"): 520})
    assert season_shares(use, "HV_3T", TARIFFS, SeasonSplit.BY_DAY) == {
        "non_summer": Fraction(15, 31),
        "summer": Fraction(16, 31),
    }
    by_day = bill(use, HV, TARIFFS)
    assert by_day.basic_ntd == 500 * (Fraction("166.9") * 15 + Fraction("223.6") * 16) / 31
    assert by_day.excess_ntd == (Fraction("166.9") * 40 * 15 + 42_484 * 16) / 31
    first = bill(use, HV, TARIFFS, SeasonSplit.FIRST_DAY)
    assert first.basic_ntd == 500 * Fraction("166.9")
    assert first.excess_ntd == Fraction("166.9") * 190  # the largest demand of the month, at the price of its first day


def test_an_average_price_charges_energy_only() -> None:
    contract = average("2.60", date(2025, 10, 1))
    got = bill(use_of(3, {("all", "all"): 387_120}, {("all", "all"): 900}, 0), contract, TARIFFS)
    assert got.total_ntd == got.energy_ntd["all", "all"] == 1_006_512
    got = bill(use_of(3, {("all", "all"): 264_225}, {}), average("3.81", date(2025, 10, 1)), TARIFFS)
    assert got.total_ntd == Fraction("1006697.25")


def test_a_band_that_the_plan_has_not_is_refused_with_those_it_has() -> None:
    with pytest.raises(ValueError, match=r"HV_3T: expected one of .*summer peak.*; got non_summer peak"):
        bill(use_of(1, {("non_summer", "peak"): 1}, {}), HV, TARIFFS)


def rows_of(site: Site, starts: list[int], amounts: list[int | None]) -> pl.DataFrame:
    """Cost rows joined with demand."""
    quarters = frame(starts, amounts)
    demands = demand(quarters, site).select("starts_ms", "demand_mw")
    return cost(quarters, site, TARIFFS).join(demands, on="starts_ms")


def test_a_month_is_local_and_knows_what_it_is_missing() -> None:
    site = site_with(replace(HV, from_day=date(2026, 7, 2)))
    starts = [
        local_ms(text) for text in ("2026-07-01T16:00", "2026-07-31T23:45", "2026-08-01T00:00", "2026-07-02T16:00")
    ]
    use = month_use(rows_of(site, starts, [1, 2, 4, None]), 2026, 7, site, TARIFFS)
    assert use.energy_mwh == {("summer", "semi"): 2, ("summer", "peak"): 0}
    assert use.maximum_mw == {("summer", "semi"): 8}
    assert use.missing_ms == QUARTER_MS


def test_december_ends_with_the_year() -> None:
    days = MonthUse(2026, 12, {}).days
    assert (days[0], days[-1], len(days)) == (date(2026, 12, 1), date(2026, 12, 31), 31)


YEAR = site_with(Contract(date(2025, 10, 1), "HV_3T", regular_kw=100))
AMOUNTS = st.lists(st.none() | st.integers(0, 10**9), min_size=1, max_size=60)


@settings(max_examples=50, deadline=None)
@given(AMOUNTS, st.integers(1, 53), st.randoms(use_true_random=False), st.integers(1, 59))
def test_energy_of_the_bill_is_the_cost_of_its_quarter_hours_in_any_order_and_cut(
    amounts: list[int | None], step: int, chance: Random, cut: int
) -> None:
    starts = [local_ms("2026-05-01") + at * step * QUARTER_MS for at in range(len(amounts))]
    rows = rows_of(YEAR, starts, amounts)
    use = month_use(rows, 2026, 5, YEAR, TARIFFS)
    charged = bill(use, YEAR.contracts[0], TARIFFS)
    inside = rows.filter(pl.col("starts_ms") < local_ms("2026-06-01"))
    assert sum(charged.energy_ntd.values()) == Fraction(int(inside["cost_e8"].sum()), 10**8)
    order = list(range(len(rows)))
    chance.shuffle(order)
    assert month_use(rows[order], 2026, 5, YEAR, TARIFFS) == use
    parts = [rows_of(YEAR, starts[:cut], amounts[:cut]), rows_of(YEAR, starts[cut:], amounts[cut:])]
    assert bill(month_use(pl.concat(parts), 2026, 5, YEAR, TARIFFS), YEAR.contracts[0], TARIFFS) == charged


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["peak", "semi", "sat_semi", "off"]), st.integers(0, 1000)),
    st.tuples(*[st.integers(0, 300)] * 4),
)
def test_no_kilowatt_of_excess_is_charged_twice(maximum: dict[str, int], agreed: tuple[int, ...]) -> None:
    regular, semi, saturday, off = agreed
    excess = excess_of(
        "HV_3T", "summer", maximum, regular_kw=regular, semi_peak_kw=semi, saturday_semi_peak_kw=saturday,
        off_peak_kw=off,
    )  # fmt: skip
    limits = {"peak": regular, "semi": regular + semi, "sat_semi": regular + semi + saturday, "off": sum(agreed)}
    largest = max((kw - limits[band] for band, kw in maximum.items()), default=0)
    assert sum(kw for kw, _ in excess.values()) == max(0, largest)
