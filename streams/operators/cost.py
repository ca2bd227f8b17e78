"""Cost of purchased energy: every quarter-hour at the price of its band.

Late and repeated facts are the caller's: a quarter-hour that changes is priced again and carries its new revision.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

import numpy as np
import polars as pl

from streams.catalog.site_file import AVERAGE_PRICE
from streams.catalog.tariffs import SLOTS, Tariffs
from streams.domain.site import Contract, Site
from streams.operators.demand import QUARTER_MS
from streams.operators.exact import scale_half_even

COST = {
    "starts_ms": pl.Int64,
    "band": pl.String,
    "amount": pl.Int64,
    "cost_e8": pl.Int64,
    "tariff_id": pl.String,
    "missing_ms": pl.Int64,
    "revision": pl.Int32,
}
"""`amount` in mWh, `cost_e8` in 1e-8 NTD (5 % VAT included), null where the amount is null or no contract holds."""

NO_CONTRACT = "none"
E8_PER_MWH = 100
"""1 mWh at 1 NTD/kWh is 1e-6 NTD, hence 100 of 1e-8 NTD."""

_SLOT = {"day": pl.Date, "slot": pl.Int64, "band": pl.String, "price": pl.Int64, "tariff_id": pl.String}


def cost(quarters: pl.DataFrame, site: Site, tariffs: Tariffs) -> pl.DataFrame:
    """Price quarter-hours of the site's purchased energy (columns of `demand.quarters` in, COST out, by starts_ms).

    The band is that of the local quarter-hour, the contract and tariff those of the local day. A day before the first
    contract is of band `none`, without cost and tariff. `tariff_id` is `plan@first day of the tariff's version`, with
    `?provisional` where the nearest version stands in; of an average price it is `average_price@first day of the
    contract`. The cost is exact where the price has at most two decimals, else rounded half to even, once for each
    row. Basic charge, industry coefficient and power factor belong to the month: see `bill`.
    """
    local = pl.from_epoch("starts_ms", "ms").dt.replace_time_zone("UTC").dt.convert_time_zone(site.time_zone.key)
    minute = local.dt.hour().cast(pl.Int64) * 60 + local.dt.minute().cast(pl.Int64)
    rows = quarters.with_columns(local.dt.date().alias("day"), (minute * 60_000 // QUARTER_MS).alias("slot"))
    slots, prices = _slots(rows["day"].unique().sort().to_list(), site, tariffs)
    priced = rows.join(slots, on=["day", "slot"], how="left", validate="m:1").sort("starts_ms")
    return priced.with_columns(_scaled(priced["amount"], priced["price"], prices)).select(
        pl.col(name).cast(kind) for name, kind in COST.items()
    )


def contract_on(contracts: Sequence[Contract], day: date) -> Contract | None:
    """The contract that holds on a local day; None before the first."""
    held = [contract for contract in contracts if contract.from_day <= day]
    return max(held, key=lambda contract: contract.from_day) if held else None


def _slots(days: list[date], site: Site, tariffs: Tariffs) -> tuple[pl.DataFrame, list[Fraction]]:
    """Band, tariff id and place in the list of prices of every quarter-hour of the days (96 rows for each)."""
    columns: dict[str, list[date | int | str | None]] = {name: [] for name in _SLOT}
    places: dict[Fraction, int] = {}
    for day in days:
        bands, prices, tariff_id = _of_day(contract_on(site.contracts, day), day, site, tariffs)
        columns["day"] += [day] * SLOTS
        columns["slot"] += range(SLOTS)
        columns["band"] += bands
        columns["price"] += [None if price is None else places.setdefault(price, len(places)) for price in prices]
        columns["tariff_id"] += [tariff_id] * SLOTS
    return pl.DataFrame(columns, schema=_SLOT), list(places)


def _of_day(
    contract: Contract | None, day: date, site: Site, tariffs: Tariffs
) -> tuple[Sequence[str], Sequence[Fraction | None], str | None]:
    """Bands and prices (NTD/kWh) of a day's quarter-hours, and its tariff id."""
    if contract is None:
        return [NO_CONTRACT] * SLOTS, [None] * SLOTS, None
    if contract.plan == AVERAGE_PRICE:
        price = average_price(contract)
        return ["all"] * SLOTS, [price] * SLOTS, f"{AVERAGE_PRICE}@{contract.from_day}"
    schedule = tariffs.schedule(contract.plan, day, site.off_peak_days)
    return schedule.bands, schedule.prices, schedule.tariff_id


def average_price(contract: Contract) -> Fraction:
    """The agreed price in NTD/kWh; ValueError where the contract names none."""
    if contract.average_price_ntd_per_kwh is None:
        raise ValueError(f"contract from {contract.from_day}: plan {AVERAGE_PRICE} expected a price per kWh; got none")
    return contract.average_price_ntd_per_kwh


def _scaled(amounts: pl.Series, places: pl.Series, prices: list[Fraction]) -> pl.Series:
    """Amounts (mWh) times their prices in 1e-8 NTD; null where either is null."""
    known = (amounts.is_not_null() & places.is_not_null()).to_numpy()
    amount, place = amounts.fill_null(0).to_numpy(), places.fill_null(-1).to_numpy()
    result = np.zeros(len(amounts), dtype=np.int64)
    for index, price in enumerate(prices):
        mask = known & (place == index)
        result[mask] = scale_half_even(amount[mask], price * E8_PER_MWH)
    return pl.select(pl.when(pl.Series(known)).then(pl.Series("cost_e8", result))).to_series().alias("cost_e8")
