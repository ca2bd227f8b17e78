"""Bad input through the command: one clear message or a quarantine row, nothing stored lost, and no traceback."""

from __future__ import annotations

import gzip
import io
import json
import os
import resource
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from typer.testing import CliRunner

from jobs.cli import app
from streams.domain.findings import KilowatchError

ROOT = Path(__file__).parents[2]
HOUSE = ROOT / "tests" / "sites" / "house.yaml"
POINT, TIME = "house/import-t1", "2026-01-01T03:21:00Z"
HEAD = "point,time,value\n"
GOOD = f"{POINT},2026-01-01T03:20:00Z,102\n"
LINE = json.dumps({"point": POINT, "time": 1_767_237_600, "value": 102}) + "\n"
STORED = 60


def kilowatch(*arguments: object) -> tuple[int, str]:
    """Exit code and message, as `jobs.cli.main` gives them."""
    try:
        done = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    except KilowatchError as error:
        return 2, f"error: {error}"
    return done.exit_code, done.stderr


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store of an hour of good readings and its archive."""
    folder = tmp_path_factory.mktemp("filled")
    rows = [{"point": POINT, "time": 1_767_225_600 + 60 * i, "value": 100 + i / 100} for i in range(STORED)]
    (folder / "good.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert kilowatch("ingest", HOUSE, folder / "good.ndjson", "--store", f"duckdb:///{folder}/a.duckdb")[0] == 0
    return folder


@pytest.fixture
def here(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the filled store, in the working folder."""
    shutil.copy(filled / "a.duckdb", tmp_path)
    shutil.copytree(filled / "a.duckdb.archive", tmp_path / "a.duckdb.archive")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "400")
    return tmp_path


def ask(sql: str, store: str = "a.duckdb") -> list[tuple[Any, ...]]:
    with duckdb.connect(store, read_only=True) as con:
        return con.execute(sql).fetchall()


def stored() -> list[tuple[Any, ...]]:
    return ask("select seq, read_at, value from raw.reading order by seq")


def ingest(file: str, content: bytes) -> tuple[int, str, int, list[str]]:
    """Exit code, message, readings more and reasons of rejects; what was stored before is still there."""
    Path(file).write_bytes(content)
    before = stored()
    code, said = kilowatch("ingest", HOUSE, file, "--store", "duckdb:///a.duckdb")
    after = stored()
    assert after[:STORED] == before
    reasons = ask("select reason from mart.quarantine order by reason")
    return code, said, len(after) - STORED, [str(reason) for (reason,) in reasons]


def csv(*lines: str) -> bytes:
    return (HEAD + GOOD + "".join(line + "\n" for line in lines)).encode()


def parquet(**columns: Any) -> bytes:
    when = datetime(2026, 1, 1, 3, 20, tzinfo=UTC)
    buffer = io.BytesIO()
    pl.DataFrame({"point": [POINT], "time": [when], "value": [102.0]} | columns).write_parquet(buffer)
    return buffer.getvalue()


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


def reading(**fields: object) -> str:
    return json.dumps({"point": POINT, "time": 1_767_237_660, "value": 103} | fields) + "\n"


PACKED = gzip.compress((HEAD + GOOD * 50).encode())
NO_OFFSET = "time has no offset and the mapping no time_zone"

