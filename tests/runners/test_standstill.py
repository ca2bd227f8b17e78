"""A partition that stands still though its log goes on is read again, and at last its worker is begun anew."""

from __future__ import annotations

from itertools import pairwise

from streams.runners.standstill import BUSY_S, MOST_SEEKS, STILL_S, Remedy, Standstill

LOOK_S = 5.0


def looks(stored: list[int], ends: list[int], *, is_busy: bool = False) -> list[Remedy | None]:
    """What each of some looks, five seconds apart, asks for partition 3."""
    standstill = Standstill()
    return [
        standstill.look({3: at}, {3: end}, nth * LOOK_S, is_busy=is_busy).get(3)
        for nth, (at, end) in enumerate(zip(stored, ends, strict=True))
    ]


def test_it_is_sought_after_ten_seconds_and_twice_before_the_worker_ends() -> None:
    found = looks([70] * 12, [71] * 12)
    assert [nth * LOOK_S for nth, each in enumerate(found) if each] == [10.0, 20.0, 30.0, 40.0, 50.0]
    assert [each for each in found if each] == [Remedy.SEEK] * MOST_SEEKS + [Remedy.RESTART] * 3


def test_what_moves_or_has_nothing_to_read_needs_nothing() -> None:
    moves = list(range(70, 90))
    assert not any(looks(moves, [100] * 20))
    assert not any(looks([70] * 20, [70] * 20))


def test_a_worker_that_has_something_in_hand_gets_longer() -> None:
    many = int(BUSY_S / LOOK_S)
    assert not any(looks([70] * many, [99] * many, is_busy=True))
    assert looks([70] * (many + 1), [99] * (many + 1), is_busy=True)[-1] is Remedy.RESTART
    assert BUSY_S > STILL_S


def test_progress_begins_the_time_anew_and_a_partition_of_others_is_forgotten() -> None:
    standstill = Standstill()
    for before, now in pairwise((0.0, 9.0, 18.0, 27.0)):
        assert standstill.look({3: int(before)}, {3: 99}, now, is_busy=False) == {}
    assert standstill.look({}, {}, 30.0, is_busy=False) == {}
    assert standstill.look({3: 18}, {3: 99}, 60.0, is_busy=False) == {}
