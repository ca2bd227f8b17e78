"""Episodes: from rows of what a rule sees of a subject to one opening, its worst, its flaps and one closing.

Only what is shown counts: an episode opens by a row that still sees what was seen `for_ms` before, and closes by a row
that still does not see what was not seen `clear_ms` before; in between a row that sees again continues it and counts a
flap. What is seen less, between a limit and its `clear`, ends the waiting for `for_ms`, and keeps an episode open. A
closed episode is never opened again. `opened_ms` is when it had been seen for `for_ms`, `closed_ms` when it was no
longer seen, so neither depends on when the row that shows it comes.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import isnan, nan

import numpy as np
from numpy.typing import NDArray

from streams.domain.alerts import Episode, Notice, NoticeKind, Rule, Severity, Words
from streams.operators import sentences
from streams.operators.rule_calendar import Calendar

Int = NDArray[np.int64]
Float = NDArray[np.float64]

SEEN, SAME, UNSEEN, LESS = 1, 0, -1, -2
"""What a row shows: see `Looks`."""
EPISODES = uuid.UUID("5ad26f29-3c5f-5d3b-9e56-3b1f0f6f2f6a")
"""Namespace of the ids of episodes."""


@dataclass(frozen=True, slots=True)
class Case:
    """A rule of a site and one of its subjects; `advice` is what to do and to check first."""

    site: str
    rule: Rule
    subject: str
    asset: str
    advice: Words
    nth: int = 0


@dataclass(frozen=True, slots=True)
class Track:
    """What is remembered of a rule and a subject while it sees something or an episode is open.

    `since_ms` is since when it has been seen, or not been seen. `value`, `worst` and `limit` are in `unit`, `excess` is
    how far `worst` is beyond its limit; `number` is that of the next notice, `told_ms` the time of the last one.
    """

    kind: str
    is_seen: bool
    since_ms: int
    value: float
    limit: float
    unit: str
    worst: float = nan
    excess: float = nan
    opened_ms: int | None = None
    updated_ms: int = 0
    flaps: int = 0
    number: int = 0
    told_ms: int = 0
    is_escalated: bool = False
    said: Words = sentences.SILENT
    asset: str = ""
    severity: Severity = Severity.WARNING
    advice: Words = sentences.SILENT


@dataclass(frozen=True, slots=True)
class Seen:
    """What one row shows: in the rule's unit, and as a sentence."""

    value: float
    limit: float
    unit: str
    said: Words = sentences.SILENT


SeenAt = Callable[[int, int], Seen]
"""What a row shows, by its place among the looks and the time since when it has been seen."""


@dataclass(frozen=True, slots=True)
class Looks:
    """Rows of looking, in order: since when and at what time each is true, what it shows and how far beyond the limit.

    `code` is SEEN, UNSEEN, SAME (as before) or LESS: too little to open an episode, enough to keep one open. `row` is
    its place in the input.
    """

    since_ms: Int
    at_ms: Int
    code: NDArray[np.int8]
    excess: Float
    row: Int

    @classmethod
    def one(cls, since_ms: int, at_ms: int, code: int, excess: float = nan, row: int = 0) -> Looks:
        """A single row."""
        whole = (np.array([each], dtype=np.int64) for each in (since_ms, at_ms, row))
        since, at, place = whole
        return cls(since, at, np.array([code], dtype=np.int8), np.array([excess]), place)


@dataclass(slots=True)
class Log:
    """What a step tells: notices by the row that brings them, and episodes as they stand after it."""

    calendar: Calendar
    notices: list[tuple[tuple[int, int, str, int], Notice]] = field(default_factory=list)
    episodes: dict[str, Episode] = field(default_factory=dict)

    def told(self) -> list[Notice]:
        """The notices in order."""
        return [notice for _, notice in sorted(self.notices, key=lambda each: each[0])]

    def change(self, episode: Episode) -> Episode:
        """Note an episode as it stands."""
        self.episodes[episode.episode_id] = episode
        return episode

    def tell(self, case: Case, episode: Episode, track: Track, kind: NoticeKind, at_ms: int, row: int) -> Track:
        """Note a notice; returns the track after it."""
        key = (row, case.nth, case.subject, track.number)
        self.notices.append((key, Notice(episode, track.number, kind, at_ms)))
        return replace(track, number=track.number + 1, told_ms=at_ms)