REJECTED = {
    # what: file, content, readings stored, reasons
    "latin-1": ("a.csv", csv() + b"house/\xe9,1,1\n", 1, ["not in the file's encoding"]),
    "more fields": ("a.csv", csv(f"{POINT},{TIME},5,6"), 1, ["4 fields under 3 headers"]),
    "fewer fields": ("a.csv", csv(f"{POINT},{TIME}"), 1, ["2 fields under 3 headers"]),
    "no numbers": (
        "a.csv",
        csv(*(f"{POINT},{TIME},{v}" for v in ("nan", "inf", "-inf", "1e309"))),
        1,
        4 * ["not finite"],
    ),
    "large": ("a.csv", csv(*(f"{POINT},{TIME},{v}" for v in ("1e308", "-1e308", "-5"))), 1, 3 * ["value out of range"]),
    "-0": ("a.csv", csv(f"{POINT},{TIME},-0.0"), 2, []),
    "1970": ("a.csv", csv(f"{POINT},1970-01-01T00:00:00Z,1"), 1, ["time before the site's start"]),
    "year 0": ("a.csv", csv(f"{POINT},0000-01-01T00:00:00Z,1"), 1, ["time before the site's start"]),
    "2106": ("a.csv", csv(f"{POINT},2106-02-07T06:28:16Z,1"), 1, ["time in the future"]),
    "9999": ("a.csv", csv(f"{POINT},9999-12-31T23:59:59Z,1"), 1, ["time in the future"]),
    "10000": ("a.csv", csv(f"{POINT},10000-01-01T00:00:00Z,1"), 1, ["unparsable time"]),
    "no zone": ("a.csv", csv(f"{POINT},2026-01-01T03:21:00,1"), 1, [NO_OFFSET]),
    "NUL": ("a.csv", csv("\0\0\0", f"{POINT}\0,{TIME},1"), 1, ["1 fields under 3 headers", "unknown point"]),
    "odd names": (
        "a.csv",
        csv(f"house/😀,{TIME},1", f"house/'; drop table raw.reading; --,{TIME},1", f"[/b],{TIME},1"),
        1,
        3 * ["unknown point"],
    ),
    "name with newline": ("a.ndjson", (LINE + reading(point="house/a\n\x1b[31m\"'")).encode(), 1, ["unknown point"]),
    "deep line": ("a.ndjson", (LINE + nested(100_000) + "\n").encode(), 1, ["not JSON"]),
    "deep field": (
        "a.ndjson",
        (LINE + LINE.replace("102}", f'1, "x": {nested(500)}}}')).encode(),
        1,
        ["an unknown field is nested too deeply"],
    ),
    "deep value": (
        "a.ndjson",
        (LINE + LINE.replace("102}", f'{{"x": {nested(500)}}}}}')).encode(),
        1,
        ["value must be a number or a word"],
    ),
    "numbers as texts": ("a.ndjson", reading(time="1767237660", value="103").encode(), 1, []),
    "true": ("a.ndjson", reading(value=True).encode(), 1, []),
    "huge number": ("a.ndjson", (LINE + LINE.replace("102", "1" + "0" * 400)).encode(), 1, ["not finite"]),
    "huge time": ("a.ndjson", (LINE + reading(time=2**64 - 1)).encode(), 1, ["unparsable time"]),
    "a key twice": ("a.ndjson", LINE.replace("102", '1, "value": 103').encode(), 1, []),
    "BOM": ("a.ndjson", b"\xef\xbb\xbf" + LINE.encode(), 1, []),
    "Parquet with bytes": ("a.parquet", parquet(point=[b"\xff\xfe"]), 0, ["unknown point"]),
    "Parquet with other columns": ("a.parquet", parquet(x=[[{"a": b"\xff"}]], d=[timedelta(1)], b=[b"\xff"]), 1, []),
    "Parquet with words": ("a.parquet", parquet(value=["x"]), 0, ["not a number"]),
    "Parquet with naive times": ("a.parquet", parquet(time=[datetime(2026, 1, 1)]), 0, [NO_OFFSET]),  # noqa: DTZ001
    "long name": ("a.ndjson", (LINE + reading(point="x" * 1_000_000)).encode(), 1, ["unknown point"]),
    "many things in a line": (
        "a.ndjson",
        (LINE + "[" + "[]," * 9_999 + "[]]\n").encode(),
        1,
        10_000 * ["not a reading: expected an object"],
    ),
}

