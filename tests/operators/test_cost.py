"""Cost of quarter-hours: bands of local time, exact money, contracts by day."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from random import Random
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.catalog.tariffs import load_tariffs
from streams.domain.site import Contract, Site, SiteKind
from streams.operators.cost import COST, cost
from streams.operators.demand import QUARTER_MS

TAIPEI = ZoneInfo("Asia/Taipei")
TARIFFS = load_tariffs()


def site_with(*contracts: Contract, zone: str = "Asia/Taipei", off_peak_days: tuple[date, ...] = ()) -> Site:
    return Site(
        "wugu", SiteKind.COLD_CHAIN, ZoneInfo(zone), "", "", date(2025, 1, 1), (), (), (), (), contracts, (), "AR5",
        off_peak_days, "0" * 64,
    )  # fmt: skip


def local_ms(text: str, zone: str = "Asia/Taipei") -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1000


def frame(starts: list[int], amounts: list[int | None], revisions: list[int] | None = None) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "starts_ms": starts,
            "amount": amounts,
            "estimated": [0] * len(starts),
            "missing_ms": [QUARTER_MS if amount is None else 0 for amount in amounts],
            "revision": revisions or [0] * len(starts),
        },
        schema={
            "starts_ms": pl.Int64, "amount": pl.Int64, "estimated": pl.Int64, "missing_ms": pl.Int64,
            "revision": pl.Int32,
        },
    )  # fmt: skip


def year_of(year: int, zone: str = "Asia/Taipei") -> list[int]:
    return list(range(local_ms(f"{year}-01-01", zone), local_ms(f"{year + 1}-01-01", zone), QUARTER_MS))


def average(price: str, from_day: date = date(2025, 1, 1)) -> Contract:
    return Contract(from_day, "average_price", average_price_ntd_per_kwh=Fraction(price))


HV_3T = Contract(date(2025, 1, 1), "HV_3T", regular_kw=500)


@pytest.mark.parametrize(
    ("at", "plan", "band", "price"),
    [
        ("2026-06-01T15:45", "LV_3T", "semi", "5.02"),
        ("2026-06-01T16:00", "LV_3T", "peak", "8.12"),
        ("2026-06-01T21:45", "LV_3T", "peak", "8.12"),
        ("2026-06-01T22:00", "LV_3T", "semi", "5.02"),
        ("2026-05-15T16:00", "HV_3T", "semi", "5.47"),
        ("2026-05-18T16:00", "HV_3T", "peak", "9.39"),
        ("2026-05-18T16:00", "LV_3T", "semi", "4.86"),
        ("2026-10-15T16:00", "HV_3T", "peak", "9.39"),
        ("2026-10-16T16:00", "HV_3T", "semi", "5.47"),
        ("2026-11-02T10:45", "HV_2T", "peak", "6.37"),
        ("2026-11-02T11:00", "HV_2T", "off", "2.46"),
        ("2026-11-02T13:45", "HV_2T", "off", "2.46"),
        ("2026-11-02T14:00", "HV_2T", "peak", "6.37"),
        ("2026-11-07T14:00", "EHV_3T", "sat_semi", "2.31"),
        ("2026-07-04T08:45", "EHV_2T", "off", "2.55"),
        ("2026-07-04T09:00", "EHV_2T", "sat_semi", "2.73"),
        ("2026-07-05T16:00", "EHV_3T", "off", "2.40"),
        ("2026-02-28T14:00", "HV_3T", "off", "2.32"),
        ("2026-02-16T14:00", "HV_3T", "off", "2.32"),
        ("2026-07-01T16:00", "LV_flat", "all", "4.08"),
        ("2026-12-25T16:00", "LV_2T", "off", "2.15"),
    ],
)
def test_a_quarter_hour_costs_the_price_of_its_band(at: str, plan: str, band: str, price: str) -> None:
    got = cost(frame([local_ms(at)], [1_000_000]), site_with(Contract(date(2026, 1, 1), plan)), TARIFFS)
    assert got.row(0, named=True) == {
        "starts_ms": local_ms(at),
        "band": band,
        "amount": 1_000_000,
        "cost_e8": int(Fraction(price) * 10**8),
        "tariff_id": f"{plan}@2025-10-01",
        "missing_ms": 0,
        "revision": 0,
    }
    assert dict(got.schema) == {name: kind() for name, kind in COST.items()}


@pytest.mark.parametrize(
    ("kwh", "price", "ntd"), [(387_120, "2.60", Fraction(1_006_512)), (264_225, "3.81", Fraction("1006697.25"))]
)
def test_the_average_prices_of_the_published_cases_give_their_savings(kwh: int, price: str, ntd: Fraction) -> None:
    starts = [local_ms("2025-03-01") + at * QUARTER_MS for at in range(96)]
    share, rest = divmod(kwh * 1_000_000, 96)
    got = cost(frame(starts, [share + rest, *[share] * 95]), site_with(average(price)), TARIFFS)
    assert Fraction(int(got["cost_e8"].sum()), 10**8) == ntd
    assert got["band"].unique().to_list() == ["all"]
    assert got["tariff_id"].unique().to_list() == ["average_price@2025-01-01"]


def test_a_price_with_more_decimals_is_rounded_half_to_even_once_for_each_row() -> None:
    starts = [local_ms("2025-03-01") + at * QUARTER_MS for at in range(4)]
    got = cost(frame(starts, [1, 3, -1, 2]), site_with(average("3.815")), TARIFFS)
    assert got["cost_e8"].to_list() == [382, 1144, -382, 763]  # 381.5, 1144.5, -381.5, 763


def test_an_unknown_amount_has_a_band_and_no_cost() -> None:
    got = cost(frame([local_ms("2026-06-01T16:00")], [None], [7]), site_with(HV_3T), TARIFFS).row(0, named=True)
    assert (got["band"], got["amount"], got["cost_e8"]) == ("peak", None, None)
    assert (got["missing_ms"], got["revision"]) == (QUARTER_MS, 7)


def test_a_day_before_the_first_contract_has_no_tariff_and_no_cost() -> None:
    starts = [local_ms("2025-12-31T23:45"), local_ms("2026-01-01T00:00")]
    got = cost(frame(starts, [1_000_000] * 2), site_with(Contract(date(2026, 1, 1), "HV_2T")), TARIFFS)
    assert got.select("band", "cost_e8", "tariff_id").rows() == [
        ("none", None, None),
        ("off", 246_000_000, "HV_2T@2025-10-01"),
    ]
    assert cost(frame(starts, [1] * 2), site_with(), TARIFFS)["band"].to_list() == ["none"] * 2


def test_the_contract_of_the_local_day_holds_whatever_the_order_of_the_file() -> None:
    starts = [local_ms("2026-03-02T23:45"), local_ms("2026-03-03T00:00")]
    site = site_with(average("3.81", date(2026, 3, 3)), Contract(date(2026, 1, 1), "HV_3T"))
    got = cost(frame(starts, [1_000_000] * 2), site, TARIFFS)
    assert got["tariff_id"].to_list() == ["HV_3T@2025-10-01", "average_price@2026-03-03"]


@pytest.mark.parametrize(
    ("at", "tariff_id"),
    [
        ("2020-07-01T16:00", "HV_3T@2025-10-01?provisional"),
        ("2025-09-30T23:45", "HV_3T@2025-10-01?provisional"),
        ("2025-10-01T00:00", "HV_3T@2025-10-01"),
        ("2027-12-31T23:45", "HV_3T@2025-10-01"),
        ("2028-01-01T00:00", "HV_3T@2025-10-01?provisional"),
    ],
)
def test_a_day_whose_version_or_off_peak_days_are_not_known_is_provisional(at: str, tariff_id: str) -> None:
    got = cost(frame([local_ms(at)], [1]), site_with(replace(HV_3T, from_day=date(2019, 1, 1))), TARIFFS)
    assert got["tariff_id"].to_list() == [tariff_id]
    assert got["cost_e8"].null_count() == 0


def test_a_site_can_add_off_peak_days() -> None:
    rows = frame([local_ms("2026-06-18T16:00"), local_ms("2026-06-20T16:00")], [1, 1])
    assert cost(rows, site_with(HV_3T), TARIFFS)["band"].to_list() == ["peak", "sat_semi"]
    closed = site_with(HV_3T, off_peak_days=(date(2026, 6, 18), date(2026, 6, 20)))
    assert cost(rows, closed, TARIFFS)["band"].to_list() == ["off", "off"]


@pytest.mark.parametrize("plan", TARIFFS.plans)
@pytest.mark.parametrize("year", [2022, 2026, 2028])
def test_every_local_quarter_hour_of_a_year_gets_exactly_one_band_and_price(plan: str, year: int) -> None:
    starts = year_of(year)
    got = cost(frame(starts, [1] * len(starts)), site_with(Contract(date(2000, 1, 1), plan)), TARIFFS)
    assert got["starts_ms"].to_list() == starts
    assert got.select("band", "cost_e8", "tariff_id").null_count().row(0) == (0, 0, 0)
    assert "none" not in got["band"]


def test_the_hours_of_a_year_under_three_stages_are_those_counted_by_hand() -> None:
    """2026, high voltage: summer 5/16-10/15, told apart by a plain loop over days."""
    days = [date(2026, 1, 1) + timedelta(n) for n in range(365)]
    off = {
        *(date(2026, 2, n) for n in range(15, 22)), date(2026, 1, 1), date(2026, 2, 28), date(2026, 4, 4),
        date(2026, 4, 5), date(2026, 5, 1), date(2026, 6, 19), date(2026, 9, 25), date(2026, 9, 28),
        date(2026, 10, 10), date(2026, 10, 25), date(2026, 12, 25),
    }  # fmt: skip
    hours: Counter[str] = Counter()
    for day in days:
        summer = date(2026, 5, 16) <= day <= date(2026, 10, 15)
        if day in off or day.weekday() == 6:
            hours["off"] += 24
        elif day.weekday() == 5:
            hours.update({"off": 9, "sat_semi": 15})
        elif summer:
            hours.update({"off": 9, "semi": 9, "peak": 6})
        else:
            hours.update({"off": 9, "semi": 15})
    starts = year_of(2026)
    got = cost(frame(starts, [1] * len(starts)), site_with(HV_3T), TARIFFS)["band"].to_list()
    assert {band: count / 4 for band, count in Counter(got).items()} == hours


def test_hours_are_local_where_clocks_change() -> None:
    starts = year_of(2026, "Europe/Berlin")
    got = cost(frame(starts, [1] * len(starts)), site_with(HV_3T, zone="Europe/Berlin"), TARIFFS)
    assert got["band"].null_count() == 0
    for starts_ms, band in got.select("starts_ms", "band").rows()[::7]:
        at = datetime.fromtimestamp(starts_ms / 1000, UTC).astimezone(ZoneInfo("Europe/Berlin"))
        assert band == TARIFFS.schedule("HV_3T", at.date()).bands[at.hour * 4 + at.minute // 15]


ROWS = st.lists(
    st.tuples(st.integers(0, 96 * 400), st.none() | st.integers(-(10**12), 10**12)),
    unique_by=lambda row: row[0],
    max_size=40,
)
MANY = site_with(
    Contract(date(2025, 10, 10), "LV_2T"), Contract(date(2026, 1, 1), "HV_3T"), average("2/7", date(2026, 9, 1))
)


@settings(max_examples=60, deadline=None)
@given(ROWS, st.randoms(use_true_random=False), st.integers(0, 40))
def test_cutting_and_ordering_rows_changes_nothing(
    rows: list[tuple[int, int | None]], chance: Random, cut: int
) -> None:
    begin = local_ms("2025-10-01")
    whole = frame([begin + at * QUARTER_MS for at, _ in rows], [amount for _, amount in rows])
    expected = cost(whole, MANY, TARIFFS)
    order = list(range(len(rows)))
    chance.shuffle(order)
    assert cost(whole[order], MANY, TARIFFS).equals(expected)
    parts = [cost(part, MANY, TARIFFS) for part in (whole[:cut], whole[cut:])]
    assert pl.concat(parts).sort("starts_ms").equals(expected)


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_the_cost_of_a_row_is_that_of_fractions(rows: list[tuple[int, int | None]]) -> None:
    begin = local_ms("2025-10-01")
    got = cost(frame([begin + at * QUARTER_MS for at, _ in rows], [amount for _, amount in rows]), MANY, TARIFFS)
    for starts_ms, amount, cost_e8 in got.select("starts_ms", "amount", "cost_e8").rows():
        at = datetime.fromtimestamp(starts_ms / 1000, TAIPEI)
        held = [contract for contract in MANY.contracts if contract.from_day <= at.date()]
        if amount is None or not held:
            assert cost_e8 is None
            continue
        plan = held[-1].plan
        price = held[-1].average_price_ntd_per_kwh
        if price is None:
            price = TARIFFS.schedule(plan, at.date()).prices[at.hour * 4 + at.minute // 15]
        assert cost_e8 == round(amount * price * 100)
