"""What a machine does each minute, in batches of parts between set-ups."""

from __future__ import annotations

import numpy as np

from jobs.simulation.clock import Clock, Int, Truth, chance

OFF, IDLE, SET_UP, CUTTING = range(4)
EXECUTION = ("OFF", "READY", "SETUP", "ACTIVE")
"""Words of a machine's state; the first three of MTConnect's spirit, set-up kept apart as the shop does."""
DONE_AT = 15.5


def states(clock: Clock, name: str) -> Int:
    """Off, idle, set-up, or cutting part after part between short idle times.

    A machine that a measure names works in batches. Before the measure each is set up by hand in 16 to 25 minutes,
    whoever loads it takes a minute or more, and the machine idles over lunch and on some evenings. After it the set-up
    is called up in 3 to 5 minutes, loading takes a minute, and the machine is off when nobody works; a press is then
    done with its day by half past three.
    """
    luck = chance(clock.seed, clock.site.name, name, "states")
    is_measured, since = clock.is_measured(name), clock.since(name)
    state = np.full(clock.steps, OFF, dtype=np.int64)
    work = clock.working
    if is_measured and "press" in name:
        work = work & ~(since & (clock.hour >= DONE_AT))
    starts = np.flatnonzero(work & ~np.concatenate(([False], work[:-1])))
    for begin in starts.tolist():
        length = int(np.argmin(np.append(work[begin:], False)))
        block = _batches(luck, length, is_after=bool(since[begin])) if is_measured else _shift(luck, length)
        state[begin : begin + len(block)] = block
    if is_measured:
        state[_left_on(clock, name) & ~since & (state == OFF)] = IDLE
    return state


def _shift(luck: np.random.Generator, length: int) -> Int:
    """One set-up, then parts to the end."""
    setup = int(luck.integers(12, 45))
    cycles = length // 4 + 1
    cut, rest = luck.integers(4, 19, size=cycles), luck.integers(1, 6, size=cycles)
    pattern = np.repeat(np.tile([CUTTING, IDLE], cycles), np.column_stack((cut, rest)).ravel())
    result: Int = np.concatenate((np.full(8, IDLE), np.full(setup, SET_UP), pattern))[:length]
    return result


def _batches(luck: np.random.Generator, length: int, *, is_after: bool) -> Int:
    """A set-up before each batch of seven to twelve parts."""
    setups, rests = ((3, 6), (1, 2)) if is_after else ((16, 26), (1, 5))
    parts = [np.full(8, IDLE)]
    done = 8
    while done < length:
        count = int(luck.integers(7, 13))
        cut, rest = luck.integers(6, 15, size=count), luck.integers(*rests, size=count)
        pattern = np.repeat(np.tile([CUTTING, IDLE], count), np.column_stack((cut, rest)).ravel())
        parts += [np.full(int(luck.integers(*setups)), SET_UP), pattern]
        done += len(parts[-1]) + len(parts[-2])
    result: Int = np.concatenate(parts)[:length]
    return result


def _left_on(clock: Clock, name: str) -> Truth:
    """The lunch break, and the evening of three days in ten until eight, of days on which somebody works."""
    days = int(clock.day[-1]) + 1
    works = np.zeros(days, dtype=np.bool_)
    works[clock.day[clock.working & (clock.hour >= 13)]] = True
    forgotten = chance(clock.seed, clock.site.name, name, "evenings").random(days) < 0.3
    lunch = (clock.hour >= 12) & (clock.hour < 13)
    evening = (clock.hour >= 17.5) & (clock.hour < 20)
    result: Truth = works[clock.day] & (lunch | (evening & forgotten[clock.day]))
    return result
