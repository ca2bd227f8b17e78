"""A month's bill under Taipower's tariff, exact.

Source: 電價表 in force from 2025-10-01, chapters 4 and 5 (五、電費之計算, 六、功率因數, 七、超約用電) and annex 1.
Prices include 5 % VAT. Contracts by installed capacity and discounts for some customers are not covered.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

import polars as pl

from streams.catalog.site_file import AVERAGE_PRICE
from streams.catalog.tariffs import Tariffs
from streams.domain.site import Contract, Site
from streams.operators.cost import NO_CONTRACT, average_price, contract_on

Key = tuple[str, str]
"""A season and a band; season `all` under an average price."""

ALL_YEAR = "all"
MWH_PER_KWH = MW_PER_KW = 1_000_000
UNUSED_SHARE = Fraction(1, 2)
"""Part of the basic charge that a month without energy and demand still costs."""
CREDITED_SHARE = Fraction(1, 2)
"""Part of the day-time capacities that comes free at Saturday semi-peak and off-peak."""
NEAR_SHARE, NEAR_TIMES, FAR_TIMES = Fraction(1, 10), 2, 3
"""Excess within a tenth of the contract costs twice the basic charge, beyond it three times."""
EXPECTED_PERCENT, REWARDED_PERCENT = 80, 95
SHARE_PER_PERCENT = Fraction(1, 1000)
LOW_VOLTAGE_LEAST_KW = 30
"""Contract capacity from which a three-phase low-voltage account's power factor counts."""


class SeasonSplit(StrEnum):
    """How a month that two seasons share is charged for capacity; the tariff's text is silent (UNVERIFIED).

    BY_DAY: each season by its share of the month's days. FIRST_DAY: the whole month as its first day.
    """

    BY_DAY = "by_day"
    FIRST_DAY = "first_day"


