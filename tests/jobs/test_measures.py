"""The stories of the six example sites are in the stored facts: each measure, some days before it and after it."""

from __future__ import annotations

import shutil
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cache, partial
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from jobs.cli import app
from jobs.demo_measures import Compared, compared
from jobs.simulate import SHIPPED, SimulationError, simulate
from streams.catalog.site import load_site
from streams.domain.site import Site
from streams.ingest.files import read_blocks, source_id
from streams.runners.embedded import EmbeddedRunner, Source
from streams.stores.duckdb import DuckDBStore

DAYS = (date(2025, 3, 20), date(2025, 4, 13))
LONG = (date(2025, 2, 15), date(2025, 4, 15))
BEAT_S = 120
NAMES = sorted(path.stem for path in SHIPPED.glob("*.yaml"))


@dataclass(frozen=True)
class Story:
    """A site, its store, and what its measures changed: by name of the measure and unit."""

    site: Site
    days: tuple[date, date]
    path: Path
    rows: dict[tuple[str, str], Compared]

    def ask(self, statement: str) -> pl.DataFrame:
        with closing(DuckDBStore(self.path, read_only=True)) as store:
            return store.query(statement)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> partial[Story]:
    """Each site is made once, when it is first asked for."""
    folder = tmp_path_factory.mktemp("stories")

    @cache
    def told(name: str) -> Story:
        return made(name, LONG if name == "machine_builder_pv" else DAYS, folder / name)

    return partial(told)


def made(name: str, days: tuple[date, date], folder: Path) -> Story:
    source = SHIPPED / f"{name}.yaml"
    zone = load_site(source).time_zone
    begins = datetime.combine(days[0], time(), zone)
    files = simulate(load_site(source), begins, (days[1] - days[0]).days, 7, [], folder, source, beat_s=BEAT_S)
    site, path = load_site(files.site), folder / "store.duckdb"
    with closing(DuckDBStore(path)) as store:
        runner = EmbeddedRunner(site, store, lambda: datetime(2025, 5, 1, tzinfo=UTC))
        runner.ingest(
            Source(source_id(files.telemetry), name, partial(read_blocks, files.telemetry, None)), lambda _: None
        )
        runner.finish()
        found = [row for measure in site.measures for row in compared(store, site, measure, days)]
    return Story(site, days, path, {(row.measure.name, row.unit): row for row in found})


def near(share: float, tolerance: float) -> object:
    return pytest.approx(share, abs=tolerance)


@pytest.mark.parametrize("name", NAMES)
def test_each_example_site_has_measures_in_the_first_half_of_2025(name: str) -> None:
    site = load_site(SHIPPED / f"{name}.yaml")
    assert 1 <= len(site.measures) <= 3
    assert all(date(2025, 2, 15) < measure.from_day < date(2025, 5, 15) for measure in site.measures)
    assert all(measure.title_zh and measure.title_en for measure in site.measures)


def test_variable_speed_saves_a_quarter_or_more_for_each_degree_held_and_the_rooms_stay_in_their_bands(
    story: partial[Story],
) -> None:
    depot = story("cold_chain_depot")
    chillers, fans = depot.rows["variable-speed-chillers", "kWh"], depot.rows["ec-fans", "kWh"]
    assert fans.used.change == near(-0.39, 0.03)
    lift = depot.ask(
        "select avg(mean_value) filter (where starts_at < '2025-03-31 16:00') as before,"
        " avg(mean_value) filter (where starts_at >= '2025-03-31 16:00') as after"
        " from mart.measurement_15min where point = 'cold_chain_depot/outdoor/temp'"
    ).row(0)
    before, after = (
        kwh / (outdoor - 4.8) for kwh, outdoor in zip((chillers.used.before, chillers.used.after), lift, strict=True)
    )
    assert after / before - 1 == near(-0.3, 0.06)
    for row in (chillers, fans):
        assert row.held.before is not None and row.held.after is not None
        assert row.held.after > 0.97
        assert row.held.after >= row.held.before - 0.005
        assert row.output.change == near(0, 0.1)


