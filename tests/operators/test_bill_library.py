"""Whole months against the library taipower-tou, and why they differ where they do."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pandas as pd  # type: ignore[import-untyped]
import pytest
import taipower_tou
from taipower_tou.billing import BillingInputs

from streams.domain.site import Contract
from streams.operators.bill import MonthUse, bill, month_use
from streams.operators.demand import QUARTER_MS
from tests.operators.test_bill import HV, KWH, TARIFFS, rows_of
from tests.operators.test_cost import local_ms, site_with

pytestmark = [
    pytest.mark.filterwarnings("ignore:DatetimeIndex.dayofweek is deprecated"),
    pytest.mark.filterwarnings("ignore:.*inferred_freq"),
]
"""The library is older than the pandas that it runs on."""
LIBRARY_PLANS = {
    "HV_2T": "high_voltage_2_tier",
    "LV_3T": "low_voltage_three_stage",
    "HV_3T": "high_voltage_three_stage",
}


def load_of(month: int, days: int, base_kw: int, largest_kw: int) -> tuple[list[int], list[int | None]]:
    """Quarter-hours of a month of 2026 in whole watt-hours, higher by day, none of them alike."""
    starts = [local_ms(f"2026-{month:02d}-01") + at * QUARTER_MS for at in range(96 * days)]
    span = largest_kw - base_kw
    return starts, [
        (base_kw * 250 + (at * 7919 % 97) * span * 250 // 97 * (24 <= at % 96 < 92)) * 1000 for at in range(96 * days)
    ]


def library_bill(
    starts: list[int],
    amounts: list[int | None],
    holidays: list[date],
    contract: Contract,
    power_factor: int | None = None,
    over_kw: float | None = None,
    demand_known: bool = False,
) -> pd.Series:
    """The library's summary of the month; its calendar is given, so that nothing is fetched."""
    index = pd.to_datetime(starts, unit="ms", utc=True).tz_convert("Asia/Taipei").tz_localize(None)
    usage = pd.Series([(amount or 0) / KWH for amount in amounts], index=index)
    middle = {"semi_peak": contract.semi_peak_kw}
    if contract.plan.endswith("2T"):
        middle = {"non_summer": contract.non_summer_kw}
    inputs = BillingInputs(
        contract_capacities={
            "regular": contract.regular_kw,
            "saturday_semi_peak": contract.saturday_semi_peak_kw,
            "off_peak": contract.off_peak_kw,
            **middle,
        },
        power_factor=power_factor,
        over_contract_kw=over_kw,
        demand_kw=usage * 4 if demand_known else None,
    )
    calendar = taipower_tou.custom_calendar(holidays=holidays, weekend_days=[6])
    plan = LIBRARY_PLANS[contract.plan]
    table = taipower_tou.calculate_bill(usage, plan, inputs=inputs, calendar_instance=calendar)
    assert len(table) == 1
    return table.iloc[0]


def underpriced(use: MonthUse, plan: str) -> float:
    """What the library leaves out of three stages: it keeps one price for semi-peak, and Saturday's overwrites it.

    So the semi-peak hours of Monday to Friday cost 2.60 instead of 5.85 NTD/kWh (high voltage, summer).
    """
    day = date(use.year, use.month, 1)
    return float(
        sum(
            Fraction(mwh, KWH)
            * (TARIFFS.price(plan, season, "semi", day) - TARIFFS.price(plan, season, "sat_semi", day))
            for (season, band), mwh in use.energy_mwh.items()
            if band == "semi"
        )
    )


OFF_PEAK_DAYS = [row.day for row in TARIFFS.off_peak_days]


@pytest.mark.parametrize("plan", sorted(LIBRARY_PLANS))
@pytest.mark.parametrize(("month", "days"), [(2, 28), (7, 31)])
def test_a_month_within_the_contract_is_that_of_the_library_but_for_its_price_of_semi_peak(
    plan: str, month: int, days: int
) -> None:
    contract = Contract(date(2025, 10, 1), plan, regular_kw=80, saturday_semi_peak_kw=20, off_peak_kw=60)
    middle = "non_summer_kw" if plan == "HV_2T" else "semi_peak_kw"
    contract = replace(contract, **{middle: 10.0})  # type: ignore[arg-type]
    starts, amounts = load_of(month, days, 20, 78)
    site = site_with(contract)
    use = month_use(rows_of(site, starts, amounts), 2026, month, site, TARIFFS)
    got = bill(use, contract, TARIFFS)
    library = library_bill(starts, amounts, OFF_PEAK_DAYS, contract)
    missing = underpriced(use, plan)
    assert (missing == 0) == (plan == "HV_2T")
    assert float(sum(got.energy_ntd.values())) == pytest.approx(library["energy_cost"] + missing, rel=1e-12)
    assert float(got.basic_ntd + got.account_ntd) == pytest.approx(library["basic_cost"], rel=1e-12)
    assert float(got.total_ntd) == pytest.approx(library["total"] + missing, rel=1e-12)


