"""Counts that several threads raise and a metrics page reads."""

from __future__ import annotations

import threading
from collections import Counter


class Tally:
    """Counts by name and label, for example `messages_in` by `mqtt`; safe to use from any thread."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, name: str, label: str = "", more: int = 1) -> None:
        """Count on."""
        with self._lock:
            self._counts[name, label] += more

    def read(self, name: str) -> dict[str, int]:
        """The counts of one name, by label."""
        with self._lock:
            return {label: count for (each, label), count in self._counts.items() if each == name}

    def total(self, name: str) -> int:
        """The sum over every label of a name."""
        return sum(self.read(name).values())
