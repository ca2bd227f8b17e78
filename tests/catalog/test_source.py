"""YAML with lines: exact numbers, every finding, clear words for files that are no catalog."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import RootModel

from streams.catalog.lines import parse
from streams.catalog.source import Row, duration_ms, read
from streams.domain.findings import CatalogError, Finding


class Fuel(StrEnum):
    DIESEL = "diesel"
    GASOLINE = "gasoline"


class Price(Row):
    name: str
    ntd: Fraction
    fuel: Fuel = Fuel.DIESEL
    season: Literal["summer", "winter"] = "summer"
    stages: int = 1
    valid_from: date | None = None
    parts: tuple[Price, ...] = ()


class Prices(RootModel[list[Price]]):
    pass


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "prices.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def findings(folder: Path, text: str | bytes) -> list[Finding]:
    with pytest.raises(CatalogError) as raised:
        read(write(folder, text), Prices)
    return raised.value.findings


def test_a_list_of_rows_is_read_with_exact_numbers_and_their_lines(tmp_path: Path) -> None:
    rows = read(write(tmp_path, "- {name: a, ntd: 0.1}\n- name: b\n  ntd: 200/5\n  valid_from: 2025-10-01\n"), Prices)
    assert [row.ntd for row in rows.root] == [Fraction(1, 10), Fraction(40)]
    assert rows.root[1].valid_from == date(2025, 10, 1)
    assert [rows.root[1].line("ntd"), rows.root[1].line("fuel"), rows.root[1].line()] == [3, 2, 2]


def test_every_mistake_is_reported_with_its_line_and_the_nearest_name(tmp_path: Path) -> None:
    text = """\
- name: a
  ntt: 3
  ntd: 1
- name: b
  ntd: abc
  fuel: deisel
  season: sumer
  stages: 2.5
  stages: 3
- name: c
  parts: [{name: d, ntd: 1, stagse: 2}]
"""
    got = [(finding.line, finding.code, finding.hint) for finding in findings(tmp_path, text)]
    assert got == [
        (2, "unknown_key", "ntd"),
        (5, "bad_value", None),
        (6, "bad_word", "diesel"),
        (7, "bad_word", "summer"),
        (8, "bad_value", None),
        (9, "duplicate_key", None),
        (10, "missing_key", None),
        (11, "unknown_key", "stages"),
    ]


def test_a_finding_says_who_where_expected_and_got(tmp_path: Path) -> None:
    (finding,) = findings(tmp_path, "- name: b\n  ntd: abc\n")
    path = tmp_path / "prices.yaml"
    expected = "expected a number or a fraction such as 200/5; found 'abc'"
    assert str(finding) == f"{path}:2: [b].ntd: bad value: {expected}"


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        (b"- {name: a}\n- {name: \xff}\n", 2, "UTF-8"),
        (b"", 1, "empty"),
        (b"# only a comment\n", 1, "empty"),
        (b"- {name: a\n- b: c\n", 2, "not YAML"),
        (b"- name: a\n\tntd: 1\n", 2, "not YAML"),
        (b"- name: a\n  ntd: 1\x07\n", 2, "not YAML"),
        (b"- {name: a, ntd: 1}\n---\n- {}\n", 2, "not YAML"),
        (b"- {name: !!python/name:os.system x, ntd: 1}\n", 1, "tag"),
        (b"- &a {name: a, ntd: 1}\n- *a\n", 1, "alias"),
        (b"[" * 5000, None, "deep"),
    ],
)
def test_a_file_that_is_no_plain_yaml_gets_a_clear_finding(
    tmp_path: Path, text: bytes, line: int | None, word: str
) -> None:
    first = findings(tmp_path, text)[0]
    assert (first.line, word in first.sentence) == (line, True), str(first)


def test_a_file_that_is_not_there_or_is_a_folder_is_one_finding(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(CatalogError) as raised:
            read(path, Prices)
        assert [finding.file for finding in raised.value.findings] == [path]
        assert "cannot be read" in str(raised.value)


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    rows = read(write(tmp_path, b"\xef\xbb\xbf- {name: a, ntd: 1}\n"), Prices)
    assert rows.root[0].name == "a"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("0.10", Decimal("0.10")),
        ("1e3", Decimal(1000)),
        ("1_000.5", Decimal("1000.5")),
        ("-3", -3),
        ("10:30", "10:30"),
        ("0530", "0530"),
        ("no", "no"),
        ("2025-01-01", "2025-01-01"),
        ("'5'", "5"),
        (".nan", ".nan"),
        ("~", None),
        ("true", True),
    ],
)
def test_plain_words_mean_what_they_look_like(tmp_path: Path, written: str, value: object) -> None:
    got = parse(write(tmp_path, f"a: {written}\n")).value["a"]
    assert (got, type(got)) == (value, type(value))


@pytest.mark.parametrize("row", ["ntd: true", "ntd: 1, stages: true", "ntd: 1, valid_from: 0"])
def test_true_is_no_number_and_zero_is_no_date(tmp_path: Path, row: str) -> None:
    (finding,) = findings(tmp_path, f"- {{name: a, {row}}}\n")
    assert finding.code == "bad_value"


@given(whole=st.integers(0, 10**12), places=st.integers(0, 9))
def test_a_decimal_becomes_the_fraction_that_its_digits_say(
    tmp_path_factory: pytest.TempPathFactory, whole: int, places: int
) -> None:
    value = Fraction(whole, 10**places)
    text = f"{Decimal(whole).scaleb(-places):f}"
    path = write(tmp_path_factory.getbasetemp(), f"- {{name: a, ntd: {text}}}\n")
    assert read(path, Prices).root[0].ntd == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [("30s", 30_000), ("5min", 300_000), ("5 min", 300_000), ("1h", 3_600_000), ("2d", 172_800_000)],
)
def test_durations_are_milliseconds(text: str, expected: int) -> None:
    assert duration_ms(text) == expected


@pytest.mark.parametrize("text", ["", "5", "5m", "0s", "-5s", "1.5h", "5mins", "５min"])
def test_other_texts_are_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        duration_ms(text)
