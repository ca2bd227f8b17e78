"""Mappings: columns of other products become readings, and a mapping that cannot be is refused with its line."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from streams.domain.findings import CatalogError, IngestError
from streams.ingest.files import read_blocks
from streams.ingest.mapping import Mapping, read_mapping

MAPPINGS = Path(__file__).parents[2] / "deploy" / "mappings"


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000)


def read_as(
    tmp_path: Path, mapping: str, content: str | bytes, name: str = "export.csv"
) -> tuple[list[Any], list[Any]]:
    """Readings and rejects of a file with this content under a mapping of this YAML."""
    (tmp_path / "mapping.yaml").write_text(mapping)
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    blocks = list(read_blocks(tmp_path / name, read_mapping(tmp_path / "mapping.yaml")))
    readings = [row for block in blocks for row in block.readings.rows()]
    return readings, [row for block in blocks for row in block.rejects.rows()]


GERMAN = """
format: csv
delimiter: ";"
encoding: cp1252
decimal: ","
thousands: "."
skip_rows: 2
time: [Datum, Zeit]
time_format: "%d.%m.%Y %H:%M"
time_zone: Europe/Berlin
stamp: end
columns:
  Zähler: {point: werk/main, unit: kWh, scale: 0.001}
  Temperatur: {point: werk/temp, unit: Cel}
