"""A journal on disk that holds messages until somebody has taken them over: SQLite, each commit synced.

What `append` has returned for survives a kill and a loss of power. Offsets rise and are never given twice, even after
all was dropped and the process started again. Pages of dropped records are used again, and the file shrinks when most
of it is free. https://www.sqlite.org/wal.html, https://www.sqlite.org/autoinc.html
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from streams.domain.findings import KilowatchError
from streams.ingest.records import Message, Record

APPLICATION: Final = 0x4B573031  # "KW01"
OVERHEAD_BYTES: Final = 48
"""What a record takes on disk beside its texts and its value, about."""
READ_BYTES: Final = 16 << 20
FREE_PAGES: Final = 4_096
"""Free pages (of 4 KiB) that a spool keeps; what is beyond goes back to the file system."""
SCHEMA: Final = """
create table record (
    offset integer primary key autoincrement,
    site text not null,
    gateway text not null,
    value blob not null,
    received_ms integer not null,
    tick_ms integer
)
"""
INSERT: Final = "insert into record (site, gateway, value, received_ms, tick_ms) values (?, ?, ?, ?, ?)"
SIZE: Final = f"length(value) + length(cast(site as blob)) + length(cast(gateway as blob)) + {OVERHEAD_BYTES}"
COUNT: Final = f"select count(*), coalesce(sum({SIZE}), 0) from record"  # noqa: S608 - no value of a user's
READ: Final = (
    "select offset, site, gateway, value, received_ms, tick_ms from record where offset > ? order by offset limit ?"
)


class SpoolFull(KilowatchError):  # noqa: N818 - the word that its users catch
    """The spool, or the disk beneath it, has no room for these messages; none of them was stored."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits: records, their bytes, and when the oldest arrived (UTC milliseconds; null if nothing waits)."""

    records: int
    bytes: int
    oldest_ms: int | None


@dataclass(slots=True)
class _Job:
    """Messages of one caller, and what became of them."""

    messages: Sequence[Message]
    size: int
    done: bool = False
    last: int = 0
    error: KilowatchError | None = None


def size_of(message: Message) -> int:
    """Bytes that a message counts for in a spool."""
    return len(message.value) + len(message.site.encode()) + len(message.gateway.encode()) + OVERHEAD_BYTES


