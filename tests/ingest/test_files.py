"""Files: every format gives the same blocks, resumes anywhere, and bad files end in one clear message."""

from __future__ import annotations

import gzip
import io
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.domain.findings import IngestError
from streams.ingest.files import Block, read_blocks, source_id
from streams.ingest.mapping import Mapping, Target

START_MS = 1_767_225_600_000
ROWS = [(f"s/p{i % 3}", START_MS + 60_000 * i, i / 4) for i in range(40)]


def write(path: Path, rows: list[tuple[str, int, float]]) -> Path:
    """Readings in the format that the name of the file says."""
    frame = pl.DataFrame(rows, schema=["point", "time", "value"], orient="row")
    stamped = frame.with_columns(pl.from_epoch("time", "ms").dt.replace_time_zone("UTC"))
    buffer = io.BytesIO()
    suffix = path.name.removesuffix(".gz").rsplit(".", 1)[-1]
    if suffix == "parquet":
        stamped.write_parquet(buffer, row_group_size=7)
    elif suffix == "csv":
        frame.with_columns(stamped["time"].dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ")).write_csv(buffer)
    else:
        frame.write_ndjson(buffer)
    data = buffer.getvalue()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def all_of(blocks: list[Block]) -> list[tuple[Any, ...]]:
    return [row for block in blocks for row in block.readings.rows()]


def triples(blocks: list[Block]) -> list[tuple[Any, ...]]:
    return [row[:3] for row in all_of(blocks)]


FORMATS = ["a.ndjson", "a.jsonl", "a.csv", "a.parquet", "a.ndjson.gz", "a.csv.gz", "a.parquet.gz"]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("block_rows", [1, 3, 7, 500_000])
def test_every_format_gives_the_same_readings_however_it_is_cut(tmp_path: Path, name: str, block_rows: int) -> None:
    blocks = list(read_blocks(write(tmp_path / name, ROWS), None, block_rows=block_rows))
    assert triples(blocks) == ROWS
    assert all(len(block.readings) <= block_rows for block in blocks)
    assert sum(len(block.rejects) for block in blocks) == 0
    assert blocks[-1].position == len(ROWS)


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_resumes_at_any_position(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, ROWS)
    for start in range(len(ROWS) + 1):
        blocks = list(read_blocks(path, None, start, block_rows=6))
        assert triples(blocks) == ROWS[start:]
        assert [block.position for block in blocks[-1:]] == [len(ROWS)][: len(blocks)]


@pytest.mark.parametrize("name", FORMATS)
def test_a_position_beyond_the_end_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(IngestError, match="expected at least 41 records; got 40"):
        list(read_blocks(write(tmp_path / name, ROWS), None, 41))


DUTCH = Mapping(
    time_format="%Y-%m-%d %H:%M",
    time_zone="Europe/Amsterdam",
    columns={"a": Target(point="s/a"), "b": Target(point="s/b")},
)


def test_a_local_file_resumes_inside_the_hour_that_autumn_repeats(tmp_path: Path) -> None:
    path = tmp_path / "autumn.csv"
    stamps = [*(f"2022-10-30 0{h}:{m}" for h, m in [(1, 30), (2, "00"), (2, 30), (2, "00"), (2, 30), (3, "00")])]
    path.write_text("time,a,b\n" + "".join(f"{stamp},{i},{i}\n" for i, stamp in enumerate(stamps)))
    whole = all_of(list(read_blocks(path, DUTCH)))
    assert [row[1] - whole[0][1] for row in whole[::2]] == [1_800_000 * i for i in range(6)]
    for start in range(len(stamps) + 1):
        for block_rows in (1, 4, 100):
            assert all_of(list(read_blocks(path, DUTCH, start, block_rows))) == whole[2 * start :]


@pytest.mark.parametrize("name", ["a.ndjson", "a.csv", "a.parquet", "a.csv.gz", "a", "a.dat"])
def test_an_empty_file_is_an_error(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(b"") if path.suffix == ".gz" else b"")
    with pytest.raises(IngestError, match="empty"):
        list(read_blocks(path, None))


def test_a_header_without_rows_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("point,time,value\n")
    with pytest.raises(IngestError, match="empty"):
        list(read_blocks(tmp_path / "a.csv", None))
    write(tmp_path / "a.parquet", [])
    with pytest.raises(IngestError, match="expected at least 1 records; got 0"):
        list(read_blocks(tmp_path / "a.parquet", None))


def test_a_missing_file_and_a_folder_are_errors(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(IngestError, match="cannot be read"):
            list(read_blocks(path, None))
        with pytest.raises(IngestError, match="cannot be read"):
            source_id(path)


@pytest.mark.parametrize("name", ["a.ndjson.gz", "a.csv.gz"])
def test_all_before_the_break_of_a_truncated_gzip_is_delivered_then_an_error_raised(tmp_path: Path, name: str) -> None:
    many = [(f"s/p{i % 7}", START_MS + 977 * i, (i * 7919 % 1_000) / 8) for i in range(20_000)]
    path = write(tmp_path / name, many)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    delivered: list[Block] = []
    with pytest.raises(IngestError, match="gzip breaks off"):
        delivered.extend(read_blocks(path, None))
    read = triples(delivered)
    assert 5_000 < len(read) < 15_000
    assert read == many[: len(read)]
    assert delivered[-1].position == len(read)
    assert sum(len(block.rejects) for block in delivered) == 0
    path.write_bytes(data)
    assert triples(list(read_blocks(path, None, len(read)))) == many[len(read) :]


def test_a_damaged_gzip_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv.gz", ROWS)
    data = bytearray(path.read_bytes())
    data[-6] ^= 0xFF
    path.write_bytes(bytes(data))
    with pytest.raises(IngestError, match="gzip is damaged"):
        list(read_blocks(path, None))


def test_gzip_of_several_members_is_read_through(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson.gz"
    lines = [json.dumps({"point": point, "time": time, "value": value}) + "\n" for point, time, value in ROWS]
    path.write_bytes(b"".join(gzip.compress(line.encode()) for line in lines))
    assert triples(list(read_blocks(path, None))) == ROWS


def test_the_format_is_told_by_the_content_where_the_name_does_not_say(tmp_path: Path) -> None:
    for name in FORMATS:
        path = write(tmp_path / name, ROWS).rename(tmp_path / "plain")
        assert triples(list(read_blocks(path, None))) == ROWS


@pytest.mark.parametrize("content", [b"PAR1 and then nothing", b"no parquet at all", b"PAR1\0\0\0\0PAR1"])
def test_broken_parquet_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.parquet").write_bytes(content)
    with pytest.raises(IngestError, match="is not whole Parquet"):
        list(read_blocks(tmp_path / "a.parquet", None))
    whole = write(tmp_path / "b.parquet", ROWS).read_bytes()
    (tmp_path / "b.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(IngestError, match="is not whole Parquet"):
        list(read_blocks(tmp_path / "b.parquet", None))


@pytest.mark.parametrize(
    "bytes_of_noise", [b"\0" * 100, b"\xff\xfe\x00", b"\x89PNG\r\n\x1a\n", b"\n\n\n", b"\x1f\x8bxx"]
)
@pytest.mark.parametrize("name", ["a.csv", "a.ndjson", "a.parquet", "a.shdr", "a.bin"])
def test_noise_is_rejects_or_an_ingest_error_never_a_traceback(
    tmp_path: Path, name: str, bytes_of_noise: bytes
) -> None:
    (tmp_path / name).write_bytes(bytes_of_noise)
    try:
        blocks = list(read_blocks(tmp_path / name, None))
    except IngestError as error:
        assert str(tmp_path / name) in str(error)
    else:
        assert all_of(blocks) == []


@settings(max_examples=200)
@given(content=st.binary(min_size=1, max_size=200), name=st.sampled_from(["a.csv", "a.ndjson", "a.shdr", "a", "a.gz"]))
def test_no_bytes_whatever_raise_anything_but_an_ingest_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str
) -> None:
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(content)
    try:
        for block in read_blocks(path, None, block_rows=3):
            assert block.position > 0
    except IngestError:
        return


def test_standard_input_is_ndjson_named_by_its_content_and_resumes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.ndjson", ROWS)
    with path.open() as text:
        monkeypatch.setattr(sys, "stdin", text)
        assert source_id(Path("-")) == source_id(path)
        assert triples(list(read_blocks(Path("-"), None))) == ROWS
        assert triples(list(read_blocks(Path("-"), None, 7))) == ROWS[7:]


def test_a_source_is_named_by_its_content_not_by_its_path(tmp_path: Path) -> None:
    one, other = write(tmp_path / "a.csv", ROWS), write(tmp_path / "b.csv", ROWS)
    assert source_id(one) == source_id(other)
    other.write_bytes(other.read_bytes() + b"\n")
    assert source_id(one) != source_id(other)


def test_parquet_takes_numbers_words_and_times_of_every_type(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    when = datetime(2026, 1, 1, tzinfo=UTC)
    for time in ([START_MS], [START_MS // 1_000], [float(START_MS)], [when], ["2026-01-01T00:00:00Z"]):
        for value, expected in (([1], (1.0, None)), (["2.5"], (2.5, None)), (["ON"], (None, "ON"))):
            pl.DataFrame({"point": ["s/p"], "time": time, "value": value}).write_parquet(path)
            [row] = all_of(list(read_blocks(path, None)))
            assert (row[1], row[2:4]) == (START_MS, expected)


def test_naive_times_in_parquet_without_a_mapping_are_rejected(tmp_path: Path) -> None:
    naive = pl.Series("time", ["2026-01-01"]).str.to_datetime("%Y-%m-%d")
    pl.DataFrame([pl.Series("point", ["s/p"]), naive, pl.Series("value", [1.0])]).write_parquet(tmp_path / "a.parquet")
    [block] = read_blocks(tmp_path / "a.parquet", None)
    assert block.rejects["reason"].to_list() == ["time has no offset and the mapping no time_zone"]