@dataclass(frozen=True, slots=True)
class MonthUse:
    """What a calendar month used: energy in mWh and largest quarter-hour demand in mW, each by season and band.

    `missing_ms` is how much of the month is unknown: a bill of such a month is a lower bound.
    """

    year: int
    month: int
    energy_mwh: Mapping[Key, int]
    maximum_mw: Mapping[Key, int] = field(default_factory=dict)
    reactive_mvarh: int | None = None
    missing_ms: int = 0

    @property
    def days(self) -> list[date]:
        """Local days of the month."""
        first = date(self.year, self.month, 1)
        following = date(self.year + self.month // 12, self.month % 12 + 1, 1)
        return [first + timedelta(n) for n in range((following - first).days)]


@dataclass(frozen=True, slots=True)
class Excess:
    """Demand over the contract in a band: kW beyond those already charged in another band, and what they cost."""

    season: str
    band: str
    kw: Fraction
    charge_ntd: Fraction


@dataclass(frozen=True, slots=True)
class Bill:
    """A month's bill in NTD, exact; nothing is rounded.

    `power_factor_ntd` is negative as a discount. `coefficient_ntd` is what the industry coefficient adds or takes.
    `power_factor_percent` is None where it does not count.
    """

    tariff_id: str
    energy_ntd: Mapping[Key, Fraction]
    basic_ntd: Fraction
    account_ntd: Fraction
    excesses: tuple[Excess, ...]
    power_factor_percent: int | None
    power_factor_ntd: Fraction
    coefficient_ntd: Fraction

    @property
    def excess_ntd(self) -> Fraction:
        """Charge for all demand over the contract."""
        return sum((excess.charge_ntd for excess in self.excesses), Fraction(0))

    @property
    def total_ntd(self) -> Fraction:
        """All of the bill."""
        energy = sum(self.energy_ntd.values(), Fraction(0))
        capacity = self.basic_ntd + self.account_ntd + self.excess_ntd
        return energy + capacity + self.power_factor_ntd + self.coefficient_ntd


def bill(use: MonthUse, contract: Contract, tariffs: Tariffs, split: SeasonSplit = SeasonSplit.BY_DAY) -> Bill:
    """Charge a month under the contract and the tariff of its first day; ValueError for a band the plan has not."""
    day = date(use.year, use.month, 1)
    kwh = {key: Fraction(mwh, MWH_PER_KWH) for key, mwh in use.energy_mwh.items()}
    if contract.plan == AVERAGE_PRICE:
        energy = {key: amount * average_price(contract) for key, amount in kwh.items()}
        tariff_id, none = f"{AVERAGE_PRICE}@{contract.from_day}", Fraction(0)
        return Bill(tariff_id, energy, none, none, (), None, none, none)
    energy = {
        (season, band): amount * tariffs.price(contract.plan, season, band, day)
        for (season, band), amount in kwh.items()
        if amount
    }
    shares = season_shares(use, contract.plan, tariffs, split)
    used = Fraction(1) if any(kwh.values()) or any(use.maximum_mw.values()) else UNUSED_SHARE
    basic, account = Fraction(0), Fraction(0)
    for season, share in shares.items():
        basic += used * share * basic_charge(contract, season, tariffs, day)
        account += used * share * tariffs.basic_price(contract.plan, "account", season, day)
    over = excesses(use, contract, tariffs, shares, day)
    percent = power_factor_percent(use, contract, tariffs)
    subtotal = sum(energy.values(), Fraction(0)) + basic
    excess = sum((each.charge_ntd for each in over), Fraction(0))
    adjustment = _power_factor_charge(percent, subtotal, excess)
    whole = subtotal + account + excess + adjustment
    return Bill(
        tariffs.tariff_id(contract.plan, day),
        energy,
        basic,
        account,
        over,
        percent,
        adjustment,
        whole * (contract.industry_coefficient - 1),
    )


def season_shares(use: MonthUse, plan: str, tariffs: Tariffs, split: SeasonSplit) -> dict[str, Fraction]:
    """Share of the month's capacity charges for each season; they sum to 1."""
    seasons = [tariffs.season(plan, day) for day in use.days]
    if split is SeasonSplit.FIRST_DAY:
        return {seasons[0]: Fraction(1)}
    return {season: Fraction(seasons.count(season), len(seasons)) for season in dict.fromkeys(seasons)}


def basic_charge(contract: Contract, season: str, tariffs: Tariffs, day: date) -> Fraction:
    """Basic charge of a month's contract capacities in NTD, without that of the account (五、電費之計算)."""
    kw = _capacities(contract)
    stage = tariffs.stage(contract.plan)
    middle = "semi" if stage == "3T" else "non_summer"
    free = CREDITED_SHARE * (kw["regular"] + kw[middle])
    price = {name: tariffs.basic_price(contract.plan, name, season, day) for name in ("regular", middle, "off")}
    night = max(Fraction(0), kw["sat_semi"] + kw["off"] - free) if stage != "flat" else Fraction(0)
    return price["regular"] * kw["regular"] + price[middle] * kw[middle] + price["off"] * night


def _capacities(contract: Contract) -> dict[str, Fraction]:
    """Contract capacities in kW by the tariff's names, exactly as the site's file spells them."""
    return {
        name: Fraction(Decimal(repr(float(kw))))
        for name, kw in (
            ("regular", contract.regular_kw),
            ("non_summer", contract.non_summer_kw),
            ("semi", contract.semi_peak_kw),
            ("sat_semi", contract.saturday_semi_peak_kw),
            ("off", contract.off_peak_kw),
        )
    }


def _limits(stage: str, season: str) -> list[tuple[str, tuple[str, ...], str]]:
    """For each band in the order of the text: the capacities that may be used in it, and whose price excess has."""
    if stage == "3T":
        day_time, semi = ("regular",), ("regular", "semi")
        first = [("peak", day_time, "regular"), ("semi", semi, "semi")]
    else:
        semi = ("regular", "non_summer")
        first = [("all" if stage == "flat" else "peak", ("regular",) if season == "summer" else semi, "regular")]
    saturday = (*semi, "sat_semi")
    return [*first, ("sat_semi", saturday, "sat_semi"), ("off", (*saturday, "off"), "off")]


def agreed_kw(contract: Contract, season: str, band: str, tariffs: Tariffs) -> Fraction:
    """Contract capacity that may be used in a band: its own and those of the bands before it."""
    if contract.plan == AVERAGE_PRICE:
        return _capacities(contract)["regular"]
    kw = _capacities(contract)
    usable = {name: names for name, names, _ in _limits(tariffs.stage(contract.plan), season)}
    return sum((kw[name] for name in usable[band]), Fraction(0))


def excesses(
    use: MonthUse, contract: Contract, tariffs: Tariffs, shares: Mapping[str, Fraction], day: date
) -> tuple[Excess, ...]:
    """Charge for demand over the contract (七、超約用電): of each band only what exceeds every band before it.

    A tenth of the contract is a tenth of the capacities that may be used in the band. Where the whole month is charged
    as one season, the largest demand of both counts.
    """
    kw, stage = _capacities(contract), tariffs.stage(contract.plan)
    found = []
    for season, share in shares.items():
        charged = Fraction(0)
        for band, usable, priced_as in _limits(stage, season):
            demands = [
                mw for (of, in_band), mw in use.maximum_mw.items() if in_band == band and (of == season or share == 1)
            ]
            agreed = sum((kw[name] for name in usable), Fraction(0))
            over = Fraction(max(demands, default=0), MW_PER_KW) - agreed
            net = over - charged
            charged = max(charged, over)
            if net > 0:
                near = min(net, NEAR_SHARE * agreed)
                price = tariffs.basic_price(contract.plan, priced_as, season, day)
                charge = share * price * (near * NEAR_TIMES + (net - near) * FAR_TIMES)
                found.append(Excess(season, band, net, charge))
    return tuple(found)


def power_factor_percent(use: MonthUse, contract: Contract, tariffs: Tariffs) -> int | None:
    """The month's average power factor kWh / sqrt(kWh² + kvarh²) in whole percent, halves up; None where none counts.

    It counts at high voltage, and for three-phase low voltage from a contract of 30 kW (六、功率因數).
    """
    active, reactive = sum(use.energy_mwh.values()), use.reactive_mvarh
    if reactive is None or active <= 0:
        return None
    small = not contract.three_phase or contract.regular_kw < LOW_VOLTAGE_LEAST_KW
    if tariffs.voltage(contract.plan) == "LV" and small:
        return None
    doubled = math.isqrt(40_000 * active**2 // (active**2 + reactive**2))
    return (doubled + 1) // 2


def _power_factor_charge(percent: int | None, subtotal: Fraction, excess: Fraction) -> Fraction:
    """A thousandth of the bill for each percent: more below 80 %, less above it up to 95 %.

    The account's basic charge never counts, the charge for excess only where the bill grows (不給予功率因數扣減).
    """
    if percent is None:
        return Fraction(0)
    below = EXPECTED_PERCENT - min(percent, REWARDED_PERCENT)
    return below * SHARE_PER_PERCENT * (subtotal + excess if below > 0 else subtotal)


def month_use(
    rows: pl.DataFrame, year: int, month: int, site: Site, tariffs: Tariffs, reactive_mvarh: int | None = None
) -> MonthUse:
    """Sum up a local month of cost rows joined with their demand.

    `rows`: starts_ms, band, amount (mWh), missing_ms of `cost.COST` and demand_mw of `demand.DEMAND`, in any order.
    Null amounts and demands are passed over and counted in `missing_ms`, days before the first contract are left out.
    """
    day = (
        pl.from_epoch("starts_ms", "ms").dt.replace_time_zone("UTC").dt.convert_time_zone(site.time_zone.key).dt.date()
    )
    held = (
        rows.with_columns(day.alias("day"))
        .filter(pl.col("day").dt.year() == year, pl.col("day").dt.month() == month, pl.col("band") != NO_CONTRACT)
        .group_by("day", "band")
        .agg(pl.col("amount").sum(), pl.col("demand_mw").max(), pl.col("missing_ms").sum())
        .sort("day", "band")
    )
    energy: dict[Key, int] = defaultdict(int)
    maximum: dict[Key, int] = {}
    for local_day, band, amount, demand_mw in held.select("day", "band", "amount", "demand_mw").rows():
        key = (_season(local_day, site, tariffs), band)
        energy[key] += amount
        if demand_mw is not None:
            maximum[key] = max(demand_mw, maximum.get(key, demand_mw))
    return MonthUse(year, month, dict(energy), maximum, reactive_mvarh, int(held["missing_ms"].sum()))


def _season(day: date, site: Site, tariffs: Tariffs) -> str:
    contract = contract_on(site.contracts, day)
    return ALL_YEAR if contract is None or contract.plan == AVERAGE_PRICE else tariffs.season(contract.plan, day)
