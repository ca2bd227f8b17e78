"""What a site is: its assets, points, registers, contracts and emission sources.

Times are UTC milliseconds since 1970 (`*_ms`) or local `date`s. Ratios are exact fractions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from zoneinfo import ZoneInfo

from streams.domain.alerts import Rule
from streams.domain.kpi import Derived, Kpi


class SiteKind(StrEnum):
    """The three kinds of site that Kilowatch knows."""

    COLD_CHAIN = "cold_chain"
    MACHINING = "machining"
    WAREHOUSE = "warehouse"


class PointKind(StrEnum):
    """How the values of a point become amounts.

    REGISTER: cumulative counter (energy, volume, pulses, pieces).
    POWER: a rate that is integrated over time (kW to kWh, L/h to L).
    INTERVAL: the amount of one interval per reading.
    AMOUNT: the amount of one event (a fill, a top-up, a delivery).
    GAUGE: a level that is only averaged (temperature, humidity, power factor).
    STATE: a word (machine execution, door open).
    VIRTUAL: a linear formula over other points.
    DERIVED: a tally of another point for a key figure (`streams.domain.kpi`); no file names one.
    """

    REGISTER = "register"
    POWER = "power"
    INTERVAL = "interval"
    AMOUNT = "amount"
    GAUGE = "gauge"
    STATE = "state"
    VIRTUAL = "virtual"
    DERIVED = "derived"


class Quantity(StrEnum):
    """What is measured; each has one base unit in `quantities.BASE_UNIT`."""

    ENERGY = "energy"
    REACTIVE_ENERGY = "reactive_energy"
    VOLUME = "volume"
    MASS = "mass"
    COUNT = "count"
    TEMPERATURE = "temperature"
    DURATION = "duration"
    DEGREE_TIME = "degree_time"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Ratio:
    """A CT×PT ratio (primary over secondary) and the moment from which it holds."""

    from_ms: int
    value: Fraction


@dataclass(frozen=True, slots=True)
class Exchange:
    """A meter was exchanged: the old one closed at `closing`, the new one opened at `opening` (register units)."""

    at_ms: int
    closing: float
    opening: float


@dataclass(frozen=True, slots=True)
class Point:
    """One stream of readings, or a formula over others.

    `name` is `site/point`. `unit` is the unit of the values as sent. `modulus` is where the
    register wraps, in `unit` (100000 for five digits). `decimals` are those of the register.
    `stamp` says where an interval's time stands. `max_rate` is the largest plausible power or
    flow in `unit` per hour (kW for kWh). `max_gap_ms` is the largest gap to integrate over.
    """

    name: str
    asset: str
    kind: PointKind
    quantity: Quantity
    unit: str
    decimals: int = 3
    interval_ms: int | None = None
    stamp_at_start: bool = False
    modulus: float | None = None
    ratios: tuple[Ratio, ...] = ()
    max_gap_ms: int = 3_600_000
    max_rate: float | None = None
    noise: float = 0.0
    confirm_after: int = 5
    resets: str | None = None  # "daily" | "monthly" | None: declared local boundary
    exchanges: tuple[Exchange, ...] = ()
    resolution_ms: int = 900_000
    allowed_lateness_ms: int = 300_000
    formula: tuple[tuple[Fraction, str], ...] = ()  # virtual: (coefficient, point name)
    minimum: float | None = None
    maximum: float | None = None
    parent: str | None = None
    obis: str | None = None


@dataclass(frozen=True, slots=True)
class Contract:
    """A supply contract with the utility from a local day on. Capacities in kW."""

    from_day: date
    plan: str
    regular_kw: float = 0.0
    non_summer_kw: float = 0.0
    semi_peak_kw: float = 0.0
    saturday_semi_peak_kw: float = 0.0
    off_peak_kw: float = 0.0
    average_price_ntd_per_kwh: Fraction | None = None
    industry_coefficient: Fraction = Fraction(1)
    three_phase: bool = True


@dataclass(frozen=True, slots=True)
class EmissionSource:
    """What turns a point's amounts into emissions.

    `factor` names a factor series (`grid_tw`, `diesel`, `R404A`, `aluminium_primary` …).
    `use` is `stationary` or `mobile` for fuels. `scope` is 1, 2 or 3; `iso_category` 1 to 6 of ISO 14064-1.
    `green_point` measures energy covered by contractual instruments (market-based zero).
    """

    name: str
    point: str
    factor: str
    scope: int
    iso_category: int
    use: str | None = None
    green_point: str | None = None


@dataclass(frozen=True, slots=True)
class Asset:
    """A thing that uses energy; assets form a tree through `parent`."""

    name: str
    title_zh: str = ""
    title_en: str = ""
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Band:
    """What a gauge point must stay within, in its unit; None is open."""

    point: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """What a site changed to save energy or carbon, and where the change is to be seen.

    It works from local day `from_day` on, at `assets`. Compared before and after are the kWh of the points of `energy`,
    the litres of `fuel`, the kilograms of `material`, for what the points of `output` count. A saving counts only
    while `condition` holds, which `derived` tallies.
    """

    name: str
    from_day: date
    title_zh: str
    title_en: str
    assets: tuple[str, ...]
    energy: tuple[str, ...] = ()
    fuel: tuple[str, ...] = ()
    material: tuple[str, ...] = ()
    output: tuple[str, ...] = ()
    condition: Band | None = None
    derived: tuple[tuple[str, Derived], ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """A site as its YAML file describes it; `source` is the file's text, `sha256` names that version of it."""

    name: str
    kind: SiteKind
    time_zone: ZoneInfo
    title_zh: str
    title_en: str
    starts_on: date
    assets: tuple[Asset, ...]
    points: tuple[Point, ...]
    import_points: tuple[str, ...]
    reactive_points: tuple[str, ...]
    contracts: tuple[Contract, ...]
    emission_sources: tuple[EmissionSource, ...]
    gwp_set: str
    off_peak_days: tuple[date, ...]
    sha256: str
    source: str = ""
    rules: tuple[Rule, ...] = ()
    kpis: tuple[Kpi, ...] = ()
    measures: tuple[Measure, ...] = ()

    @property
    def derived(self) -> tuple[Derived, ...]:
        """What is tallied for key figures and measures, each tally once."""
        every = [each for kpi in self.kpis for _, each in kpi.derived]
        every += [each for measure in self.measures for _, each in measure.derived]
        return tuple({each.name: each for each in every}.values())
