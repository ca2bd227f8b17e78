"""A univariate anomaly score for many points at once: streaming, causal, and the same bit for bit on any machine.

`advance` takes one interval of many points and gives a score in [0, 1] with what was expected, a band and a cause. Six
components look at each value:

- `LEVEL`: distance from a robust exponentially weighted level
- `CHANGE`: distance from the time-of-week profile carried to the present level
- `TIME_OF_WEEK`, `TIME_OF_WEEK_SLOW`: distance from the time-of-week profile, and the same smoothed
- `PATTERN`, `PATTERN_SHORT`: distance of the last eight, and four, values to the nearest earlier ones

Each distance is divided by its own robust scale and becomes a conformal tail probability: the share of earlier
distances that were as large (Vovk, Gammerman, Shafer: Algorithmic Learning in a Random World, 2005, section 2.2),
forgetting slowly, blended with a heavy-tailed prior that carries the first hours and, as a Pareto tail, whatever lies
beyond the calibration sample. The score is the weighted mean of -log10 p over the components that are ready, divided by
`FULL`, so that one threshold fits every series.

Only + - * / sqrt, comparisons, min, max, abs, floor, frexp, indexing and loops of explicit adds over small fixed axes
are used: no transcendental function, no BLAS, no reduction that adds floats, which differ from one processor to the
next. A point's result depends on its own row alone. State is kept in float32 (float16 for counts), arithmetic runs in
float64 (float32 for the pattern search).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Halves = NDArray[np.float16]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

LEVEL, CHANGE, TIME_OF_WEEK, TIME_OF_WEEK_SLOW, PATTERN, PATTERN_SHORT = range(6)
COMPONENTS = 6
WEIGHT = np.array([0.5, 0.5, 0.5, 0.5, 1.0, 1.0])
CAUSE_NONE, CAUSE_LEVEL, CAUSE_CHANGE, CAUSE_TIME_OF_WEEK, CAUSE_PATTERN = range(5)
CAUSES = ("none", "level", "change", "time_of_week", "pattern")
CAUSE_OF = np.array([CAUSE_LEVEL, CAUSE_CHANGE, CAUSE_TIME_OF_WEEK, CAUSE_TIME_OF_WEEK, CAUSE_PATTERN, CAUSE_PATTERN])

KNOTS = 48  # of the day's profile, one each half hour
WEEKEND = 7200  # first minute of Saturday, minutes of the week
RING = 256  # values kept for the pattern search
WINDOW = 8
BLOCK = 256  # points worked on together, so that they stay in the cache
ABSENT = 1e18  # an empty place of the ring: its square still fits float32
LARGEST = 1e15  # values beyond are cut
FULL = 5.0  # a mean -log10 p of this much is a score of 1
ALARMING = 0.5  # a score that is worth a look: about once a week in ten points of quarter-hours

# scales of the components: how fast they follow, in shares a step
SCALE_RATE = np.array([1 / 600, 1 / 600, 1 / 1440, 1 / 1440, 1 / 600, 1 / 600])
EXTREME_RATE = 1 / 3000
EXTREME_SHARE = 0.1  # the scale is never below this share of the mean distance with nothing cut
CUT = 4.0
YOUNG = 20.0  # distances before a component is ready
LEVEL_STEPS, DRIFT_STEPS, SMOOTH_STEPS, MAGNITUDE_STEPS = 60.0, 30.0, 8.0, 2000.0

# conformal calibration: 4 bins an octave from 1/2 to 32, then wider
ROOT = np.sqrt(2.0)
QUARTER = (1.0, np.sqrt(ROOT), ROOT, ROOT * np.sqrt(ROOT))
EDGES = np.array(
    [0.5 * 2 ** (i // 4) * QUARTER[i % 4] for i in range(24)]
    + [32.0 * 8 ** (i // 2) * (1.0, 2.0 * ROOT)[i % 2] for i in range(8)]
)
BINS = 32
KEEP = 1.0 - 1.0 / 5000.0
PRIOR = 600.0  # distances that the prior is worth
KNEE = 12.0


class Scalars(NamedTuple):
    """Columns of `State.scalar`; the names of single columns, then the first columns of groups of six."""

    seen: int = 0  # values taken
    magnitude: int = 1
    level: int = 2
    drift: int = 3
    smooth: int = 4
    quiet: int = 5  # steps since the last record
    record: int = 6
    last: int = 7
    scale: int = 8
    extreme: int = 14
    counted: int = 20
    total: int = 26


AT = Scalars()
WIDTH = 32


class State(NamedTuple):
    """Axis 0 is the point; every array has a fixed size per point."""

    ring: Singles  # n x RING, the newest last
    profile: Singles  # n x 2 x KNOTS
    spread: Singles  # n x KNOTS, mean absolute distance
    weight: Halves  # n x 2 x KNOTS, values behind each knot
    tail: Singles  # n x COMPONENTS x BINS, earlier distances at or beyond each edge
    scalar: Singles  # n x WIDTH


class Outputs(NamedTuple):
    """One entry per point; NaN where the interval is missing or nothing is known yet."""

    score: Floats  # in [0, 1], calmed after a record: the one to put a threshold on
    evidence: Floats  # in [0, 1], the same before calming
    expected: Floats
    lower: Floats
    upper: Floats
    cause: NDArray[np.int8]
    direction: NDArray[np.int8]  # 1 above what was expected, -1 below
    warming: Flags


@dataclass(frozen=True)
class Config:
    """Constants that depend on the interval's length; everything else is counted in steps."""

    interval_minutes: float = 1.0
    calm_steps: float = 60.0  # after a record, lesser scores are damped for so long
    calm_share: float = 0.5
    calm_decay: float = 0.99
    hold_steps: float = 5.0

    @property
    def steps_a_day(self) -> float:
        """Intervals a day."""
        return 1440.0 / self.interval_minutes

    @property
    def visit(self) -> float:
        """Values that reach one knot on one day."""
        return max(1.0, 1440.0 / KNOTS / self.interval_minutes)

    @property
    def memory(self) -> float:
        """Values a knot remembers: about five days."""
        return max(8.0, 5.0 * self.visit)

    @property
    def warm_steps(self) -> float:
        """Values before a point no longer counts as warming up: one day, at least 96."""
        return max(96.0, self.steps_a_day)