def episode_of(case: Case, track: Track, closed_ms: int | None = None, said: Words | None = None) -> Episode:
    """The episode of a track that has one open."""
    opened_ms = track.opened_ms or 0
    name = f"{case.site}\n{case.rule.name}\n{case.subject}\n{opened_ms}"
    return Episode(
        episode_id=str(uuid.uuid5(EPISODES, name)),
        site=case.site,
        rule=case.rule.name,
        subject=case.subject,
        asset=track.asset,
        severity=track.severity,
        opened_ms=opened_ms,
        updated_ms=track.updated_ms,
        closed_ms=closed_ms,
        value=track.value,
        worst=track.worst,
        limit=track.limit,
        unit=track.unit,
        flaps=track.flaps,
        said=track.said if said is None else said,
        advice=track.advice,
    )


def follow(log: Log, case: Case, track: Track | None, looks: Looks, seen_at: SeenAt) -> Track | None:
    """Take rows of one subject in order; the track after them, None where nothing is seen or open."""
    seen = np.flatnonzero(looks.code == SEEN)
    if track is None and not len(seen):
        return None
    not_pending, not_open = np.flatnonzero(looks.code < 0), np.flatnonzero(looks.code == UNSEEN)
    at, count = 0, len(looks.code)
    while at < count:
        ends = not_pending if track is None or track.opened_ms is None else not_open
        code, place = looks.code[at], int(np.searchsorted(ends, at))
        is_end = place < len(ends) and ends[place] == at
        if code == SEEN or (track is not None and track.is_seen and not is_end):
            end = int(ends[place]) if place < len(ends) else count
            track, at = _seen(log, case, track, looks, seen_at, at, end)
            continue
        place = int(np.searchsorted(seen, at))
        end = int(seen[place]) if place < len(seen) else count
        if track is not None:
            track = _unseen(log, case, track, looks, seen_at, at, end)
        at = end
    return track


def _seen(
    log: Log, case: Case, track: Track | None, looks: Looks, seen_at: SeenAt, begin: int, end: int
) -> tuple[Track, int]:
    """Rows that see something: go on waiting, open, or go on being open; up to where it was taken.

    That is the row which opens, since others end what is open.
    """
    since_ms, at_ms = int(looks.since_ms[begin]), int(looks.at_ms[begin])
    if track is None:
        shown = seen_at(begin, since_ms)
        track = Track(
            case.rule.kind, is_seen=True, since_ms=since_ms, value=shown.value, limit=shown.limit, unit=shown.unit
        )
    elif not track.is_seen:
        track = replace(
            track, is_seen=True, since_ms=since_ms, flaps=track.flaps + 1, updated_ms=max(track.updated_ms, at_ms)
        )
        log.change(episode_of(case, track))
    if track.opened_ms is None:
        shows = begin + int(np.searchsorted(looks.at_ms[begin:end], track.since_ms + case.rule.for_ms))
        track = _worse(track, looks, seen_at, begin, min(shows + 1, end))
        return (track, end) if shows >= end else (_open(log, case, track, looks, seen_at, shows), shows + 1)
    worse = _worse(track, looks, seen_at, begin, end)
    if worse is not track:
        log.change(episode_of(case, worse))
    return worse, end


