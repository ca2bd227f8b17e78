"""Taipower's tariffs: prices, hours, seasons and off-peak days as reviewed rows, and what they make of a local day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, RootModel

from streams.catalog.source import Row, read
from streams.domain.findings import CatalogError, Finding

FOLDER = Path(__file__).parent / "data" / "tariffs"
SLOTS_PER_HOUR = 4
SLOTS = 24 * SLOTS_PER_HOUR
SATURDAY, SUNDAY = 5, 6
PROVISIONAL = "?provisional"
"""Ends a tariff id where the day's own version, hours or off-peak days are not known and the nearest stand in."""

Voltage = Literal["LV", "HV", "EHV"]
Stage = Literal["flat", "2T", "3T"]
Season = Literal["summer", "non_summer"]
Band = Literal["peak", "semi", "sat_semi", "off", "all"]
DayType = Literal["weekday", "saturday", "off_day"]
Capacity = Literal["regular", "non_summer", "semi", "sat_semi", "off", "account"]
Price = Annotated[Fraction, Field(gt=0)]
Hour = Annotated[Fraction, Field(ge=0, le=24, multiple_of=Fraction(1, SLOTS_PER_HOUR))]
MonthDay = Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]

SEASONS: tuple[Season, ...] = ("summer", "non_summer")
DAY_TYPES: tuple[DayType, ...] = ("weekday", "saturday", "off_day")


class Sourced(Row):
    """Where a row comes from; `unverified` where nobody has seen it in the publisher's own text."""

    published_on: date
    source: str
    unverified: bool = False


class Dated(Sourced):
    """A row that holds from a local day to another, both included."""

    valid_from: date
    valid_to: date | None


class PriceRow(Dated):
    """Energy charge of a plan in a season and band."""

    plan: str
    season: Season
    band: Band
    price: Price
    unit: Literal["NTD/kWh"]


class WindowRow(Dated):
    """Hours of a band, local, `starts` included, `ends` not."""

    stage: Stage
    season: Season
    day: DayType
    starts: Hour
    ends: Hour
    band: Band
    unit: Literal["h"]


class SeasonRow(Dated):
    """First and last day of summer for a class of supply."""

    voltage: Voltage
    starts: MonthDay
    ends: MonthDay
    unit: Literal["month-day"]


class BasicRow(Dated):
    """Basic charge of a kilowatt of contract capacity, or of an account (`stage` where it depends on it)."""

    voltage: Voltage
    capacity: Capacity
    stage: Stage | None = None
    season: Season
    price: Price
    unit: Literal["NTD/kW-month", "NTD/account-month"]


class LimitRow(Dated):
    """Contract capacities that a class of supply is for."""

    voltage: Voltage
    supply: str
    least_kw: Fraction
    below_kw: Fraction | None
    unit: Literal["kW"]


class OffPeakDayRow(Sourced):
    """A local day that is off-peak as a whole."""

    day: date
    name: str
    unit: Literal["local day"]


D = TypeVar("D", bound=Dated)


def in_force(rows: Iterable[D], day: date) -> tuple[list[D], bool]:
    """The rows of the version that holds on a local day, and True.

    Where none holds: those of the latest version before the day, else of the earliest of all, and False.
    """
    by_version: dict[date, list[D]] = defaultdict(list)
    for row in rows:
        by_version[row.valid_from].append(row)
    begun = [version for version in by_version if version <= day]
    version = max(begun) if begun else min(by_version)
    held = [row for row in by_version[version] if row.valid_to is None or day <= row.valid_to]
    return (held, True) if begun and held else (by_version[version], False)


@dataclass(frozen=True, slots=True)
class Schedule:
    """What a local day is under a plan: `bands[i]` and `prices[i]` (NTD/kWh) of its i-th quarter-hour, 0 to 95."""

    tariff_id: str
    season: Season
    day_type: DayType
    bands: tuple[Band, ...]
    prices: tuple[Fraction, ...]