REFUSED = {
    # what: file, content, readings stored, message
    "UTF-16": ("a.csv", (HEAD + GOOD).encode("utf-16"), 0, "is UTF-16; expected UTF-8"),
    "UTF-16 lines": ("a.ndjson", LINE.encode("utf-16"), 0, "is UTF-16; expected UTF-8"),
    "UTF-16 without mark": ("a.csv", (HEAD + GOOD).encode("utf-16-le"), 0, "found NUL bytes (is it UTF-16?)"),
    "old Macintosh": ("a.csv", (HEAD + GOOD).replace("\n", "\r").encode(), 0, "a carriage return without a newline"),
    "half a gzip": ("a.csv.gz", PACKED[:-6], 50, "gzip breaks off after"),
    "gzip and more": ("a.csv.gz", PACKED + b"more", 50, "gzip is damaged after"),
    "empty": ("a.csv", b"", 0, "is empty; expected readings"),
    "a header": ("a.csv", HEAD.encode(), 0, "is empty; expected rows under the column names"),
    "a header and blank lines": ("a.csv", HEAD.encode() + b"\n\r\n\n", 0, "is empty; expected rows under"),
    "blank lines": ("a.ndjson", b"\n \n\n", 0, "is empty; expected readings"),
    "a column twice": ("a.csv", b"point,time,value,value\n1,2,3,4\n", 0, "column 'value' is there twice"),
    "other columns": ("a.csv", b"a,b\n1,2\n", 0, "expected a column 'time'; found 'a', 'b'"),
    "many columns": ("a.csv", HEAD.encode()[:-1] + b",a" * 300_000 + b"\n", 0, "expected at most 20000 columns"),
    "half a Parquet": ("a.parquet", parquet()[:-30], 0, "is not whole Parquet"),
    "Parquet of lists": ("a.parquet", parquet(value=[[1.0]]), 0, "column 'value': expected numbers"),
    "Parquet of durations": ("a.parquet", parquet(time=[timedelta(1)]), 0, "column 'time': expected numbers"),
    "Parquet of structs": ("a.parquet", parquet(point=[{"a": 1}]), 0, "column 'point': expected numbers"),
    "Parquet without rows": ("a.parquet", parquet(point=[], time=[], value=[]), 0, "expected at least 1 records"),
    "a picture": ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), 0, "a.png: expected a"),
}


@pytest.mark.parametrize("what", REJECTED)
def test_what_cannot_be_used_is_in_quarantine_and_all_else_is_stored(what: str, here: Path) -> None:
    file, content, more, reasons = REJECTED[what]
    code, said, stored_more, found = ingest(file, content)
    assert (code, stored_more, found) == (0, more, reasons), said


@pytest.mark.parametrize("what", REFUSED)
def test_a_file_that_cannot_be_read_is_one_message(what: str, here: Path) -> None:
    file, content, more, message = REFUSED[what]
    code, said, stored_more, reasons = ingest(file, content)
    errors = [line for line in said.splitlines() if line.startswith("error: ")]
    assert (code, stored_more, reasons, len(errors)) == (1, more, [], 1), said
    assert f"error: {file}: " in errors[0]
    assert message in errors[0]
    assert len(errors[0]) < 1_000


def test_after_bad_input_the_store_goes_on_and_its_replay_is_identical(here: Path) -> None:
    for number, (file, content, _, _) in enumerate([REJECTED["9999"], REJECTED["large"], REFUSED["half a gzip"]]):
        Path(f"{number}{file}").write_bytes(content)
        kilowatch("ingest", HOUSE, f"{number}{file}", "--store", "duckdb:///a.duckdb")
    Path("next.ndjson").write_text(reading(time=1_767_240_000, value=104))
    assert kilowatch("ingest", HOUSE, "next.ndjson", "--store", "duckdb:///a.duckdb")[0] == 0
    code, said = kilowatch("replay", HOUSE, "--store", "duckdb:///a.duckdb")
    assert (code, "identical" in said) == (0, True), said


def test_a_bad_file_in_a_folder_keeps_no_other_file_from_being_read(here: Path) -> None:
    Path("in").mkdir()
    Path("in/a.csv").write_bytes(csv())
    Path("in/b.csv").write_text("neither\n")
    Path("in/c.ndjson").write_text(reading())
    Path("in/gone.csv").symlink_to("nowhere")
    code, said = kilowatch("ingest", HOUSE, "in", "--store", "duckdb:///a.duckdb")
    assert (code, said.count("error: "), len(stored()) - STORED) == (1, 1, 2), said


def test_a_pipe_is_refused_and_not_waited_for(here: Path) -> None:
    os.mkfifo("pipe.csv")
    for file in ("pipe.csv", "/dev/zero"):
        code, said = kilowatch("ingest", HOUSE, file, "--store", "duckdb:///a.duckdb")
        assert (code, "expected a file; found a pipe or a device" in said) == (1, True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not a database", "expected a DuckDB file; found something else"),
        (b"", "expected a DuckDB file; found something else"),
        (None, "cannot be opened"),
    ],
)
def test_what_is_no_store_is_said_and_left_as_it_is(content: bytes | None, message: str, here: Path) -> None:
    Path("good.ndjson").write_text(LINE)
    other = Path("other.duckdb")
    other.write_bytes(Path("a.duckdb").read_bytes()[:100_000] if content is None else content)
    before = other.read_bytes()
    code, said = kilowatch("ingest", HOUSE, "good.ndjson", "--store", "duckdb:///other.duckdb")
    assert (code, message in said, len(said.splitlines())) == (2, True, 1), said
    assert other.read_bytes() == before


