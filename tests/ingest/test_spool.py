"""The spool: what it has accepted is there after a kill, offsets are never given twice, and it is bounded."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.domain.findings import KilowatchError
from streams.ingest.records import Message, Record
from streams.ingest.spool import OVERHEAD_BYTES, Spool, SpoolFull, Waiting

ROOT = Path(__file__).parents[2]
ROOM = 1 << 30


def message(number: int, size: int = 20) -> Message:
    return Message("wugu", "mqtt:wugu/gw1", str(number).encode().rjust(size), 1_000 + number)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool(tmp_path / "spool.db", ROOM) as opened:
        yield opened


def test_what_was_appended_is_read_as_it_was_in_order(spool: Spool) -> None:
    sent = [Message("", "http:gw7", b'{"a": "\xff\x00"}\n', 5), Message("", "clock", b"", 7, tick_ms=6)]
    assert spool.append(sent) == 2
    assert spool.append([Message("沃谷", "mqtt:x", b"1", 9)]) == 3
    assert spool.read(0, 10) == [
        Record(1, "", "http:gw7", b'{"a": "\xff\x00"}\n', 5),
        Record(2, "", "clock", b"", 7, 6),
        Record(3, "沃谷", "mqtt:x", b"1", 9),
    ]
    assert [record.offset for record in spool.read(1, 1)] == [2]
    assert spool.read(3, 10) == []


def test_offsets_go_on_after_all_was_dropped_and_the_process_started_again(tmp_path: Path) -> None:
    for _ in range(3):
        with Spool(tmp_path / "spool.db", ROOM) as spool:
            before = spool.last
            assert spool.append([message(1), message(2)]) == before + 2
            spool.drop(before + 2)
            assert spool.waiting() == Waiting(0, 0, None)
    assert before == 4


def test_appending_nothing_gives_the_last_offset(spool: Spool) -> None:
    assert spool.append([]) == 0
    spool.append([message(1)])
    assert spool.append([]) == 1


def test_waiting_says_how_much_waits_and_since_when_also_after_a_restart(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool.db", ROOM) as spool:
        spool.append([Message("沃", "g", b"12345", 1_000 + number) for number in range(4)])
        spool.drop(1)
        expected = Waiting(3, 3 * (5 + 3 + 1 + OVERHEAD_BYTES), 1_001)
        assert spool.waiting() == expected
    with Spool(tmp_path / "spool.db", ROOM) as spool:
        assert spool.waiting() == expected


def test_a_read_is_bounded_by_bytes_but_gives_at_least_one_record(spool: Spool) -> None:
    spool.append([message(number, size=1_000) for number in range(5)])
    assert len(spool.read(0, 10, most_bytes=2_500)) == 2
    assert len(spool.read(0, 10, most_bytes=10)) == 1


def test_a_full_spool_stores_nothing_of_what_it_refuses_and_takes_more_once_there_is_room(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool.db", 10_000) as spool:
        first = spool.append([message(1, size=6_000)])
        with pytest.raises(SpoolFull, match=r"spool\.db: expected room for .* bytes; found .* of 10,000 taken"):
            spool.append([message(2), message(3, size=5_000)])
        assert [record.offset for record in spool.read(0, 10)] == [first]
        assert spool.append([message(2)]) == first + 1
        spool.drop(first)
        assert spool.append([message(3, size=5_000)]) == first + 2


def test_a_job_that_does_not_fit_leaves_the_others_of_its_commit_alone(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool.db", 50_000) as spool:
        outcomes: list[object] = []

        def put(size: int) -> None:
            try:
                outcomes.append(spool.append([message(1, size=size)]))
            except SpoolFull:
                outcomes.append("full")

        threads = [threading.Thread(target=put, args=(size,)) for size in [60_000, 100] * 20]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert outcomes.count("full") == 20
        assert sorted(each for each in outcomes if isinstance(each, int)) == list(range(1, 21))


def test_many_threads_get_offsets_of_their_own_messages(spool: Spool) -> None:
    given_offsets: dict[int, int] = {}

    def put(first: int) -> None:
        for number in range(first, first + 100, 2):
            given_offsets[number] = spool.append([message(number), message(number + 1)])

    threads = [threading.Thread(target=put, args=(1_000 * index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = {record.offset: int(record.value) for record in spool.read(0, 10_000)}
    assert sorted(stored) == list(range(1, 801))
    assert {stored[offset] for offset in given_offsets.values()} == {number + 1 for number in given_offsets}
    assert all(stored[offset - 1] == number for number, offset in given_offsets.items())


def test_the_file_does_not_grow_for_ever(tmp_path: Path) -> None:
    with Spool(tmp_path / "spool.db", ROOM) as spool:
        for _ in range(3):
            spool.drop(spool.append([message(number, size=8_000) for number in range(3_000)]))
        for _ in range(100):
            spool.drop(spool.append([message(number, size=8_000) for number in range(50)]))
    files = list(tmp_path.glob("spool.db*"))
    assert sum(path.stat().st_size for path in files) < 10_000_000, files


def test_every_commit_is_synced(spool: Spool) -> None:
    spool.append([message(1)])
    spool.drop(1)
    assert spool._writer.execute("pragma synchronous").fetchone() == (2,)  # FULL
    assert spool._writer.execute("pragma journal_mode").fetchone() == ("wal",)


APPENDER = """
import sys
from pathlib import Path
from streams.ingest.records import Message
from streams.ingest.spool import Spool
spool, number = Spool(Path(sys.argv[1]), 1 << 30), int(sys.argv[2])
while True:
    batch = [Message("wugu", "g", str(number + each).encode(), 1) for each in range(7)]
    print(spool.append(batch), number, flush=True)
    number += 7
