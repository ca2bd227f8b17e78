"""Frames to PostgreSQL and back by binary COPY are the frames that went in, whatever nulls and words they hold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.stores import binary_copy
from streams.stores.postgres import COLUMNS, PostgresStore
from tests.servers.ports import unique_name
from tests.servers.postgres import PostgresServer

MOMENTS = st.integers(-2_000_000_000_000, 7_000_000_000_000).map(
    lambda each: datetime.fromtimestamp(each / 1000, UTC).replace(tzinfo=None)
)
WORDS = st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), max_size=8)
KINDS: dict[pl.DataType, st.SearchStrategy[object]] = {
    pl.Boolean(): st.booleans(),
    pl.Int16(): st.integers(-(1 << 15), (1 << 15) - 1),
    pl.Int32(): st.integers(-(1 << 31), (1 << 31) - 1),
    pl.Int64(): st.integers(-(1 << 63), (1 << 63) - 1),
    pl.Float64(): st.floats(allow_nan=False),
    pl.String(): WORDS,
    pl.Binary(): st.binary(max_size=8),
    pl.Date(): st.dates(date(1900, 1, 1), date(2200, 1, 1)),
    pl.Datetime("us"): MOMENTS,
    pl.Datetime("ms"): MOMENTS.map(lambda each: each.replace(microsecond=each.microsecond // 1000 * 1000)),
}


@pytest.fixture(scope="module")
def store(postgres: PostgresServer) -> Iterator[PostgresStore]:
    with closing(PostgresStore(postgres.dsn())) as made:
        yield made


@st.composite
def frames(draw: st.DrawFn) -> pl.DataFrame:
    count = draw(st.integers(0, 30))
    columns = []
    for nth, kind in enumerate(draw(st.lists(st.sampled_from(list(KINDS)), min_size=1, max_size=6))):
        values = draw(
            st.one_of(
                st.lists(KINDS[kind], min_size=count, max_size=count),
                st.lists(st.one_of(st.none(), KINDS[kind]), min_size=count, max_size=count),
                st.just([None] * count),
                KINDS[kind].map(lambda each: [each] * count),
            )
        )
        columns.append(pl.Series(f"c{nth}", values, dtype=kind, strict=False))
    return pl.DataFrame(columns)


def there_and_back(store: PostgresStore, rows: pl.DataFrame) -> pl.DataFrame:
    columns = ", ".join(f"{name} {COLUMNS[kind.base_type()]}" for name, kind in rows.schema.items())
    name = unique_name("landed")
    with store.transaction():
        store.execute(f"create temp table {name} ({columns}) on commit drop")
        store.append(name, rows)
        return store.frame(f"select * from {name}")


def check(store: PostgresStore, rows: pl.DataFrame) -> None:
    found = there_and_back(store, rows).cast(dict(rows.schema))
    assert found.sort(found.columns).equals(rows.sort(rows.columns))


@given(rows=frames())
def test_a_frame_comes_back_as_it_went(store: PostgresStore, rows: pl.DataFrame) -> None:
    check(store, rows)


def test_many_rows_go_in_pieces_and_come_in_pieces(store: PostgresStore) -> None:
    many = 3 * binary_copy.PIECE_ROWS + 7
    plain = pl.DataFrame({"a": pl.int_range(many, eager=True), "b": pl.int_range(many, eager=True) / 7})
    check(store, plain)
    check(store, plain.with_columns(b=pl.when(pl.col("a") % 3 > 0).then("b"), c=(pl.col("a") % 5).cast(pl.String)))


def test_more_words_than_layouts_go_row_by_row(store: PostgresStore) -> None:
    many = 5 * binary_copy.MOST_LAYOUTS
    rows = pl.DataFrame({"a": pl.int_range(many, eager=True)}).with_columns(
        b=pl.col("a").cast(pl.String), c=pl.when(pl.col("a") % 2 == 0).then("a"), d=pl.lit(None, pl.String)
    )
    check(store, rows)
