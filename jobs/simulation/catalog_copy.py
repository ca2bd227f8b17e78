"""The site's file again: it says that it is simulated, and declares the exchanges that took place."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import yaml

from streams.domain.site import Exchange, Site

SIMULATED = {"zh": "（模擬）", "en": " (simulated)"}


def write_site(source: Path, target: Path, site: Site, exchanges: Mapping[str, tuple[Exchange, ...]]) -> None:
    """Write a copy of a site's file in which the points named (`site/point`) declare these exchanges, no others."""
    document = yaml.safe_load(source.read_text(encoding="utf-8"))
    titles = document.setdefault("title", {})
    for language, word in SIMULATED.items():
        title = titles.get(language, site.name)
        titles[language] = title if title.endswith(word) else f"{title}{word}"
    for row in document["points"]:
        name = f"{site.name}/{row['name']}"
        if exchanges.get(name):
            row["exchanges"] = [
                {
                    "at": datetime.fromtimestamp(each.at_ms / 1000, tz=site.time_zone).isoformat(),
                    "closing": each.closing,
                    "opening": each.opening,
                }
                for each in sorted(exchanges[name], key=lambda each: each.at_ms)
            ]
    text = yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=120)
    target.write_text(
        f"# Written by `kilowatch simulate`: made-up telemetry, no measurements.\n{text}", encoding="utf-8"
    )
