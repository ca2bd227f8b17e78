"""The rules of a site, made ready to look: what each looks at, by places and slots."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.catalog.rule_kinds import DEMAND, MODEL_SCORE, SCORE, SILENCE, THRESHOLD
from streams.catalog.tariffs import Tariffs
from streams.domain.alerts import Rule, Words
from streams.domain.site import Point, PointKind, Site
from streams.operators import sentences
from streams.operators.aligning import Roles
from streams.operators.detectors.looking import Look
from streams.operators.detectors.registry import DETECTORS
from streams.operators.episodes import Case
from streams.operators.heard import Watched
from streams.operators.metering import Meter, meters_of
from streams.operators.points import PointTable
from streams.operators.rule_calendar import Calendar
from streams.operators.thresholds import Limits, Say, Threshold, key_of, limit_words, model_words, score_words
from streams.operators.watch_state import Newest, WatchState, stored

Int = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Detecting:
    """A rule of a detector: over a lone point (`place`), or over those of `roles` together, `""` the one looked at."""

    case: Case
    look: Look
    place: int
    roles: Roles | None


@dataclass(frozen=True, slots=True)
class Silence:
    """A rule of kind `silence` over some places."""

    rule: Rule
    cases: tuple[Case, ...]
    places: Int


@dataclass(frozen=True, slots=True)
class Watch:
    """The rules of a site, ready to look.

    `watched` are the points whose readings they look at, `interval_places` those whose intervals; `cases` are all rules
    and subjects.
    """

    site: Site
    calendar: Calendar
    watched: Watched
    interval_places: Int
    interval_points: tuple[str, ...]
    place: dict[str, int]
    thresholds: tuple[Threshold, ...]
    scores: tuple[Threshold, ...]
    models: tuple[Threshold, ...]
    silences: tuple[Silence, ...]
    demands: tuple[Case, ...]
    meters: tuple[Meter, ...]
    detecting: tuple[Detecting, ...]
    cases: dict[tuple[str, str], Case]

    @classmethod
    def of(cls, table: PointTable, tariffs: Tariffs) -> Watch:
        """The rules of the table's site."""
        return _Making(table, Calendar(table.site, tariffs)).watch()

    def empty(self) -> WatchState:
        """The state before anything was seen."""
        return WatchState(
            Newest.of(tuple(point.name for point in self.watched.points)), Newest.of(self.interval_points)
        )

    def from_bytes(self, content: bytes) -> WatchState:
        """The state that was kept, under the rules as they are now."""
        state, new = stored(content), self.empty()
        for name in ("heard", "closed"):
            was: Newest = getattr(state, name)
            known = dict(zip(was.points, was.time_ms.tolist(), strict=True))
            setattr(state, name, Newest.of(getattr(new, name).points, known))
        kept = {key: track for key, track in state.tracks.items() if self._kind(key) == track.kind}
        state.orphans += [
            (*key, track) for key, track in state.tracks.items() if key not in kept and track.opened_ms is not None
        ]
        state.tracks = kept
        state.memories = {key: each for key, each in state.memories.items() if self._kind(key) == each[0]}
        named = {key_of(each.case): set(each.roles.points) for each in self.detecting if each.roles}
        state.gathered = {key: each for key, each in state.gathered.items() if set(each.heads) <= named.get(key, set())}
        names = {rule.name for rule in self.site.rules}
        state.held_ms = {name: at for name, at in state.held_ms.items() if name in names}
        return state

    def _kind(self, key: tuple[str, str]) -> str | None:
        case = self.cases.get(key)
        return case.rule.kind if case else None


def label(site: Site, case: Case) -> Words:
    """A point for people: its asset's title and its own name."""
    asset = next((each for each in site.assets if each.name == case.asset), None)
    name = case.subject.removeprefix(f"{site.name}/")
    zh, en = (asset.title_zh, asset.title_en) if asset else ("", "")
    return Words(f"{zh} {name}".strip(), f"{en} {name}".strip())