def fresh(points: int) -> State:
    """State of `points` new points."""
    scalar = np.zeros((points, WIDTH), np.float32)
    scalar[:, AT.quiet] = 1e6
    return State(
        np.full((points, RING), ABSENT, np.float32),
        np.zeros((points, 2, KNOTS), np.float32),
        np.zeros((points, KNOTS), np.float32),
        np.zeros((points, 2, KNOTS), np.float16),
        np.zeros((points, COMPONENTS, BINS), np.float32),
        scalar,
    )


def to_bytes(state: State, place: Integers) -> list[bytes]:
    """The state of each of some points as bytes, little-endian."""
    parts = [
        np.ascontiguousarray(part[place], part.dtype.newbyteorder("<")).reshape(len(place), -1).view(np.uint8)
        for part in state
    ]
    return [row.tobytes() for row in np.concatenate(parts, axis=1)]


def from_bytes(points: int, rows: Mapping[int, bytes]) -> State:
    """The state of many points from the bytes of some; those of another size, of an older version, begin anew."""
    state, offset = fresh(points), 0
    known = {place: row for place, row in rows.items() if len(row) == POINT_BYTES}
    place = np.array(list(known), dtype=np.int64)
    for part in state:
        size = part[0:1].nbytes if points else 0
        joined = b"".join(row[offset : offset + size] for row in known.values())
        part[place] = np.frombuffer(joined, part.dtype.newbyteorder("<")).reshape(len(place), *part.shape[1:])
        offset += size
    return state


