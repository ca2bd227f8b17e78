"""Results as messages for other systems: JSON, one message a site and batch, columns of one length."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import orjson
import polars as pl

from streams.domain.quality import FactQuality
from streams.pipeline import Outputs

MOST_ROWS: Final = 10_000
NAMES: Final = {int(each): each.name.lower() for each in FactQuality}


def interval_messages(site: str, points: list[str], outputs: Outputs) -> Iterator[bytes]:
    """Facts of a step; `amount` in base units of the point's quantity (mWh for energy), null where missing.

    A consumer keeps, of rows of one point and start, the one with the highest revision.
    """
    names = pl.Series(points, dtype=pl.String)
    for begin in range(0, len(outputs.facts), MOST_ROWS):
        rows = outputs.facts[begin : begin + MOST_ROWS]
        yield orjson.dumps(
            {
                "version": 1,
                "site": site,
                "point": names.gather(rows["place"]).to_list(),
                "starts_ms": rows["starts_ms"].to_list(),
                "ends_ms": rows["ends_ms"].to_list(),
                "amount": rows["amount"].to_list(),
                "quality": [NAMES[each] for each in rows["quality"].to_list()],
                "revision": rows["revision"].to_list(),
            }
        )