@dataclass(slots=True)
class _Making:
    """Makes a Watch of a site's rules."""

    table: PointTable
    calendar: Calendar

    def watch(self) -> Watch:
        """Make it."""
        site, table = self.table.site, self.table
        by_kind: dict[str, list[tuple[int, Rule]]] = {}
        for nth, rule in enumerate(site.rules):
            by_kind.setdefault(rule.kind, []).append((nth, rule))
        demands = tuple(
            self._case(nth, rule, site.name, site.import_points[0]) for nth, rule in by_kind.get(DEMAND, [])
        )
        terms = self._purchase() if demands else []
        names = {point.name for point, _ in terms}
        names |= {name for _, rule in by_kind.get(THRESHOLD, []) for name in rule.points}
        watched = Watched.of(table, names)
        slots = {point.name: slot for slot, point in enumerate(watched.points)}
        labels = {
            point.name: label(site, Case(site.name, Rule("", ""), point.name, point.asset, Words()))
            for point in table.every
        }
        say_limit, say_score = limit_words(self.calendar, labels), score_words(self.calendar, labels)
        say_model = model_words(self.calendar, labels)
        thresholds = tuple(
            self._threshold(nth, rule, slots, say_limit, len(watched.points))
            for nth, rule in by_kind.get(THRESHOLD, [])
        )
        scores = tuple(
            self._threshold(nth, rule, table.index, say_score, len(table.every), "1")
            for nth, rule in by_kind.get(SCORE, [])
        )
        models = tuple(
            self._threshold(nth, rule, table.index, say_model, len(table.every), "1")
            for nth, rule in by_kind.get(MODEL_SCORE, [])
        )
        silences = tuple(self._silence(nth, rule) for nth, rule in by_kind.get(SILENCE, []))
        detecting = tuple(
            each
            for kind, rules in by_kind.items()
            if kind in DETECTORS
            for nth, rule in rules
            for each in self._detecting(nth, rule)
        )
        cases = [case for each in (*thresholds, *scores, *models) for case in each.cases.values()]
        cases += [case for each in silences for case in each.cases]
        cases += [*demands, *(each.case for each in detecting)]
        places = {place for each in scores for place in each.cases}
        places |= {each.place for each in detecting if each.roles is None}
        places |= {table.index[point.name] for each in detecting if each.roles for point in each.roles.points.values()}
        interval_places = np.array(sorted(places), dtype=np.int64)
        return Watch(
            site=site,
            calendar=self.calendar,
            watched=watched,
            interval_places=interval_places,
            interval_points=tuple(table.every[place].name for place in interval_places.tolist()),
            place=table.index,
            thresholds=thresholds,
            scores=scores,
            models=models,
            silences=silences,
            demands=demands,
            meters=meters_of(terms, slots),
            detecting=detecting,
            cases={key_of(case): case for case in cases},
        )

    def _case(self, nth: int, rule: Rule, subject: str, point: str) -> Case:
        asset = self.table.every[self.table.index[point]].asset
        return Case(self.table.site.name, rule, subject, asset, sentences.advice(rule.kind, rule.advice), nth)

    def _threshold(
        self, nth: int, rule: Rule, slots: dict[str, int], words: Say, count: int, unit: str | None = None
    ) -> Threshold:
        cases = {slots[name]: self._case(nth, rule, name, name) for name in rule.points}
        mask = np.zeros(count, dtype=np.bool_)
        mask[list(cases)] = True
        units = {slots[name]: unit or self.table.every[self.table.index[name]].unit for name in rule.points}
        mine = {name: slots[name] for name in rule.points}
        return Threshold(rule, Limits.of(rule), cases, mine, units, words, mask)

    def _silence(self, nth: int, rule: Rule) -> Silence:
        places = np.array([self.table.index[name] for name in rule.points], dtype=np.int64)
        return Silence(rule, tuple(self._case(nth, rule, name, name) for name in rule.points), places)

    def _detecting(self, nth: int, rule: Rule) -> list[Detecting]:
        look, table = DETECTORS[rule.kind].look, self.table
        roles = {role: table.every[table.index[name]] for role, name in rule.roles.items()}
        if not DETECTORS[rule.kind].roles:
            found = []
            for name in rule.points:
                beside = Roles.of({"": table.every[table.index[name]], **roles}) if roles else None
                found.append(Detecting(self._case(nth, rule, name, name), look, table.index[name], beside))
            return found
        first = roles[DETECTORS[rule.kind].roles[0]]
        return [Detecting(self._case(nth, rule, first.asset, first.name), look, -1, Roles.of(roles))]

    def _purchase(self) -> list[tuple[Point, float]]:
        """The measured points of the site's purchase, with what a unit of each counts."""
        found: list[tuple[Point, float]] = []
        for name in self.table.site.import_points:
            point = self.table.every[self.table.index[name]]
            if point.kind is PointKind.VIRTUAL:
                found += [(self.table.every[self.table.index[term]], float(c)) for c, term in point.formula]
            else:
                found.append((point, 1.0))
        return found