@dataclass(frozen=True)
class Tariffs:
    """Every row of the tariff. Methods raise ValueError for a plan that the rows do not know."""

    prices: tuple[PriceRow, ...]
    windows: tuple[WindowRow, ...]
    seasons: tuple[SeasonRow, ...]
    basic: tuple[BasicRow, ...]
    limits: tuple[LimitRow, ...]
    off_peak_days: tuple[OffPeakDayRow, ...]

    @cached_property
    def plans(self) -> tuple[str, ...]:
        """Names of the plans, in the order of the file."""
        return tuple(dict.fromkeys(row.plan for row in self.prices))

    @cached_property
    def off_days(self) -> frozenset[date]:
        """Days that are off-peak as a whole, Sundays apart."""
        return frozenset(row.day for row in self.off_peak_days)

    @cached_property
    def _years(self) -> frozenset[int]:
        return frozenset(day.year for day in self.off_days)

    def _parts(self, plan: str) -> tuple[str, str]:
        """Class of supply and stage of a plan: `HV_3T` is (`HV`, `3T`)."""
        if plan not in self.plans:
            raise ValueError(f"plan: expected one of {', '.join(self.plans)}; got {plan!r}")
        voltage, stage = plan.split("_")
        return voltage, stage

    def voltage(self, plan: str) -> str:
        """Class of supply of a plan: LV, HV or EHV."""
        return self._parts(plan)[0]

    def stage(self, plan: str) -> str:
        """Stage of a plan: flat, 2T or 3T."""
        return self._parts(plan)[1]

    def season(self, plan: str, day: date) -> Season:
        """Season of a local day under a plan's class of supply."""
        voltage = self.voltage(plan)
        (row, *_), _ = in_force((row for row in self.seasons if row.voltage == voltage), day)
        return "summer" if row.starts <= f"{day:%m-%d}" <= row.ends else "non_summer"

    def day_type(self, day: date, extra: Collection[date] = ()) -> DayType:
        """Type of a local day; an off-peak day (of the table or of `extra`) overrides Saturday."""
        if day.weekday() == SUNDAY or day in self.off_days or day in extra:
            return "off_day"
        return "saturday" if day.weekday() == SATURDAY else "weekday"

    def tariff_id(self, plan: str, day: date) -> str:
        """`plan@first day of the version`, with PROVISIONAL where that version is not the day's own."""
        self._parts(plan)
        rows, known = in_force((row for row in self.prices if row.plan == plan), day)
        known = known and day.year in self._years
        return f"{plan}@{rows[0].valid_from}{'' if known else PROVISIONAL}"

    def price(self, plan: str, season: str, band: str, day: date) -> Fraction:
        """Energy charge in NTD/kWh; ValueError if the plan has no such band in that season."""
        self._parts(plan)
        rows, _ = in_force((row for row in self.prices if row.plan == plan), day)
        for row in rows:
            if (row.season, row.band) == (season, band):
                return row.price
        known = ", ".join(f"{row.season} {row.band}" for row in rows)
        raise ValueError(f"{plan}: expected one of {known}; got {season} {band}")

    def basic_price(self, plan: str, capacity: str, season: str, day: date) -> Fraction:
        """Basic charge in NTD per kW-month (`account`: per account-month); 0 where the tariff has none."""
        voltage, stage = self._parts(plan)
        rows, _ = in_force((row for row in self.basic if row.voltage == voltage), day)
        matching = (
            row.price for row in rows if (row.capacity, row.season) == (capacity, season) and row.stage in (None, stage)
        )
        return next(matching, Fraction(0))

    def schedule(self, plan: str, day: date, extra: Collection[date] = ()) -> Schedule:
        """Bands and prices of a local day's quarter-hours. `extra`: further days that are off-peak as a whole."""
        season, day_type, stage = self.season(plan, day), self.day_type(day, extra), self.stage(plan)
        hours, _ = in_force(
            (row for row in self.windows if (row.stage, row.season, row.day) == (stage, season, day_type)), day
        )
        bands: list[Band] = []
        for row in sorted(hours, key=lambda row: row.starts):
            bands += [row.band] * int((row.ends - row.starts) * SLOTS_PER_HOUR)
        price = {band: self.price(plan, season, band, day) for band in set(bands)}
        return Schedule(self.tariff_id(plan, day), season, day_type, tuple(bands), tuple(price[band] for band in bands))


def load_tariffs(folder: Path = FOLDER) -> Tariffs:
    """Read the tariff's files. CatalogError if one cannot be read, or if its rows leave a time without one price."""
    tariffs = Tariffs(
        tuple(read(folder / "prices.yaml", RootModel[list[PriceRow]]).root),
        tuple(read(folder / "windows.yaml", RootModel[list[WindowRow]]).root),
        tuple(read(folder / "seasons.yaml", RootModel[list[SeasonRow]]).root),
        tuple(read(folder / "basic.yaml", RootModel[list[BasicRow]]).root),
        tuple(read(folder / "limits.yaml", RootModel[list[LimitRow]]).root),
        tuple(read(folder / "off_peak_days.yaml", RootModel[list[OffPeakDayRow]]).root),
    )
    findings = _uncovered(tariffs, folder / "windows.yaml") + _unpriced(tariffs, folder / "prices.yaml")
    if findings:
        raise CatalogError(findings)
    return tariffs


def _uncovered(tariffs: Tariffs, file: Path) -> list[Finding]:
    """Every day type of every version of the hours must be filled once, from 0 to 24."""
    groups: dict[tuple[date, str, str, str], list[WindowRow]] = defaultdict(list)
    for stage in {tariffs.stage(plan) for plan in tariffs.plans}:
        for version in {row.valid_from for row in tariffs.windows}:
            groups.update({(version, stage, season, day): [] for season in SEASONS for day in DAY_TYPES})
    for row in tariffs.windows:
        groups[row.valid_from, row.stage, row.season, row.day].append(row)
    return [
        Finding(
            "hours_not_covered",
            f"{' '.join(key[1:])}: hours of the bands",
            file,
            rows[0].line() if rows else None,
            expected="every hour from 0 to 24 once",
            found=", ".join(f"{row.starts}-{row.ends}" for row in rows) or "nothing",
        )
        for key, rows in sorted(groups.items())
        if not _fills_the_day(rows)
    ]


def _fills_the_day(rows: Sequence[WindowRow]) -> bool:
    ordered = sorted(rows, key=lambda row: row.starts)
    edges = [(row.starts, row.ends) for row in ordered]
    joined = [Fraction(0), *(ends for _, ends in edges)] == [*(starts for starts, _ in edges), Fraction(24)]
    return joined and all(starts < ends for starts, ends in edges)


def _unpriced(tariffs: Tariffs, file: Path) -> list[Finding]:
    """Every band that the hours of a plan can give must have exactly one price in each version."""
    findings = []
    versions = dict.fromkeys((row.plan, row.valid_from) for row in tariffs.prices)
    for plan, version in versions:
        rows = [row for row in tariffs.prices if (row.plan, row.valid_from) == (plan, version)]
        needed = sorted({(row.season, row.band) for row in tariffs.windows if row.stage == tariffs.stage(plan)})
        given = sorted((row.season, row.band) for row in rows)
        if needed != given:
            words = [", ".join(" ".join(pair) for pair in pairs) for pairs in (needed, given)]
            sentence = f"{plan} from {version}: one price for each season and band"
            findings.append(Finding("price_missing", sentence, file, rows[0].line(), expected=words[0], found=words[1]))
    return findings
