"""`kilowatch alerts send-test`: one message, to see whether a channel works."""

from __future__ import annotations

import asyncio
import secrets
import time
from datetime import UTC
from typing import Annotated

import orjson
import typer

from jobs import options
from jobs.say import say
from streams.catalog.source import nearest
from streams.domain.alerts import Episode, Notice, NoticeKind, Severity, Words
from streams.domain.findings import KilowatchError
from streams.runners.delivery.channels import Channel, read_channels
from streams.runners.delivery.outcome import Outcome, Result
from streams.runners.delivery.posting import Letter, Post
from streams.runners.delivery.sender import utc_now
from streams.stores.alerts import TEST, payload


def send_test(
    channel: Annotated[str, typer.Argument(metavar="CHANNEL", help="A channel of the file.")],
    channels: options.Channels,
) -> None:
    """Send one message of type kilowatch.alert.test by a channel, and say what came of it; nothing is stored."""
    known = read_channels(channels).by_name
    if channel not in known:
        hint = nearest(channel, known)
        more = f" (did you mean {hint!r}?)" if hint else ""
        raise KilowatchError(f"{channels}: expected a channel of {', '.join(sorted(known))}; found {channel!r}{more}")
    begun = time.monotonic()
    outcome = asyncio.run(_sent(known[channel]))
    say.print(f"{channel}: {outcome.result.value}: {outcome.reason} ({time.monotonic() - begun:.2f} s)", soft_wrap=True)
    raise typer.Exit(0 if outcome.result is Result.SENT else 1)


async def _sent(channel: Channel) -> Outcome:
    now = utc_now()
    now_ms = int(now.timestamp() * 1000)
    said = Words("這是測試訊息。", "This is a test.")
    episode = Episode(
        episode_id=f"test-{secrets.token_hex(8)}", site="test", rule="send_test", subject="", asset="",
        severity=Severity.INFO, opened_ms=now_ms, updated_ms=now_ms, closed_ms=None, value=0.0, worst=0.0, limit=0.0,
        unit="", flaps=0, said=said, advice=Words(),
    )  # fmt: skip
    notice = Notice(episode, 0, NoticeKind.OPENED, now_ms)
    content = payload(notice, TEST)
    letter = Letter(notice.message_id, "test", content, orjson.loads(content)["data"], UTC)
    async with Post() as post:
        return await post.attempt(channel, letter, now)
