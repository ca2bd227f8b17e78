"""What the machines of a container yard do and burn, each minute."""

from __future__ import annotations

import numpy as np

from jobs.simulation.clock import Clock, Real, Truth, chance
from jobs.simulation.cycles import cycling

DIESEL_SHARE, HYBRID_SHARE = 0.45, 0.14
"""Of a machine's largest flow of fuel, while it moves containers."""


def attended(clock: Clock) -> Truth:
    """When a yard is open: six to twenty-two, not on Sundays and holidays."""
    result: Truth = ~clock.free & (clock.hour >= 6) & (clock.hour < 22)
    return result


def crane(clock: Clock, asset: str) -> Truth:
    """Minutes in which a crane or a carrier moves containers.

    Where a measure names both, the carriers work before it and the gantry cranes after it; a carrier then helps out on
    some mornings.
    """
    moves = attended(clock) & cycling(clock, asset, np.full(clock.steps, 0.55), 35)
    if not clock.is_measured(asset):
        return moves
    since = clock.since(asset)
    if is_hybrid(asset):
        return moves & since
    helps = chance(clock.seed, clock.site.name, asset, "helps").random(int(clock.day[-1]) + 1)[clock.day] < 0.15
    return moves & (~since | (helps & (clock.hour < 9)))


def running(clock: Clock, asset: str) -> Truth:
    """Minutes in which its engine runs: while it moves containers, and between moves unless it can do without."""
    moves = crane(clock, asset)
    if not clock.is_measured(asset) or is_hybrid(asset):
        return moves
    hours = np.flatnonzero(moves) // 60
    busy = np.zeros(clock.steps // 60 + 1, dtype=np.bool_)
    busy[hours] = True
    result: Truth = busy[np.arange(clock.steps) // 60]
    return result


def burning(clock: Clock, asset: str, name: str) -> Real:
    """Share of a machine's largest flow of fuel."""
    swing = np.tanh(clock.drift(name, 1.0, 10))
    if clock.is_measured(asset) and is_hybrid(asset):
        idle = np.where(attended(clock) & clock.since(asset), 0.02, 0.0)
        return np.where(crane(clock, asset), HYBRID_SHARE * (1 + 0.3 * swing), idle)
    return np.where(crane(clock, asset), DIESEL_SHARE + 0.15 * swing, 0.04 * attended(clock))


def hybrid(clock: Clock, name: str) -> Real:
    """What a hybrid crane takes from the grid: most while it moves containers, a little while the yard is open."""
    if not is_hybrid(name):
        return np.zeros(clock.steps)
    since = clock.since(name) if clock.is_measured(name) else np.ones(clock.steps, dtype=np.bool_)
    swing = 1 + 0.2 * np.tanh(clock.drift(name + "/kw", 1.0, 10))
    return np.asarray(since * np.where(crane(clock, name), 0.12 * swing, 0.02 * attended(clock)), dtype=np.float64)


def is_hybrid(asset: str) -> bool:
    """Whether an asset is a gantry crane that also takes electricity."""
    return "rtg" in asset
