"""Rolling energy and demand from facts."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.domain.site import Contract, Site, SiteKind
from streams.operators.demand import demand, projected_mw, quarters
from streams.operators.rolling import rolling

QUARTER = 900_000
START = 1_767_225_600_000


def facts_of(amounts: list[int | None], place: int = 0, from_quarter: int = 0) -> pl.DataFrame:
    """Quarter-hour facts; None is missing."""
    starts = [START + (from_quarter + nth) * QUARTER for nth in range(len(amounts))]
    return pl.DataFrame(
        {
            "place": [place] * len(amounts),
            "starts_ms": starts,
            "ends_ms": [each + QUARTER for each in starts],
            "amount": pl.Series(amounts, dtype=pl.Int64),
            "estimated": [0] * len(amounts),
            "missing_ms": [QUARTER if each is None else 0 for each in amounts],
            "revision": pl.Series([0] * len(amounts), dtype=pl.Int32),
        },
        schema_overrides={"place": pl.Int64},
    )


@given(st.lists(st.one_of(st.none(), st.integers(0, 10**9)), min_size=1, max_size=120))
def test_rolling_sums_are_those_of_a_plain_loop(amounts: list[int | None]) -> None:
    rows = rolling(facts_of(amounts), START)
    for nth, row in enumerate(rows.iter_rows(named=True)):
        for name, count in (("15min", 1), ("1h", 4), ("24h", 96)):
            window = amounts[max(nth + 1 - count, 0) : nth + 1]
            known = [each for each in window if each is not None]
            assert row[f"amount_{name}"] == (sum(known) if known else None)
            assert row[f"missing_{name}_ms"] == (count - len(known)) * QUARTER


def site_of(*contracts: Contract) -> Site:
    zone = ZoneInfo("Asia/Taipei")
    return Site("s", SiteKind.MACHINING, zone, "", "", date(2025, 1, 1), (), (), (), (), contracts, (), "AR5", (), "")


def test_demand_is_four_times_the_energy_of_its_quarter_against_the_contract_of_the_day() -> None:
    contracts = (Contract(date(2025, 1, 1), "HV_3T", 300), Contract(date(2026, 1, 2), "HV_3T", 400))
    amounts: list[int | None] = [25_000_000] * 65
    rows = demand(quarters(facts_of(amounts), 1), site_of(*contracts))
    assert rows["demand_mw"].unique().to_list() == [100_000_000]
    assert rows["contract_mw"].to_list() == [300_000_000] * 64 + [400_000_000]  # START is 08:00 in Taipei


def test_a_point_without_a_fact_makes_the_demand_unknown_not_smaller() -> None:
    facts = pl.concat([facts_of([1_000, 1_000], 0), facts_of([1_000], 1), facts_of([None], 1, 2)])
    rows = demand(quarters(facts, 2), site_of())
    assert rows["demand_mw"].to_list() == [8_000, None, None]


def test_the_projection_takes_the_present_power_to_the_end_of_the_quarter() -> None:
    assert projected_mw(0, 0, 100_000_000) == 100_000_000
    assert projected_mw(50_000_000, 450_000, 100_000_000) == 250_000_000
    with pytest.raises(ValueError, match="expected 0 to 900000; got 900001"):
        projected_mw(0, 900_001, 0)
