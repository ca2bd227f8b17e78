"""The rows of a site's YAML file, as written: names without the site, durations in ms, ratios and prices exact."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from streams.catalog.kpi_rows import KpiRow
from streams.catalog.measure_rows import MeasureRow
from streams.catalog.rule_rows import RuleRow
from streams.catalog.source import Row
from streams.catalog.values import Capacity, Duration, ExactRatio, Moment, Name, Positive, TitleRow
from streams.domain.site import PointKind, Quantity, SiteKind

AVERAGE_PRICE = "average_price"


def _ratios(value: Any) -> Any:  # noqa: ANN401
    return value if isinstance(value, list) else [{"ratio": value}]


def _written(kind: PointKind) -> PointKind:
    if kind is PointKind.DERIVED:
        raise ValueError("expected a kind that readings or a formula give; derived points are made by kpis")
    return kind


class AssetRow(Row):
    """One thing that uses energy."""

    name: Name
    title: TitleRow = TitleRow()
    parent: str | None = None


class RatioRow(Row):
    """A CT×PT ratio and the moment from which it holds; None is from the site's first day."""

    from_: Moment | None = Field(default=None, alias="from")
    ratio: ExactRatio


class ExchangeRow(Row):
    """A meter exchanged for another."""

    at: Moment
    closing: Decimal = Field(ge=0)
    opening: Decimal = Field(ge=0)


class PointRow(Row):
    """One stream of readings or one formula."""

    name: Name
    asset: str
    kind: Annotated[PointKind, AfterValidator(_written)]
    quantity: Quantity | None = None
    obis: str | None = None
    unit: str | None = None
    decimals: int = Field(default=3, ge=0, le=9)
    digits: int | None = Field(default=None, ge=1, le=15)
    modulus: Positive | None = None
    interval: Duration | None = None
    stamp: Literal["start", "end"] = "end"
    max_gap: Duration = 3_600_000
    max_kw: Positive | None = None
    max_rate: Positive | None = None
    ct_ratio: Annotated[tuple[RatioRow, ...], BeforeValidator(_ratios)] = ()
    noise: float = Field(default=0.0, ge=0)
    resets: Literal["daily", "monthly"] | None = None
    confirm_after: int = Field(default=5, ge=1)
    exchanges: tuple[ExchangeRow, ...] = ()
    resolution: Duration | None = None
    allowed_lateness: Duration | None = None
    formula: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    parent: str | None = None

    @property
    def wraps_at(self) -> Decimal | None:
        """Where the register wraps, in its unit."""
        return self.modulus if self.modulus is not None or self.digits is None else Decimal(10) ** self.digits


class ContractRow(Row):
    """A supply contract from a local day on."""

    from_: date = Field(alias="from")
    plan: str
    regular_kw: Capacity = 0.0
    non_summer_kw: Capacity = 0.0
    semi_peak_kw: Capacity = 0.0
    saturday_semi_peak_kw: Capacity = 0.0
    off_peak_kw: Capacity = 0.0
    price_ntd_per_kwh: ExactRatio | None = None
    industry: str | None = None
    three_phase: bool = True


class SupplyRow(Row):
    """What the site buys, and on which terms."""

    import_: tuple[str, ...] = Field(default=(), alias="import")
    reactive: tuple[str, ...] = ()
    contracts: tuple[ContractRow, ...] = ()
    off_peak_days: tuple[date, ...] = ()


class EmissionRow(Row):
    """What turns a point's amounts into emissions."""

    name: Name
    point: str
    factor: str
    use: Literal["stationary", "mobile"] | None = None
    scope: int = Field(ge=1, le=3)
    iso_category: int = Field(ge=1, le=6)
    green_point: str | None = None


class SiteFile(Row):
    """A whole file."""

    site: str = Field(pattern=r"^[a-z0-9_-]+$")
    kind: SiteKind
    time_zone: str
    title: TitleRow = TitleRow()
    starts_on: date
    gwp_set: Literal["AR4", "AR5", "AR6"]
    allowed_lateness: Duration = 300_000
    resolution: Duration = 900_000
    assets: tuple[AssetRow, ...]
    points: tuple[PointRow, ...]
    supply: SupplyRow = SupplyRow()
    emissions: tuple[EmissionRow, ...] = ()
    rules: tuple[RuleRow, ...] = ()
    kpis: tuple[KpiRow, ...] = ()
    measures: tuple[MeasureRow, ...] = ()
