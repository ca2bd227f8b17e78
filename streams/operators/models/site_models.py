"""The models of a site, each at its work; a site without any costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from streams.operators.closed import Closed
from streams.operators.models import watch
from streams.operators.models.parameters import Model
from streams.operators.models.watch import NOTHING, ModelState, Watched
from streams.operators.models.windows import word_of
from streams.operators.points import PointTable

Int = NDArray[np.int64]
Newest = Callable[[list[int]], Mapping[int, tuple[int, str]]]
"""The newest word of each of some places, with its time."""


@dataclass(frozen=True, slots=True)
class Active:
    """A version of an asset's model: its parameters, none where it only ended the one before; what it remembers."""

    version: int
    model: Model | None
    state: ModelState | None = None


@dataclass(slots=True)
class Modelled:
    """What the models of a site left: scores (`watch.MODEL_SCORES`), and what they remember now, by asset."""

    scores: pl.DataFrame = field(default_factory=lambda: NOTHING)
    remembered: dict[str, Active] = field(default_factory=dict)


class SiteModels:
    """The models of one site; those whose points the site no longer has rest."""

    def __init__(self, table: PointTable, active: Mapping[str, Active]) -> None:
        """Go on from what was active."""
        self.table = table
        self.active = dict(active)
        self.watched: dict[str, Watched] = {}
        self.told: set[str] = set()
        self.wordy: set[int] = set()
        for asset in sorted(self.active):
            self._watch(asset)

    def _watch(self, asset: str) -> None:
        self.watched.pop(asset, None)
        version, model = self.active[asset].version, self.active[asset].model
        if model is not None and (made := Watched.of(self.table, version, model)):
            self.watched[asset] = made
        self.wordy = {place for each in self.watched.values() for place in each.states.values()}

    def activate(self, asset: str, version: int, model: Model | None, heard_ms: Int, newest: Newest) -> None:
        """Put a version into use from now on; `heard_ms` has the newest time of each place, NEVER where there is none.

        Windows that wait go on where the version before looked at the same points.
        """
        before, state = self.watched.get(asset), self._state(asset)
        self.active[asset] = Active(version, model)
        self._watch(asset)
        self.told.add(asset)
        watched = self.watched.get(asset)
        if watched is None:
            return
        kept = watch.taken_over(watched, before, state) if before else None
        if kept is None:
            words = newest(sorted(watched.states.values()))
            named = {name: words[place] for name, place in watched.states.items() if place in words}
            times = [int(heard_ms[place]) for place in watched.places.values()]
            kept = watch.begun(watched, max([*times, *(time_ms for time_ms, _ in named.values())]), named)
        self._keep(asset, kept)

    def hear(self, place: Int, time_ms: Int, text: pl.Series, value: pl.Series) -> None:
        """Take readings of all kinds in order of arrival; only words of states that models look at matter."""
        if not self.wordy:
            return
        for asset, watched in self.watched.items():
            for point, at in watched.states.items():
                mine = np.flatnonzero(place == at)
                if len(mine):
                    words = [word_of(*each) for each in zip(text.gather(mine), value.gather(mine), strict=True)]
                    self._keep(asset, watch.hear(watched, self._state(asset), point, time_ms[mine].tolist(), words))

    @property
    def is_ready(self) -> bool:
        """Whether windows are complete that were not scored."""
        return any(
            watch.is_ready(watched, self._state(asset), watch.reach(watched, self._state(asset)))
            for asset, watched in self.watched.items()
        )

    def step(self, rows: Closed, *, is_end: bool = False) -> pl.DataFrame:
        """Take closed intervals, and score the windows that are complete; all that the target knows at an end."""
        found = []
        for asset, watched in self.watched.items():
            if len(rows) and np.isin(rows.place, list(watched.places.values())).any():
                self._keep(asset, watch.close(watched, self._state(asset), rows))
            state = self._state(asset)
            found.append(self._tell(asset, (watch.reach_of_end if is_end else watch.reach)(watched, state)))
        return _together(found)

    def look(self, tick_ms: int) -> pl.DataFrame:
        """Score the windows that a recorded tick gives up waiting for; it need not be recorded where there is none."""
        return _together(
            [
                self._tell(asset, watch.reach_at(watched, self._state(asset), tick_ms))
                for asset, watched in self.watched.items()
            ]
        )

    def remembered(self) -> dict[str, Active]:
        """What has changed since it was last asked for, by asset."""
        found = {asset: self.active[asset] for asset in sorted(self.told)}
        self.told = set()
        return found

    def _tell(self, asset: str, until_ms: int) -> pl.DataFrame:
        state, rows = watch.tell(self.watched[asset], self._state(asset), until_ms)
        if len(rows) or state is not self._state(asset):
            self._keep(asset, state)
        return rows

    def _state(self, asset: str) -> ModelState:
        known = self.active.get(asset)
        return (known.state if known else None) or ModelState()

    def _keep(self, asset: str, state: ModelState) -> None:
        self.active[asset] = Active(self.active[asset].version, self.active[asset].model, state)
        self.told.add(asset)


def _together(parts: list[pl.DataFrame]) -> pl.DataFrame:
    found = [each for each in parts if len(each)]
    return pl.concat(found) if found else NOTHING
