"""Made-up one-minute series with labelled events of every shape, each series from a seed of its own.

A series has a season of the day and week, noise of one kind, and what happens at any site without being a fault: a
batch at the same hour, a machine that cycles, a level that wanders or changes for good, stray values, missing ones.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from jobs.bench_anomaly.labelled import MINUTE_MS, WEEK_MINUTES, Labelled
from jobs.simulation.clock import Int, Real

DAY = 1440
SATURDAY = 5 * DAY
APART = 90
"""Minutes between two events."""
TRIES = 200
NOISES = ("gauss", "slow", "heavy", "proportional", "skewed", "counts", "steps")
SHARES = {
    "spike": 0.28,
    "dip": 0.22,
    "shift": 0.2,
    "ramp": 0.08,
    "noise": 0.08,
    "stuck": 0.05,
    "zero": 0.05,
    "oscillation": 0.04,
}
"""Shapes of events, and how often each is."""
LEAST = {"shift": 8, "ramp": 12, "noise": 8, "stuck": 15, "oscillation": 20}
"""Fewest minutes of an event of a shape."""
Luck = np.random.Generator


def made_up(seed: int, *, large: bool) -> Labelled:
    """A week or two; `large` events stand far out of a series with little else, small ones out of one with it all."""
    luck = np.random.default_rng([seed, int(large)])
    length = int(luck.integers(7, 15)) * DAY
    minute = (int(luck.integers(WEEK_MINUTES)) + np.arange(length)) % WEEK_MINUTES
    level = _level(luck, minute, rare=0.15 if large else 1.0)
    kind = str(luck.choice(NOISES))
    sigma = float(luck.choice([0.01, 0.03, 0.08, 0.2]))
    noise = sigma * _noise(luck, kind, level)
    spread = 1.4826 * float(np.median(np.abs(noise - np.median(noise)))) + 1e-6
    value = level + noise
    _stray(luck, value, spread, 0.3 if large else 1.0)
    events = _events(luck, value, spread, float(np.std(level)), large=large)
    inside = np.zeros(length, dtype=np.bool_)
    for begin, end, _ in events:
        inside[begin:end] = True
    value = _measured(luck, kind, sigma, value)
    if luck.random() < 0.3:
        value[(luck.random(length) < 0.005) & ~inside] = np.nan
    name = f"{'large' if large else 'small'} {seed} ({kind})"
    return Labelled(name, MINUTE_MS, value, minute, tuple(sorted(events)))


def wander(luck: Luck, length: int, forgets: float) -> Real:
    """A random course of standard deviation 1 that keeps a share `forgets` of itself each minute."""
    shock = luck.normal(size=length) * np.sqrt(1 - forgets * forgets)
    result, last = np.empty(length), float(luck.normal())
    for at, each in enumerate(shock.tolist()):
        last = forgets * last + each
        result[at] = last
    return result


def _level(luck: Luck, minute: Int, rare: float) -> Real:
    """What the series would be without noise: about 1 and more; `rare` scales how often nuisances are there."""
    length, day = len(minute), minute % DAY / DAY
    season = sum(
        (luck.normal() / k * np.sin(2 * np.pi * (k * day + luck.random())) for k in range(1, int(luck.integers(2, 6)))),
        np.zeros(length),
    )
    season = (season - season.min()) / max(float(np.ptp(season)), 1e-9)
    strength = float(luck.choice([0.0, 0.2, 0.5, 1.0, 2.0], p=[0.2, 0.15, 0.25, 0.25, 0.15]))
    level: Real = 1 + strength * season * np.where(minute >= SATURDAY, luck.uniform(0.3, 1.0), 1.0)
    if luck.random() < 0.3 * rare:
        begins, span = int(luck.integers(DAY)), int(luck.integers(3, 120))
        nth = (minute[0] + np.arange(length)) // DAY
        left_out = luck.random(int(nth[-1]) + 1) < 0.05
        level = level + luck.uniform(0.2, 1.5) * (((minute - begins) % DAY < span) & ~left_out[nth])
    if luck.random() < 0.25 * rare:
        phase = np.cumsum(1 / (luck.uniform(15, 90) * (1 + 0.1 * wander(luck, length, 0.99))))
        wave = np.sin(2 * np.pi * phase)
        level = level + luck.uniform(0.1, 0.6) * (np.sign(wave) if luck.random() < 0.5 else wave)
    level = level + float(luck.choice([0, 0.03, 0.1])) * wander(luck, length, 0.9995)
    for _ in range(int(luck.poisson(0.4))):
        level[int(luck.integers(DAY, length)) :] *= luck.uniform(0.7, 1.4)
    return level


def _noise(luck: Luck, kind: str, level: Real) -> Real:
    """Noise of a kind, of standard deviation about 1."""
    length = len(level)
    if kind == "slow":
        return 0.6 * luck.normal(size=length) + 0.8 * wander(luck, length, float(luck.choice([0.8, 0.95, 0.98])))
    result: Real = luck.normal(size=length)
    if kind == "heavy":
        result = luck.standard_t(float(luck.choice([2.5, 3, 4])), size=length)
    if kind == "proportional":
        result = level * result
    if kind == "skewed":
        result = luck.gamma(float(luck.choice([0.7, 1.5, 3.0])), 1.0, size=length)
    return result


def _stray(luck: Luck, value: Real, spread: float, often: float) -> None:
    """Single values off their course, which are no events (writes into `value`)."""
    days = len(value) / DAY
    for _ in range(int(luck.poisson(float(luck.choice([0.1, 0.5, 2.0])) * days * often))):
        at = int(luck.integers(len(value)))
        sign = 1 if luck.random() < 0.65 else -1
        value[at : at + int(luck.integers(1, 3))] += sign * spread * luck.uniform(3, 8)


def _events(luck: Luck, value: Real, spread: float, swing: float, *, large: bool) -> list[tuple[int, int, str]]:
    """Three to ten events from the second day on (writes into `value`)."""
    events: list[tuple[int, int, str]] = []
    wanted = int(luck.integers(3, 11))
    for _ in range(TRIES):
        if len(events) == wanted:
            break
        shape = str(luck.choice(list(SHARES), p=list(SHARES.values())))
        span = max(min(60, max(1, int(luck.lognormal(1.8, 1.0)))), LEAST.get(shape, 1))
        begin = int(luck.integers(DAY, len(value) - span))
        if any(begin < other + APART and first < begin + span + APART for first, other, _ in events):
            continue
        if large:
            size = luck.lognormal(3.6, 0.7) if luck.random() < 0.75 else luck.uniform(1, 4)
        else:
            size = luck.lognormal(2.7, 0.7)
        size = spread * size + swing * float(luck.choice([0, 0, 0.3]))
        part = value[begin : begin + span]
        part[:] = SHAPES[shape](luck, part.copy(), float(size))
        events.append((begin, begin + span, shape))
    return events


def _sign(luck: Luck) -> int:
    return 1 if luck.random() < 0.5 else -1


def _spike(luck: Luck, part: Real, size: float) -> Real:
    return part + 1.3 * size * luck.uniform(0.5, 1.0, len(part))


def _dip(luck: Luck, part: Real, size: float) -> Real:
    return part - np.minimum(1.3 * size * luck.uniform(0.5, 1.0, len(part)), np.maximum(part, 0.05))


def _shift(luck: Luck, part: Real, size: float) -> Real:
    return part + _sign(luck) * 0.8 * size


def _ramp(luck: Luck, part: Real, size: float) -> Real:
    return part + _sign(luck) * size * np.linspace(0, 1.3, len(part))


def _noisy(luck: Luck, part: Real, size: float) -> Real:
    return part + 0.7 * size * luck.normal(size=len(part))


def _stuck(luck: Luck, part: Real, size: float) -> Real:  # noqa: ARG001
    return np.full(len(part), part[0])


def _zero(luck: Luck, part: Real, size: float) -> Real:  # noqa: ARG001
    return np.zeros(len(part))


def _oscillation(luck: Luck, part: Real, size: float) -> Real:
    wave: Real = np.sin(2 * np.pi * np.arange(len(part)) / luck.uniform(3, 8))
    return part + 0.7 * size * np.sign(wave)


SHAPES: dict[str, Callable[[Luck, Real, float], Real]] = {
    "spike": _spike,
    "dip": _dip,
    "shift": _shift,
    "ramp": _ramp,
    "noise": _noisy,
    "stuck": _stuck,
    "zero": _zero,
    "oscillation": _oscillation,
}


def _measured(luck: Luck, kind: str, sigma: float, value: Real) -> Real:
    """As a meter shows it: in some unit, as a count, or in coarse steps."""
    unit = 10 ** luck.uniform(0, 4)
    if kind == "counts":
        return luck.poisson(np.maximum(value, 0) * float(luck.choice([3, 20, 200]))).astype(np.float64)
    if kind == "steps":
        return np.round(value / sigma / 2) * 2 * sigma * unit
    return (np.maximum(value, 0) if luck.random() < 0.7 else value) * unit
