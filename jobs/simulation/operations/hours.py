"""When people work: shifts, Sundays, Taiwanese public holidays with the days off that stand in for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np

from jobs.simulation.clock import DAY_S, Clock, Real, Truth
from jobs.simulation.holidays import public_holidays
from streams.catalog.tariffs import SATURDAY, SUNDAY


@dataclass(frozen=True)
class Hours:
    """Hours of a clock's minutes; each array has an entry a minute."""

    clock: Clock

    @property
    def dates(self) -> list[date]:
        """Local days, from the first to the last."""
        return self.clock.dates

    def _of_days(self, values: list[bool]) -> Truth:
        result: Truth = np.array(values)[self.clock.day]
        return result

    @cached_property
    def off_peak(self) -> Truth:
        """Days that are off-peak as a whole under the tariff."""
        return self._of_days([day.weekday() == SUNDAY or day in public_holidays() for day in self.dates])

    @property
    def free(self) -> Truth:
        """Days on which nobody works."""
        return self.clock.free

    @property
    def shift(self) -> Truth:
        """Monday to Friday 8 to 12 and 13 to 17:30, every other Saturday morning, no holidays."""
        return self.clock.working

    @cached_property
    def heated(self) -> Truth:
        """When a furnace is hot: from six until the shift ends."""
        hour, weekday = self.clock.hour, self.clock.weekday
        last = np.where(weekday == SATURDAY, 12.0, 17.5)
        works = self._of_days([bool(self.shift[self.clock.day == nth].any()) for nth in range(len(self.dates))])
        result: Truth = works & (hour >= 6) & (hour < last)
        return result

    @cached_property
    def attended(self) -> Truth:
        """When a yard is open: six to twenty-two, Monday to Saturday."""
        result: Truth = ~self.free & (self.clock.hour >= 6) & (self.clock.hour < 22)
        return result

    @cached_property
    def summer(self) -> Real:
        """-1 at midwinter to 1 at midsummer."""
        result: Real = -np.cos(2 * np.pi * (self.clock.local_s / (365.25 * DAY_S) % 1 + 10 / 365))
        return result
