"""A small site for rules: two import registers, a power, temperatures; and readings for it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from streams.catalog.reference import load_reference
from streams.domain.alerts import Episode, Notice, Rule
from streams.domain.site import Asset, Contract, Point, PointKind, Quantity, Site, SiteKind
from streams.operators import watch
from streams.operators.aligning import INTERVALS
from streams.operators.points import PointTable
from streams.operators.readings import NEVER
from streams.operators.rulebook import Watch
from streams.operators.watch_state import WatchState

START_MS = 1_783_908_000_000  # 2026-07-13 10:00 in Taipei, a Monday in summer
MINUTE_MS = 60_000
POINTS = (
    Point("site/main", "hall", PointKind.REGISTER, Quantity.ENERGY, "kWh", decimals=2, modulus=1e6, max_rate=900.0),
    Point("site/feed", "hall", PointKind.POWER, Quantity.ENERGY, "kW", max_gap_ms=600_000),
    Point("site/room/temp", "room", PointKind.GAUGE, Quantity.TEMPERATURE, "Cel"),
    Point("site/cellar/temp", "room", PointKind.GAUGE, Quantity.TEMPERATURE, "Cel", resolution_ms=300_000),
)
MAIN, FEED, ROOM, CELLAR = range(4)


def watch_of(*rules: Rule, imports: tuple[str, ...] = ("site/main",)) -> Watch:
    """The rules over the site."""
    site = Site(
        name="site",
        kind=SiteKind.COLD_CHAIN,
        time_zone=ZoneInfo("Asia/Taipei"),
        title_zh="",
        title_en="",
        starts_on=date(2026, 1, 1),
        assets=(Asset("hall", "廠區", "Hall"), Asset("room", "冷藏庫", "Cold room")),
        points=POINTS,
        import_points=imports,
        reactive_points=(),
        contracts=(Contract(date(2026, 1, 1), "HV_3T", regular_kw=400.0),),
        emission_sources=(),
        gwp_set="AR5",
        off_peak_days=(),
        sha256="",
        rules=rules,
    )
    return Watch.of(PointTable.of(site), load_reference().tariffs)


def warm(**changes: object) -> Rule:
    """A rule over both temperatures: above 8 for 5 min, over once at 7 for 10 min."""
    rule = Rule(
        "warm",
        "threshold",
        points=("site/room/temp", "site/cellar/temp"),
        numbers={"above": 8.0, "clear": 7.0},
        for_ms=5 * MINUTE_MS,
    )
    return replace(rule, **changes)  # type: ignore[arg-type]


def contract(**changes: object) -> Rule:
    """A rule over the site's demand."""
    return replace(Rule("contract", "demand", numbers={"share": 1.0, "after_min": 5.0, "margin": 0.1}), **changes)  # type: ignore[arg-type]


Reading = tuple[int, float, float]
"""Place, minute, value."""


@dataclass
class Run:
    """Feeds a watch and keeps what it tells."""

    watch: Watch
    state: WatchState = None  # type: ignore[assignment]  # set at once
    notices: list[Notice] = field(default_factory=list)
    episodes: dict[str, Episode] = field(default_factory=dict)
    highest: np.ndarray = field(default_factory=lambda: np.full(len(POINTS), NEVER))
    by_bytes: bool = False

    def __post_init__(self) -> None:
        self.state = self.watch.empty()

    def _keep(self, told: watch.Told) -> None:
        self.state, notices, episodes = told
        self.notices += notices
        self.episodes |= {episode.episode_id: episode for episode in episodes}
        if self.by_bytes:
            self.state = self.watch.from_bytes(self.state.to_bytes())

    def read(self, *rows: Reading) -> Run:
        places = np.array([row[0] for row in rows], dtype=np.int64)
        times = np.array([START_MS + round(row[1] * MINUTE_MS) for row in rows], dtype=np.int64)
        np.maximum.at(self.highest, places, times)
        values = np.array([row[2] for row in rows], dtype=np.float64)
        self._keep(watch.readings(self.watch, self.state, places, times, values))
        return self

    def close(self, *rows: tuple[int, float, float, float]) -> Run:
        """Intervals: place, start and end in minutes, value."""
        self._keep(watch.intervals(self.watch, self.state, intervals(*rows)))
        return self

    def tick(self, minute: float) -> Run:
        now_ms = START_MS + round(minute * MINUTE_MS)
        self._keep(watch.tick(self.watch, self.state, now_ms, self.highest.copy()))
        return self

    def told(self) -> list[tuple[str, float]]:
        """Kinds of the notices, with their minutes."""
        return [(str(notice.kind), (notice.at_ms - START_MS) / MINUTE_MS) for notice in self.notices]


def intervals(*rows: tuple[int, float, float, float]) -> pl.DataFrame:
    """Intervals of gauges; the value is the score as well."""
    columns: dict[str, list[object]] = {name: [] for name in INTERVALS}
    for place, begin, end, value in rows:
        times = [START_MS + round(each * MINUTE_MS) for each in (begin, end)]
        for name, each in zip(
            INTERVALS, [place, *times, value, value, value, value, None, 1, False, value], strict=True
        ):
            columns[name].append(each)
    return pl.DataFrame(columns, schema=INTERVALS)


Step = tuple[str, object]


def fed(made: Watch, items: list[Step], cuts: set[int], *, by_bytes: bool = False) -> Run:
    """A run over readings, intervals and ticks, whose neighbours of one sort come together where nothing is cut."""
    run = Run(made, by_bytes=by_bytes)
    changes = [nth for nth in range(1, len(items)) if items[nth][0] != items[nth - 1][0] or items[nth][0] == "tick"]
    bounds = sorted({0, len(items), *changes, *(cut for cut in cuts if 0 < cut < len(items))})
    for begin, end in pairwise(bounds):
        sort, values = items[begin][0], [value for _, value in items[begin:end]]
        {"read": run.read, "close": run.close, "tick": run.tick}[sort](*values)  # type: ignore[arg-type]
    return run
