"""Real telemetry through the command into a store: the figures of its sources, read from the mart."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from jobs.cli import app

ROOT = Path(__file__).parents[2]
DATA = ROOT / "../shared/data"
INTERVAL = "kind: interval, unit: Wh, decimals: 3"
QUARTER = "kind: interval, interval: 15min, decimals: 2"
TEMP = "kind: gauge, unit: Cel, minimum: -60, maximum: 60"
LOAD = 'kind: gauge, unit: "%"'

SETS: dict[str, tuple[str, str, str, dict[str, str]]] = {
    # mapping: files, time zone, first day, points
    "homewizard": (
        "homewizard/*.csv",
        "Europe/Amsterdam",
        "2022-01-01",
        dict.fromkeys(
            ("import-t1", "import-t2", "export-t1", "export-t2"),
            "kind: register, unit: kWh, decimals: 3, digits: 6, interval: 15min, max_kw: 20",
        ),
    ),
    "enphase": (
        "enphase/*.csv",
        "Europe/Amsterdam",
        "2022-10-01",
        dict.fromkeys(("produced", "consumed", "exported", "imported"), f"{INTERVAL}, interval: 1h, stamp: start"),
    ),
    "steel": (
        "steel/*.csv",
        "Asia/Seoul",
        "2018-01-01",
        {
            "energy": f"{QUARTER}, unit: kWh",
            "reactive-lagging": f"{QUARTER}, unit: kvarh",
            "reactive-leading": f"{QUARTER}, unit: kvarh",
        },
    ),
    "ruuvi": (
        "ruuvi/*.csv",
        "Europe/Amsterdam",
        "2020-05-01",
        {"freezer/temp": TEMP, "fridge/temp": TEMP, "freezer/humidity": LOAD, "fridge/humidity": LOAD},
    ),
    "fridge_faults": (
        "fridge_faults/Normal/*.csv",
        "UTC",
        "2020-01-01",
        {"power": "kind: power, unit: W, interval: 60s, max_gap: 5min"},
    ),
    "fridge_faults_labelled": (
        "fridge_faults/anomaly_Faulty_Compressor/*.csv",
        "UTC",
        "2020-01-01",
        {"power": "kind: power, unit: W, interval: 60s, max_gap: 5min"},
    ),
    "pv_inverters": (
        "pv_inverters/serf*.csv",
        "Etc/GMT+7",
        "2016-01-01",
        {"inverter": "kind: power, unit: kW, interval: 15min, max_gap: 30min"},
    ),
    "pv_inverters_labelled": (
        "pv_inverters/*_outliers.csv",
        "UTC",
        "2010-01-01",
        {"ac_power_inv_7539_outliers": 'kind: gauge, unit: "1"'},
    ),
    "eemeter_il_daily": (
        "eemeter_il/*daily.csv.gz",
        "America/Chicago",
        "2015-01-01",
        {"energy": "kind: interval, unit: kWh, interval: 1d, max_gap: 2d, stamp: start, decimals: 2"},
    ),
    "appliances": (
        "appliances/*.csv",
        "Europe/Brussels",
        "2016-01-01",
        {
            "appliances": f"{INTERVAL}, interval: 10min, resolution: 5min",
            "lights": f"{INTERVAL}, interval: 10min, resolution: 5min",
        }
        | dict.fromkeys(("kitchen-temp", "living-temp", "laundry-temp", "office-temp", "outdoor-temp"), TEMP),
    ),
    "mazak_loads": (
        "mazak_shdr/*.txt",
        "America/New_York",
        "2017-01-01",
        dict.fromkeys(
            ("x-load", "y-load", "z-load", "b-load", "c-load", "spindle-load", "spindle-2-load"),
            'kind: gauge, unit: "%", minimum: -500, maximum: 500',
        )
        | dict.fromkeys(("spindle-temp", "spindle-2-temp"), "kind: gauge, unit: Cel")
        | dict.fromkeys(("execution", "mode", "power-state"), "kind: state")
        | {"pieces": "kind: gauge, unit: pcs"},
    ),
}
PREFIX = {
    "homewizard": "house",
    "enphase": "roof",
    "steel": "mill",
    "ruuvi": "kitchen",
    "fridge_faults": "fridge",
    "fridge_faults_labelled": "fridge",
    "pv_inverters": "roof",
    "pv_inverters_labelled": "roof",
    "eemeter_il_daily": "building",
    "appliances": "home",
    "mazak_loads": "mill",
}
COUNTS = {
    "homewizard": (11_520, {}),
    "enphase": (65_184, {}),
    "steel": (25_920, {}),
    "ruuvi": (1_478, {}),
    "fridge_faults": (14_396, {"no value": 14}),
    "fridge_faults_labelled": (18_079, {}),
    "pv_inverters": (10_000, {}),
    "pv_inverters_labelled": (500, {}),
    "eemeter_il_daily": (809, {"not finite": 1}),
    "appliances": (60_480, {}),
    "mazak_loads": (749, {"unavailable": 13}),
}

Ask = Callable[[str, str], list[tuple[object, ...]]]


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """Ask the store of a set, which is filled when it is asked for the first time."""
    folder = tmp_path_factory.mktemp("sets")

    def of_store(name: str, sql: str) -> list[tuple[object, ...]]:
        store = folder / f"{name}.duckdb"
        if not store.exists():
            fill(name, folder, store)
        with duckdb.connect(str(store), read_only=True) as con:
            return con.execute(sql).fetchall()

    return of_store


def fill(name: str, folder: Path, store: Path) -> None:
    """Take the files of a set through `kilowatch ingest` with its shipped mapping."""
    pattern, zone, starts_on, points = SETS[name]
    files = sorted(DATA.glob(pattern))
    if not files:
        pytest.skip(f"../shared/data/{pattern} is not there")
    lines = [f"  - {{name: {point}, asset: all, {rest}}}" for point, rest in points.items()]
    head = f"site: {PREFIX[name]}\nkind: machining\ntime_zone: {zone}\nstarts_on: {starts_on}\ngwp_set: AR5\n"
    site = folder / f"{name}.yaml"
    site.write_text(f"{head}assets:\n  - {{name: all}}\npoints:\n" + "\n".join(lines) + "\n")
    mapping = ROOT / "deploy/mappings" / f"{name}.yaml"
    arguments = ["ingest", site, *files, "--mapping", mapping, "--store", f"duckdb:///{store}"]
    done = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    assert done.exit_code == 0, done.output


def sent(pattern: str, *, delimiter: str = ",") -> list[dict[str, str]]:
    """The rows of a set's files as their source wrote them."""
    rows: list[dict[str, str]] = []
    for path in sorted(DATA.glob(pattern)):
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows += csv.DictReader(file, delimiter=delimiter)
    return rows


