"""Rows of CSV: one bad row costs one row, and says why."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.domain.findings import IngestError
from streams.ingest.files import Block, read_blocks

START_MS = 1_767_225_600_000


def csv_of(tmp_path: Path, content: bytes) -> Block:
    (tmp_path / "a.csv").write_bytes(content)
    [block] = read_blocks(tmp_path / "a.csv", None)
    return block


HEADER = b"point,time,value," + b",".join(b"x%d" % i for i in range(8)) + b"\n"
GOOD = b"s/p,1767225600,1" + b",0" * 8 + b"\n"


def test_twelve_fields_under_eleven_headers_reject_that_row_alone(tmp_path: Path) -> None:
    block = csv_of(tmp_path, HEADER + GOOD + GOOD[:-1] + b",9\n" + GOOD)
    assert len(block.readings) == 2
    assert block.rejects.rows() == [("12 fields under 11 headers", (GOOD[:-1] + b",9").decode())]
    assert block.position == 3


def test_one_field_too_many_and_one_too_few_do_not_make_up_for_each_other(tmp_path: Path) -> None:
    block = csv_of(tmp_path, HEADER + GOOD + GOOD[:-1] + b",9\n" + GOOD[:-3] + b"\n" + GOOD)
    assert len(block.readings) == 2
    assert block.rejects["reason"].to_list() == ["12 fields under 11 headers", "10 fields under 11 headers"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"s/p,1767225600,nan", "not finite"),
        (b"s/p,1767225600,inf", "not finite"),
        (b"s/p,1767225600,-Infinity", "not finite"),
        (b"s/p,1767225600,1e999", "not finite"),
        (b"s/p,1767225600,", "no value"),
        (b"s/p,1767225600,Unavailable", "unavailable"),
        (b"s/p,32.13.2026,1", "unparsable time"),
        (b"s/p,2026-01-01 12:00:00,1", "time has no offset and the mapping no time_zone"),
        (b"s/p,,1", "no time"),
        (b",1767225600,1", "no point name"),
        (b"s/\xe9,1767225600,1", "not in the file's encoding"),
        (b's/"p,1767225600,1', "odd number of quotes"),
    ],
)
def test_a_bad_row_is_rejected_alone_with_its_reason(tmp_path: Path, row: bytes, reason: str) -> None:
    block = csv_of(tmp_path, b"point,time,value\ns/p,1767225600,1e308\n" + row + b"\ns/p,1767225601,2\n")
    assert block.rejects["reason"].to_list() == [reason]
    assert [value for _, _, value, *_ in block.readings.rows()] == [1e308, 2.0]


def test_quotes_hold_delimiters_and_stray_pairs_of_quotes_cost_nothing(tmp_path: Path) -> None:
    block = csv_of(tmp_path, b'point,time,value\n"s/a,b",1767225600,"1.5"\ns/"c",1767225600,2\n')
    assert [row[0] for row in block.readings.rows()] == ["s/a,b", 's/"c"']


def test_optional_columns_and_unknown_ones_are_kept(tmp_path: Path) -> None:
    block = csv_of(tmp_path, b"time,point,value,quality,unit,note\n1767225600,s/p,1,UNCERTAIN,kWh,hello\n")
    assert block.readings.rows() == [("s/p", START_MS, 1.0, None, "kWh", 1, '{"note":"hello"}')]


def test_a_missing_column_names_what_was_expected_and_found(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("point,tine,value\ns/p,1,1\n")
    with pytest.raises(IngestError, match=r"expected a column 'time'; found 'point', 'tine', 'value' \(did you mean"):
        list(read_blocks(tmp_path / "a.csv", None))
    pl.DataFrame({"point": ["s/p"], "time": [1]}).write_parquet(tmp_path / "a.parquet")
    with pytest.raises(IngestError, match="expected a column 'value'"):
        list(read_blocks(tmp_path / "a.parquet", None))


def test_a_column_that_is_there_twice_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("point,time,value,value\ns/p,1,1,2\n")
    with pytest.raises(IngestError, match="column 'value' is there twice"):
        list(read_blocks(tmp_path / "a.csv", None))


@settings(max_examples=100)
@given(body=st.binary(max_size=120))
def test_each_line_under_a_good_header_is_a_reading_or_a_reject(
    tmp_path_factory: pytest.TempPathFactory, body: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "body.csv"
    path.write_bytes(b"point,time,value\ns/p,1767225600,1\n" + body)
    blocks = list(read_blocks(path, None))
    lines = [line for line in body.split(b"\n") if line.strip(b"\r")]
    assert sum(len(block.readings) + len(block.rejects) for block in blocks) == 1 + len(lines)
