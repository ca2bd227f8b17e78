"""Labelled series on a regular grid, and those that lie in files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from jobs.simulation.clock import Int, Real, Truth
from streams.domain.findings import KilowatchError

MINUTE_MS = 60_000
WEEK_MINUTES = 10_080
THURSDAY = 3 * 1440
"""Minute of the week (0 is Monday 0:00) at which the epoch began."""
TIMES = ("time", "timestamp", "ctime")
VALUES = ("value", "value_normalized", "activePower")
LABELS = ("label", "stale_data_mask", "outlier")
"""Columns by any of these names."""
TRUE = ("1", "1.0", "true")


class LabelledError(KilowatchError):
    """A file of labelled series that cannot be read."""


@dataclass(frozen=True)
class Labelled:
    """A series on a regular grid: `value` (NaN where missing) and the minute of the week at which each interval begins.

    `events` are (begin, end, kind), places of the grid, the end not included; all else is taken to be healthy.
    """

    name: str
    interval_ms: int
    value: Real
    minute: Int
    events: tuple[tuple[int, int, str], ...]

    @property
    def label(self) -> Truth:
        """Whether each interval is within an event."""
        inside = np.zeros(len(self.value), dtype=np.bool_)
        for begin, end, _ in self.events:
            inside[begin:end] = True
        return inside


def runs(mask: Truth) -> list[tuple[int, int]]:
    """Begin and end of each stretch of true."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.astype(np.int8), [0]))))
    return [(int(begin), int(end)) for begin, end in edges.reshape(-1, 2)]


def gridded(name: str, time_ms: Int, value: Real, label: Truth, kind: str = "") -> Labelled:
    """A series from rows in any order; the interval is the median distance of their times."""
    order = np.argsort(time_ms, kind="stable")
    time_ms, value, label = time_ms[order], value[order], label[order]
    steps = np.diff(time_ms)
    interval = int(np.median(steps[steps > 0])) if (steps > 0).any() else MINUTE_MS
    place = (time_ms - time_ms[0]) // interval
    length = int(place[-1]) + 1
    values, labels = np.full(length, np.nan), np.zeros(length, dtype=np.bool_)
    values[place] = value
    labels[place[label]] = True
    minute = (time_ms[0] + interval * np.arange(length)) // MINUTE_MS
    events = tuple((begin, end, kind) for begin, end in runs(labels))
    return Labelled(name, interval, values, (minute + THURSDAY) % WEEK_MINUTES, events)


def coarser(one: Labelled, times: int) -> Labelled:
    """The same in longer intervals: means of what is known; missing where less than half of one is."""
    length = len(one.value) // times
    parts = one.value[: length * times].reshape(length, times)
    known = np.isfinite(parts)
    count = known.sum(axis=1)
    mean = np.where(known, parts, 0.0).sum(axis=1) / np.maximum(count, 1)
    events = tuple((begin // times, min(-(-end // times), length), kind) for begin, end, kind in one.events)
    value = np.where(2 * count >= times, mean, np.nan)
    return Labelled(one.name, one.interval_ms * times, value, one.minute[: length * times : times], events)


def series_in(folder: Path) -> list[Labelled]:
    """Every CSV file of a folder and those below it, or of a checkout of the Numenta benchmark; by name.

    A file has the columns time, value and label (1 or true within an event); the benchmark keeps its labels apart.
    LabelledError where there is none, or where one cannot be read.
    """
    windows = _windows(folder)
    paths = sorted(folder.rglob("*.csv"))
    if not paths:
        raise LabelledError(f"{folder}: expected files *.csv with the columns time, value, label; found none")
    return [read(path, str(path.relative_to(folder)), windows) for path in paths]


def _windows(folder: Path) -> Mapping[str, Sequence[Sequence[str]]] | None:
    """The Numenta benchmark's windows by `folder/file.csv`, wherever in its checkout the folder is."""
    for above in (folder, *folder.resolve().parents[:2]):
        labels = above / "labels" / "combined_windows.json"
        if labels.is_file():
            found: Mapping[str, Sequence[Sequence[str]]] = json.loads(labels.read_text(encoding="utf-8"))
            return found
    return None


def read(path: Path, name: str, windows: Mapping[str, Sequence[Sequence[str]]] | None = None) -> Labelled:
    """A file as `series_in` describes it; rows in any order."""
    try:
        rows = pl.read_csv(path, infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise LabelledError(f"{path}: expected CSV with the columns time, value, label; found {error}") from None
    time_ms = np.array([stamp(path, text) for text in _column(path, rows, TIMES)], dtype=np.int64)
    value = np.array([_number(path, text) for text in _column(path, rows, VALUES)])
    if windows is not None:
        spans = [(stamp(path, a), stamp(path, b)) for a, b in windows.get(f"{path.parent.name}/{path.name}", ())]
        label = np.array([any(a <= each <= b for a, b in spans) for each in time_ms.tolist()], dtype=np.bool_)
    else:
        label = np.array([(text or "").lower() in TRUE for text in _column(path, rows, LABELS)], dtype=np.bool_)
    if len(time_ms) < 2:
        raise LabelledError(f"{path}: expected two rows or more; found {len(time_ms)}")
    return gridded(name, time_ms, value, label)


def _number(path: Path, text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        raise LabelledError(f"{path}: expected a number; found {text!r}") from None


def _column(path: Path, rows: pl.DataFrame, names: Iterable[str]) -> list[str | None]:
    known = {name.strip().lower(): name for name in rows.columns}
    for name in names:
        if name.lower() in known:
            return rows[known[name.lower()]].to_list()
    raise LabelledError(f"{path}: expected a column {' or '.join(names)}; found {', '.join(rows.columns)}")


def stamp(path: Path, text: str | None) -> int:
    """What a clock on the wall showed, in ms since the epoch; LabelledError where it is no time."""
    plain = (text or "").strip()
    try:
        if "/" in plain:  # as spreadsheets write it
            moment = datetime.strptime(f"{plain} +0000", "%m/%d/%Y %H:%M %z")
        else:
            moment = datetime.fromisoformat(plain)
    except ValueError:
        raise LabelledError(f"{path}: expected a time such as 2026-01-05T08:00:00; found {text!r}") from None
    return int(moment.replace(tzinfo=UTC).timestamp()) * 1000
