"""What a store says of a site's measures: each one's energy, fuel and material a day, before and after its day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

import polars as pl
from rich.table import Table

from jobs.simulation.command import plain_table
from streams.domain.site import Band, Measure, Site
from streams.stores.duckdb import DuckDBStore

UNITS = {"energy": "kWh", "fuel": "L", "material": "kg"}
AMOUNTS = {"energy": ("mart.energy_interval", "energy_kwh"), "other": ("mart.amount_interval", "amount")}


@dataclass(frozen=True, slots=True)
class Sides:
    """A number before a measure's day and after it; None where nothing is known."""

    before: float | None
    after: float | None

    @property
    def change(self) -> float | None:
        """After over before, less one."""
        return None if not self.before or self.after is None else self.after / self.before - 1


@dataclass(frozen=True, slots=True)
class Compared:
    """One of a measure's `energy`, `fuel` and `material`: in `unit` a day, the output a day, and for each output.

    `held`: the share of the quarter-hours in which the condition held, by their means.
    """

    measure: Measure
    unit: str
    used: Sides
    output: Sides
    each: Sides
    held: Sides


def compared(store: DuckDBStore, site: Site, measure: Measure, days: tuple[date, date]) -> list[Compared]:
    """What a store has of a measure between two local days, the last one left out.

    Nothing is taken out for weather, season or days off: what is compared is what was counted.
    """
    at = datetime.combine(measure.from_day, time(), site.time_zone).astimezone(UTC).replace(tzinfo=None)
    began = min(max(measure.from_day, days[0]), days[1])
    lengths = ((began - days[0]).days, (days[1] - began).days)
    output = _a_day(store, "other", measure.output, at, lengths) if measure.output else Sides(None, None)
    held = _held(store, measure.condition, at) if measure.condition else Sides(None, None)
    found = []
    for key, unit in UNITS.items():
        points: tuple[str, ...] = getattr(measure, key)
        if points:
            used = _a_day(store, "energy" if key == "energy" else "other", points, at, lengths)
            each = Sides(_ratio(used.before, output.before), _ratio(used.after, output.after))
            found.append(Compared(measure, unit, used, output, each, held))
    return found


def _ratio(amount: float | None, output: float | None) -> float | None:
    return None if amount is None or not output else amount / output


def _a_day(store: DuckDBStore, what: str, points: Sequence[str], at: datetime, lengths: tuple[int, int]) -> Sides:
    view, column = AMOUNTS[what]
    names = ", ".join(f"$p{nth}" for nth in range(len(points)))
    rows = store.query(
        f"select sum({column}) filter (where starts_at < $at) as before,"  # noqa: S608  # names of views and parameters
        f" sum({column}) filter (where starts_at >= $at) as after from {view} where point in ({names})",
        {"at": at, **{f"p{nth}": point for nth, point in enumerate(points)}},
    )
    sums = rows.row(0)
    before, after = (
        None if amount is None or length < 1 else amount / length for amount, length in zip(sums, lengths, strict=True)
    )
    return Sides(before, after)


def _held(store: DuckDBStore, band: Band, at: datetime) -> Sides:
    rows = store.query(
        "select starts_at >= $at as is_after, mean_value from mart.measurement_15min where point = $point",
        {"at": at, "point": band.point},
    )
    low, high = (band.low, band.high)
    inside = pl.lit(value=True)
    inside = inside if low is None else inside & (pl.col("mean_value") >= low)
    inside = inside if high is None else inside & (pl.col("mean_value") <= high)
    shares = dict(rows.group_by("is_after").agg(inside.mean()).iter_rows())
    return Sides(shares.get(False), shares.get(True))


def measures_table(store: DuckDBStore, sites: Sequence[Site], days: tuple[date, date]) -> Table:
    """A row for each thing that a measure of these sites compares."""
    table = plain_table("Measures: what was counted a day before and after, weather and season left in")
    names = ("site, measure", "", "before", "after", "change", "output", "for each\noutput", "condition\nheld")
    for nth, name in enumerate(names):
        table.add_column(name, justify="left" if nth < 2 else "right", no_wrap=True)
    for site in sites:
        table.add_row(site.name)
        for measure in site.measures:
            for row in compared(store, site, measure, days):
                held = [row.held.before, row.held.after]
                shown = " → ".join(f"{share:.0%}" for share in held if share is not None)
                amounts = (
                    f"{amount:,.1f}" if amount is not None else "–" for amount in (row.used.before, row.used.after)
                )
                changes = (_percent(each.change) for each in (row.used, row.output, row.each))
                table.add_row(f"  {measure.name}", row.unit, *amounts, *changes, shown)
    return table


def _percent(change: float | None) -> str:
    return "" if change is None else f"{change:+.0%}"