def test_a_machine_that_is_set_up_once_makes_more_parts_with_less_energy_for_each(story: partial[Story]) -> None:
    shop = story("worm_gear_shop")
    cutter, compressor = shop.rows["set-once", "kWh"], shop.rows["abnormal-use", "kWh"]
    assert cutter.output.change == near(0.3, 0.08)
    assert cutter.each.change == near(-0.2, 0.06)
    assert compressor.used.change == near(-0.22, 0.06)
    minutes = _setup_minutes(shop)
    assert minutes["before"] == near(19, 2)
    assert minutes["after"] == near(4, 0.5)


def _setup_minutes(shop: Story) -> dict[str, float]:
    """Mean length of a set-up, from the words of the control."""
    rows = shop.ask(
        "select case when read_at < '2025-03-31 16:00' then 'before' else 'after' end as side, word,"
        " date_diff('second', read_at, lead(read_at) over (order by read_at)) / 60 as minutes"
        " from mart.state_change where point = 'worm_gear_shop/worm-cutter/execution'"
    )
    return dict(rows.filter(word="SETUP").group_by("side").agg(pl.col("minutes").mean()).iter_rows())


def test_led_halves_the_light_and_the_roof_covers_more_than_half_of_what_was_bought(story: partial[Story]) -> None:
    builder = story("machine_builder_pv")
    assert builder.rows["led", "kWh"].used.change == near(-0.53, 0.06)
    assert builder.rows["rooftop-pv", "kWh"].used.change == near(-0.55, 0.07)
    sides = builder.ask(
        "select point, sum(energy_kwh) filter (where day < '2025-04-01') as before,"
        " sum(energy_kwh) filter (where day >= '2025-04-01') as after from mart.energy_daily group by point"
    )
    kwh = {point.partition("/")[2]: (before, after) for point, before, after in sides.iter_rows()}
    assert kwh["pv/kwh"][0] == kwh["export"][0] == 0
    assert kwh["pv/kwh"][1] == pytest.approx(kwh["self-consumption"][1] + kwh["export"][1])
    assert 0.2 < kwh["export"][1] / kwh["pv/kwh"][1] < 0.6


def test_billets_no_longer_wait_hot_and_the_press_makes_more_and_spoils_less(story: partial[Story]) -> None:
    forge = story("tap_forge")
    furnaces, press = forge.rows["billet-control", "kWh"], forge.rows["trimming-robot", "kWh"]
    assert furnaces.used.change == near(-0.25, 0.05)
    assert furnaces.each.change == near(-0.34, 0.06)
    assert press.each.change is not None and press.each.change < -0.15
    assert furnaces.held.before is not None and furnaces.held.after is not None
    assert furnaces.held.before < 0.98
    assert furnaces.held.after == 1
    sides = forge.ask(
        "select point, sum(amount) filter (where starts_at < '2025-03-31 16:00') as before,"
        " sum(amount) filter (where starts_at >= '2025-03-31 16:00') as after from mart.amount_interval group by point"
    )
    pieces = {point.rpartition("/")[2]: (before, after) for point, before, after in sides.iter_rows()}
    before, after = (good / made for good, made in zip(pieces["good"], pieces["pieces"], strict=True))
    assert after / before - 1 == near(0.1, 0.01)
    hours = (8 * 8.5 + 4, 8 * 6.5 + 4)  # on shift: eight days and a Saturday a side, by half past three after
    assert pieces["good"][1] / hours[1] / (pieces["good"][0] / hours[0]) - 1 == near(0.47, 0.1)