def total(ask: Ask, name: str, point: str) -> float:
    """Energy of a point over all days, kWh."""
    return float(str(ask(name, f"select sum(energy_kwh) from mart.energy_daily where point = '{point}'")[0][0]))


@pytest.mark.parametrize("name", SETS)
def test_every_reading_of_a_set_is_stored_or_in_quarantine_with_its_reason(name: str, ask: Ask) -> None:
    reasons = ask(name, "select reason, count(*) from mart.quarantine group by reason")
    assert (ask(name, "select count(*) from raw.reading")[0][0], dict(reasons)) == COUNTS[name]


@pytest.mark.parametrize("name", [name for name, (*_, points) in SETS.items() if "register" in str(points)])
def test_no_energy_of_a_register_is_lost_or_made_on_any_day(name: str, ask: Ask) -> None:
    days, open_days = ask(name, "select count(*), count(*) filter (residual_kwh <> 0) from mart.conservation")[0]
    assert (days, open_days) == (4 * 30, 0)


def test_four_house_registers_move_by_what_their_source_says(ask: Ask) -> None:
    for view in ("energy_daily", "energy_interval"):
        moved = ask("homewizard", f"select point, round(sum(energy_kwh), 3) from mart.{view} group by 1 order by 1")
        assert moved == [
            ("house/export-t1", 284.979),
            ("house/export-t2", 576.139),
            ("house/import-t1", 855.816),
            ("house/import-t2", 500.611),
        ]


def test_the_steel_mill_is_a_whole_grid_of_quarter_hours_with_its_energy(ask: Ask) -> None:
    grid = (
        "select count(*), count(distinct starts_at), min(starts_at), max(ends_at), "
        "count(*) filter (quality <> 'measured'), round(sum(energy_kwh), 2) "
        "from mart.energy_interval where point = 'mill/energy'"
    )
    [(*counts, begins, ends, guessed, kwh)] = ask("steel", grid)
    assert (counts, guessed, kwh) == ([8_640, 8_640], 0, 297_966.04)
    assert (str(begins), str(ends)) == ("2017-12-31 15:00:00", "2018-03-31 15:00:00")  # midnights in Seoul
    assert ask("steel", "select count(*) from mart.energy_daily where point = 'mill/energy'") == [(90,)]


