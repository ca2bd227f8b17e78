"""Attempts: one message by one channel, once, within a time, to an address that may be connected to.

A webhook gets the payload as it is in the outbox, signed. Grafana gets an annotation, looked for first, since it knows
no ids: what an earlier attempt has left there is not left twice. Apprise gets a text.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final, TypeVar

import aiohttp
import orjson

from streams.runners.delivery.addresses import PRIVATE, guarded, private_socket, public_socket
from streams.runners.delivery.channels import Channel
from streams.runners.delivery.outcome import Outcome, Result, of_answer
from streams.runners.delivery.signing import signed
from streams.runners.delivery.texts import body, title

ATTEMPT_S: Final = 15.0
CONNECT_S: Final = 5.0
MOST_BYTES: Final = 65_536
"""So much of an answer is read at most, and only where it is needed."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Letter:
    """What is sent: a payload, its `data` and kind, and the zone of the site that it is about."""

    message_id: str
    kind: str
    payload: bytes
    data: dict[str, Any]
    zone: tzinfo


class Post:
    """Makes attempts; used within `async with`, in one event loop."""

    def __init__(self, attempt_s: float = ATTEMPT_S) -> None:
        """Connect to nothing yet."""
        self.attempt_s = attempt_s

    async def __aenter__(self) -> Post:
        """Make the clients: one for public addresses alone, one for channels that allow others."""
        self._public, self._any = (
            self._client(aiohttp.TCPConnector(socket_factory=public_socket, **LINE)),
            self._client(aiohttp.TCPConnector(socket_factory=private_socket, **LINE)),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every connection."""
        await self._public.close()
        await self._any.close()

    def _client(self, connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
        limits = aiohttp.ClientTimeout(total=self.attempt_s, sock_connect=CONNECT_S)
        jar = aiohttp.DummyCookieJar()
        agent = {"User-Agent": "Kilowatch"}
        return aiohttp.ClientSession(
            connector=connector, timeout=limits, cookie_jar=jar, headers=agent, trust_env=False, auto_decompress=False
        )

    async def attempt(self, channel: Channel, letter: Letter, now: datetime) -> Outcome:
        """Send a letter once; whatever is in the way becomes an outcome."""
        send = {"webhook": self._webhook, "grafana": self._grafana, "apprise": self._apprise}[channel.kind]
        try:
            async with asyncio.timeout(self.attempt_s):
                return await send(channel, letter, now)
        except TimeoutError:
            return Outcome(Result.FAILED, f"no answer within {self.attempt_s:g} s")
        except aiohttp.ClientConnectorCertificateError as error:
            return Outcome(Result.FAILED, f"no connection: {error.certificate_error}"[:200])
        except aiohttp.ClientConnectorError as error:
            return Outcome(Result.FAILED, f"no connection: {error.os_error.strerror or error.os_error}"[:200])
        except aiohttp.ServerDisconnectedError:
            return Outcome(Result.FAILED, "the connection was closed without an answer")
        except (aiohttp.ClientError, OSError, ValueError) as error:  # its text may hold the address
            return Outcome(Result.FAILED, f"no answer: {type(error).__name__}")

    def _of(self, channel: Channel) -> aiohttp.ClientSession:
        return self._any if channel.allow_private else self._public

    async def _webhook(self, channel: Channel, letter: Letter, now: datetime) -> Outcome:
        headers = signed(letter.message_id, now, letter.payload, channel.keys)
        return await self._posted(channel, channel.url, letter.payload, headers, now)

    async def _posted(
        self, channel: Channel, url: str, content: bytes, headers: dict[str, str], now: datetime
    ) -> Outcome:
        headers = {"Content-Type": "application/json", **headers}
        async with self._of(channel).post(url, data=content, headers=headers, allow_redirects=False) as answer:
            return of_answer(answer.status, answer.reason or "", answer.headers.get("Retry-After"), now)

    async def _grafana(self, channel: Channel, letter: Letter, now: datetime) -> Outcome:
        url, headers = f"{channel.url}/api/annotations", {"Authorization": f"Bearer {channel.token}"}
        search = {"tags": letter.message_id, "limit": "1"}
        async with self._of(channel).get(url, params=search, headers=headers, allow_redirects=False) as answer:
            known = await answer.content.read(MOST_BYTES) if answer.status == 200 else b""
        if known.strip() not in (b"", b"[]", b"null"):
            return Outcome(Result.SENT, "HTTP 200: it is there already", 200)
        return await self._posted(channel, url, orjson.dumps(annotation(letter, channel)), headers, now)

    async def _apprise(self, channel: Channel, letter: Letter, _: datetime) -> Outcome:
        return await aside(lambda: notified(channel, letter))


LINE: Final[dict[str, Any]] = {"force_close": True, "limit": 0, "use_dns_cache": False}
"""A connection for each attempt, since it is the connection that is checked."""


def annotation(letter: Letter, channel: Channel) -> dict[str, Any]:
    """An annotation of Grafana: a moment, and the whole span of an episode that is over."""
    data, heading = letter.data, title(letter.data, letter.kind, channel.language)
    found = {
        "time": _ms(data["opened_at"] if letter.kind == "closed" else data["updated_at"]),
        "tags": ["kilowatch", data["site"], data["rule"], data["severity"], letter.kind, letter.message_id],
        "text": f"{heading}\n{body(data, letter.kind, channel.language, letter.zone)}",
    }
    return found | ({"timeEnd": _ms(data["closed_at"])} if data["closed_at"] else {})


def _ms(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp() * 1000)


def notified(channel: Channel, letter: Letter) -> Outcome:
    """Send a letter by apprise, which tells only whether it was taken."""
    import apprise  # noqa: PLC0415 - large, and few need it

    asset = apprise.AppriseAsset(http_redirects=False, secure_logging=True)
    service = apprise.Apprise.instantiate(channel.url, asset=asset)
    if service is None:
        return Outcome(Result.FAILED, "no address that apprise knows")
    sort = {"info": "info", "warning": "warning", "critical": "failure"}[letter.data["severity"]]
    text = body(letter.data, letter.kind, channel.language, letter.zone)
    heading = title(letter.data, letter.kind, channel.language)
    kind = "success" if letter.kind == "closed" else sort
    with guarded(PRIVATE if channel.allow_private else ()):  # in this thread, as `Apprise.notify` might not
        taken = service.notify(body=text, title=heading, notify_type=kind)
    return Outcome(Result.SENT, "taken") if taken else Outcome(Result.FAILED, "not taken")


async def aside(work: Callable[[], T]) -> T:
    """Do what waits in a thread that nobody waits for when the process ends."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(result: T | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # of an error alone is there none

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as raised:  # noqa: BLE001 - it is raised where it is waited for
            error = raised
        if not loop.is_closed():
            loop.call_soon_threadsafe(tell, result, error)

    threading.Thread(target=run, name="aside", daemon=True).start()
    return await done
