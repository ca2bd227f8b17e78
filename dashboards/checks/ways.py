"""Links: they lead to dashboards that exist, and name variables that those have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from dashboards.checks.found import Checked, properties
from streams.domain.findings import Finding

OURS: Final = re.compile(r"/d/([\w-]+)(?:\?(.*))?")
CHOSEN: Final = re.compile(r"var-(\w+)=")
FIELD: Final = re.compile(r"\$\{__data\.fields\.(\w+)\}")


def check(board: Checked, every: Mapping[str, Checked]) -> Iterator[Finding]:
    """What is wrong with the links of a dashboard; `every` are the dashboards by uid."""
    if not board.uid:
        yield board.wrong("uid", "no uid", expected="the uid that links lead to")
    for link in board.whole.get("links", []):
        yield from _link(board, None, link, every)
    for panel in board.panels:
        for _, name, value in properties(panel):
            for link in value if name == "links" else []:
                yield from _link(board, panel, link, every)
                yield from _fields(board, panel, link)


def _link(
    board: Checked, panel: dict[str, Any] | None, link: Mapping[str, Any], every: Mapping[str, Checked]
) -> Iterator[Finding]:
    url = str(link.get("url", ""))
    ours = OURS.fullmatch(url)
    if ours is None:
        yield board.wrong("link", f"link {link.get('title')!r}", panel, expected="/d/<uid>", found=url)
        return
    target = every.get(ours[1])
    if target is None:
        yield board.wrong("link", f"link {link.get('title')!r} leads nowhere", panel, found=ours[1])
        return
    for name in CHOSEN.findall(ours[2] or ""):
        if name not in target.variables:
            yield board.wrong("link", f"{ours[1]} has no variable {name}", panel, expected=", ".join(target.variables))
    if panel is not None and "${__url_time_range}" not in url:
        yield board.wrong("link", f"link {link.get('title')!r} loses the time range", panel, found=url)


def _fields(board: Checked, panel: dict[str, Any], link: Mapping[str, Any]) -> Iterator[Finding]:
    """Values that a link takes from the row are columns of the query."""
    text = " ".join(str(target.get("rawSql", "")) for target in panel.get("targets", []))
    for name in FIELD.findall(str(link.get("url", ""))):
        if not re.search(rf"\b{name}\b", text):
            yield board.wrong(
                "link", f"link {link.get('title')!r} takes a column that the query has not", panel, found=name
            )
