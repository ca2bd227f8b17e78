"""The sites of a lane: each with its pipeline where the last commit left it, and one entrance for all readings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.domain.site import Site
from streams.operators.gate import Gate
from streams.operators.points import PointTable
from streams.stores.archive import Archive
from streams.stores.site import SiteStore
from streams.stores.store import Store


class LiveSite:
    """One site of a lane: its pipeline, and the numbers of its gateways.

    `settle` waits for the commit under way: whatever is looked up must be in the store by then. `first` are the places
    of points that the present batch hears for the first time.
    """

    def __init__(self, site: Site, store: Store, settle: Callable[[], None], archive: Archive | None) -> None:
        """Load the state."""
        settle()
        self.settle = settle
        self.name = site.name
        self.sha256 = site.sha256
        self.table = PointTable.of(site)
        self.store = SiteStore(store, self.table, archive)
        self.pipeline = self.store.pipeline(self)
        self.points = [point.name for point in self.table.every]
        self.sources: dict[str, int] = {}
        self.slack_ms = int((self.table.lateness_ms + self.table.resolution_ms).max(initial=0))
        self.first: list[int] = []

    def readings(self, places: list[int], since_ms: int) -> pl.DataFrame:
        """See `streams.pipeline.Memory`."""
        self.settle()
        return self.store.readings(places, since_ms)

    def facts(self, places: list[int], from_ms: int, to_ms: int) -> pl.DataFrame:
        """See `streams.pipeline.Memory`."""
        self.settle()
        return self.store.facts(places, from_ms, to_ms)

    def scored(self) -> dict[int, bytes]:
        """See `streams.pipeline.Memory`."""
        self.settle()
        return self.store.scored()

    def words(self, places: list[int], since_ms: int) -> dict[int, tuple[int, str]]:
        """See `streams.pipeline.Memory`."""
        self.settle()
        return self.store.words(places, since_ms)

    def source(self, gateway: str, moment: datetime) -> int:
        """The number of a gateway, which is registered when it is first heard."""
        if gateway not in self.sources:
            self.settle()
            self.sources[gateway] = self.store.source(gateway, gateway, moment)[0]
        return self.sources[gateway]


@dataclass(frozen=True, slots=True)
class Entrance:
    """What readings of any of these sites must pass, and the numbers of their points by the places of the gate."""

    sites: tuple[LiveSite, ...]
    nth: dict[str, int]
    gate: Gate
    point_id: NDArray[np.int32]

    @classmethod
    def of(cls, sites: Sequence[LiveSite]) -> Entrance:
        """One for some sites, at least one."""
        return cls(
            sites=tuple(sites),
            nth={site.name: nth for nth, site in enumerate(sites)},
            gate=Gate.together([site.table.gate for site in sites]),
            point_id=np.concatenate([site.store.ids[: site.table.measured] for site in sites]),
        )