def test_recycled_aluminium_replaces_the_primary_one_and_its_carbon(story: partial[Story]) -> None:
    parts = story("bicycle_parts")
    assert parts.rows["recycled-aluminium", "kg"].each.change == near(0, 0.1)
    assert parts.rows["cnc-robot", "kWh"].each.change == near(-0.19, 0.05)
    sides = parts.ask(
        "select source, sum(location_kgco2e) filter (where starts_at < '2025-03-31 16:00') as before,"
        " sum(location_kgco2e) filter (where starts_at >= '2025-03-31 16:00') as after"
        " from mart.emissions_interval where source like 'aluminium%' group by source"
    ).fill_null(0)
    before, after = float(sides["before"].sum()), float(sides["after"].sum())
    output = parts.rows["recycled-aluminium", "kg"].output.change
    assert output is not None
    assert after / before / (1 + output) - 1 == near(-0.77, 0.1)


def test_the_hybrid_crane_burns_a_third_for_each_move_and_nights_are_quieter(story: partial[Story]) -> None:
    yard = story("container_yard")
    diesel, electricity = yard.rows["hybrid-crane", "L"], yard.rows["hybrid-crane", "kWh"]
    assert diesel.each.change == near(-0.63, 0.07)
    assert electricity.used.before == 0
    assert electricity.each.after == near(0.6, 0.1)
    assert diesel.output.change == near(0, 0.15)
    hours = yard.ask(
        "select point, sum(amount) filter (where starts_at < '2025-03-31 16:00') as before,"
        " sum(amount) filter (where starts_at >= '2025-03-31 16:00') as after"
        " from mart.amount_interval where point like '%engine-h' group by point"
    )
    engine = {point.split("/")[1]: (before, after) for point, before, after in hours.iter_rows()}
    assert engine["straddle-carrier"][0] > 100 > 10 > engine["straddle-carrier"][1]
    assert engine["rtg-1"][0] == 0 < engine["rtg-1"][1]
    night = yard.ask(
        "select point, sum(energy_kwh) filter (where starts_at < '2025-03-31 16:00') / 12 as before,"
        " sum(energy_kwh) filter (where starts_at >= '2025-03-31 16:00') / 12 as after"
        " from mart.energy_interval where hour(starts_at) between 15 and 20 group by point"  # 23 to 5 in Taipei
    )
    kwh = {point.partition("/")[2]: (before, after) for point, before, after in night.iter_rows()}
    assert kwh["yard-lights/kwh"][1] / kwh["yard-lights/kwh"][0] - 1 == near(-0.39, 0.03)
    assert kwh["dispensers/kwh"][1] < 0.4 * kwh["dispensers/kwh"][0]


def test_hot_spots_are_the_fuel_and_the_meters_of_their_assets_each_counted_once(story: partial[Story]) -> None:
    yard = story("container_yard")
    spots = {
        asset: values
        for asset, *values in yard.ask(
            "select asset, sum(fuel_l), sum(energy_kwh), sum(scope_1_kgco2e), sum(location_kgco2e), sum(cost_ntd)"
            " from mart.hot_spot_daily group by asset"
        ).iter_rows()
    }
    fuel = yard.ask(
        "select asset, sum(amount) from mart.amount_interval where point like '%/%/f%' and unit = 'L' group by asset"
    )
    burnt = yard.ask("select asset, sum(location_kgco2e) from mart.emissions_interval where scope = 1 group by asset")
    energy = yard.ask(
        "select k.asset, sum(e.energy_kwh) from (select distinct asset, point from mart.kpi where role = 'energy') as k"
        " inner join mart.energy_daily as e on k.point = e.point group by k.asset"
    )
    for nth, rows in enumerate((fuel, energy, burnt)):
        assert dict(rows.iter_rows()) == pytest.approx(
            {asset: values[nth] for asset, values in spots.items() if values[nth] is not None}
        )
    factor, price = yard.ask(
        "select sum(scope_2_location_kgco2e) / sum(import_kwh), sum(cost_ntd) / sum(import_kwh) from mart.site_daily"
    ).row(0)
    litres, kwh, direct, emitted, cost = spots["rtg-1"]
    assert emitted == pytest.approx(direct + kwh * factor, rel=0.01)
    assert cost == pytest.approx(litres * 30 + kwh * price, rel=0.05)  # the price is that of each day
    lamps = spots["yard-lights"]
    assert lamps[0] is lamps[2] is None
    assert lamps[3] == pytest.approx(lamps[1] * factor, rel=0.01)


