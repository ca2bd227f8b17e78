"""The minutes of a simulation, with what every process needs of them: local hour, weekday, season and weather."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from jobs.simulation.holidays import is_free
from streams.domain.site import Site

Real = NDArray[np.float64]
Truth = NDArray[np.bool_]
Int = NDArray[np.int64]

STEP_S = 60
DAY_S = 86_400
DAY_MS = DAY_S * 1000
QUARTER_MS = 900_000
EPOCH = date(1970, 1, 1)


def chance(seed: int, *names: str) -> np.random.Generator:
    """A generator of its own for each purpose, so that one more fault or point leaves all others as they were."""
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])


@dataclass(frozen=True)
class Clock:
    """`days` times 1,440 minutes from `begins_ms` (UTC)."""

    site: Site
    begins_ms: int
    days: int
    seed: int

    @property
    def steps(self) -> int:
        """How many minutes there are."""
        return self.days * DAY_S // STEP_S

    @property
    def ends_ms(self) -> int:
        """The end, in UTC ms."""
        return self.begins_ms + self.days * DAY_MS

    @cached_property
    def local_s(self) -> Int:
        """Local seconds since 1970-01-01 at the start of each minute, as clocks on the wall show them."""
        utc_s = self.begins_ms // 1000 + np.arange(self.steps) * STEP_S
        hours, which = np.unique(utc_s // 3600, return_inverse=True)
        zone = self.site.time_zone
        shifts = [datetime.fromtimestamp(hour * 3600, tz=UTC).astimezone(zone).utcoffset() for hour in hours.tolist()]
        result: Int = utc_s + np.array([int(s.total_seconds()) if s else 0 for s in shifts], dtype=np.int64)[which]
        return result

    @cached_property
    def day(self) -> Int:
        """Local day of each minute, counted from the first one."""
        days: Int = self.local_s // DAY_S
        result: Int = days - days[0]
        return result

    @cached_property
    def hour(self) -> Real:
        """Local hour of the day, 0 to 24."""
        result: Real = self.local_s % DAY_S / 3600
        return result

    @cached_property
    def weekday(self) -> Int:
        """Day of the week, Monday is 0."""
        result: Int = (self.local_s // DAY_S + 3) % 7
        return result

    @cached_property
    def outdoor(self) -> Real:
        """Outdoor temperature in °C of a subtropical lowland: season, day and weather."""
        year = self.local_s / (365.25 * DAY_S)
        season = 23.0 - 6.5 * np.cos(2 * np.pi * (year % 1 - 0.06))
        daily = 3.5 * np.cos(2 * np.pi * (self.hour - 14.0) / 24)
        return season + daily + self.drift("weather", 1.8, 1500)

    @cached_property
    def dates(self) -> list[date]:
        """Local days, from the first to the last."""
        first = EPOCH + timedelta(int(self.local_s[0]) // DAY_S)
        return [first + timedelta(nth) for nth in range(int(self.day[-1]) + 1)]

    @cached_property
    def free(self) -> Truth:
        """Days on which nobody works: Sundays, holidays."""
        result: Truth = np.array([is_free(day) for day in self.dates])[self.day]
        return result

    @cached_property
    def working(self) -> Truth:
        """Whether a shop works: Monday to Friday 8 to 17:30 with a lunch break, every other Saturday morning."""
        morning = (self.hour >= 8) & (self.hour < 12)
        afternoon = (self.hour >= 13) & (self.hour < 17.5)
        weeks = self.local_s // DAY_S + 3
        saturday = (self.weekday == 5) & (weeks // 7 % 2 == 0) & morning
        result: Truth = (saturday | ((self.weekday < 5) & (morning | afternoon))) & ~self.free
        return result

    def is_measured(self, asset: str) -> bool:
        """Whether a measure of the site names an asset."""
        return any(asset in measure.assets for measure in self.site.measures)

    def since(self, asset: str) -> Truth:
        """Minutes from the first measure that names an asset on; none where no measure does."""
        days = [measure.from_day for measure in self.site.measures if asset in measure.assets]
        first = (min(days) - EPOCH).days * DAY_S if days else int(self.local_s[-1]) + 1
        result: Truth = self.local_s >= first
        return result

    def drift(self, name: str, size: float, minutes: int) -> Real:
        """A slow random course of standard deviation `size` that forgets itself over `minutes`."""
        white = chance(self.seed, self.site.name, name).normal(size=self.steps + 4 * minutes)
        smooth = follow(white, minutes)[4 * minutes :]
        spread = np.sqrt(1 / (2 * minutes))
        result: Real = size * smooth / spread
        return result


def follow(cause: Real, minutes: float) -> Real:
    """What lags behind a cause with a time constant in minutes (first-order), beginning at the first cause."""
    length = max(int(minutes * 6), 1)
    kernel = np.exp(-np.arange(length) / minutes)
    kernel /= kernel.sum()
    padded = np.concatenate((np.full(length - 1, cause[0]), cause))
    size = 1 << (len(padded) + length).bit_length()
    spectrum = np.fft.rfft(padded, size) * np.fft.rfft(kernel, size)
    result: Real = np.fft.irfft(spectrum, size)[length - 1 : length - 1 + len(cause)]
    return result
