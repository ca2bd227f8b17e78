"""What a store is to the rest of the product: statements, frames, and transactions that hold together (law 7).

Statements are SQL that both stores understand, with `$1`, `$2` … for values; moments are UTC without a zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from streams.domain.findings import StoreError

SQL = Path(__file__).parents[2] / "sql"


def views() -> Iterator[tuple[str, str]]:
    """Each view with its SQL: of sites in schema `mart`, and the same of runs, whose names hold an @, in `run`.

    A view comes after those that it reads. What a run sent and was rejected has a source that begins with `run:`.
    """
    texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted((SQL / "views").glob("*.sql"))}
    read = {name: {each for each in re.findall(r"mart\.(\w+)", text) if each != name} for name, text in texts.items()}
    for name in TopologicalSorter(read).static_order():
        text = texts[name]
        yield f"mart.{name}", text
        of_runs = re.sub(r"(position\('@' in \w+\.site\)) = 0", r"\1 > 0", text.replace("mart.", "run."))
        yield f"run.{name}", re.sub(r"(position\('run:' in \w+\.source\)) <> 1", r"\1 = 1", of_runs)


class Store(Protocol):
    """A DuckDB file or a PostgreSQL database with the schema of `sql/`."""

    where: str
    """The store as messages name it, without a password."""
    read_only: bool

    def close(self) -> None:
        """Let go of it."""

    def query(self, statement: str, values: dict[str, object] | None = None) -> pl.DataFrame:
        """Answer a person's statement, which changes nothing; StoreError carries what the database says."""

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows."""

    def frame(self, statement: str, values: Sequence[object] = ()) -> pl.DataFrame:
        """Run a statement and return its rows as columns; quickest where no column is text and none is null."""

    def execute(self, statement: str, values: Sequence[object] = ()) -> int:
        """Run a statement and return how many rows it changed."""

    def append(self, table: str, rows: pl.DataFrame) -> None:
        """Add rows to a table whose columns are named alike, in any order."""

    def stage(self, name: str, rows: pl.DataFrame) -> AbstractContextManager[None]:
        """Let statements of this transaction see a frame as a table of that name."""

    def derive(self, name: str, statement: str, values: Sequence[object] = ()) -> None:
        """Keep the answer to a statement as a table of that name, until the end of the transaction."""

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing; what the database says becomes a StoreError and nothing is stored."""

    def alone(self, purpose: str) -> None:
        """Let nobody else do the same until the end of the transaction."""

    def hold(self, purpose: str) -> bool:
        """Do something alone until the connection ends, however that comes; False where somebody else does it."""

    def let_go(self, purpose: str) -> None:
        """Leave to others what `hold` was given."""


def naive(moment: datetime) -> datetime:
    """A moment as stores keep it: UTC without a zone."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def naive_ms(time_ms: int) -> datetime:
    """UTC milliseconds as stores keep them."""
    return datetime.fromtimestamp(time_ms / 1000, tz=UTC).replace(tzinfo=None)


def aware(moment: datetime) -> datetime:
    """A moment of a store with its zone."""
    return moment.replace(tzinfo=UTC)


def need_names(columns: Sequence[str]) -> None:
    """StoreError where two columns of an answer have one name, by which a table could not be written."""
    twice = [name for nth, name in enumerate(columns) if name in columns[:nth]]
    if twice:
        raise StoreError(f"query: expected a name for each column; found {twice[0]!r} twice; name one with: as …")