def log2(value: Floats) -> Floats:
    """Base-2 logarithm of positive numbers to about 1e-10, from frexp and a series in (m - c) / (m + c)."""
    mantissa, exponent = np.frexp(value)
    low = mantissa < 0.7071067811865476
    mantissa = np.where(low, mantissa * 2.0, mantissa)
    power = exponent.astype(np.float64) - low
    y = (mantissa - 1.0) / (mantissa + 1.0)
    square = y * y
    series = 1.0 / 11.0
    total = square * series
    for odd in (9.0, 7.0, 5.0, 3.0):
        total = (total + 1.0 / odd) * square
    logarithm: Floats = power + (total + 1.0) * y * 2.8853900817779268
    return logarithm


def prior_survival(distance: Floats) -> Floats:
    """Survival of the heavy-tailed prior: (1 + z^2 / 4)^-2, with z's fourth root beyond the knee."""
    beyond = np.sqrt(np.sqrt(np.maximum(distance / KNEE, 1.0)))
    bent = np.minimum(distance, KNEE) * beyond
    inner = 1.0 + bent * bent * 0.25
    survival: Floats = 1.0 / (inner * inner)
    return survival


PRIOR_AT_EDGES = prior_survival(EDGES)
POINT_BYTES = sum(part.nbytes for part in fresh(1))


def place_in_bins(distance: Floats) -> tuple[Integers, Floats]:
    """Bin of each distance (-1 below the first edge) and the share of the bin, in logarithms, that lies below it."""
    log = log2(np.maximum(distance, 1e-9))
    fine = (log + 1.0) * 4.0
    wide = 24.0 + (log - 5.0) / 1.5
    at = np.minimum(np.where(log < 5.0, fine, wide), BINS - 1.0)
    bin_ = np.floor(np.maximum(at, -1.0))
    return bin_.astype(np.int64), np.minimum(np.maximum(at - bin_, 0.0), 1.0)


