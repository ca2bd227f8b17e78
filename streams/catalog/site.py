"""Sites: a YAML file to a `Site`, or everything that is wrong with the file at once."""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

from streams.catalog.emission_checks import check_emissions
from streams.catalog.formula import Terms, flatten, parse_formula
from streams.catalog.industries import industry_coefficient
from streams.catalog.kpi_checks import check_kpis, kpi_of
from streams.catalog.lines import parse
from streams.catalog.measure_checks import check_measures, measure_of
from streams.catalog.point_checks import QUARTER_MS, check_points, check_resolution
from streams.catalog.reference import Reference, load_reference
from streams.catalog.rule_checks import check_rules
from streams.catalog.rule_rows import RulesFile
from streams.catalog.rules import rule_of
from streams.catalog.site_checks import (
    Check,
    check_structure,
    check_supply,
    check_zone,
    names_in,
)
from streams.catalog.site_file import AVERAGE_PRICE, ContractRow, PointRow, SiteFile
from streams.catalog.source import in_order, salvage
from streams.catalog.values import moment_ms
from streams.domain.alerts import Rule
from streams.domain.findings import CatalogError, Finding, Severity
from streams.domain.quantities import UNITS
from streams.domain.site import (
    Asset,
    Contract,
    EmissionSource,
    Exchange,
    Point,
    PointKind,
    Quantity,
    Ratio,
    Site,
)

UNKNOWN_DAY = "0001-01-01"
FALLBACKS = {
    "site": "site",
    "kind": "machining",
    "time_zone": "UTC",
    "starts_on": UNKNOWN_DAY,
    "gwp_set": "AR5",
    "assets": [],
    "points": [],
}
"""What stands in for a refused key of the document so that the rest can still be checked; no site is made of it."""


def load_site(path: Path, reference: Reference | None = None) -> Site:
    """Read a site's file. CatalogError carries every error of it (warnings come from `check_site`).

    Tariff plans and emission factors are those of `reference`, by default the one that comes with this version.
    """
    findings, file, content = _examine(path, reference or load_reference())
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors or file is None:
        raise CatalogError(errors)
    return _site(file, content)


def load_rules(path: Path, site: Path, reference: Reference | None = None) -> tuple[Rule, ...]:
    """Rules of a file of their own for a site's points. CatalogError carries every error of the two files."""
    findings, file, _ = _examine(site, reference or load_reference())
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    source = parse(path)
    rows = None if source.value is None else salvage(source, RulesFile, {"rules": []})
    if file is None or rows is None or errors:
        raise CatalogError(errors + in_order(source.findings))
    check = Check(source, file, names_in(file, "assets"), [point.name for point in file.points], None, file.starts_on)
    check_rules(check, rows.rules)
    errors = [finding for finding in in_order(source.findings) if finding.severity is Severity.ERROR]
    if errors:
        raise CatalogError(errors)
    return tuple(rule_of(row, file) for row in rows.rules)


def check_site(path: Path, reference: Reference | None = None) -> list[Finding]:
    """Every error and warning of a site's file, by line; an unreadable file is one finding, never an exception."""
    return _examine(path, reference or load_reference())[0]


def _examine(path: Path, reference: Reference) -> tuple[list[Finding], SiteFile | None, bytes]:
    source = parse(path)
    if source.value is None:
        return in_order(source.findings), None, source.content
    assets, points = names_in(source.value, "assets"), names_in(source.value, "points")
    file = salvage(source, SiteFile, dict(FALLBACKS))
    if file is not None:
        zone = check_zone(source, file.time_zone, file.line("time_zone"))
        starts_on = None if file.starts_on == date.fromisoformat(UNKNOWN_DAY) else file.starts_on
        check = Check(source, file, assets, points, zone, starts_on)
        check_resolution(check)
        check_structure(check)
        check_points(check)
        check_supply(check, reference.tariffs.plans)
        check_emissions(check, reference.factors)
        check_rules(check, file.rules)
        check_kpis(check, file.kpis)
        check_measures(check, file.measures)
    return in_order(source.findings), file, source.content


