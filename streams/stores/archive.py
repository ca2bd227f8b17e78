"""The raw archive: Parquet files by site and local day, every usable reading as it came, in order of arrival.

A file is written and renamed before the commit that lists it in `op.archive_file`; one that is not listed belongs to
a commit that never happened and is removed when the archive is opened.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from pathlib import Path

import polars as pl

from streams.domain.findings import StoreError

COLUMNS = (
    "seq", "point", "time_ms", "value", "text", "unit", "quality", "extra", "late_ms", "received_ms", "source",
)  # fmt: skip

ABANDONED_S = 3_600.0
"""Where others may write too, a file that is not listed after this time belongs to a commit that never happened."""


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """One file: path below the archive's folder, number of its first reading, readings, SHA-256 of its bytes."""

    file: str
    first_seq: int
    readings: int
    sha256: str


def _by_day(rows: pl.DataFrame, zone: str) -> list[tuple[str, pl.DataFrame]]:
    """Cut rows by the local day of their time."""
    day = rows["time_ms"].cast(pl.Datetime("ms", "UTC")).dt.convert_time_zone(zone).dt.date().alias("day")
    if day.n_unique() == 1:
        return [(str(day[0]), rows)]
    parts = rows.hstack([day]).partition_by("day", as_dict=True, include_key=False)
    return [(str(local_day), part) for (local_day,), part in sorted(parts.items())]


def _write(rows: pl.DataFrame, path: Path) -> None:
    """Numbers that rise from row to row as differences, everything else by a dictionary."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - 40 MB that only who writes an archive needs

    rising = ("seq", "time_ms")
    pq.write_table(
        rows.to_arrow(compat_level=pl.CompatLevel.oldest()),
        path,
        compression="zstd",
        compression_level=1,
        write_statistics=False,
        use_dictionary=[name for name in COLUMNS if name not in rising],
        column_encoding=dict.fromkeys(rising, "DELTA_BINARY_PACKED"),
    )


def _first(rows: pl.DataFrame) -> int:
    return int(rows["seq"].min())  # type: ignore[arg-type]  # a file is never empty


def _name(site: str, local_day: str, rows: pl.DataFrame) -> str:
    """One name for the same readings and no others: who writes them again spoils nobody's file."""
    last = int(rows["seq"].max())  # type: ignore[arg-type]  # a file is never empty
    return f"site={site}/day={local_day}/{_first(rows):012d}-{last:012d}.parquet"


class Archive:
    """A folder of Parquet files."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; it is made with the first file."""
        self.folder = folder

    def need_room(self) -> None:
        """Make the folder, or raise a StoreError where that cannot be, or where nothing can be written into it."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
        except OSError as error:
            raise StoreError(
                f"archive {self.folder}: expected a folder that can be written; found: {error.strerror}; mend --archive"
            ) from error

    def write(self, site: str, zone: str, rows: pl.DataFrame) -> list[ArchiveFile]:
        """Write rows of COLUMNS to a file for each local day; StoreError where the disk does not take them."""
        return [self._written(_name(site, local_day, part), part) for local_day, part in _by_day(rows, zone)]

    def merge(self, site: str, local_day: str, files: list[ArchiveFile]) -> ArchiveFile:
        """Write the readings of several files of a day to one; StoreError as in `write` and `read`."""
        rows = pl.concat([pl.read_parquet(self._checked(each)) for each in files]).sort("seq")
        return self._written(_name(site, local_day, rows), rows)

    def remove(self, files: list[ArchiveFile]) -> None:
        """Remove files that are listed no more."""
        for each in files:
            (self.folder / each.file).unlink(missing_ok=True)

    def since(self, files: list[ArchiveFile], day: str, points: list[str]) -> pl.DataFrame:
        """Readings of some points in the files of a local day and later ones."""
        chosen = [each for each in files if each.file.split("/day=")[1] >= day]
        parts = [
            pl.read_parquet(self._checked(each)).filter(pl.col("point").is_in(points)).select(COLUMNS)
            for each in chosen
        ]
        return pl.concat(parts) if parts else pl.DataFrame(schema=dict.fromkeys(COLUMNS, pl.Null))

    def _written(self, name: str, rows: pl.DataFrame) -> ArchiveFile:
        path = self.folder / name
        beside = path.with_suffix(".part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(rows, beside)
            with beside.open("rb+") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                os.fsync(file.fileno())
            beside.replace(path)
        except (OSError, ValueError, pl.exceptions.PolarsError) as error:  # ArrowInvalid is a ValueError
            raise StoreError(f"archive {self.folder}: cannot be written: {error}") from error
        return ArchiveFile(name, _first(rows), len(rows), digest)

    def sweep(self, site: str, listed: set[str], written_before_s: float = inf) -> int:
        """Remove the files of commits that never happened; return how many there were.

        Where others may write too, what was written lately (seconds since 1970) may be about to be listed.
        """
        stray = [
            path
            for path in sorted((self.folder / f"site={site}").glob("day=*/*"))
            if path.relative_to(self.folder).as_posix() not in listed and path.stat().st_mtime < written_before_s
        ]
        for path in stray:
            path.unlink()
        return len(stray)

    def read(self, files: list[ArchiveFile]) -> Iterator[pl.DataFrame]:
        """Yield the readings in order of arrival, by stretches that overlap in no file.

        StoreError where a file is missing or its bytes are not those that were committed.
        """
        waiting: list[ArchiveFile] = []
        reach = -1
        for each in sorted(files, key=lambda file: file.first_seq):
            if waiting and each.first_seq >= reach:
                yield self._load(waiting)
                waiting = []
            waiting.append(each)
            reach = max(reach, self._last_seq(each) + 1)
        if waiting:
            yield self._load(waiting)

    def _checked(self, each: ArchiveFile) -> Path:
        path = self.folder / each.file
        if not path.is_file():
            raise StoreError(f"archive {self.folder}: {each.file} is listed in the store; found no such file")
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != each.sha256:
            raise StoreError(f"archive {self.folder}: {each.file} was changed: expected {each.sha256}; found {digest}")
        return path

    def _last_seq(self, each: ArchiveFile) -> int:
        frame = pl.read_parquet(self._checked(each), columns=["seq"])
        return int(frame["seq"].max())  # type: ignore[arg-type]  # never empty

    def _load(self, files: list[ArchiveFile]) -> pl.DataFrame:
        return pl.concat([pl.read_parquet(self.folder / each.file) for each in files]).sort("seq")
