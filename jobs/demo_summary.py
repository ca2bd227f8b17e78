"""What the demo's store says, as tables: energy, peaks, cost, emissions, decisions, quarantine, errors."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from jobs.simulate import Simulated
from jobs.simulation.clock import QUARTER_MS
from jobs.simulation.command import plain_table, score_table
from jobs.simulation.score import scored, summed
from streams.catalog.site import load_site
from streams.domain.quantities import UNITS
from streams.domain.site import Site
from streams.stores.duckdb import DuckDBStore

Days = tuple[date, date]
QUESTIONS = """
select day, energy_kwh, estimated_kwh, missing_s from mart.energy_daily where point = 'cold_chain_depot/main' order by 1
select starts_at, demand_kw, contract_kw, quality from mart.demand_15min order by demand_kw desc nulls last limit 5
select point, happened_at, kind, before_kwh, after_kwh, reason from mart.register_event order by happened_at
"""


def summary(store: DuckDBStore, made: Sequence[Simulated], days: Days) -> list[RenderableType]:
    """The tables in the order in which they are read; `days` are the first local day and the one after the last."""
    sites = [load_site(each.site) for each in made]
    title = Text(f"\n{len(sites)} simulated sites, {days[0]} to {days[1]}: made up, faults on purpose\n", style="bold")
    rows = pl.concat([scored(store, each) for each in made])
    parts: list[RenderableType] = [
        _energy(store, sites, days),
        _demand_and_cost(store, sites, made),
        *_emissions(store, sites),
        _decisions(store, sites),
        _quarantine(store),
        score_table(summed(rows)),
        _about_errors(rows),
        conservation(store),
    ]
    impossible = [f"{each.site.parent.name}: {kind}" for each in made for kind in each.impossible]
    if impossible:
        parts.append(f"Faults that could not be made in so few days: {', '.join(impossible)}.")
    return [title, *(each for part in parts for each in (part, ""))][:-1]


def hints(url: str) -> list[str]:
    """Three questions that the store answers."""
    questions = QUESTIONS.strip().splitlines()
    return [f'{_command()} query "{question}" --store {shlex.quote(url)}' for question in questions]


def sight(url: str) -> str:
    """The command that shows the store in a browser."""
    return f"{_command()} serve --store {shlex.quote(url)} --open"


def _command() -> str:
    """The command as this person can type it."""
    command = "kilowatch"
    return sys.argv[0] if shutil.which(command) is None and Path(sys.argv[0]).name == command else command


def _energy(store: DuckDBStore, sites: Sequence[Site], days: Days) -> Table:
    """A row a meter of the import, and one for all meters of the site together."""
    rows = store.query(
        "select site, point, sum(energy_kwh) as kwh, sum(estimated_kwh) as estimated_kwh, sum(missing_s) as missing_s"
        " from mart.energy_daily group by site, point"
    )
    table = _table("Energy", ("site", "meters", "kWh", "of it estimated", "time missing"), left=2)
    for site in sites:
        virtual = [point.name for point in site.points if point.formula]
        own = rows.filter((pl.col("site") == site.name) & ~pl.col("point").is_in(virtual))
        bought = own.filter(pl.col("point").is_in(site.import_points))
        for name, part in (("purchased", bought), (f"all {len(own)} meters", own)):
            kwh = float(part["kwh"].sum())
            estimated = float(part["estimated_kwh"].sum()) / kwh if kwh else 0.0
            seconds = len(part) * (days[1] - days[0]).days * 86_400
            missing = float(part["missing_s"].sum()) / seconds
            first = site.name if name == "purchased" else ""
            shown = f"{kwh:,.1f}" if name == "purchased" else ""
            table.add_row(first, name, shown, f"{estimated:.2%}", f"{missing:.2%}")
    return table


def _demand_and_cost(store: DuckDBStore, sites: Sequence[Site], made: Sequence[Simulated]) -> Table:
    """A row a site: the highest quarter-hour against the contract, and what was paid for its energy.

    Of the measured ones alone: a meter that stood still and catches up makes a peak that never was, and is labelled
    estimated. Beside it the highest one of the answer key.
    """
    peaks = store.query(
        "select site, demand_kw, contract_kw, starts_at from mart.demand_15min where quality = 'measured'"
        " qualify row_number() over (partition by site order by demand_kw desc, starts_at) = 1"
    )
    costs = store.query(
        "select site, sum(energy_kwh) as kwh, sum(cost_ntd) as ntd from mart.cost_interval group by site"
    )
    names = ("site", "peak\nkW", "at\n(local)", "truly\nkW", "contract\nkW", "used", "energy\nNTD", "NTD\n/kWh")
    table = _table("Peak demand and cost of energy", names)
    for site, simulated in zip(sites, made, strict=True):
        peak = peaks.filter(pl.col("site") == site.name).to_dicts()
        cost = costs.filter(pl.col("site") == site.name).to_dicts()
        cells = [""] * 5
        for row in peak:
            contract = row["contract_kw"]
            share = f"{row['demand_kw'] / contract:.0%}" if contract else "–"
            at = f"{_local(row['starts_at'], site):%m-%d %H:%M}"
            known = f"{contract:,.0f}" if contract else "none"
            cells = [f"{row['demand_kw']:,.1f}", at, f"{_true_peak_kw(simulated, site):,.1f}", known, share]
        for row in cost:
            cells += [f"{row['ntd']:,.0f}", f"{row['ntd'] / row['kwh']:.2f}"]
        table.add_row(site.name, *cells)
    return table


def _true_peak_kw(made: Simulated, site: Site) -> float:
    bought = pl.read_parquet(made.truth).filter(pl.col("point").is_in(site.import_points))
    quarters = bought.group_by("starts_at").agg(pl.col("amount").sum())
    hours = QUARTER_MS / 3_600_000
    return float(quarters.select(pl.col("amount").max() / float(UNITS["kWh"][1]) / hours).item() or 0.0)


def _local(at: datetime, site: Site) -> datetime:
    return at.replace(tzinfo=ZoneInfo("UTC")).astimezone(site.time_zone)


def _emissions(store: DuckDBStore, sites: Sequence[Site]) -> list[Table]:
    """A row a scope and metered source, where the store knows emissions."""
    known = store.query(
        "select table_name from information_schema.tables"
        " where table_schema = 'mart' and table_name = 'emissions_interval'"
    )
    if known.is_empty():
        return []
    rows = store.query(
        "select site, scope, point, sum(location_kgco2e) as location, sum(market_kgco2e) as market"
        " from mart.emissions_interval group by site, scope, point order by site, scope, point"
    )
    if rows.is_empty():
        return []
    table = _table("Emissions, kg CO2e", ("scope", "site and meter", "location-based", "market-based"), left=2)
    for site in sites:
        for row in rows.filter(pl.col("site") == site.name).iter_rows(named=True):
            amounts = ("–" if row[name] is None else f"{row[name]:,.1f}" for name in ("location", "market"))
            table.add_row(str(row["scope"]), row["point"], *amounts)
    return [table]


def _decisions(store: DuckDBStore, sites: Sequence[Site]) -> Table:
    """A row a site, a column a kind of decision."""
    rows = store.query("select site, kind, count(*) as decisions from mart.register_event group by site, kind")
    kinds = sorted(rows["kind"].unique())
    table = _table("Decisions about registers", ("site", *kinds))
    for site in sites:
        found = dict(rows.filter(pl.col("site") == site.name).select("kind", "decisions").iter_rows())
        table.add_row(site.name, *(str(found.get(kind, "")) for kind in kinds))
    return table


def _quarantine(store: DuckDBStore) -> Table:
    """A row a reason."""
    rows = store.query(
        "select reason, count(*) as readings from mart.quarantine group by reason order by readings desc, reason"
    )
    table = _table("Readings in quarantine", ("reason", "readings"))
    for reason, readings in rows.iter_rows():
        table.add_row(reason, f"{readings:,}")
    return table


def conservation(store: DuckDBStore) -> str:
    """How many registers and days there are, and by how much the worst is not conserved."""
    row = store.query(
        "select count(*) as days, count(distinct point) as registers, max(abs(residual_kwh)) as largest"
        " from mart.conservation"
    ).to_dicts()[0]
    return (
        f"Conservation: {row['registers']} registers on {row['days']:,} register-days; the largest residual of"
        f" last − first + wraps + resets + exchanges − intervals − quarantined is {row['largest']:.6f} kWh."
    )


def _about_errors(rows: pl.DataFrame) -> str:
    knowable = rows.filter("knowable")
    wrong = int((knowable["error"] != 0).sum())
    said = "all of them are stored exactly" if not wrong else f"{wrong:,} of them are stored WRONGLY"
    return (
        f"{len(knowable):,} of {len(rows):,} quarter-hours can be known from the readings: {said}. Of the others the"
        " table shows stored minus true: zero where their sum can still be told. Moved energy stands in another"
        " quarter-hour than it belongs to, as after a wrong clock. What a silent meter used is labelled missing, it is"
        " no zero. (`kilowatch simulate --help` says what each fault is.)"
    )


def _table(title: str, names: Sequence[str], left: int = 1) -> Table:
    table = plain_table(title)
    for nth, name in enumerate(names):
        table.add_column(name, justify="left" if nth < left else "right", no_wrap=True)
    return table