def test_a_full_disk_is_one_message_and_the_ingest_goes_on_when_there_is_room(here: Path) -> None:
    rows = [reading(time=1_767_240_000 + 15 * i, value=round(102 + i / 500, 3)) for i in range(30_000)]
    Path("more.ndjson").write_text("".join(rows))
    room = 300_000

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    arguments = ["ingest", str(HOUSE), "more.ndjson", "--store", "duckdb:///a.duckdb", "--block-rows", "5000"]
    full = subprocess.run(
        [sys.executable, "-c", "from jobs.cli import main; main()", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limit,
    )
    assert (full.returncode, full.stderr.count("error: ")) == (2, 1), full.stderr
    assert "Traceback" not in full.stderr
    assert "nothing of this batch was stored" in full.stderr or "cannot be written" in full.stderr
    assert STORED <= len(stored()) < STORED + 30_000
    assert kilowatch(*arguments)[0] == 0
    assert len(stored()) == STORED + 30_000
    assert kilowatch("replay", HOUSE, "--store", "duckdb:///a.duckdb")[0] == 0


SITES = {
    "binary": (b"\x89PNG\xff\xfe\x00", "is not UTF-8"),
    "empty": (b"", "is empty"),
    "a list": (b"- a\n", "expected a mapping"),
    "tabs": (b"site: a\n\tkind: x\n", "is not YAML"),
    "laughs": (
        b"a: &a [x]\n" + b"".join(b"%c: &%c [%s]\n" % (k, k, b",".join([b"*%c" % (k - 1)] * 9)) for k in b"bcdefgh"),
        "holds an alias",
    ),
    "no zone": (HOUSE.read_bytes().replace(b"Europe/Amsterdam", b"../../etc/passwd"), "time_zone"),
}


@pytest.mark.parametrize("what", SITES)
def test_a_site_file_that_is_none_is_said_with_its_name_and_stores_nothing(what: str, here: Path) -> None:
    content, message = SITES[what]
    Path("s.yaml").write_bytes(content)
    Path("good.ndjson").write_text(LINE)
    code, said = kilowatch("ingest", "s.yaml", "good.ndjson", "--store", "duckdb:///new.duckdb")
    assert code == 2
    assert "s.yaml" in said
    assert message in said
    assert not Path("new.duckdb").exists()


MAPPINGS = {
    "empty": ("", "is empty"),
    "a list": ("- a\n", "expected a mapping"),
    "no encoding of texts": ("encoding: idna\ncolumns: {value: {point: a}}", "an encoding such as"),
    "no scale": ("columns: {value: {point: a, scale: 1/0}}", "a number or a fraction"),
    "scale of nothing": ("columns: {value: {point: a, scale: 0}}", "a scale from 1e-15 to 1e15"),
    "scale without end": ("columns: {value: {point: a, scale: 1e400}}", "a scale from 1e-15 to 1e15"),
    "shift without end": ("shift: 99999999999999999d\ncolumns: {value: {point: a}}", "a shift of at most"),
    "no times": ("time: []\ncolumns: {value: {point: a}}", "time"),
    "a quote that parts": ("delimiter: '\"'\ncolumns: {value: {point: a}}", "delimiter"),
}


@pytest.mark.parametrize("what", MAPPINGS)
def test_a_mapping_that_is_none_is_said_with_its_name_and_stores_nothing(what: str, here: Path) -> None:
    content, message = MAPPINGS[what]
    Path("m.yaml").write_text(content)
    Path("a.csv").write_bytes(csv())
    code, said = kilowatch("ingest", HOUSE, "a.csv", "--mapping", "m.yaml", "--store", "duckdb:///new.duckdb")
    assert (code, "m.yaml" in said, message in said) == (2, True, True), said
    assert not Path("new.duckdb").exists()
