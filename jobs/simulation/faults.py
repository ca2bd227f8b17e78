"""What can go wrong between a meter and its reader, on request: each injected once for each time it is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from jobs.simulation.clock import QUARTER_MS, Clock, Truth
from jobs.simulation.kinds import FaultKind, Injected
from jobs.simulation.readings import SimulationError
from jobs.simulation.sending import Return, Sending
from streams.domain.site import PointKind

MINUTE_MS, HOUR_MS = 60_000, 3_600_000


@dataclass
class Injection:
    """One fault to be: where, between which times, and with which luck."""

    kind: FaultKind
    sending: Sending
    clock: Clock
    luck: np.random.Generator
    begin_ms: int
    end_ms: int
    struck: list[tuple[int, int]] = field(default_factory=list)

    def pick(self, wanted: Truth | None = None) -> int:
        """A reading in the middle of the time given that is wanted and far from other faults; else any such one."""
        sending = self.sending
        free = ~sending.touched
        free[:8] = False
        free[-20:] = False
        if wanted is not None:
            free = free & wanted
        inside = (sending.time_ms >= self.begin_ms) & (sending.time_ms < self.end_ms)
        for choice in (np.flatnonzero(free & inside), np.flatnonzero(free)):
            if len(choice):
                return int(self.luck.choice(choice))
        raise SimulationError(
            f"{sending.point.name}: expected a moment for fault {self.kind.value}; got none in {self.clock.days} days"
        )

    def stretch(self, low_ms: int, high_ms: int) -> tuple[int, int]:
        """First and last reading of a stretch about so long, cut to the time that this fault has."""
        slot = max(self.end_ms - self.begin_ms, 1)
        first = self.pick()
        length = min(int(self.luck.integers(low_ms, high_ms)), max(slot // 2, 5 * MINUTE_MS))
        last = int(np.searchsorted(self.sending.time_ms, int(self.sending.time_ms[first]) + length))
        last = min(max(last, first + 2), len(self.sending.time_ms) - 8)
        self.strike(first, last)
        return first, last

    def strike(self, first: int, last: int) -> None:
        """Say that the readings from `first` to before `last` are struck, and keep other faults away from them."""
        times = self.sending.time_ms
        self.sending.touch(first, last)
        self.struck.append((int(times[max(first - 1, 0)]), int(times[min(last, len(times) - 1)])))

    def done(self, at_ms: int, detail: str, *, energy_knowable: bool = True) -> Injected:
        """Say what was done."""
        spans = tuple((_stamp(begin), _stamp(end)) for begin, end in self.struck)
        return Injected(self.kind.value, self.sending.point.name, _stamp(at_ms), detail, energy_knowable, spans)

    @property
    def plain(self) -> Truth:
        """See `plain_readings`."""
        return plain_readings(self.sending)

    @property
    def within_quarter(self) -> Truth:
        """Readings with the one before and the one after in the same quarter-hour."""
        quarter = self.sending.time_ms // QUARTER_MS
        same = np.zeros(len(quarter), dtype=np.bool_)
        same[1:-1] = (quarter[:-2] == quarter[2:]) & (self.sending.time_ms[:-2] % QUARTER_MS > 0)
        return same

    def register_moment(self) -> int:
        """A plain reading of a register, best with its neighbours in one quarter-hour."""
        best = self.plain & self.within_quarter
        return self.pick(best if (best & ~self.sending.touched).any() else self.plain)


def plain_readings(sending: Sending) -> Truth:
    """Readings at which a register counts, far from its wrap and from zero, and from other faults."""
    shown, times = sending.shown(), sending.time_ms
    counting = np.zeros(len(times), dtype=np.bool_)
    step = np.diff(sending.ticks) > 0
    counting[2:-1] = step[:-2] & step[2:]
    grown = np.append(sending.ticks[12:], np.full(12, sending.ticks[-1])) - sending.ticks
    wide = (shown > 0.05 * sending.width) & (shown < 0.85 * sending.width)
    result: Truth = counting & wide & (shown > 20 * grown) & ~sending.touched
    result[:8] = result[-20:] = False
    return result


def rollover(it: Injection) -> Injected:
    """Set the opening value such that the register passes its width at the moment chosen."""
    sending = it.sending
    counts = np.zeros(len(sending.ticks), dtype=np.bool_)
    counts[1:] = np.diff(sending.ticks) > 0
    at = it.pick(counts)
    sending.begins_with = int(sending.width - sending.ticks[at]) % sending.width
    it.strike(at, at)
    width = sending.width / 10**sending.point.decimals
    return it.done(int(sending.time_ms[at]), f"wraps at {width:g} {sending.point.unit}")


def reset(it: Injection) -> Injected:
    """To zero between two readings."""
    sending, at = it.sending, it.register_moment()
    before_ms, after_ms = int(sending.time_ms[at - 1]), int(sending.time_ms[at])
    moment = before_ms + (after_ms - before_ms) // 2
    shown = sending.shown_at(moment) / 10**sending.point.decimals
    sending.returns.append(Return(moment, 0, exchange=False, declared=False))
    sending.stretches.append((before_ms, after_ms, True))
    it.strike(at, at)
    return it.done(moment, f"from {shown:.{sending.point.decimals}f} to 0 {sending.point.unit}", energy_knowable=False)


def exchange(it: Injection) -> Injected:
    """A new meter takes over between two readings, with a small opening value."""
    sending, at = it.sending, it.register_moment()
    before_ms, after_ms = int(sending.time_ms[at - 1]), int(sending.time_ms[at])
    inside = before_ms // QUARTER_MS == after_ms // QUARTER_MS
    moment = (before_ms + after_ms) // 2000 * 1000 if inside else after_ms
    opening = int(it.luck.integers(0, 50)) * 10**sending.point.decimals // 10
    closing = sending.shown_at(moment)
    sending.returns.append(Return(moment, opening, exchange=True, declared=False))
    it.strike(at, at)
    places = sending.point.decimals
    scale = 10**places
    return it.done(
        moment, f"closing {closing / scale:.{places}f}, opening {opening / scale:.{places}f} {sending.point.unit}"
    )


def glitch(it: Injection) -> Injected:
    """One and a few samples, to zero and to garbage."""
    sending, times = it.sending, []
    few = min(int(it.luck.integers(2, 5)), max(sending.point.confirm_after - 1, 1))
    for count in (1, few):
        for garbage in (False, True):
            at = it.pick(it.plain)
            rows = slice(at, at + count)
            shown = int(sending.shown()[at])
            low = shown + sending.width // 20
            wrong = it.luck.integers(low, sending.width * 19 // 20, size=count) if garbage else np.zeros(count)
            sending.instead[rows] = wrong / 10**sending.point.decimals
            sending.kept[rows] = False
            it.strike(at, at + count)
            times.append(int(sending.time_ms[at]))
    return it.done(min(times), f"1 and {few} samples, to zero and to garbage: {_stamps(times)}")


def gap(it: Injection) -> Injected:
    """Nothing is sent for longer than the largest gap to integrate over."""
    sending = it.sending
    longest = sending.point.max_gap_ms
    first, last = it.stretch(max(longest * 5 // 4, HOUR_MS), max(longest * 3, 6 * HOUR_MS))
    sending.kept[first:last] = sending.sent[first:last] = False
    return it.done(int(sending.time_ms[first]), _span(sending, first, last), energy_knowable=_counts(sending))


def late(it: Injection) -> Injected:
    """Held back, then all at once."""
    sending = it.sending
    first, last = it.stretch(HOUR_MS, 4 * HOUR_MS)
    delay = int(it.luck.integers(3 * HOUR_MS, 48 * HOUR_MS))
    arrives = min(int(sending.arrives_ms[last]) + delay, it.clock.ends_ms)
    sending.arrives_ms[first:last] = arrives
    waited = (arrives - int(sending.time_ms[last])) / HOUR_MS
    return it.done(int(sending.time_ms[first]), f"{_span(sending, first, last)}, {waited:.1f} h after the last of them")


def duplicate(it: Injection) -> Injected:
    """Copies at once, soon after and much later."""
    sending = it.sending
    first, last = it.stretch(30 * MINUTE_MS, 3 * HOUR_MS)
    delays = it.luck.choice([0, MINUTE_MS, sending.point.allowed_lateness_ms * 3], size=last - first)
    for at, delay in zip(range(first, last), delays.tolist(), strict=True):
        sending.copies.append((at, min(int(sending.arrives_ms[at]) + delay, it.clock.ends_ms)))
    return it.done(int(sending.time_ms[first]), f"{_span(sending, first, last)} twice")


def shuffle(it: Injection) -> Injected:
    """Each is delayed by a time of its own."""
    sending = it.sending
    first, last = it.stretch(HOUR_MS, 4 * HOUR_MS)
    interval = sending.point.interval_ms or MINUTE_MS
    most = max(sending.point.allowed_lateness_ms * 9 // 10, 3 * interval)
    delay = it.luck.integers(0, most, size=last - first)
    delay[0] = most  # so that at least one is overtaken
    sending.arrives_ms[first:last] = np.minimum(sending.arrives_ms[first:last] + delay, it.clock.ends_ms)
    return it.done(
        int(sending.time_ms[first]), f"{_span(sending, first, last)}, delayed by up to {most / MINUTE_MS:g} min"
    )


def clock_step(it: Injection) -> Injected:
    """Forward or backward by two minutes to half an hour, then right again."""
    sending = it.sending
    first, last = it.stretch(HOUR_MS, 4 * HOUR_MS)
    step = int(it.luck.choice([-1, 1])) * int(it.luck.integers(2, 31)) * MINUTE_MS
    sending.stamp_ms[first:last] += step
    sending.kept[first:last] = False
    begin = int(sending.time_ms[first - 1]) + min(step, 0)
    sending.stretches.append((begin, int(sending.time_ms[last]) + max(step, 0), True))
    it.struck = [(begin, int(sending.time_ms[last]) + max(step, 0))]
    detail = f"{_span(sending, first, last)}, wrong by {step // MINUTE_MS:+d} min"
    return it.done(int(sending.time_ms[first]), detail, energy_knowable=False)


def stuck(it: Injection) -> Injected:
    """The value of the first reading again and again."""
    sending = it.sending
    first, last = it.stretch(2 * HOUR_MS, 8 * HOUR_MS)
    value = float(sending.values()[first])
    sending.instead[first:last] = value
    register = _counts(sending)
    sending.stretches.append((int(sending.time_ms[first]), int(sending.time_ms[last]), not register))
    detail = f"{_span(sending, first, last)} at {value:.{sending.point.decimals}f} {sending.point.unit}"
    return it.done(int(sending.time_ms[first]), detail, energy_knowable=register)


def silent(it: Injection) -> Injected:
    """Nothing to the end."""
    sending, at = it.sending, it.pick()
    sending.kept[at:] = sending.sent[at:] = False
    sending.touched[at:] = True
    it.strike(at, len(sending.time_ms))
    return it.done(int(sending.time_ms[at]), "to the end", energy_knowable=False)


def back_step(it: Injection) -> Injected:
    """Back by its noise, at least by one of its last decimals."""
    sending, at = it.sending, it.register_moment()
    scale = 10**sending.point.decimals
    most = max(round(sending.point.noise * scale), 1)
    wrong = int(sending.shown()[at - 1]) - int(it.luck.integers(1, most + 1))
    sending.instead[at] = wrong / scale
    sending.kept[at] = False
    sending.stretches.append((int(sending.time_ms[at - 1]), int(sending.time_ms[at + 1]), False))
    it.strike(at, at + 1)
    return it.done(int(sending.time_ms[at]), f"to {wrong / scale:.{sending.point.decimals}f} {sending.point.unit}")


def _counts(sending: Sending) -> bool:
    return sending.point.kind is PointKind.REGISTER


def _span(sending: Sending, first: int, last: int) -> str:
    hours = int(sending.time_ms[last] - sending.time_ms[first]) / HOUR_MS
    return f"{last - first} readings in {hours:.1f} h"


def _stamp(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, tz=UTC).isoformat()


def _stamps(times_ms: list[int]) -> str:
    return ", ".join(map(_stamp, sorted(times_ms)))
