"""Real exports through the shipped mappings: as many readings as rows, and the sums that their sources give."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from streams.ingest.files import read_blocks
from streams.ingest.mapping import read_mapping

ROOT = Path(__file__).parents[2]
DATA = ROOT / "../shared/data"


def load(mapping: str, pattern: str, block_rows: int = 500_000) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Readings and rejects of all files of a set; skips where the set is not there."""
    files = sorted(DATA.glob(pattern))
    if not files:
        pytest.skip(f"../shared/data/{pattern} is not there")
    loaded = read_mapping(ROOT / "deploy/mappings" / f"{mapping}.yaml")
    blocks = [block for path in files for block in read_blocks(path, loaded, block_rows=block_rows)]
    return pl.concat(block.readings for block in blocks), pl.concat(block.rejects for block in blocks)


def exact(values: pl.Series) -> list[Decimal]:
    """The decimals that the file had."""
    return [Decimal(repr(value)) for value in values]


def steps(readings: pl.DataFrame, point: str) -> set[int]:
    """The distances in seconds between neighbouring readings of a point."""
    return set((readings.filter(pl.col("point") == point)["time_ms"].diff().drop_nulls() // 1_000).to_list())


COUNTS = [
    ("homewizard", "homewizard/*.csv", 4 * 2_880, {}),
    ("enphase", "enphase/*.csv", 4 * 16_296, {}),
    ("steel", "steel/*.csv", 3 * 8_640, {}),
    ("ruuvi", "ruuvi/*.csv", 2 * (371 + 368), {}),
    ("fridge_faults", "fridge_faults/Normal/*.csv", 14_396, {"no value": 14}),
    ("fridge_faults_labelled", "fridge_faults/anomaly_*/*.csv", 49_209, {}),
    ("pv_inverters", "pv_inverters/serf*.csv", 10_000, {}),
    ("pv_inverters_labelled", "pv_inverters/*_outliers.csv", 500, {}),
    ("pv_inverters_labelled", "pv_inverters/*_stale_data.csv", 1_851, {"no value": 1_149}),
    ("eemeter_il_daily", "eemeter_il/*daily.csv.gz", 809, {"not finite": 1}),
    ("eemeter_il_hourly", "eemeter_il/*tempF.csv.gz", 19_417, {}),
    ("appliances", "appliances/*.csv", 7 * 8_640, {}),
    ("mazak_loads", "mazak_shdr/*.txt", 749, {"unavailable": 13}),
]


@pytest.mark.parametrize(("mapping", "pattern", "readings", "rejects"), COUNTS)
def test_every_row_of_a_set_is_a_reading_or_a_reject(
    mapping: str, pattern: str, readings: int, rejects: dict[str, int]
) -> None:
    read, rejected = load(mapping, pattern)
    assert len(read) == readings
    assert dict(rejected.group_by("reason").len().iter_rows()) == rejects


def test_the_house_registers_move_by_what_their_source_says() -> None:
    readings, _ = load("homewizard", "homewizard/*.csv")
    moved = {
        str(point): exact(values)[-1] - exact(values)[0]
        for point, values in readings.group_by("point").agg("value").iter_rows()
    }
    assert moved == {
        "house/import-t1": Decimal("855.816"),
        "house/import-t2": Decimal("500.611"),
        "house/export-t1": Decimal("284.979"),
        "house/export-t2": Decimal("576.139"),
    }
    assert steps(readings, "house/import-t1") == {900}


def test_the_steel_mill_is_a_whole_quarter_hour_grid_with_its_energy() -> None:
    readings, _ = load("steel", "steel/*.csv")
    energy = readings.filter(pl.col("point") == "mill/energy")
    assert len(energy) == 8_640
    assert sum(exact(energy["value"])) == Decimal("297966.04")
    assert steps(readings, "mill/energy") == {900}
    assert energy["time_ms"][0] == 1_514_733_300_000  # 2018-01-01T00:15+09:00, the end of the first interval


def test_the_roof_keeps_every_hour_through_both_changes_of_the_clock() -> None:
    readings, _ = load("enphase", "enphase/*.csv")
    assert steps(readings, "roof/produced") == {3_600}
    assert readings.filter(pl.col("quality") == 1).height == 4 * 4


def test_the_steps_of_the_sensors_say_their_offsets_were_read() -> None:
    readings, _ = load("ruuvi", "ruuvi/*.csv")
    assert readings["time_ms"][0] == 1_588_663_071_000  # 2020-05-05T09:17:51+0200
    assert sorted(readings["point"].unique()) == [
        "kitchen/freezer/humidity",
        "kitchen/freezer/temp",
        "kitchen/fridge/humidity",
        "kitchen/fridge/temp",
    ]


def test_the_building_uses_what_its_source_says_before_and_after_the_retrofit() -> None:
    readings, _ = load("eemeter_il_daily", "eemeter_il/*daily.csv.gz")
    values = exact(readings["value"])
    assert sum(values[34:400]) == Decimal("10438.60")  # 366 days from 2015-12-26
    assert sum(values[409:774]) == Decimal("9082.24")  # 365 days from 2017-01-04
    assert readings["time_ms"][409] == 1_483_509_600_000


def test_labels_stay_beside_the_readings() -> None:
    readings, _ = load("pv_inverters_labelled", "pv_inverters/*_outliers.csv")
    assert readings["extra"].str.json_path_match("$.outlier").value_counts().sort("count")["count"].to_list() == [
        6,
        494,
    ]


def test_an_unavailable_axis_of_the_machine_is_never_a_zero() -> None:
    readings, rejects = load("mazak_loads", "mazak_shdr/*.txt")
    first = readings.filter(pl.col("point") == "mill/x-load").row(0, named=True)
    assert (first["value"], first["unit"]) == (44.0, "%")
    assert rejects["payload"].str.contains("UNAVAILABLE").all()


@pytest.mark.parametrize(("mapping", "pattern", "readings", "rejects"), COUNTS)
def test_the_cuts_of_a_set_change_nothing(mapping: str, pattern: str, readings: int, rejects: dict[str, int]) -> None:
    whole, wrong = load(mapping, pattern)
    cut, cut_wrong = load(mapping, pattern, block_rows=997)
    assert cut.equals(whole)
    assert cut_wrong.sort("reason", "payload").equals(wrong.sort("reason", "payload"))