def test_the_roof_covers_of_itself_and_of_the_house_what_its_columns_say(ask: Ask) -> None:
    rows = sent("enphase/*.csv")
    words = ("Energy Produced (Wh)", "Energy Consumed (Wh)", "Exported to Grid (Wh)", "Imported from Grid (Wh)")
    produced, consumed, exported, imported = (sum(int(row[word]) for row in rows) for word in words)
    names = ("roof/produced", "roof/consumed", "roof/exported", "roof/imported")
    kwh = [total(ask, "enphase", name) for name in names]
    assert kwh == pytest.approx([each / 1_000 for each in (produced, consumed, exported, imported)], abs=1e-6)
    self_consumption, self_sufficiency = 1 - kwh[2] / kwh[0], 1 - kwh[3] / kwh[1]
    assert self_consumption == pytest.approx((produced - exported) / produced, abs=1e-9)
    assert self_sufficiency == pytest.approx((consumed - imported) / consumed, abs=1e-9)
    assert 0.2 < self_consumption < 0.9


def test_each_hour_of_the_roof_has_the_energy_of_its_row_through_both_changes_of_the_clock(ask: Ask) -> None:
    hours = (
        "select round(sum(energy_kwh) * 1000) from mart.energy_interval where point = 'roof/produced' "
        "group by date_trunc('hour', starts_at) order by date_trunc('hour', starts_at)"
    )
    found = [value for (value,) in ask("enphase", hours)]
    assert found == [int(row["Energy Produced (Wh)"]) for row in sent("enphase/*.csv")]


def test_the_refrigerators_have_the_energy_under_the_line_through_their_readings(ask: Ask) -> None:
    for name, form, pattern in (
        ("fridge_faults", "%m/%d/%Y %H:%M", "fridge_faults/Normal/*.csv"),
        ("fridge_faults_labelled", "%Y-%m-%d %H:%M:%S", "fridge_faults/anomaly_Faulty_Compressor/*.csv"),
    ):
        read = {datetime.strptime(row["ctime"], form).replace(tzinfo=UTC): row["activePower"] for row in sent(pattern)}
        line = sorted((when, float(power)) for when, power in read.items() if power)
        seconds = [((after - before).total_seconds(), a + b) for (before, a), (after, b) in pairwise(line)]
        under = sum(length * power / 2 for length, power in seconds if length <= 300) / 3_600_000
        assert total(ask, name, "fridge/power") == pytest.approx(under, rel=1e-4)


def test_the_building_uses_what_its_source_says_before_and_after_the_retrofit(ask: Ask) -> None:
    sql = "select round(sum(energy_kwh), 2) from mart.energy_daily where day >= '{}' and day < '{}'"
    assert ask("eemeter_il_daily", sql.format("2015-12-26", "2016-12-26")) == [(10_438.60,)]
    assert ask("eemeter_il_daily", sql.format("2017-01-04", "2018-01-04")) == [(9_082.24,)]


def test_a_house_uses_the_watt_hours_of_its_ten_minutes(ask: Ask) -> None:
    rows = sent("appliances/*.csv")
    for column, point in (("Appliances", "home/appliances"), ("lights", "home/lights")):
        assert total(ask, "appliances", point) == pytest.approx(sum(int(row[column]) for row in rows) / 1_000)


def test_the_temperatures_of_freezer_and_fridge_are_those_that_their_sensors_sent(ask: Ask) -> None:
    found = ask(
        "ruuvi",
        "select point, sum(readings), min(lowest_value), max(highest_value), sum(mean_value * readings) "
        "from mart.measurement_15min where point like '%/temp' group by point order by point",
    )
    for (point, *figures), file in zip(found, ("freezer", "fridge"), strict=True):
        values = {row["timestamp"]: float(row["temperature"]) for row in sent(f"ruuvi/{file}.csv")}.values()
        assert point == f"kitchen/{file}/temp"
        assert figures == pytest.approx([len(values), min(values), max(values), sum(values)])


def test_an_unavailable_axis_of_the_machine_is_in_quarantine_and_never_a_zero(ask: Ask) -> None:
    payloads = ask("mazak_loads", "select payload from mart.quarantine")
    assert all("UNAVAILABLE" in str(payload) for (payload,) in payloads)
    words = ask(
        "mazak_loads", "select distinct text from raw.reading join op.point using (point_id) where kind = 'state'"
    )
    assert {"ACTIVE", "ON"} & {word for (word,) in words}


def test_every_shipped_mapping_with_a_real_set_is_here() -> None:
    shipped = {path.stem for path in (ROOT / "deploy/mappings").glob("*.yaml")}
    assert shipped - set(SETS) == {"home_assistant", "eemeter_il_hourly"}  # whose readings tests/ingest counts
