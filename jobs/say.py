"""What commands say on standard error: messages, and how far a long work is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

say = Console(stderr=True, highlight=False, markup=False)


class Advance:
    """Moves a progress bar on."""

    def __init__(self, progress: Progress, unit: str) -> None:
        """Begin at nothing."""
        self.progress, self.unit, self.count = progress, unit, 0
        self.task = progress.add_task(f"0 {unit}", total=None)

    def __call__(self, more: int) -> None:
        """Count on."""
        self.count += more
        self.progress.update(self.task, description=f"{self.count:,} {self.unit}")


@contextmanager
def progress_bar(unit: str) -> Iterator[Advance]:
    """Show on standard error how far a long work is."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=say, transient=True) as progress:
        yield Advance(progress, unit)
