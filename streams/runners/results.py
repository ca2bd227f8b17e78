"""Results as messages for other systems: JSON, one message a site and batch, columns of one length."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import orjson
import polars as pl

from streams.domain.quality import FactQuality
from streams.operators.anomaly import CAUSES
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


def score_messages(site: str, points: list[str], outputs: Outputs) -> Iterator[bytes]:
    """Anomaly scores of a step, in the point's unit (an hour, where it is counted); `score` is null while unknown.

    `cause` is one of `anomaly.CAUSES`, with `direction` 1 above what was expected and -1 below.
    """
    names = pl.Series(points, dtype=pl.String)
    for begin in range(0, len(outputs.scores), MOST_ROWS):
        rows = outputs.scores[begin : begin + MOST_ROWS]
        numbers = {name: rows[name].to_list() for name in ("starts_ms", "ends_ms", "value", "score", "expected")}
        yield orjson.dumps(
            {
                "version": 1,
                "site": site,
                "point": names.gather(rows["place"]).to_list(),
                **numbers,
                "lower": rows["lower"].to_list(),
                "upper": rows["upper"].to_list(),
                "cause": [CAUSES[abs(each)] for each in rows["cause"].to_list()],
                "direction": rows["cause"].sign().to_list(),
            }
        )