class Spool:
    """The journal; every method may be called from any thread. One process at a time can hold it."""

    def __init__(self, path: Path, most_bytes: int) -> None:
        """Open or make the file. KilowatchError where it is damaged, not writable, held, or no spool."""
        self.path, self.most_bytes = path, most_bytes
        self._queue: list[_Job] = []
        self._queueing, self._writing, self._reading = threading.Lock(), threading.Lock(), threading.Lock()
        self._open: list[IO[bytes] | sqlite3.Connection] = []
        try:
            with self._told("a file that can be written"):
                path.parent.mkdir(parents=True, exist_ok=True)
                self._hold()
                self._writer = self._opened()
                self._prepare()
                self._reader = self._opened()
                self._records, self._bytes = self._writer.execute(COUNT).fetchone()
                self._last = self._sequence()
                _sync_folder(path.parent)
        except KilowatchError:
            self.close()
            raise

    def __enter__(self) -> Self:
        """Use it as a context; it is closed at the end."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close."""
        self.close()

    @property
    def last(self) -> int:
        """The highest offset ever given; 0 before the first."""
        return self._last

    def begin_after(self, offset: int) -> None:
        """Give no offset up to this one any more: who reads a new file has not forgotten the old one's."""
        with self._writing, self._told("a file that can be written"):
            if self._last < offset:
                self._writer.execute("begin immediate")
                self._writer.execute("delete from sqlite_sequence where name = 'record'")
                self._writer.execute("insert into sqlite_sequence values ('record', ?)", (offset,))
                self._writer.execute("commit")
                self._last = offset

    def append(self, messages: Sequence[Message]) -> int:
        """Store all of the messages or none, and return the last offset; on return they are safe on disk.

        Callers that come while another's commit is synced share the next one. SpoolFull when there is no room.
        """
        job = _Job(messages, sum(map(size_of, messages)))
        with self._queueing:
            self._queue.append(job)
        with self._writing:  # whoever gets in first stores for all that wait
            if not job.done:
                self._store_waiting()
        if job.error is not None:
            raise job.error
        return job.last

    def read(self, after: int, most: int, most_bytes: int = READ_BYTES) -> list[Record]:
        """The next records after an offset, at most `most`, and only one where the first exceeds `most_bytes`."""
        found: list[Record] = []
        with self._reading, self._told("a sound spool"):
            size = 0
            cursor = self._reader.execute(READ, (after, most))
            for row in cursor:
                size += len(row[3])
                if found and size > most_bytes:
                    break
                found.append(Record(*row))
            cursor.close()
        return found

    def drop(self, up_to: int) -> None:
        """Forget the records up to and including an offset.

        A loss of power can bring them back, so whoever took them over must bear to see them twice.
        """
        with self._writing, self._told("a file that can be written"):
            counted = self._writer.execute(f"{COUNT} where offset <= ?", (up_to,)).fetchone()
            self._writer.execute("pragma synchronous = normal")
            try:
                self._writer.execute("delete from record where offset <= ?", (up_to,))
            finally:
                self._writer.execute("pragma synchronous = full")
            self._records -= counted[0]
            self._bytes -= counted[1]
            if self._pragma("freelist_count") > FREE_PAGES:
                self._writer.executescript("pragma incremental_vacuum")  # `execute` would free a single page

    def waiting(self) -> Waiting:
        """What waits to be taken over."""
        with self._reading, self._told("a sound spool"):
            oldest = self._reader.execute("select received_ms from record order by offset limit 1").fetchone()
        return Waiting(self._records, self._bytes, oldest[0] if oldest else None)

    def close(self) -> None:
        """Close the file; what waits stays in it."""
        with self._writing, self._reading:
            while self._open:
                self._open.pop().close()

    def _store_waiting(self) -> None:
        """Commit every job that waits, in one transaction; a job for which there is no room fails alone."""
        with self._queueing:
            jobs, self._queue = self._queue, []
        accepted: list[_Job] = []
        size = self._bytes
        for job in jobs:
            job.done = True
            if size + job.size > self.most_bytes:
                job.error = SpoolFull(
                    f"{self.path}: expected room for {job.size:,} bytes; found {size:,} of {self.most_bytes:,} taken"
                )
                continue
            size += job.size
            accepted.append(job)
        try:
            with self._told("a file that can be written"):
                self._insert(accepted)
        except KilowatchError as error:
            for job in accepted:
                job.error = type(error)(str(error))
            return
        self._records += sum(len(job.messages) for job in accepted)
        self._bytes = size

    def _insert(self, jobs: Sequence[_Job]) -> None:
        rows = [
            (each.site, each.gateway, each.value, each.received_ms, each.tick_ms)
            for job in jobs
            for each in job.messages
        ]
        if rows:
            self._writer.execute("begin immediate")
            try:
                self._writer.executemany(INSERT, rows)
                self._writer.execute("commit")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("rollback")
                raise
        last = self._last
        if rows:
            self._last = self._sequence()
            last = self._last - len(rows)
        for job in jobs:
            last += len(job.messages)
            job.last = last

    def _hold(self) -> None:
        """Lock a file of its own: closing any handle of the database itself would let go SQLite's locks."""
        lock = self.path.with_name(f"{self.path.name}.lock").open("ab")
        self._open.append(lock)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise KilowatchError(
                f"{self.path}: expected a spool that nobody uses; found one held by another process (stop that first)"
            ) from error

    def _opened(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=10)
        self._open.append(connection)
        connection.execute("pragma synchronous = full")
        return connection

    def _prepare(self) -> None:
        """Make the table in a new file; refuse a file that is damaged or something else."""
        if self._pragma("application_id") == 0 and self._pragma("schema_version") == 0:
            for pragma in ("page_size = 4096", "auto_vacuum = incremental", f"application_id = {APPLICATION}"):
                self._writer.execute(f"pragma {pragma}")
        elif self._pragma("application_id") != APPLICATION:
            raise KilowatchError(f"{self.path}: expected a spool; found another SQLite database (name another file)")
        self._writer.execute("pragma journal_mode = wal")
        self._writer.execute(f"pragma journal_size_limit = {64 << 20}")
        if self._writer.execute("select 1 from sqlite_master where name = 'record'").fetchone() is None:
            self._writer.execute(SCHEMA)
        verdict = self._writer.execute("pragma quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise sqlite3.DatabaseError(str(verdict).splitlines()[0])

    def _pragma(self, name: str) -> int:
        return int(self._writer.execute(f"pragma {name}").fetchone()[0])

    def _sequence(self) -> int:
        found = self._writer.execute("select seq from sqlite_sequence where name = 'record'").fetchone()
        return int(found[0]) if found else 0

    @contextmanager
    def _told(self, expected: str) -> Iterator[None]:
        """Turn errors of SQLite and of the file system into one sentence."""
        try:
            yield
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorname", "") == "SQLITE_FULL":
                raise SpoolFull(f"{self.path}: expected room on the disk; found none ({error})") from error
            raise KilowatchError(
                f"{self.path}: expected {expected}; found: {error} (mend it, or move it away to begin a new one)"
            ) from error
        except OSError as error:
            raise KilowatchError(f"{self.path}: expected {expected}; found: {error.strerror or error}") from error


def _sync_folder(folder: Path) -> None:
    """Make the names of new files safe as well."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