def conformal(tail: Singles, total: Floats, distance: Floats) -> tuple[Floats, Integers]:
    """-log10 of each distance's tail probability against the earlier ones, and its bin."""
    bin_, share = place_in_bins(distance)
    flat, cell = tail.reshape(-1), np.arange(tail.size // BINS).reshape(len(tail), COMPONENTS) * BINS
    here = flat[cell + np.maximum(bin_, 0)].astype(np.float64)
    above = flat[cell + np.minimum(bin_ + 1, BINS - 1)].astype(np.float64)
    above[bin_ == BINS - 1] = 0.0
    earlier = np.where(bin_ < 0, total, here + (above - here) * share)
    probability = (earlier + PRIOR * prior_survival(distance)) / (total + PRIOR)
    return np.maximum(0.0, log2(np.minimum(np.maximum(probability, 1e-300), 1.0)) * -0.30102999566398120), bin_


def shift(ring: Singles, value: Floats, ok: Flags) -> None:
    """Append the value where there is one (writes into `ring`)."""
    if ok.all():
        ring[:, :-1] = ring[:, 1:].copy()
        ring[:, -1] = value
        return
    rows = np.flatnonzero(ok)
    ring[rows, :-1] = ring[rows, 1:]
    ring[rows, -1] = value[rows]


def nearest(ring: Singles) -> tuple[Floats, Floats]:
    """Distances to the nearest earlier values: of the last eight (root mean square), of four (mean absolute)."""
    points = len(ring)
    windows = RING - 2 * WINDOW + 1
    long, short = np.empty(points), np.empty(points)
    for begin in range(0, points, 48):
        part = ring[begin : begin + 48]
        square = np.zeros((len(part), windows), np.float32)
        absolute = np.zeros((len(part), windows), np.float32)
        gap = np.empty((len(part), windows), np.float32)
        for k in range(WINDOW):
            np.subtract(part[:, k : k + windows], part[:, RING - WINDOW + k, None], out=gap)
            if k >= WINDOW // 2:
                np.abs(gap, out=gap)
                absolute += gap
            gap *= gap
            square += gap
        long[begin : begin + 48] = square.min(axis=1)
        short[begin : begin + 48] = absolute.min(axis=1)
    return np.sqrt(long / WINDOW), short / (WINDOW // 2)


class Profile(NamedTuple):
    """What the time-of-week profile says about one interval."""

    base: Floats
    spread: Floats
    known: Flags
    own: Floats


def profile_at(config: Config, state: State, day: Integers, knot: Integers, share: Floats) -> Profile:
    """Profile between its two nearest knots; a young knot leans on the other kind of day."""
    rows = np.arange(len(day))
    after = np.where(knot + 1 == KNOTS, 0, knot + 1)
    kinds = np.stack([day, 1 - day])

    def between(left: NDArray[np.floating], right: NDArray[np.floating]) -> Floats:
        begin = left.astype(np.float64)
        return begin + (right.astype(np.float64) - begin) * share

    need = min(4.0, 0.9 * config.visit)
    own, other = between(state.weight[rows, kinds, knot], state.weight[rows, kinds, after])
    mine, others = between(state.profile[rows, kinds, knot], state.profile[rows, kinds, after])
    lean = np.where(other > need, 0.5 * config.visit, 0.0)
    weight = own + lean
    known = weight > need
    base = (mine * own + others * lean) / np.maximum(weight, 1e-9)
    spread = between(state.spread[rows, knot], state.spread[rows, after])
    return Profile(np.where(known, base, 0.0), np.where(known, spread, 0.0), known, own)


def learn_profile(
    config: Config, state: State, day: Integers, knot: Integers, share: Floats, value: Floats, seen: Profile, ok: Flags
) -> None:
    """Move the two knots beside the interval towards the value, far values cut (writes into `state`)."""
    rows = np.arange(len(day))
    error = value - seen.base
    limit = np.where((seen.own > config.visit) & (seen.spread > 0.0), 5.0 * seen.spread, np.inf)
    cut = np.minimum(np.maximum(error, -limit), limit)
    at = np.stack([knot, np.where(knot + 1 == KNOTS, 0, knot + 1)])
    part = np.stack([1.0 - share, share])
    weight = state.weight[rows, day, at].astype(np.float64)
    now = state.profile[rows, day, at].astype(np.float64)
    spread = state.spread[rows, at].astype(np.float64)
    gain = np.minimum(1.0, part * np.maximum(1.0 / (weight + np.maximum(part, 1e-9)), 1.0 / config.memory))
    gain = np.where(ok & (part > 0.0), gain, 0.0)
    old = (weight >= 0.9) & seen.known
    move = np.where(old, cut, value - now)
    state.profile[rows, day, at] = now + gain * move
    state.spread[rows, at] = spread + np.where(old, gain * (np.abs(cut) - spread), 0.0)
    state.weight[rows, day, at] = np.minimum(weight + np.where(ok, part, 0.0), config.memory)


def calmed(config: Config, evidence: Floats, record: Floats, quiet: Floats, ok: Flags) -> tuple[Floats, Floats, Floats]:
    """Damp what is no new record: silence after an alarm, at every threshold at once."""
    quiet = quiet + 1.0
    record = np.where(quiet > config.calm_steps, record * config.calm_decay, record)
    new = ok & (evidence >= record)
    record = np.where(new, evidence, record)
    quiet = np.where(new, 0.0, quiet)
    damped = np.where(quiet <= config.hold_steps, evidence, evidence * config.calm_share)
    return damped, record, quiet


def take(state: State, place: Integers | slice) -> State:
    """The rows at `place`: copies, or views where it is a slice."""
    ring, profile, spread, weight, tail, scalar = state
    return State(ring[place], profile[place], spread[place], weight[place], tail[place], scalar[place])


def copied(state: State) -> State:
    """Copy of all rows."""
    return take(state, np.arange(len(state.scalar)))


def put(state: State, place: Integers, rows: State) -> None:
    """Replace the rows at `place` (writes into `state`)."""
    state.ring[place] = rows.ring
    state.profile[place] = rows.profile
    state.spread[place] = rows.spread
    state.weight[place] = rows.weight
    state.tail[place] = rows.tail
    state.scalar[place] = rows.scalar


def advance(config: Config, state: State, slot: Integers, given: Floats) -> Outputs:
    """Score and learn one interval of points, `BLOCK` at most; writes into `state`, whose rows they are.

    `slot`: minute of the week (0 is Monday 0:00) at which the interval begins; holidays and off-peak days are the
    caller's Sundays. `given`: NaN where the interval is missing, which gives no score and teaches nothing.
    """
    s = state.scalar
    column = s[:, : AT.last + 1].T.astype(np.float64)
    ok = np.isfinite(given)
    value = np.where(ok, np.minimum(np.maximum(given, -LARGEST), LARGEST), column[AT.last])
    seen = column[AT.seen] + ok
    first = ok & (seen == 1.0)
    inverse = 1.0 / np.maximum(seen, 1.0)
    magnitude = column[AT.magnitude]
    magnitude = magnitude + np.where(ok, (np.abs(value) - magnitude) * np.maximum(1.0 / MAGNITUDE_STEPS, inverse), 0.0)
    floor = 1e-3 * magnitude + 1e-12

    day = (slot >= WEEKEND).astype(np.int64)
    minute = (slot % 1440).astype(np.float64) * (KNOTS / 1440.0)
    knot = np.floor(minute).astype(np.int64)
    share = minute - knot
    profile = profile_at(config, state, day, knot, share)
    known = ok & profile.known
    residual = np.where(known, value - profile.base, 0.0)
    smooth = column[AT.smooth] + np.where(known, (residual - column[AT.smooth]) / SMOOTH_STEPS, 0.0)

    shift(state.ring, value, ok)
    long, short = nearest(state.ring)
    full = ok & (seen >= 3.0 * WINDOW)

    distance = np.empty((len(value), COMPONENTS))
    distance[:, LEVEL] = np.abs(value - column[AT.level])
    distance[:, CHANGE] = np.abs(residual - column[AT.drift])
    distance[:, TIME_OF_WEEK] = np.abs(residual)
    distance[:, TIME_OF_WEEK_SLOW] = np.abs(smooth)
    distance[:, PATTERN] = long
    distance[:, PATTERN_SHORT] = short
    usable = np.empty((len(value), COMPONENTS), np.bool_)
    usable[:, LEVEL] = ok & ~first
    usable[:, CHANGE : TIME_OF_WEEK_SLOW + 1] = known[:, None]
    usable[:, PATTERN:] = full[:, None]

    scale, ready, total = scales(state, distance, usable, floor, profile.spread)
    z = np.where(usable, distance, 0.0) / scale
    surprise, bin_ = conformal(state.tail, total, z)
    learn_tail(state, usable & ready, total, bin_)
    use = usable & ready
    evidence = combined(surprise, use)
    scored = ok & use.any(axis=1)

    score, record, quiet = calmed(config, evidence, column[AT.record], column[AT.quiet], scored)
    centre = np.where(profile.known, profile.base + column[AT.drift], column[AT.level])
    half = band(state, scale, np.where(profile.known, CHANGE, LEVEL))
    strongest = np.where(use, surprise, -1.0).argmax(axis=1)

    tscale = scale[:, TIME_OF_WEEK]
    level_cut = np.where(seen < YOUNG, np.inf, CUT * scale[:, LEVEL])
    level = column[AT.level] + np.where(
        ok,
        np.minimum(np.maximum(value - column[AT.level], -level_cut), level_cut)
        * np.maximum(1.0 / LEVEL_STEPS, inverse),
        0.0,
    )
    moved = np.minimum(np.maximum(residual - column[AT.drift], -5.0 * tscale), 5.0 * tscale)
    young = 1.0 / np.maximum(s[:, AT.counted + CHANGE].astype(np.float64), 1.0)
    drift = column[AT.drift] + np.where(known, moved * np.maximum(1.0 / DRIFT_STEPS, young), 0.0)
    learn_profile(config, state, day, knot, share, value, profile, ok)

    new = {
        AT.seen: np.minimum(seen, 1e7),
        AT.magnitude: magnitude,
        AT.level: level,
        AT.drift: drift,
        AT.smooth: smooth,
        AT.quiet: np.minimum(quiet, 1e6),
        AT.record: record,
        AT.last: value,
    }
    s[:, list(new)] = np.array(list(new.values())).T
    nothing = np.where(scored, 0.0, np.nan)
    return Outputs(
        np.minimum(score / FULL, 1.0) + nothing,
        np.minimum(evidence / FULL, 1.0) + nothing,
        centre + nothing,
        centre - half + nothing,
        centre + half + nothing,
        np.where(scored, CAUSE_OF[strongest], CAUSE_NONE).astype(np.int8),
        np.where(scored, np.sign(value - centre), 0.0).astype(np.int8),
        seen < config.warm_steps,
    )


def scales(
    state: State, distance: Floats, usable: Flags, floor: Floats, spread: Floats
) -> tuple[Floats, Flags, Floats]:
    """Robust scale of each component before this value; learns the value (writes into `state`)."""
    s = state.scalar
    scale = s[:, AT.scale : AT.scale + COMPONENTS].astype(np.float64)
    extreme = s[:, AT.extreme : AT.extreme + COMPONENTS].astype(np.float64)
    count = s[:, AT.counted : AT.counted + COMPONENTS].astype(np.float64)
    total = s[:, AT.total : AT.total + COMPONENTS].astype(np.float64)
    grown = count + usable
    far = np.where(usable, distance, 0.0)
    extreme = extreme + np.where(usable, (far - extreme) * np.maximum(EXTREME_RATE, 1.0 / np.maximum(grown, 1.0)), 0.0)
    used = np.maximum(np.maximum(scale, floor[:, None]), EXTREME_SHARE * extreme)
    used[:, TIME_OF_WEEK] = np.maximum(
        0.5 * spread + 0.5 * scale[:, TIME_OF_WEEK], np.maximum(floor, EXTREME_SHARE * extreme[:, TIME_OF_WEEK] * 0.2)
    )
    cut = np.where(grown <= YOUNG, np.inf, CUT * used)
    rate = np.maximum(SCALE_RATE, 1.0 / np.maximum(grown, 1.0))
    scale = scale + np.where(usable, rate * (np.minimum(far, cut) - scale), 0.0)
    s[:, AT.scale : AT.scale + COMPONENTS] = scale
    s[:, AT.extreme : AT.extreme + COMPONENTS] = extreme
    s[:, AT.counted : AT.counted + COMPONENTS] = np.minimum(grown, 1e7)
    return used, grown > YOUNG, total


def learn_tail(state: State, learns: Flags, total: Floats, bin_: Integers) -> None:
    """Forget a little and count this distance at every edge it reaches (writes into `state`)."""
    keep = np.where(learns, np.float32(KEEP), np.float32(1)).astype(np.float32)
    reach = np.where(learns, bin_, -1)
    tail = state.tail
    tail *= keep[:, :, None]
    tail += np.arange(BINS)[None, None, :] <= reach[:, :, None]
    state.scalar[:, AT.total : AT.total + COMPONENTS] = np.where(learns, total * KEEP + 1.0, total)


def summed(parts: Floats) -> Floats:
    """Sum over the first axis, first to last (writes into `parts`)."""
    total: Floats = parts[0]
    for part in parts[1:]:
        total += part
    return total


def combined(surprise: Floats, use: Flags) -> Floats:
    """Weighted mean of -log10 p over the components in use."""
    parts = np.where(use, surprise * WEIGHT, 0.0).T.copy()
    weights = np.where(use, WEIGHT, 0.0).T.copy()
    mean: Floats = summed(parts) / np.maximum(summed(weights), 1e-9)
    return mean


def band(state: State, scale: Floats, component: Integers) -> Floats:
    """Half width that one in a hundred earlier distances passed."""
    rows = np.arange(len(scale))
    total = state.scalar[rows, AT.total + component].astype(np.float64)
    tail = state.tail[rows, component].astype(np.float64)
    often = (tail + PRIOR * 0.1 * PRIOR_AT_EDGES > 0.01 * (total + PRIOR * 0.1)[:, None]).sum(axis=1)
    width: Floats = EDGES[np.minimum(often, BINS - 1)] * scale[rows, component]
    return width