def _site(file: SiteFile, content: bytes) -> Site:
    zone = ZoneInfo(file.time_zone)
    formulas = {row.name: parse_formula(row.formula) for row in file.points if row.formula is not None}

    def full(name: str) -> str:
        return f"{file.site}/{name}"

    return Site(
        name=file.site,
        kind=file.kind,
        time_zone=zone,
        title_zh=file.title.zh,
        title_en=file.title.en,
        starts_on=file.starts_on,
        assets=tuple(Asset(row.name, row.title.zh, row.title.en, row.parent) for row in file.assets),
        points=tuple(_point(file, row, zone, formulas) for row in file.points),
        import_points=tuple(full(name) for name in file.supply.import_),
        reactive_points=tuple(full(name) for name in file.supply.reactive),
        contracts=tuple(sorted(map(_contract, file.supply.contracts), key=lambda contract: contract.from_day)),
        emission_sources=tuple(
            EmissionSource(
                name=row.name,
                point=full(row.point),
                factor=row.factor,
                scope=row.scope,
                iso_category=row.iso_category,
                use=row.use,
                green_point=None if row.green_point is None else full(row.green_point),
            )
            for row in file.emissions
        ),
        gwp_set=file.gwp_set,
        off_peak_days=tuple(sorted(set(file.supply.off_peak_days))),
        sha256=hashlib.sha256(content).hexdigest(),
        source=content.decode("utf-8-sig"),
        rules=tuple(rule_of(row, file) for row in file.rules),
        kpis=tuple(kpi_of(row, file) for row in file.kpis),
        measures=tuple(measure_of(row, file) for row in file.measures),
    )


def _point(file: SiteFile, row: PointRow, zone: ZoneInfo, formulas: dict[str, Terms]) -> Point:
    virtual = row.kind is PointKind.VIRTUAL
    terms = flatten(formulas, row.name) if virtual else ()
    unit = row.unit or "1"
    return Point(
        name=f"{file.site}/{row.name}",
        asset=row.asset,
        kind=row.kind,
        quantity=UNITS[unit][0] if row.kind is not PointKind.STATE else Quantity.OTHER,
        unit=unit,
        decimals=row.decimals,
        interval_ms=row.interval,
        stamp_at_start=row.stamp == "start",
        modulus=None if row.wraps_at is None else float(row.wraps_at),
        ratios=tuple(Ratio(moment_ms(ratio.from_ or file.starts_on, zone), ratio.ratio) for ratio in row.ct_ratio),
        max_gap_ms=row.max_gap,
        max_rate=_max_rate(row, unit),
        noise=row.noise,
        confirm_after=row.confirm_after,
        resets=row.resets,
        exchanges=tuple(
            Exchange(moment_ms(item.at, zone), float(item.closing), float(item.opening)) for item in row.exchanges
        ),
        resolution_ms=QUARTER_MS if virtual else row.resolution or file.resolution,
        allowed_lateness_ms=row.allowed_lateness or file.allowed_lateness,
        formula=tuple((coefficient, f"{file.site}/{name}") for coefficient, name in terms),
        minimum=row.minimum,
        maximum=row.maximum,
        parent=None if row.parent is None else f"{file.site}/{row.parent}",
        obis=row.obis,
    )


def _max_rate(row: PointRow, unit: str) -> float | None:
    """Largest rate in the point's unit an hour (for a power, in its unit)."""
    if row.max_kw is not None:
        return float(Fraction(row.max_kw) * UNITS["kW"][1] / UNITS[unit][1])
    limit: Decimal | None = row.max_rate
    return None if limit is None else float(limit)


def _contract(row: ContractRow) -> Contract:
    coefficient = None
    if row.industry is not None and row.plan != AVERAGE_PRICE:
        coefficient = industry_coefficient(row.industry, row.plan)
    return Contract(
        from_day=row.from_,
        plan=row.plan,
        regular_kw=row.regular_kw,
        non_summer_kw=row.non_summer_kw,
        semi_peak_kw=row.semi_peak_kw,
        saturday_semi_peak_kw=row.saturday_semi_peak_kw,
        off_peak_kw=row.off_peak_kw,
        average_price_ntd_per_kwh=row.price_ntd_per_kwh,
        industry_coefficient=Fraction(1) if coefficient is None else coefficient,
        three_phase=row.three_phase,
    )
