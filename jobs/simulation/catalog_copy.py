"""The site's file again: it says that it is simulated, and declares the exchanges that took place."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import yaml

from streams.domain.site import Exchange, Site

SIMULATED = {"zh": "（模擬）", "en": " (simulated)"}
BOOLEAN = "tag:yaml.org,2002:bool"


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader to which, as to the catalog, `on`, `off`, `yes` and `no` are words."""


_Loader.yaml_implicit_resolvers = {
    letter: [each for each in resolvers if each[0] != BOOLEAN or letter in "tTfF"]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def write_site(source: Path, target: Path, site: Site, exchanges: Mapping[str, tuple[Exchange, ...]]) -> None:
    """Write a copy of a site's file in which the points named (`site/point`) declare these exchanges, no others.

    Where the file gives an interval, the copy gives the one of the `site`.
    """
    document = _Loader(source.read_text(encoding="utf-8")).get_single_data()
    titles = document.setdefault("title", {})
    for language, word in SIMULATED.items():
        title = titles.get(language, site.name)
        titles[language] = title if title.endswith(word) else f"{title}{word}"
    points = {point.name: point for point in site.points}
    for row in document["points"]:
        name = f"{site.name}/{row['name']}"
        interval_ms = points[name].interval_ms
        if interval_ms is not None:
            row["interval"] = f"{interval_ms // 1000}s"
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
