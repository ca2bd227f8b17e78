"""Every check of dashboards that needs no store."""

from __future__ import annotations

import re
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
            yield from _looked_at(board, one.check(board))
        yield from _looked_at(board, ways.check(board, by_uid))
    if boards:
        yield from _looked_at(boards[0], languages.check(by_uid))


def _looked_at(board: Checked, findings: Iterator[Finding]) -> Iterator[Finding]:
    """Findings of one check; a dashboard of another shape than it knows is one, too."""
    try:
        yield from findings
    except (AttributeError, KeyError, TypeError, ValueError, re.error) as error:
        yield board.wrong("shape", "is built so that it cannot be looked at further", found=repr(error))
