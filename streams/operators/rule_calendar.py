"""What rules ask of the calendar: local time, the tariff's day, price, contract, and whether a schedule holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from fractions import Fraction
from math import nan

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.catalog.site_file import AVERAGE_PRICE
from streams.catalog.tariffs import SLOTS, Tariffs
from streams.domain.alerts import Schedule
from streams.domain.site import Contract, Site
from streams.operators.cost import average_price, contract_on
from streams.operators.demand import QUARTER_MS, contract_mw

Int = NDArray[np.int64]
Bool = NDArray[np.bool_]
DAY_MINUTES = 1440
OFF_DAY = "off_day"


@dataclass(frozen=True, slots=True)
class Day:
    """A local day: prices (NTD/kWh, None where unknown) and bands by quarter-hour; `contract_kw` is NaN without one."""

    is_off_peak: bool
    prices: tuple[Fraction | None, ...]
    bands: tuple[str, ...]
    season: str
    contract: Contract | None
    contract_kw: float


@dataclass(slots=True)
class Calendar:
    """The calendar of one site; days are looked up once each."""

    site: Site
    tariffs: Tariffs
    days: dict[date, Day] = field(default_factory=dict)

    def local(self, time_ms: int) -> datetime:
        """A time in the site's zone."""
        return datetime.fromtimestamp(time_ms / 1000, tz=UTC).astimezone(self.site.time_zone)

    def day(self, day: date) -> Day:
        """What a local day is."""
        if day not in self.days:
            self.days[day] = self._day(day)
        return self.days[day]

    def _day(self, day: date) -> Day:
        contract = contract_on(self.site.contracts, day)
        is_off_peak = self.tariffs.day_type(day, self.site.off_peak_days) == OFF_DAY
        capacity = contract_mw(self.site.contracts, day)
        kw = nan if capacity is None else capacity / 1e6
        if contract is None:
            return Day(is_off_peak, (None,) * SLOTS, ("",) * SLOTS, "", None, kw)
        if contract.plan == AVERAGE_PRICE:
            return Day(is_off_peak, (average_price(contract),) * SLOTS, ("all",) * SLOTS, "all", contract, kw)
        schedule = self.tariffs.schedule(contract.plan, day, self.site.off_peak_days)
        return Day(is_off_peak, schedule.prices, schedule.bands, schedule.season, contract, kw)

    def price(self, local: datetime) -> float:
        """NTD/kWh of the quarter-hour of a local time; NaN where unknown."""
        price = self.day(local.date()).prices[slot(local)]
        return nan if price is None else float(price)

    def holds(self, schedule: Schedule | None, time_ms: Int) -> Bool:
        """Tell for each time whether a schedule holds then.

        Where it runs over midnight, the weekday is that of its beginning; an off-peak day is always the day itself.
        """
        if schedule is None:
            return np.ones(len(time_ms), dtype=np.bool_)
        local = pl.Series(time_ms).cast(pl.Datetime("ms", "UTC")).dt.convert_time_zone(self.site.time_zone.key)
        minute = local.dt.hour().cast(pl.Int64).to_numpy() * 60 + local.dt.minute().to_numpy()
        weekday = local.dt.weekday().to_numpy().astype(np.int64) - 1
        begin, end = schedule.begin_minute, schedule.end_minute
        if end > begin:
            within = (minute >= begin) & (minute < end)
        else:
            within = (minute >= begin) | (minute < end)
            weekday = np.where(minute < end, (weekday - 1) % 7, weekday)
        held: Bool = within & np.isin(weekday, list(schedule.weekdays))
        if schedule.off_peak_days is not None:
            days = local.dt.date()
            off = {day: self.day(day).is_off_peak for day in days.unique().to_list()}
            is_off = np.array([off[day] for day in days.to_list()], dtype=np.bool_)
            held &= is_off == schedule.off_peak_days
        return held


def slot(local: datetime) -> int:
    """Number of the quarter-hour of a local day, 0 to 95."""
    return (local.hour * 60 + local.minute) * 60_000 // QUARTER_MS
