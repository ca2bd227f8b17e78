"""The catalog is looked at while a runner runs: what changed is taken up, and what is wrong is told."""

from __future__ import annotations

import logging

from streams.catalog.folder import SiteFolder
from streams.runners.metrics import LiveMetrics

REFRESH_S = 2.0
"""Between two looks; each asks for the time and the size of every site's file."""


def look(folder: SiteFolder, metrics: LiveMetrics, log: logging.Logger) -> None:
    """Take up changed files; each that cannot be used is told once, with its mistakes, and its site stays as it was."""
    before = dict(folder.wrong)
    for name in sorted(folder.refresh()):
        log.info("catalog changed", extra={"fields": {"site": name}})
    for file, reason in folder.wrong.items():
        if before.get(file) != reason:
            log.error("catalog wrong", extra={"fields": {"file": str(file), "reason": reason}})
    for file in sorted(before.keys() - folder.wrong.keys()):
        log.info("catalog mended", extra={"fields": {"file": str(file)}})
    metrics.catalog_wrong.set(len(folder.wrong))
