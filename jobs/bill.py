"""`kilowatch bill`: a month's bill by the tariff, line by line."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from streams.catalog.reference import load_reference
from streams.catalog.site import load_site
from streams.catalog.tariffs import SLOTS
from streams.domain.findings import KilowatchError
from streams.domain.site import Site
from streams.operators.bill import Bill, MonthUse, bill, month_use
from streams.operators.cost import contract_on
from streams.operators.demand import QUARTER_MS
from streams.stores.duckdb import DuckDBStore, path_of

EPILOG = "Example: kilowatch bill deploy/sites/cold_chain_depot.yaml --store duckdb:///depot.duckdb --month 2026-01"
ROWS = (
    "select epoch_ms(c.starts_at) as starts_ms, c.band, c.amount, c.missing_ms, "
    "case when d.quality = 0 then d.demand_mw end as demand_mw from fact.cost as c "
    "left join fact.demand as d using (site, starts_at) "
    "where c.site = $site and c.starts_at >= $begins and c.starts_at < $ends order by c.starts_at"
)
REACTIVE = (
    "select cast(sum(i.amount) as bigint) as mvarh from fact.interval as i inner join op.point as p using (point_id) "
    "where p.point in (select unnest($points)) and i.starts_at >= $begins and i.starts_at < $ends"
)


def month_bill(
    site: Annotated[Path, typer.Argument(metavar="SITE.yaml", help="The site's catalog file.")],
    store: Annotated[str, typer.Option("--store", metavar="URL", help="duckdb:///path/file.duckdb")],
    month: Annotated[datetime, typer.Option("--month", formats=["%Y-%m"], help="The local month.")],
) -> None:
    """Add up a month's bill: energy by season and band, capacity, excess, power factor, industry coefficient.

    Demand over the contract is that of measured quarter-hours: an estimated one may hold what others used.
    """
    loaded = load_site(site)
    contract = contract_on(loaded.contracts, month.date())
    if contract is None:
        raise KilowatchError(f"{site}: expected a contract that holds on {month:%Y-%m-%d}; found none")
    with closing(DuckDBStore(path_of(store), read_only=True)) as kept:
        use = _use(kept, loaded, month.date())
    made = bill(use, contract, load_reference().tariffs)
    out = Console(highlight=False, markup=False)
    out.print(_table(made, use, loaded))
    hours = use.missing_ms / 3_600_000
    out.print(
        f"Not known: {hours:,.1f} of the month's {len(use.days) * 24} hours" + ("; a lower bound." if hours else ".")
    )


def _use(store: DuckDBStore, site: Site, first: date) -> MonthUse:
    following = (first + timedelta(days=32)).replace(day=1)
    zone = ZoneInfo("UTC")
    begins, ends = (
        datetime(day.year, day.month, 1, tzinfo=site.time_zone).astimezone(zone).replace(tzinfo=None)
        for day in (first, following)
    )
    window: dict[str, object] = {"begins": begins, "ends": ends}
    rows = store.query(ROWS, {**window, "site": site.name})
    if not len(rows):
        raise KilowatchError(f"{store.path}: expected purchased energy of {site.name} in {first:%Y-%m}; found none")
    reactive = None
    if site.reactive_points:
        reactive = store.query(REACTIVE, {**window, "points": list(site.reactive_points)})["mvarh"][0]
    use = month_use(rows, first.year, first.month, site, load_reference().tariffs, reactive)
    absent = len(use.days) * SLOTS - len(rows)
    return replace(use, missing_ms=use.missing_ms + max(absent, 0) * QUARTER_MS)


def _table(made: Bill, use: MonthUse, site: Site) -> Table:
    table = Table(title=f"{site.name} {use.year}-{use.month:02d}, {made.tariff_id}", title_justify="left")
    for name in ("", "quantity", "NTD"):
        table.add_column(name, justify="left" if not name else "right")
    for (season, band), cost in sorted(made.energy_ntd.items()):
        table.add_row(f"energy, {season}, {band}", f"{use.energy_mwh[season, band] / 1e6:,.1f} kWh", _ntd(cost))
    table.add_row("basic charge of the contract", "", _ntd(made.basic_ntd))
    table.add_row("basic charge of the account", "", _ntd(made.account_ntd))
    for excess in made.excesses:
        table.add_row(f"excess, {excess.season}, {excess.band}", f"{float(excess.kw):,.1f} kW", _ntd(excess.charge_ntd))
    percent = "not counted" if made.power_factor_percent is None else f"{made.power_factor_percent} %"
    table.add_row("power factor", percent, _ntd(made.power_factor_ntd))
    table.add_row("industry coefficient", "", _ntd(made.coefficient_ntd))
    table.add_section()
    table.add_row("total, VAT included", f"{sum(use.energy_mwh.values()) / 1e6:,.1f} kWh", _ntd(made.total_ntd))
    return table


def _ntd(amount: Fraction) -> str:
    return f"{float(amount):,.2f}"