@pytest.mark.parametrize("plan", ["HV_3T", "LV_3T"])
def test_excess_at_peak_is_that_of_the_library_when_told_and_missed_by_it_when_measured(plan: str) -> None:
    """The library compares its enumeration's name with `peak`, so that it finds no demand in any band."""
    contract = Contract(date(2025, 10, 1), plan, regular_kw=70, semi_peak_kw=10, off_peak_kw=60)
    starts, amounts = load_of(7, 31, 20, 90)
    site = site_with(contract)
    use = month_use(rows_of(site, starts, amounts), 2026, 7, site, TARIFFS)
    got = bill(use, contract, TARIFFS)
    assert [each.band for each in got.excesses] == ["peak"]
    told = library_bill(starts, amounts, OFF_PEAK_DAYS, contract, over_kw=float(got.excesses[0].kw))
    assert float(got.excess_ntd) == pytest.approx(told["adjustment"], rel=1e-12)
    assert float(got.total_ntd) == pytest.approx(told["total"] + underpriced(use, plan), rel=1e-12)
    assert library_bill(starts, amounts, OFF_PEAK_DAYS, contract, demand_known=True)["adjustment"] == 0


@pytest.mark.parametrize(("kvarh_per_kwh", "percent"), [("0.4843", 90), ("1.0202", 70), ("0", 100)])
def test_power_factor_at_high_voltage_is_that_of_the_library(kvarh_per_kwh: str, percent: int) -> None:
    contract = replace(HV, plan="HV_2T")
    starts, amounts = load_of(7, 31, 100, 400)
    site = site_with(contract)
    use = month_use(rows_of(site, starts, amounts), 2026, 7, site, TARIFFS)
    mvarh = round(sum(use.energy_mwh.values()) * Fraction(kvarh_per_kwh))
    got = bill(replace(use, reactive_mvarh=mvarh), contract, TARIFFS)
    library = library_bill(starts, amounts, OFF_PEAK_DAYS, contract, power_factor=percent)
    assert got.power_factor_percent == percent
    assert float(got.power_factor_ntd) == pytest.approx(library["adjustment"], rel=1e-12)
    assert float(got.total_ntd) == pytest.approx(library["total"], rel=1e-12)


def test_excess_outside_peak_differs_from_the_library_by_the_price_that_the_text_calls_applicable() -> None:
    """七、超約用電: 依適用電價. The library prices the largest excess as that of the regular kW, whatever its band."""
    contract = Contract(date(2025, 10, 1), "HV_3T", regular_kw=70, semi_peak_kw=10)
    starts, _ = load_of(7, 31, 20, 90)
    amounts: list[int | None] = [10 * 250_000] * len(starts)
    amounts[9 * 4] = 85 * 250_000  # Wednesday 2026-07-01 09:00, semi-peak
    site = site_with(contract)
    got = bill(month_use(rows_of(site, starts, amounts), 2026, 7, site, TARIFFS), contract, TARIFFS)
    library = library_bill(starts, amounts, OFF_PEAK_DAYS, contract, over_kw=5)
    assert got.excess_ntd == 5 * 2 * Fraction("166.9")
    assert library["adjustment"] == pytest.approx(5 * 2 * 223.6)


def test_a_day_in_lieu_differs_from_the_library_by_its_day_hours() -> None:
    """2026-02-27 stands in for Saturday 2/28: a holiday of the government's calendar, which the library goes by."""
    contract = replace(HV, plan="HV_2T")
    starts, _ = load_of(2, 28, 20, 90)
    amounts: list[int | None] = [100 * 250_000] * len(starts)
    site = site_with(contract)
    got = bill(month_use(rows_of(site, starts, amounts), 2026, 2, site, TARIFFS), contract, TARIFFS)
    library = library_bill(starts, amounts, [*OFF_PEAK_DAYS, date(2026, 2, 27)], contract)
    difference = 100 * 15 * (Fraction("6.37") - Fraction("2.46"))
    assert float(got.total_ntd) == pytest.approx(library["total"] + float(difference), rel=1e-12)
