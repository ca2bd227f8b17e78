"""What came of an attempt, and when the next one is made."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final

DELAYS_S: Final = (5.0, 30.0, 120.0, 600.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0, 28_800.0, 36_000.0)
"""How long after each failure it is tried again: a day and a few hours in all; after the last, no more."""
JITTER: Final = 0.2
"""A delay is longer by up to this share, by chance, so that many do not come back at once."""
MOST_ASKED_S: Final = 43_200.0
"""A receiver that asks to be left alone (Retry-After) is left alone no longer than this."""
AGAIN: Final = frozenset({408, 425, 429})
"""Codes of clients' mistakes that pass by themselves."""
GONE: Final = 410


class Result(StrEnum):
    """How an attempt ended: delivered; to be tried again; refused for ever; or nothing more is wanted here."""

    SENT = "sent"
    FAILED = "failed"
    REFUSED = "refused"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt; `after_s` is how long the receiver asks to be left alone."""

    result: Result
    reason: str
    code: int | None = None
    after_s: float = 0.0


def of_answer(code: int, phrase: str, retry_after: str | None, now: datetime) -> Outcome:
    """What an HTTP answer means; a redirect is not followed, and is tried again in case it is mended."""
    reason = f"HTTP {code} {phrase}".strip()[:200]
    if 200 <= code < 300:
        return Outcome(Result.SENT, reason, code)
    if code == GONE:
        return Outcome(Result.GONE, reason, code)
    if 400 <= code < 500 and code not in AGAIN:
        return Outcome(Result.REFUSED, reason, code)
    if 300 <= code < 400:
        reason += ": redirects are not followed"
    return Outcome(Result.FAILED, reason, code, seconds_of(retry_after, now))


def seconds_of(retry_after: str | None, now: datetime) -> float:
    """Seconds of a Retry-After, a number or an HTTP date (RFC 9110 10.2.3); 0 for none, and for what is neither."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdecimal():
        seconds = float(text[:12])
    else:
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return 0.0
        seconds = ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds()
    return min(max(seconds, 0.0), MOST_ASKED_S)


def next_attempt(failures: int, outcome: Outcome, now: datetime, chance: random.Random) -> datetime | None:
    """When a message is tried again that has failed so often; None where it was for the last time."""
    if failures > len(DELAYS_S):
        return None
    delay_s = DELAYS_S[failures - 1] * (1 + JITTER * chance.random())
    return now + timedelta(seconds=max(delay_s, outcome.after_s))
