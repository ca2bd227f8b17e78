"""Labelled series of a made-up site at work: what its machines show while an operational fault strikes them.

A site is simulated twice, with faults and without. A fault is an event on each point of its machine whose course it
changes, for as long as the answer key says; what the point shows without faults is no event, however odd.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from jobs.bench_anomaly.labelled import MINUTE_MS, WEEK_MINUTES, Labelled
from jobs.detecting import begin_of, machines
from jobs.simulation.clock import Real
from jobs.simulation.operations.planning import KINDS, Fault
from jobs.simulation.operations.site import Measure, Metered, Operated, operate

DAYS = 150
DAY = 1440
BEFORE, AFTER = 12 * DAY, 2 * DAY
"""Minutes of a series before a fault begins and after."""
SUPPLY = ("main", "reactive")
CHANGED = 0.02
"""A fault moves a point if it changes it by this share of the standard deviation of its healthy course."""


def works(seed: int) -> list[Labelled]:
    """A series for every fault of a site and each point that it moves: two weeks around its begin."""
    begins = begin_of(seed)
    faulty = operate(begins, DAYS, seed, KINDS, repeats=1)
    healthy = operate(begins, DAYS, seed, ())
    hours = faulty.hours
    off = hours.off_peak | (hours.clock.weekday == 6)
    week = hours.clock.local_s // 60 + 3 * DAY
    minute = np.where(off, 6 * DAY + week % DAY, week % WEEK_MINUTES)
    found = []
    for fault in faulty.faults:
        first, last = max(fault.begin - BEFORE, 0), min(fault.begin + AFTER, hours.clock.steps)
        for name, point in faulty.points.items():
            if _is_changed(faulty, healthy, name, fault, first, last):
                events = tuple(_events(faulty, healthy, name, first, last))
                label = f"{seed} {fault.kind} {name}"
                found.append(Labelled(label, MINUTE_MS, _means(point)[first:last], minute[first:last], events))
    return found


def _is_changed(faulty: Operated, healthy: Operated, point: str, fault: Fault, first: int, last: int) -> bool:
    """Whether a fault is of a point's machine and moves the point between two minutes.

    Everything moves the meters of the supply: theirs are the faults that name them.
    """
    if point not in fault.points and (point in SUPPLY or not machines([point]) & machines(fault.points)):
        return False
    span = slice(max(fault.begin, first), min(fault.end, last))
    course, plain = faulty.points[point].course, healthy.points[point].course
    moved = np.abs(course[span] - plain[span])
    return bool(moved.size) and float(moved.max()) > CHANGED * float(np.std(plain))


def _events(faulty: Operated, healthy: Operated, point: str, first: int, last: int) -> Iterator[tuple[int, int, str]]:
    """The faults that move a point, as places of its series from minute `first` to `last`."""
    for fault in faulty.faults:
        if _is_changed(faulty, healthy, point, fault, first, last):
            yield max(fault.begin, first) - first, min(fault.end, last) - first, fault.kind


def _means(point: Metered) -> Real:
    """What the pipeline would score each minute: what is counted as a rate an hour, nothing where it is estimated."""
    rate = point.course * 60 if point.measure is Measure.REGISTER else point.course
    result: Real = np.where(point.missing, np.nan, rate)
    return result
