"""Whether the routes of a channels file fit the sites and rules that there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from streams.catalog.source import nearest
from streams.domain.alerts import NoticeKind
from streams.domain.findings import Finding, Severity
from streams.domain.site import Site
from streams.runners.delivery.channels import route_takes
from streams.runners.delivery.channels_file import RouteRow

PATTERN: Final = "*?["


def misfits(path: Path, routes: Sequence[RouteRow], sites: Sequence[Site]) -> list[Finding]:
    """A warning for each word of a route that fits no site or no rule, and for each rule that no route takes."""
    found = list[Finding]()
    for number, route in enumerate(routes):
        within = [site for site in sites if not route.sites or _fits(site.name, route.sites)]
        found += _idle(path, number, route, "sites", "a site", {site.name for site in sites})
        if within:
            rules = {rule.name for site in within for rule in site.rules}
            found += _idle(path, number, route, "rules", "a rule of these sites", rules)
    found += [
        Finding(
            "unrouted_rule", f"rule {rule.name} of {site.name}: nobody is told when it opens", path, None,
            "a route that takes it", "none", None, Severity.WARNING,
        )
        for site in sites
        for rule in site.rules
        if not any(route_takes(each, NoticeKind.OPENED, rule.severity, site.name, rule.name) for each in routes)
    ]  # fmt: skip
    return found


def _idle(path: Path, number: int, route: RouteRow, key: str, expected: str, known: set[str]) -> Iterator[Finding]:
    for word in getattr(route, key):
        if not any(fnmatchcase(name, word) for name in known):
            hint = None if any(mark in word for mark in PATTERN) else nearest(word, known)
            sentence = f"routes[{number}].{key}: nothing fits"
            yield Finding("no_fit", sentence, path, route.line(key), expected, word, hint, Severity.WARNING)


def _fits(name: str, words: Iterable[str]) -> bool:
    return any(fnmatchcase(name, word) for word in words)
