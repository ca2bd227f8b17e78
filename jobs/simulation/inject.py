"""Which point has which fault, and when."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from jobs.simulation import faults
from jobs.simulation.clock import Clock, chance
from jobs.simulation.faults import Injection, plain_readings
from jobs.simulation.kinds import FaultKind, Injected
from jobs.simulation.readings import SimulationError
from jobs.simulation.sending import Sending
from streams.domain.site import PointKind, Quantity

PLENTY = 120  # readings that must be left to choose from
WAYS: dict[FaultKind, Callable[[Injection], Injected]] = {
    FaultKind.ROLLOVER: faults.rollover,
    FaultKind.RESET: faults.reset,
    FaultKind.EXCHANGE: faults.exchange,
    FaultKind.GLITCH: faults.glitch,
    FaultKind.GAP: faults.gap,
    FaultKind.LATE: faults.late,
    FaultKind.DUPLICATE: faults.duplicate,
    FaultKind.SHUFFLE: faults.shuffle,
    FaultKind.CLOCK_STEP: faults.clock_step,
    FaultKind.STUCK: faults.stuck,
    FaultKind.SILENT: faults.silent,
    FaultKind.BACK_STEP: faults.back_step,
}
OF_REGISTERS = (FaultKind.ROLLOVER, FaultKind.RESET, FaultKind.EXCHANGE, FaultKind.GLITCH, FaultKind.BACK_STEP)


def inject(
    kinds: Sequence[FaultKind], sendings: Sequence[Sending], clock: Clock, *, where_possible: bool = False
) -> tuple[list[Injected], list[FaultKind]]:
    """Do all that is asked for, each at its own time and on the point with the fewest so far; the sendings change.

    The first of each kind strikes an energy meter where there is one that can have it. Returns what was done and what
    was not possible; without `where_possible` the latter is a SimulationError.
    """
    order = sorted(kinds, key=lambda kind: (kind is FaultKind.SILENT) - (kind is FaultKind.ROLLOVER))
    used = {sending.point.name: 0 for sending in sendings}
    slot = (clock.ends_ms - clock.begins_ms) // (len(order) + 1)
    done: list[Injected] = []
    impossible: list[FaultKind] = []
    for nth, kind in enumerate(order):
        earlier = order[:nth].count(kind)
        luck = chance(clock.seed, clock.site.name, "fault", kind.value, str(earlier))
        able = [sending for sending in sendings if _able(kind, sending, clock)]
        if not able and not where_possible:
            raise SimulationError(
                f"{clock.site.name}: expected a point that can have fault {kind.value} ({kind.help}); got none"
                f" in {clock.days} days"
            )
        if not able:
            impossible.append(kind)
            continue
        chosen = _fewest(able, used, luck, prefer_energy=earlier == 0)
        used[chosen.point.name] += 1
        begin = clock.begins_ms + nth * slot + slot // 2
        done.append(WAYS[kind](Injection(kind, chosen, clock, luck, begin, begin + slot)))
    return done, impossible


def _fewest(
    able: Sequence[Sending], used: dict[str, int], luck: np.random.Generator, *, prefer_energy: bool
) -> Sending:
    """One of the points with the fewest faults so far."""
    meters = [each for each in able if each.point.quantity is Quantity.ENERGY] if prefer_energy else []
    candidates = meters or able
    least = min(used[sending.point.name] for sending in candidates)
    fewest = [sending for sending in candidates if used[sending.point.name] == least]
    return fewest[int(luck.integers(len(fewest)))]


def _able(kind: FaultKind, sending: Sending, clock: Clock) -> bool:
    point = sending.point
    if kind in OF_REGISTERS:
        if point.kind is not PointKind.REGISTER or point.max_rate is None or not sending.ticks[-1]:
            return False
        if kind is FaultKind.ROLLOVER:
            fits = sending.ticks[-1] < sending.width // 2
            return point.modulus is not None and bool(fits) and not sending.returns and not sending.touched.any()
        return bool(np.count_nonzero(plain_readings(sending)) > PLENTY)
    if kind in (FaultKind.STUCK, FaultKind.SILENT):
        return point.kind in (PointKind.REGISTER, PointKind.POWER, PointKind.GAUGE) and (
            kind is FaultKind.STUCK or point.name not in clock.site.import_points
        )
    return point.kind in (PointKind.REGISTER, PointKind.POWER)
