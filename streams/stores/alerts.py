"""Episodes and the messages about them as rows, and the messages as JSON (`alert.schema.json`)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import orjson
import polars as pl

from streams.catalog.runs import is_run
from streams.domain.alerts import Episode, Notice, Words
from streams.stores.store import naive_ms

NUL, REPLACED = "\x00", "\ufffd"
"""A character that PostgreSQL keeps in no text, and what stands in its place on every store."""
TYPE: Final = "kilowatch.alert"
"""Types of messages begin so; what follows is the kind of notice."""
TEST: Final = f"{TYPE}.test"
VERSION: Final = 1
OUTBOX: Final[dict[str, Any]] = {
    "message_id": pl.String,
    "episode_id": pl.String,
    "site": pl.String,
    "kind": pl.String,
    "number": pl.Int32,
    "happened_at": pl.Datetime("us"),
    "created_at": pl.Datetime("us"),
    "payload": pl.String,
}
EPISODE: Final[dict[str, Any]] = {
    "episode_id": pl.String,
    "site": pl.String,
    "rule": pl.String,
    "subject": pl.String,
    "asset": pl.String,
    "severity": pl.String,
    "opened_at": pl.Datetime("us"),
    "updated_at": pl.Datetime("us"),
    "closed_at": pl.Datetime("us"),
    "value": pl.Float64,
    "worst": pl.Float64,
    "limit_value": pl.Float64,
    "unit": pl.String,
    "flaps": pl.Int32,
    "said_zh": pl.String,
    "said_en": pl.String,
    "advice_zh": pl.String,
    "advice_en": pl.String,
    "catalog_id": pl.Int32,
}


def outbox_rows(notices: Sequence[Notice], moment: datetime) -> pl.DataFrame:
    """Rows of op.alert_outbox; `moment` (UTC, without a zone) is when they are committed.

    Notices of runs have none, since a replay never sends.
    """
    rows = [
        (
            notice.message_id,
            notice.episode.episode_id,
            notice.episode.site,
            notice.kind.value,
            notice.number,
            naive_ms(notice.at_ms),
            moment,
            payload(notice).decode(),
        )
        for notice in notices
        if not is_run(notice.episode.site)
    ]
    return pl.DataFrame(rows, schema=OUTBOX, orient="row")


def episode_rows(episodes: Sequence[Episode], catalog_id: int) -> pl.DataFrame:
    """Rows of fact.alert_episode as episodes stand, the last of an id alone; `catalog_id` is of the site's file."""
    latest = {episode.episode_id: episode for episode in episodes}
    rows = [
        (
            each.episode_id,
            each.site,
            each.rule,
            each.subject,
            each.asset,
            each.severity.value,
            naive_ms(each.opened_ms),
            naive_ms(each.updated_ms),
            None if each.closed_ms is None else naive_ms(each.closed_ms),
            *(each.value, each.worst, each.limit, each.unit, each.flaps),
            *map(_storable, (each.said.zh, each.said.en, each.advice.zh, each.advice.en)),
            catalog_id,
        )
        for each in latest.values()
    ]
    return pl.DataFrame(rows, schema=EPISODE, orient="row")


def payload(notice: Notice, kind: str | None = None) -> bytes:
    """A message as JSON; `kind` stands for the type where it is none of a notice. Numbers that are none are null."""
    episode = notice.episode
    return orjson.dumps(
        {
            "type": kind or f"{TYPE}.{notice.kind.value}",
            "timestamp": rfc3339(notice.at_ms),
            "data": {
                "version": VERSION,
                "message_id": notice.message_id,
                "number": notice.number,
                "episode_id": episode.episode_id,
                "site": episode.site,
                "rule": episode.rule,
                "subject": episode.subject,
                "asset": episode.asset,
                "severity": episode.severity.value,
                "opened_at": rfc3339(episode.opened_ms),
                "updated_at": rfc3339(episode.updated_ms),
                "closed_at": None if episode.closed_ms is None else rfc3339(episode.closed_ms),
                "value": _finite(episode.value),
                "worst": _finite(episode.worst),
                "limit": _finite(episode.limit),
                "unit": episode.unit,
                "flaps": episode.flaps,
                "said": _words(episode.said),
                "advice": _words(episode.advice),
            },
        }
    )


def rfc3339(time_ms: int) -> str:
    """UTC milliseconds as RFC 3339."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _words(words: Words) -> dict[str, str]:
    return {"zh": _storable(words.zh), "en": _storable(words.en)}


def _storable(text: str) -> str:
    return text.replace(NUL, REPLACED)