def test_a_hot_spot_of_a_day_of_which_its_meter_says_nothing_is_not_known(
    story: partial[Story], tmp_path: Path
) -> None:
    yard = story("container_yard")
    copy = shutil.copy(yard.path, tmp_path / "silent.duckdb")
    with closing(DuckDBStore(Path(copy))) as store:
        store.con.execute(
            "update fact.interval set amount = null, missing_ms = 900000 where local_day = '2025-04-02' and point_id in"
            " (select point_id from op.point where site = 'container_yard'"
            " and point in (site || '/dispensers/kwh', site || '/rtg-1/flow'))"
        )
        found = store.query(
            "select asset, energy_kwh, fuel_l, location_kgco2e, cost_ntd from mart.hot_spot_daily"
            " where day = '2025-04-02' and asset in ('dispensers', 'rtg-1', 'yard-lights') order by asset"
        ).rows()
    assert found[0] == ("dispensers", None, None, None, None)
    assert found[1][1] > 0
    assert found[1][2:] == (None, None, None)
    assert None not in (found[2][1], *found[2][3:])


def test_a_measure_changes_nothing_before_its_day(tmp_path: Path) -> None:
    source = SHIPPED / "tap_forge.yaml"
    later = tmp_path / "later.yaml"
    later.write_text(source.read_text(encoding="utf-8").replace("on: 2025-04-01", "on: 2025-04-08"), encoding="utf-8")
    truths = []
    for path in (source, later):
        site = load_site(path)
        begins = datetime(2025, 3, 28, tzinfo=site.time_zone)
        truths.append(pl.read_parquet(simulate(site, begins, 8, 7, [], tmp_path / path.stem, path).truth))
    assert not truths[0].equals(truths[1])
    at = datetime(2025, 3, 31, 16, tzinfo=UTC)
    before = [truth.filter(pl.col("starts_at") < at).drop("knowable") for truth in truths]
    assert before[0].equals(before[1])


def test_points_are_read_no_more_often_than_the_beat_and_the_file_beside_says_so(tmp_path: Path) -> None:
    source = SHIPPED / "worm_gear_shop.yaml"
    site = load_site(source)
    begins = datetime(2025, 4, 1, tzinfo=site.time_zone)
    files = simulate(site, begins, 2, 7, [], tmp_path / "out", source, beat_s=60)
    sent = pl.read_parquet(files.telemetry).filter(point="worm_gear_shop/worm-cutter/kw")
    assert len(sent) == pytest.approx(2 * 1440, abs=2)
    intervals = {point.name: point.interval_ms for point in load_site(files.site).points}
    assert intervals["worm_gear_shop/worm-cutter/kw"] == 60_000
    assert intervals["worm_gear_shop/main"] == 300_000
    with pytest.raises(SimulationError, match=r"main: expected readings at least every 7200 s \(max_gap\); got 9000 s"):
        simulate(site, begins, 2, 7, [], tmp_path / "slow", source, beat_s=9000)


def test_half_years_of_all_sites_are_made_by_one_command(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["demo", "--cases", "--days", "2", "--output", str(tmp_path / "cases")])
    assert done.exit_code == 0, done.output
    for name in NAMES:
        assert name in done.stdout
        assert all(measure.name in done.stdout for measure in load_site(SHIPPED / f"{name}.yaml").measures)
    with closing(DuckDBStore(tmp_path / "cases" / "kilowatch.duckdb", read_only=True)) as store:
        assert store.query("select site from mart.site order by site")["site"].to_list() == NAMES