skip: ["Status*"]
"""


def test_a_german_export_with_preamble_commas_and_code_page_is_read(tmp_path: Path) -> None:
    lines = ["Müller GmbH", "", "Datum;Zeit;Zähler;Temperatur;Status A", "01.02.2026;00:15;1.234.567,5;-18,25;ok"]
    readings, rejects = read_as(tmp_path, GERMAN, "\r\n".join(lines).encode("cp1252"))
    assert readings == [
        ("werk/main", ms("2026-01-31T23:15"), 1234.5675, None, "kWh", 0, None),
        ("werk/temp", ms("2026-01-31T23:15"), -18.25, None, "Cel", 0, None),
    ]
    assert rejects == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp950", "big5"])
def test_files_of_every_encoding_give_the_same_names(tmp_path: Path, encoding: str) -> None:
    mapping = f"encoding: {encoding}\ntime_zone: Asia/Taipei\ntime: 時間\ncolumns:\n  用電量: {{point: wugu/main}}\n"
    readings, rejects = read_as(tmp_path, mapping, "時間,用電量\n2026-01-01 08:00,5\n".encode(encoding))
    assert ([row[:3] for row in readings], rejects) == ([("wugu/main", ms("2026-01-01T00:00"), 5.0)], [])


def test_a_row_that_is_not_in_the_declared_encoding_is_rejected_alone(tmp_path: Path) -> None:
    mapping = "encoding: cp950\ntime_zone: UTC\ncolumns: {a: {point: s/a}}\n"
    readings, rejects = read_as(tmp_path, mapping, b"time,a\n2026-01-01 00:00,1\n2026-01-01 00:01,\xff\xff\n")
    assert len(readings) == 1
    assert [reason for reason, _ in rejects] == ["not in the file's encoding"]


SCALE = "time_zone: UTC\ncolumns:\n  a: {{point: s/a, scale: {scale}}}\n"


@pytest.mark.parametrize(
    ("scale", "value", "expected"), [("0.001", "526", 0.526), ("0.1", "3", 0.3), ("1/3", "9", 3.0), ("60", "1.1", 66.0)]
)
def test_a_scale_is_exact(tmp_path: Path, scale: str, value: str, expected: float) -> None:
    [row], _ = read_as(tmp_path, SCALE.format(scale=scale), f"time,a\n2026-01-01 00:00,{value}\n")
    assert row[2] == expected


def test_a_column_that_no_one_named_arrives_as_an_unknown_point(tmp_path: Path) -> None:
    mapping = "time_zone: UTC\ncolumns: {a: {point: s/a}}\nskip: [x*]\nextra: [label]\n"
    readings, rejects = read_as(tmp_path, mapping, "time,a,new meter,x1,label\n2026-01-01 00:00,1,2,3,fault\n")
    assert [(row[0], row[2], row[6]) for row in readings] == [
        ("s/a", 1.0, '{"label":"fault"}'),
        ("new meter", 2.0, '{"label":"fault"}'),
    ]
    assert rejects == []


def test_a_cell_that_is_empty_or_not_finite_is_rejected_without_its_row(tmp_path: Path) -> None:
    mapping = "time_zone: UTC\ncolumns: {a: {point: s/a}, b: {point: s/b}}\n"
    readings, rejects = read_as(
        tmp_path, mapping, "time,a,b\n2026-01-01 00:00,,2\n2026-01-01 00:01,nan,n/a\nnever,1,2\n"
    )
    assert [(row[0], row[2], row[3]) for row in readings] == [("s/b", 2.0, None), ("s/b", None, "n/a")]
    assert rejects == [
        ("unparsable time", '{"time":"never","a":"1","b":"2"}'),
        ("no value", '{"column":"a","time":"2026-01-01 00:00","cell":null}'),
        ("not finite", '{"column":"a","time":"2026-01-01 00:01","cell":"nan"}'),
    ]


def test_only_shift_moves_times(tmp_path: Path) -> None:
    mapping = "time_zone: UTC\nstamp: end\ncolumns: {a: {point: s/a}}\n"
    for shift, expected in (("", "2026-01-01T00:15"), ("shift: -15min\n", "2026-01-01T00:00")):
        [row], _ = read_as(tmp_path, mapping + shift, "time,a\n2026-01-01 00:15,1\n")
        assert row[1] == ms(expected)


def test_midnight_moves_on_by_a_day_in_local_time(tmp_path: Path) -> None:
    mapping = "time_zone: Asia/Seoul\nmidnight_belongs_to_previous_day: true\ncolumns: {a: {point: s/a}}\n"
    readings, _ = read_as(tmp_path, mapping, "time,a\n2018-01-01 23:45,1\n2018-01-01 00:00,2\n2018-01-02 00:15,3\n")
    assert [row[1] for row in readings] == [ms("2018-01-01T14:45") + 900_000 * i for i in range(3)]


def test_the_clock_of_summer_time_is_resolved_flagged_and_its_hole_rejected(tmp_path: Path) -> None:
    mapping = "time_zone: Europe/Amsterdam\ncolumns: {a: {point: s/a}}\n"
    hours = ["2022-10-30 01:00", "2022-10-30 02:00", "2022-10-30 02:00", "2022-10-30 03:00", "2023-03-26 02:00"]
    readings, rejects = read_as(tmp_path, mapping, "time,a\n" + "".join(f"{hour},1\n" for hour in hours))
    assert [row[1] - readings[0][1] for row in readings] == [0, 3_600_000, 7_200_000, 10_800_000]
    assert [row[5] for row in readings] == [0, 1, 1, 0]
    assert rejects[0][0] == "local time does not exist (clock set forward)"


def test_each_entity_has_its_own_order_through_the_repeated_hour(tmp_path: Path) -> None:
    mapping = "time_zone: Europe/Amsterdam\nentity: id\nvalue: v\n"
    stamps = [("a", "01:30"), ("a", "02:30"), ("b", "01:30"), ("b", "02:30"), ("a", "02:30"), ("b", "02:30")]
    body = "".join(f"2022-10-30 {time},{name},1\n" for name, time in stamps)
    readings, _ = read_as(tmp_path, mapping, "time,id,v\n" + body)
    hour = 3_600_000
    assert [row[1] - readings[0][1] for row in readings] == [0, hour, 0, hour, 2 * hour, 2 * hour]


def test_times_with_an_offset_need_no_zone_and_are_not_moved(tmp_path: Path) -> None:
    mapping = 'time_format: "%Y-%m-%d %H:%M:%S%z"\ncolumns: {a: {point: s/a}}\n'
    readings, _ = read_as(tmp_path, mapping, "time,a\n2026-01-01 00:00:00-07:00,1\n2026-01-01 07:00:00Z,2\n")
    assert [row[1] for row in readings] == [ms("2026-01-01T07:00")] * 2


def test_local_times_without_a_zone_are_rejected(tmp_path: Path) -> None:
    readings, rejects = read_as(tmp_path, "columns: {a: {point: s/a}}\n", "time,a\n2026-01-01 00:00,1\n")
    assert (readings, [reason for reason, _ in rejects]) == ([], ["time has no offset and the mapping no time_zone"])


HISTORY = """entity_id,state,last_changed
sensor.freezer_temperature,-18.5,2026-01-01T00:00:00.000Z
sensor.freezer_temperature,unavailable,2026-01-01T00:05:00.000Z
sensor.freezer_temperature,unknown,2026-01-01T00:10:00.000Z
sensor.freezer_temperature,0,2026-01-01T00:15:00.000Z
binary_sensor.door,on,2026-01-01T00:16:00.000Z
"""


def test_home_assistant_states_that_are_unavailable_are_rejected_never_zero(tmp_path: Path) -> None:
    readings, rejects = read_as(tmp_path, (MAPPINGS / "home_assistant.yaml").read_text(), HISTORY)
    assert [row[:5] for row in readings] == [
        ("house/freezer-temp", ms("2026-01-01T00:00"), -18.5, None, "Cel"),
        ("house/freezer-temp", ms("2026-01-01T00:15"), 0.0, None, "Cel"),
        ("binary_sensor.door", ms("2026-01-01T00:16"), None, "on", None),
    ]
    assert [reason for reason, _ in rejects] == ["unavailable", "unavailable"]
    assert '"state":"unavailable"' in rejects[0][1]


SHDR = """2026-01-01T00:00:00Z|Xload|44|Yload|6
2026-01-01T00:00:01Z|Xload|UNAVAILABLE
2026-01-01T00:00:02Z|Sload_cond|Normal||||
2026-01-01T00:00:03Z|execution|ACTIVE
2026-01-01T00:00:04Z|Xload|
2026-01-01T00:00:05Z|Xload|1|Yload
* PONG 10000
"""


def test_shdr_pairs_conditions_and_words_are_told_apart(tmp_path: Path) -> None:
    mapping = "format: shdr\npoints: {Xload: {point: m/x, unit: '%'}}\n"
    readings, rejects = read_as(tmp_path, mapping, SHDR, "a.txt")
    assert [(row[0], row[2], row[3], row[4]) for row in readings] == [
        ("m/x", 44.0, None, "%"),
        ("Yload", 6.0, None, None),
        ("Sload_cond", None, "Normal", None),
        ("execution", None, "ACTIVE", None),
    ]
    assert sorted(reason for reason, _ in rejects) == [
        "3 fields after the time, expected pairs of item and value",
        "adapter command, no reading",
        "no value",
        "unavailable",
    ]


def test_entities_are_left_out_only_where_the_mapping_says_so(tmp_path: Path) -> None:
    mapping = "format: shdr\npoints: {Xload: {point: m/x}}\nskip_entities: ['*']\n"
    readings, _ = read_as(tmp_path, mapping, SHDR, "a.txt")
    assert {row[0] for row in readings} == {"m/x"}


def test_ndjson_of_another_product_is_mapped_by_its_fields(tmp_path: Path) -> None:
    mapping = "format: ndjson\ntime: ts\nentity: id\nvalue: v\nskip: [noise]\npoints: {m1: {point: s/m, unit: W}}\n"
    lines = '{"ts":1767225600,"id":"m1","v":1.5,"rssi":-60,"noise":1}\n{"ts":1767225601,"id":"m2","v":null}\n[1]\nx\n'
    readings, rejects = read_as(tmp_path, mapping, lines, "a.json")
    assert readings == [("s/m", 1_767_225_600_000, 1.5, None, "W", 0, '{"rssi":-60}')]
    assert sorted(reason for reason, _ in rejects) == ["no value", "not JSON", "not a reading: expected an object"]


def test_parquet_in_wide_form_with_local_times_is_mapped(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("format: parquet\ntime_zone: Asia/Taipei\ncolumns: {a: {point: s/a, scale: 10}}\n")
    time = pl.Series("time", ["2026-01-01 08:00"]).str.to_datetime("%Y-%m-%d %H:%M")
    pl.DataFrame([time, pl.Series("a", [7])]).write_parquet(tmp_path / "a.parquet")
    [block] = read_blocks(tmp_path / "a.parquet", read_mapping(tmp_path / "m.yaml"))
    assert block.readings.row(0)[:3] == ("s/a", ms("2026-01-01T00:00"), 70.0)


def test_the_name_of_the_file_stands_in_the_point(tmp_path: Path) -> None:
    mapping = 'time_zone: UTC\ncolumns: {a: {point: "s/{file}/temp"}}\n'
    [row], _ = read_as(tmp_path, mapping, "time,a\n2026-01-01 00:00,1\n", "Freezer.csv")
    assert row[0] == "s/freezer/temp"


def test_a_column_that_the_file_lacks_is_an_error_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match=r"expected a column 'Usage_kWh'; found 'time', 'Usage kWh' \(did you mean"):
        read_as(tmp_path, "columns: {Usage_kWh: {point: s/a}}\n", "time,Usage kWh\n1,1\n")


@pytest.mark.parametrize(
    ("yaml", "line", "words"),
    [
        ("columns: {a: {point: s/a}}\ndelimeter: ';'\n", 2, "did you mean 'delimiter'"),
        ("time_zone: Asia/Taipeh\ncolumns: {a: {point: s/a}}\n", 1, "a time zone such as Asia/Taipei"),
        ("encoding: latin-99\ncolumns: {a: {point: s/a}}\n", 1, "an encoding such as"),
        ("format: xlsx\ncolumns: {a: {point: s/a}}\n", 1, "csv"),
        ("columns:\n  a: {unit: kWh}\n", 2, "missing key"),
        ("shift: soon\ncolumns: {a: {point: s/a}}\n", 1, "a duration such as"),
        ("time: t\n", 1, "columns (wide form) or entity (long form)"),
        ("entity: e\ncolumns: {a: {point: s/a}}\n", 1, "columns (wide form) or entity (long form)"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused_with_its_line(tmp_path: Path, yaml: str, line: int, words: str) -> None:
    (tmp_path / "m.yaml").write_text(yaml)
    with pytest.raises(CatalogError) as caught:
        read_mapping(tmp_path / "m.yaml")
    assert f"m.yaml:{line}:" in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize("path", sorted(MAPPINGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_each_shipped_mapping_is_valid_and_says_how_to_use_it(path: Path) -> None:
    assert isinstance(read_mapping(path), Mapping)
    assert f"--mapping deploy/mappings/{path.name}" in path.read_text()
