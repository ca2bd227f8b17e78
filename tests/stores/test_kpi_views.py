"""Views of key figures: what is not known is null, and several meters are one system."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from streams.catalog.kpi_kinds import derived_of
from streams.domain.kpi import Kpi, KpiKind
from streams.domain.site import PointKind, Quantity
from streams.operators.points import PointTable
from streams.stores.duckdb import DuckDBStore
from streams.stores.site import SiteStore
from tests.stores.test_duckdb import RECEIVED, RECEIVED_MS, table_of
from tests.stores.test_tallies import Row, frame, point

DAY = 86_400
GENERATED, EXPORTED, MAIN = "site/pv", "site/export", "site/main"
LAMPS = ("site/lamps-1", "site/lamps-2")
FILLS, MOVES, GOOD, SCRAP, POWER = (f"site/{name}" for name in ("fills", "moves", "good", "scrap", "kw"))
HEAT = "site/heat"
OTHERS = (
    point(FILLS, PointKind.AMOUNT, Quantity.VOLUME, "L"),
    point(MOVES, PointKind.REGISTER, Quantity.COUNT, "1"),
    point(GOOD, PointKind.REGISTER, Quantity.COUNT, "pcs"),
    point(SCRAP, PointKind.REGISTER, Quantity.COUNT, "pcs"),
    replace(point(HEAT, PointKind.GAUGE, Quantity.TEMPERATURE, "Cel"), resolution_ms=300_000),
    replace(point(POWER, PointKind.POWER, Quantity.ENERGY, "kW"), resolution_ms=300_000),
)


def kpi(kind: KpiKind, roles: dict[str, tuple[str, ...]], numbers: dict[str, float], system: str = "") -> Kpi:
    """A key figure of the hall."""
    points = tuple((role, name) for role, names in roles.items() for name in names)
    derived = derived_of(kind, {role: list(names) for role, names in roles.items()}, numbers, {})
    return Kpi(kind, "hall", points, tuple(numbers.items()), derived, system)


def views(path: Path, kpis: tuple[Kpi, ...], readings: list[Row], *names: str) -> list[dict[str, Any]]:
    """The rows of views, one a day, side by side."""
    meters = [point(name, PointKind.REGISTER, Quantity.ENERGY, "kWh") for name in (GENERATED, EXPORTED, MAIN, *LAMPS)]
    points = (*meters, *OTHERS)
    site = replace(table_of(1).site, points=points, import_points=(MAIN,), kpis=kpis)
    store = DuckDBStore(path)
    kept = SiteStore(store, PointTable.of(site))
    pipeline = kept.pipeline()
    number, _, _, _ = kept.source("abc", "test", RECEIVED)
    kept.commit(pipeline.step(frame(sorted(readings, key=lambda row: row[1])), RECEIVED_MS), RECEIVED,
                source=(number, "test", 0, len(readings)))  # fmt: skip
    kept.commit(pipeline.flush(), RECEIVED, control=("flush", RECEIVED))
    rows = [store.query(f"select * from mart.{name} order by day") for name in names]
    store.close()
    return pl.concat(rows, how="horizontal").to_dicts()


def climbing(name: str, a_minute: float, *, since: int = 0, until: int = 2 * DAY) -> list[Row]:
    """A register that climbs evenly, read every five minutes."""
    return [(name, second, 100 + second / 60 * a_minute, None) for second in range(since, until + 1, 300)]


SOLAR = {"generation": (GENERATED,), "export": (EXPORTED,)}


def test_a_plant_sells_what_it_exports_and_the_site_uses_the_rest(tmp_path: Path) -> None:
    readings = climbing(GENERATED, 0.5) + climbing(EXPORTED, 0.2) + climbing(MAIN, 0.1)
    days = views(tmp_path / "a.duckdb", (kpi(KpiKind.SOLAR, SOLAR, {"kwp": 100.0}),), readings, "solar_daily")
    whole = max(days, key=lambda row: row["generation_kwh"])
    assert whole["generation_kwh"] == pytest.approx(0.5 * 1440)
    assert whole["self_consumption_share"] == pytest.approx(0.6)
    assert whole["self_sufficiency_share"] == pytest.approx(0.3 / 0.4)
    assert whole["specific_yield_h"] == pytest.approx(7.2)


def test_a_silent_meter_of_exports_is_no_export_of_zero(tmp_path: Path) -> None:
    readings = climbing(GENERATED, 0.5) + climbing(EXPORTED, 0.2, until=3600) + climbing(MAIN, 0.1)
    plant = kpi(KpiKind.SOLAR, SOLAR, {"export_ntd_per_kwh": 4.0})
    last = views(tmp_path / "a.duckdb", (plant,), readings, "solar_daily")[-1]
    assert last["generation_kwh"] > 0
    assert {last[name] for name in ("export_kwh", "export_ntd", "self_consumed_kwh", "self_consumption_share")} == {
        None
    }


def test_a_silent_meter_of_generation_is_no_use_of_zero(tmp_path: Path) -> None:
    readings = climbing(GENERATED, 0.5, until=3600) + climbing(EXPORTED, 0.2) + climbing(MAIN, 0.1)
    last = views(tmp_path / "a.duckdb", (kpi(KpiKind.SOLAR, SOLAR, {}),), readings, "solar_daily")[-1]
    assert last["export_kwh"] > 0
    assert {last[name] for name in ("generation_kwh", "self_consumed_kwh", "self_sufficiency_share")} == {None}


def test_a_plant_without_a_meter_of_exports_exports_nothing(tmp_path: Path) -> None:
    readings = climbing(GENERATED, 0.5) + climbing(MAIN, 0.5)
    days = views(
        tmp_path / "a.duckdb", (kpi(KpiKind.SOLAR, {"generation": (GENERATED,)}, {}),), readings, "solar_daily"
    )
    assert days[0]["export_kwh"] == 0
    assert days[0]["self_consumption_share"] == pytest.approx(1)
    assert days[0]["self_sufficiency_share"] == pytest.approx(0.5)


def test_two_meters_of_one_system_are_its_power_together(tmp_path: Path) -> None:
    readings = climbing(LAMPS[0], 5 / 60) + climbing(LAMPS[1], 5 / 60)
    lights = kpi(KpiKind.LOAD, {"energy": LAMPS}, {"from_h": 8.0, "to_h": 18.0}, "lights")
    for day in views(tmp_path / "a.duckdb", (lights,), readings, "load_daily"):
        assert day["off_hours_kw"] == pytest.approx(10)
        assert day["off_hours_h"] <= 24


def test_fuel_that_is_filled_in_now_and_then_is_that_of_all_moves_and_of_no_single_day(tmp_path: Path) -> None:
    crane = kpi(KpiKind.HANDLER, {"fuel": (FILLS,), "moves": (MOVES,)}, {"fuel_ntd_per_l": 30.0})
    readings = [*climbing(MOVES, 1.0), (FILLS, 3600, 100.0, None)]
    days = views(tmp_path / "a.duckdb", (crane,), readings, "handler_daily")
    assert len(days) >= 3
    assert {day["l_per_move"] for day in days} == {None}
    assert [day["fuel_l"] for day in days] == [100.0] + [0.0] * (len(days) - 1)
    assert sum(day["fuel_ntd"] for day in days) == 3_000
    assert sum(day["moves"] for day in days) == pytest.approx(2 * 1440)


@pytest.mark.parametrize("kind", [KpiKind.HANDLER, KpiKind.MACHINE, KpiKind.FURNACE])
def test_energy_of_half_a_day_is_not_that_of_the_pieces_of_all_of_it(kind: KpiKind, tmp_path: Path) -> None:
    made, each = ("moves", "kwh_per_move") if kind is KpiKind.HANDLER else ("good", "kwh_per_piece")
    counter = MOVES if kind is KpiKind.HANDLER else GOOD
    row = kpi(kind, {"energy": (MAIN,), made: (counter,)}, {})
    begin = (climbing(MAIN, 0.1, until=DAY + DAY // 2), climbing(MAIN, 0.1))
    for nth, energy in enumerate(begin):
        days = views(tmp_path / f"{nth}.duckdb", (row,), energy + climbing(counter, 1.0), f"{kind}_daily")
        whole = [day[each] for day in days]
        assert whole[0] == pytest.approx(0.1)
        assert whole[-1] == (pytest.approx(0.1) if nth else None)


def test_scrap_of_half_a_day_gives_no_yield(tmp_path: Path) -> None:
    row = kpi(KpiKind.FURNACE, {"good": (GOOD,), "scrap": (SCRAP,)}, {})
    for nth, until in enumerate((DAY + DAY // 2, 2 * DAY)):
        readings = climbing(GOOD, 0.9) + climbing(SCRAP, 0.1, until=until)
        days = views(tmp_path / f"{nth}.duckdb", (row,), readings, "furnace_daily")
        assert days[0]["yield_share"] == pytest.approx(0.9)
        assert days[-1]["yield_share"] == (pytest.approx(0.9) if nth else None)


def test_oee_of_pieces_that_were_counted_for_half_a_day_is_not_known(tmp_path: Path) -> None:
    numbers = {"idle_kw": 0.5, "setup_kw": 2.0, "cutting_kw": 5.0, "planned_h": 16.0, "ideal_s": 30.0}
    row = kpi(KpiKind.MACHINE, {"power": (POWER,), "good": (GOOD,), "scrap": (SCRAP,)}, numbers)
    power = [(POWER, second, 6.0, None) for second in range(0, 2 * DAY + 1, 300)]
    names = ("effectiveness", "quality_ratio", "oee")
    for nth, until in enumerate((DAY + DAY // 2, 2 * DAY)):
        readings = power + climbing(GOOD, 0.9, until=until) + climbing(SCRAP, 0.1, until=until)
        days = views(tmp_path / f"{nth}.duckdb", (row,), readings, "machine_daily")
        whole, other = days[0], days[1]
        assert [whole[name] for name in names] == pytest.approx(
            [0.5, 0.9, 0.5 * 0.9 * whole["cutting_h"] / 16], rel=0.01
        )
        assert [other[name] is None for name in names] == [nth == 0] * 3


def test_a_role_is_known_as_long_as_its_points_are_whatever_their_intervals(tmp_path: Path) -> None:
    row = kpi(KpiKind.ROOM, {"energy": (POWER, MAIN)}, {})
    power = [(POWER, second, 6.0, None) for second in range(0, 2 * DAY + 1, 300)]
    for nth, until in enumerate((DAY, 2 * DAY)):
        readings = power + climbing(MAIN, 0.1, until=until)
        days = views(tmp_path / f"{nth}.duckdb", (row,), readings, "kpi_daily")
        assert [day["known_h"] for day in days[:2]] == pytest.approx([16, 24 if nth else (24 + 8) / 2], abs=0.3)


def test_hours_that_a_furnace_waits_are_not_known_without_a_counter(tmp_path: Path) -> None:
    numbers = {"hot_c": 650.0, "too_hot_c": 780.0}
    heat = [(HEAT, second, 700.0, None) for second in range(0, 2 * DAY + 1, 300)]
    counted = kpi(KpiKind.FURNACE, {"temperature": (HEAT,), "good": (GOOD,)}, numbers)
    idle = heat + climbing(GOOD, 0.0, until=DAY) + climbing(GOOD, 1.0, since=DAY + 300)
    days = views(tmp_path / "counted.duckdb", (counted,), idle, "furnace_daily")
    assert days[0]["waiting_hot_h"] == days[0]["hot_h"] > 0
    assert days[-1]["waiting_hot_h"] == 0 < days[-1]["hot_h"]
    bare = kpi(KpiKind.FURNACE, {"temperature": (HEAT,)}, numbers)
    for day in views(tmp_path / "bare.duckdb", (bare,), heat, "furnace_daily"):
        assert day["hot_h"] > 0
        assert day["waiting_hot_h"] is None