"""


def test_killed_at_moments_of_chance_it_holds_all_that_it_said_it_held(tmp_path: Path) -> None:
    path, told, number = tmp_path / "spool.db", {}, 0
    for lines in (1, 5, 37, 90):
        process = subprocess.Popen(
            [sys.executable, "-c", APPENDER, str(path), str(number)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        seen = [process.stdout.readline() for _ in range(lines)]
        os.kill(process.pid, signal.SIGKILL)
        seen += process.stdout.readlines()
        process.stdout.close()
        assert process.wait() == -signal.SIGKILL
        for offset, first in (map(int, line.split()) for line in seen if line.endswith("\n")):
            told |= {offset - 6 + each: first + each for each in range(7)}
            number = first + 7
    with Spool(path, ROOM) as spool:
        stored = {record.offset: int(record.value) for record in spool.read(0, 1_000_000)}
    assert len(told) >= 7 * 130
    assert told.items() <= stored.items()


def test_a_second_process_is_told_that_the_spool_is_held(spool: Spool) -> None:
    with pytest.raises(KilowatchError, match="held by another process"):
        Spool(spool.path, ROOM)


def test_a_damaged_file_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    path.write_bytes(b"this is no database, " * 500)
    with pytest.raises(KilowatchError, match=r"spool\.db: expected .*; found: file is not a database \(mend it"):
        Spool(path, ROOM)


def test_a_file_with_a_damaged_page_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    with Spool(path, ROOM) as spool:
        spool.append([message(number, size=3_000) for number in range(100)])
    content = bytearray(path.read_bytes())
    content[4_096 * 3 : 4_096 * 6] = b"\xa5" * 4_096 * 3
    path.write_bytes(content)
    with pytest.raises(KilowatchError, match=r"spool\.db: expected .*; found: .*"):
        Spool(path, ROOM)


def test_another_database_is_not_taken_for_a_spool(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("create table mine (a integer)")
    other.close()
    with pytest.raises(KilowatchError, match="expected a spool; found another SQLite database"):
        Spool(path, ROOM)


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KilowatchError, match=r"expected a file that can be written; found: (Not a dir|File exists)"):
        Spool(tmp_path / "file" / "spool.db", ROOM)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from(["append", "drop", "reopen"]), st.integers(0, 9)), max_size=25))
def test_any_course_of_appends_drops_and_restarts_leaves_what_a_list_would_hold(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    path = tmp_path_factory.mktemp("spool") / "spool.db"
    spool, held, last = Spool(path, ROOM), dict[int, int](), 0
    for step, number in steps:
        if step == "append":
            assert spool.append([message(each) for each in range(number)]) == last + number
            held |= {last + 1 + each: each for each in range(number)}
            last += number
        elif step == "drop":
            spool.drop(last - number)
            held = {offset: each for offset, each in held.items() if offset > last - number}
        else:
            spool.close()
            spool = Spool(path, ROOM)
        assert {record.offset: int(record.value) for record in spool.read(0, 1_000)} == held
        assert spool.waiting().records == len(held)
    spool.close()