def _open(log: Log, case: Case, track: Track, looks: Looks, seen_at: SeenAt, at: int) -> Track:
    shown, at_ms = seen_at(at, track.since_ms), int(looks.at_ms[at])
    if isnan(shown.value):  # nothing but time has passed
        shown = replace(shown, value=track.value, limit=track.limit, unit=track.unit)
    track = replace(
        track,
        opened_ms=track.since_ms + case.rule.for_ms,
        value=shown.value,
        said=sentences.titled(case.rule.title, shown.said),
        updated_ms=at_ms,
        asset=case.asset,
        severity=case.rule.severity,
        advice=case.advice,
    )
    if isnan(track.worst):
        track = replace(track, worst=shown.value, limit=shown.limit, unit=shown.unit)
    return log.tell(case, log.change(episode_of(case, track)), track, NoticeKind.OPENED, at_ms, int(looks.row[at]))


def _worse(track: Track, looks: Looks, seen_at: SeenAt, begin: int, end: int) -> Track:
    """The track with the row that is furthest beyond its limit, if one is further than before."""
    excess = np.where(np.isnan(looks.excess[begin:end]), -np.inf, looks.excess[begin:end])
    at = begin + int(np.argmax(excess))
    most = float(excess[at - begin])
    if most == -np.inf or most <= track.excess:
        return track
    shown = seen_at(at, track.since_ms)
    return replace(
        track,
        excess=most,
        worst=shown.value,
        limit=shown.limit,
        unit=shown.unit,
        updated_ms=max(track.updated_ms, int(looks.at_ms[at])),
    )


def _unseen(log: Log, case: Case, track: Track, looks: Looks, seen_at: SeenAt, begin: int, end: int) -> Track | None:
    """Rows that do not see it: forget what was waiting, begin to close, or close."""
    if track.opened_ms is None:
        return None
    if track.is_seen:
        shown = seen_at(begin, track.since_ms)
        track = replace(
            track,
            is_seen=False,
            since_ms=max(int(looks.since_ms[begin]), track.opened_ms),
            value=track.value if isnan(shown.value) else shown.value,
            updated_ms=max(track.updated_ms, int(looks.at_ms[begin])),
        )
        log.change(episode_of(case, track))
    shows = begin + int(np.searchsorted(looks.at_ms[begin:end], track.since_ms + case.rule.clear_ms))
    if shows < end:
        close(log, case, track, int(looks.at_ms[shows]), int(looks.row[shows]))
        return None
    return track


def close(log: Log, case: Case, track: Track, at_ms: int, row: int = 0, why: Words | None = None) -> None:
    """Close the episode of a track; `why` is given where it is not that the trouble is over."""
    ended_ms = at_ms if track.is_seen or why is not None else track.since_ms
    begun_ms = track.opened_ms or 0
    over = why or sentences.over(ended_ms - begun_ms, log.calendar.local(ended_ms))
    said = sentences.joined(over, sentences.worst(track.worst, track.unit), track.said)
    track = replace(track, updated_ms=at_ms)
    episode = log.change(episode_of(case, track, ended_ms, said))
    log.tell(case, episode, track, NoticeKind.CLOSED, at_ms, row)


def remind(log: Log, case: Case, track: Track, now_ms: int) -> Track:
    """Tell an open episode to more people, or again, when it is time for that."""
    opened_ms, rule = track.opened_ms, case.rule
    if opened_ms is None or not track.is_seen:
        return track
    kind = None
    if rule.escalate_ms and not track.is_escalated and now_ms - opened_ms >= rule.escalate_ms:
        kind, track = NoticeKind.ESCALATED, replace(track, is_escalated=True)
    elif rule.remind_ms and now_ms - track.told_ms >= rule.remind_ms:
        kind = NoticeKind.REMINDED
    if kind is None:
        return track
    lasts = sentences.lasts(now_ms - opened_ms)
    said = sentences.joined(lasts, sentences.worst(track.worst, track.unit), track.said)
    return log.tell(case, episode_of(case, track, said=said), track, kind, now_ms, 0)
