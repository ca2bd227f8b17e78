"""Every check of dashboards that needs no store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dashboards.checks import grid, languages, registries, shape, statements, ways
from dashboards.checks.found import Checked
from streams.domain.findings import Finding


def check(boards: Sequence[Checked]) -> Iterator[Finding]:
    """What is wrong with dashboards that belong together."""
    by_uid: dict[str, Checked] = {}
    for board in boards:
        if board.uid in by_uid:
            yield board.wrong("uid", "a uid that another dashboard has, too", found=board.uid)
        by_uid.setdefault(board.uid, board)
    for board in boards:
        for one in (shape, registries, grid, statements):
            yield from one.check(board)
        yield from ways.check(board, by_uid)
    yield from languages.check(by_uid)
